"""What becomes of a document that is voided: it is worth nothing from a day on, or the void is refused (INV-07)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from invoice.domain.drafts import Kind, document_id
from invoice.domain.faults import Fault
from invoice.domain.schedules import Instalment


@dataclass(frozen=True, slots=True)
class VoidRequest:
    """
    Somebody voids a document, or corrects it: then `replaced_by` is the number of the invoice that takes its place.

    `customer` is the one that the sender names. A correction names its own: the wrong customer is one of the things it may correct.
    `booked_on` is the day it was told. `source`, `source_id` and `source_type` name the fact it came in; over HTTP there is none.
    """

    entity: str
    document_no: str
    customer: str
    booked_on: date
    reason: str | None = None
    effective_on: date | None = None
    replaced_by: str | None = None
    source: str | None = None
    source_id: str | None = None
    source_type: str | None = None

    @property
    def document(self) -> str:
        return document_id(self.entity, self.document_no)

    @property
    def field(self) -> str:
        """The field that names the document."""
        return "document_no" if self.replaced_by is None else "ref_document_no"


@dataclass(frozen=True, slots=True)
class Voidable:
    """A document that somebody would void, as it is stored."""

    row_id: int
    kind: Kind
    entity: str
    document_no: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total_minor: int
    origin: str | None
    is_voided: bool
    is_settled: bool
    instalments: tuple[Instalment, ...]


@dataclass(frozen=True, slots=True)
class Void:
    """A document is void from `effective_on` on, by the books of `booked_on`."""

    target: Voidable
    request: VoidRequest
    effective_on: date
    booked_on: date


def judge_void(request: VoidRequest, target: Voidable, booked_on: date) -> Void | list[Fault]:
    """
    Void a document on the open day, or return every fault of the request.

    A void counts from the day it says, else from the day it was told, and never from before the document. Credit memos are corrected by
    debit memos. Whether money came is not asked: what an ERP has voided is void, and what was paid comes back.
    """
    faults = []
    if target.kind == "credit_memo":
        faults.append(Fault("VOID_OF_CREDIT_MEMO", request.field))
    if request.replaced_by is None and request.customer != target.customer:
        faults.append(Fault("CUSTOMER_MISMATCH", "customer"))
    return faults or Void(target, request, max(request.effective_on or request.booked_on, target.issued_on), booked_on)


def first_of_each(voids: Sequence[Void]) -> list[Void]:
    """Return one void for each document that is not void yet: voiding twice is voiding once."""
    firsts: dict[str, Void] = {}
    for one in voids:
        if not one.target.is_voided:
            firsts.setdefault(one.request.document, one)
    return list(firsts.values())
