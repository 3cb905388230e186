"""
Consolidated bills: several documents of an account under one payable reference (INV-12). Pure: values in, values out.

A bill is no debt of its own: its documents stay the items, with their own due dates. A document is on at most one live bill; a later bill
that carries forward takes over what is open of the earlier ones and replaces them, as a balance-forward bill does.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date
from typing import Final

from invoice.domain.creditor_references import REFERENCES, ReferenceForm
from invoice.domain.faults import Fault, as_code, check_day

INVOICES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Payable:
    """An invoice or debit memo as a bill sees it: what is open of it, the earliest day some of that is due, and the live bill it is on."""

    row_id: int
    document_no: str
    account: str
    currency: str
    issued_on: date
    open_minor: int
    due_on: date | None = None
    on_bill: str | None = None


@dataclass(frozen=True, slots=True)
class BillRequest:
    """
    What somebody wants billed together: the `invoices` named, or all that are open, were issued by `through_on` and are on no live bill.

    They are those of the account under which `customer` settles. Where they are left out, `through_on` is the open day, `bill_no` the next
    running one, and `due_on` the earliest of the documents'.
    `carries_forward` adds all that is open of the account's live bills in this currency, which the new bill replaces.
    """

    entity: str
    customer: str
    currency: str
    through_on: date | None = None
    invoices: tuple[str, ...] | None = None
    bill_no: str | None = None
    due_on: date | None = None
    reference: ReferenceForm = "rf"
    carries_forward: bool = False

    @property
    def content_hash(self) -> bytes:
        """Fingerprint what is asked for; stored with the bill and compared for ever: another order of the fields needs a migration."""
        return hashlib.sha256(json.dumps(astuple(self), default=date.isoformat, separators=(",", ":")).encode()).digest()


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill to issue: its documents by number with what is open of each, and the bills it `replaces`."""

    entity: str
    bill_no: str
    customer: str
    account: str
    currency: str
    issued_on: date
    through_on: date
    due_on: date | None
    payment_reference: str
    documents: tuple[Payable, ...]
    replaces: tuple[str, ...]
    content_hash: bytes

    @property
    def id(self) -> str:
        return bill_id(self.entity, self.bill_no)

    @property
    def total_minor(self) -> int:
        return sum(document.open_minor for document in self.documents)


def bill_id(entity: str, bill_no: str) -> str:
    """The id of a bill everywhere outside this service's tables; never that of a document."""
    return f"{entity}|bill|{bill_no}"


def faults_of(request: BillRequest, open_on: date) -> list[Fault]:
    """Say what is wrong with a request by itself; `open_on` is the open business day."""
    faults: list[Fault] = []
    if request.bill_no is not None and as_code(request.bill_no) is None:
        faults.append(Fault("BAD_IDENTIFIER", "bill_no"))
    if request.through_on is not None and request.through_on > open_on:
        faults.append(Fault("DATE_IN_FUTURE", "through_on"))
    if request.due_on is not None:
        check_day(request.due_on, "due_on", faults)
    if request.invoices is not None and request.carries_forward:
        faults.append(Fault("INVOICES_AND_CARRY_FORWARD", "carry_forward"))
    if request.invoices is not None and not 1 <= len(request.invoices) <= INVOICES_MAX:
        faults.append(Fault("OUT_OF_RANGE", "invoices"))
    return faults


def running_prefix(request: BillRequest, open_on: date) -> str:
    """Return what the number of a bill begins with where nobody gave one: B, the day it goes through, a hyphen."""
    return f"B{request.through_on or open_on:%Y%m%d}-"


def running_number(prefix: str, n: int) -> str:
    """Return the n-th number of a prefix; of one width up to 9999, so that lists by number are lists by time."""
    return f"{prefix}{n:04}"


def consolidate(request: BillRequest, account: str, bill_no: str, payables: Sequence[Payable], open_on: date) -> Bill | list[Fault]:
    """
    Make a bill of what is payable by an account, or return every reason against it.

    `payables` are the documents named where the request names any, else those of the account and currency that are open.
    """
    through_on = request.through_on or open_on
    if request.invoices is not None:
        faults = _faults_of_named(request, account, payables, through_on)
        if faults:
            return faults
        chosen = list(payables)
    else:
        chosen = [one for one in payables if (one.issued_on <= through_on if one.on_bill is None else request.carries_forward)]
    if not chosen:
        return [Fault("NOTHING_OPEN", "invoices")]
    dues = [one.due_on for one in chosen if one.due_on is not None]
    return Bill(
        entity=request.entity,
        bill_no=bill_no,
        customer=request.customer,
        account=account,
        currency=request.currency,
        issued_on=open_on,
        through_on=through_on,
        due_on=request.due_on or min(dues, default=None),
        payment_reference=REFERENCES[request.reference](bill_no),
        documents=tuple(sorted(chosen, key=lambda one: one.document_no)),
        replaces=tuple(sorted({one.on_bill for one in chosen if one.on_bill is not None})),
        content_hash=request.content_hash,
    )


def _faults_of_named(request: BillRequest, account: str, payables: Sequence[Payable], through_on: date) -> list[Fault]:
    """Say of every document named why it cannot be on this bill."""
    known = {one.document_no: one for one in payables}
    faults = []
    seen: set[str] = set()
    for index, document_no in enumerate(request.invoices or ()):
        field = f"invoices[{index}]"
        if document_no in seen:
            faults.append(Fault("INVOICE_TWICE", field))
        elif document_no not in known:
            faults.append(Fault("INVOICE_UNKNOWN", field))
        else:
            faults += [Fault(code, field) for code in _reasons_against(known[document_no], request, account, through_on)]
        seen.add(document_no)
    return faults


def _reasons_against(payable: Payable, request: BillRequest, account: str, through_on: date) -> list[str]:
    reasons = {
        "INVOICE_OF_ANOTHER_ACCOUNT": payable.account != account,
        "CURRENCY_MISMATCH": payable.currency != request.currency,
        "INVOICE_TOO_LATE": payable.issued_on > through_on,
        "INVOICE_NOT_OPEN": payable.open_minor <= 0,
        "INVOICE_ON_A_BILL": payable.on_bill is not None,
    }
    return [code for code, holds in reasons.items() if holds]
