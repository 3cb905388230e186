"""Documents are voided: what an ERP has voided always is, what people void only while nothing of it is settled (INV-07)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.envelope import Envelope
from events.fact import Event

from invoice.domain import Fault
from invoice.domain.voids import Void, Voidable, VoidRequest, first_of_each, judge_void
from invoice.handlers.drafts import reasons_of
from invoice.handlers.issued import voided
from invoice.handlers.rejections import reject_void
from invoice.queries import documents, voids
from invoice.queries.documents import Intake

CORRECTED: Final = "CORRECTED"
"""The reason of a void by a corrected invoice."""


class DocumentUnknown(Exception):
    """The entity has no document of this number."""


class InvoiceSettled(Exception):
    """Something of it is settled: by money, a credit memo or an adjustment. Credit it with a memo, or take that back first."""


class VoidRefused(Exception):
    """The document cannot be voided; `faults` are all there are."""

    def __init__(self, document: str, faults: Sequence[Fault]) -> None:
        super().__init__(f"{document}: " + ", ".join(f"{fault.field} {fault.code}" for fault in faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class VoidAsked:
    """A request to void with the fact it came in, and that fact's record where it is one of this batch and can be refused as such."""

    request: VoidRequest
    cause: Envelope | None = None
    received: Received[Event] | None = None


def correction_of(intake: Intake) -> VoidRequest | None:
    """Return the void that a corrected invoice asks for: of the one it names, from its own date on."""
    document = intake.document
    if document.corrects is None:
        return None
    return VoidRequest(
        entity=document.entity,
        document_no=document.corrects,
        customer=document.customer,
        booked_on=intake.booked_on,
        reason=CORRECTED,
        effective_on=document.issued_on,
        replaced_by=document.document_no,
        source=intake.source,
        source_id=intake.source_id,
        source_type=intake.source_type,
    )


async def carry_out_voids(
    db: Connection, asked: Sequence[VoidAsked], come: Sequence[tuple[Intake, Envelope | None]], batch: Batch
) -> list[Fact]:
    """
    Void what was asked for, and of the documents that have just `come` what was asked for before they came.

    A request whose document is not here is noted. One that is refused is answered by `DocumentRejected`: as the record it is, where it is
    one of this batch, else by its own fact. The numbers are locked by the caller.
    """
    causes = {intake.document.id: cause for intake, cause in come}
    early = await voids.take_early(db, [(intake.document.entity, intake.document.document_no) for intake, _ in come]) if come else []
    all_asked = [*(VoidAsked(request, causes[request.document]) for request in early), *asked]
    if not all_asked:
        return []
    targets = await voids.find_voidable(db, [one.request for one in all_asked])
    missing = [one.request for one in all_asked if one.request.document not in targets]
    if missing:
        await voids.note_early(db, missing, batch.now)
    facts: list[Fact] = []
    judged: list[tuple[Void, VoidAsked]] = []
    for one in all_asked:
        target = targets.get(one.request.document)
        if target is None:
            continue
        void = judge_void(one.request, target, batch.open_on[target.entity])
        if isinstance(void, Void):
            judged.append((void, one))
        elif one.received is not None:
            batch.refuse(one.received, reasons_of(void))
        else:
            facts.append(reject_void(one.request, reasons_of(void), one.cause))
    done = first_of_each([void for void, _ in judged])
    if done:
        await voids.keep_voids(db, done, batch.now)
    causes_of = {id(void): one.cause for void, one in judged}
    return [voided(void, causes_of[id(void)]) for void in done] + facts


async def void_document(db: Connection, request: VoidRequest, batch: Batch) -> tuple[list[Fact], Voidable]:
    """
    Void a document that is here, at the request of a person; no facts when it is void already.

    :raises DocumentUnknown: there is none of this number.
    :raises VoidRefused: it is a credit memo, or another customer's.
    :raises InvoiceSettled: something of it is settled, as far as the settlement ledger has told.
    """
    await documents.lock_numbers(db, read=(), voided=[request.document])
    target = await require_unsettled(db, request)
    if target is None:
        raise DocumentUnknown(request.document)
    void = judge_void(request, target, batch.open_on[request.entity])
    if not isinstance(void, Void):
        raise VoidRefused(request.document, void)
    if target.is_voided:
        return [], target
    await voids.keep_voids(db, [void], batch.now)
    return [voided(void)], target


async def require_unsettled(db: Connection, request: VoidRequest) -> Voidable | None:
    """
    Return the document that a person would void, if it is here.

    :raises VoidRefused: it is a credit memo.
    :raises InvoiceSettled: something of it is settled.
    """
    target = (await voids.find_voidable(db, [request])).get(request.document)
    if target is not None and target.kind == "credit_memo":
        raise VoidRefused(request.document, [Fault("VOID_OF_CREDIT_MEMO", request.field)])
    if target is not None and target.is_settled and not target.is_voided:
        raise InvoiceSettled(request.document)
    return target
