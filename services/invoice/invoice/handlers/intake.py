"""Documents are taken in, or refused with every reason."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TypeAlias

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events import erp
from events.envelope import Envelope
from events.invoice import Reason

from invoice.domain import Document, Draft, document_id
from invoice.domain.documents import STANDARD, InForce
from invoice.domain.voids import VoidRequest
from invoice.handlers.credits import state_tax, state_total
from invoice.handlers.drafts import ErpDocument, draft_of, examine, examine_void
from invoice.handlers.in_force import load_in_force
from invoice.handlers.issued import issued
from invoice.handlers.voids import VoidAsked, carry_out_voids, correction_of, require_unsettled
from invoice.queries import documents as queries
from invoice.queries.documents import Intake

ErpFact: TypeAlias = ErpDocument | erp.InvoiceVoided

CONFLICT = Reason(code="CONFLICT", field="document_no")


class DocumentNumberTaken(Exception):
    """The entity has a document of this number that says something else. It stays as it is: correct it by a document of another number."""


class DocumentRefused(Exception):
    """What was made or sent is no document by the rules; `reasons` are all there are."""

    def __init__(self, document: str, reasons: Sequence[Reason]) -> None:
        super().__init__(f"{document}: " + ", ".join(f"{reason.field} {reason.code}" for reason in reasons))
        self.reasons = list(reasons)


class Verdict(Enum):
    """What a document is to those already here: new, the same once more, or another one under a number that is taken."""

    NEW = "new"
    REPEATED = "repeated"
    CONFLICTING = "conflicting"


async def issue_documents(db: Connection, received: Sequence[Received[ErpFact]], batch: Batch) -> list[Fact]:
    """
    Take in what an ERP issued and voided, and say so; what is here already changes nothing and says nothing (INV-01, INV-02, INV-07).

    What cannot be a document, or says something else under a number that is taken, is refused with every reason.
    """
    drafts = [None if isinstance(one.data, erp.InvoiceVoided) else draft_of(one.data) for one in received]
    in_force = await load_in_force(db, [draft for draft in drafts if draft is not None], batch)
    accepted: list[tuple[Received[ErpFact], Intake]] = []
    asked: list[VoidAsked] = []
    for one, draft in zip(received, drafts, strict=True):
        read = _read(one, draft, in_force, batch)
        if isinstance(read, Intake):
            accepted.append((one, read))
        elif isinstance(read, VoidRequest):
            asked.append(VoidAsked(read, one.envelope, one))
        else:
            batch.refuse(one, read)
    intakes = [intake for _, intake in accepted]
    await _lock(db, intakes, [one.request for one in asked])
    verdicts = await _take_in(db, intakes, batch)
    for (one, _), verdict in zip(accepted, verdicts, strict=True):
        if verdict is Verdict.CONFLICTING:
            batch.refuse(one, [CONFLICT])
    new = [(intake, one.envelope) for (one, intake), verdict in zip(accepted, verdicts, strict=True) if verdict is Verdict.NEW]
    return await _tell(db, new, asked, batch)


def _read(
    one: Received[ErpFact], draft: Draft | None, in_force: Mapping[str, InForce], batch: Batch
) -> Intake | VoidRequest | list[Reason]:
    """Make a fact a document or a request to void one, or return every reason against it."""
    envelope = one.envelope
    if isinstance(one.data, erp.InvoiceVoided):
        return examine_void(one.data, one.booked_on, envelope, batch.entities)
    assert draft is not None, "every other fact is a document"
    document = examine(draft, batch.entities, envelope, in_force.get(draft.entity, STANDARD))
    if not isinstance(document, Document):
        return document
    return Intake(document, one.booked_on, envelope.source, envelope.id, envelope.type)


async def issue_document(db: Connection, draft: Draft, batch: Batch) -> list[Fact]:
    """
    Take in one document that a person issues, on the entity's open day, as `issue_documents` does; no facts when it is here already.

    A credit memo that names an invoice and says only its total, or its net amount, gets its share of the invoice's tax stated (INV-06).

    :raises DocumentRefused: it is none, for every reason there is.
    :raises DocumentNumberTaken: another document has its number.
    :raises VoidRefused: it corrects a credit memo.
    :raises InvoiceSettled: it corrects an invoice of which something is settled.
    """
    document = await examine_issued(db, draft, batch)
    booked_on = batch.open_on[document.entity]
    await _lock(db, [Intake(document, booked_on)], [])
    intake = Intake(await state_tax(db, document), booked_on)
    correction = correction_of(intake)
    verdict = (await _take_in(db, [intake], batch))[0]
    if verdict is Verdict.CONFLICTING:
        raise DocumentNumberTaken(document.id)
    if verdict is Verdict.REPEATED:
        return []
    if correction is not None:
        await require_unsettled(db, correction)
    return await _tell(db, [(intake, None)], [], batch)


async def examine_issued(db: Connection, draft: Draft, batch: Batch) -> Document:
    """
    Make a document of a draft that a person issues on the open day, the total of a net credit memo made of what its invoice says.

    :raises DocumentRefused: it is none, for every reason there is.
    """
    if draft.net is not None:
        await queries.lock_numbers(db, read=[document_id(draft.entity, draft.document_no)], voided=())  # Before the invoice it names.
        completed = await state_total(db, draft, draft.net)
        if not isinstance(completed, Draft):
            raise DocumentRefused(draft.document_no, completed)
        draft = completed
    in_force = await load_in_force(db, [draft], batch)
    document = examine(draft, batch.entities, in_force=in_force.get(draft.entity, STANDARD))
    if not isinstance(document, Document):
        raise DocumentRefused(draft.document_no, document)
    return document


async def issue_made(db: Connection, drafts: Sequence[Draft], batch: Batch) -> list[Fact]:
    """
    Take in documents that this service makes itself (by a schedule, a late charge), booked on the open day, and say so.

    A draft names what made it in `origin` and `origin_id`; numbers must be the same whenever the same thing is made again, for the number
    is what keeps it from being made twice: what is here already changes nothing and says nothing. Terms are those in force; all drafts are
    written with one statement per table. Call it in the work of a day or in a command; nothing is committed here.

    :raises DocumentRefused: a draft is no document by the rules in force; nothing of any draft is then to be kept.
    :raises DocumentNumberTaken: a number is taken by a document that says something else.
    """
    in_force = await load_in_force(db, drafts, batch)
    intakes = []
    for draft in drafts:
        document = examine(draft, batch.entities, in_force=in_force.get(draft.entity, STANDARD))
        if not isinstance(document, Document):
            raise DocumentRefused(draft.document_no, document)
        intakes.append(Intake(document, batch.open_on[draft.entity]))
    await _lock(db, intakes, [])
    verdicts = await _take_in(db, intakes, batch)
    for intake, verdict in zip(intakes, verdicts, strict=True):
        if verdict is Verdict.CONFLICTING:
            raise DocumentNumberTaken(intake.document.id)
    new = [(intake, None) for intake, verdict in zip(intakes, verdicts, strict=True) if verdict is Verdict.NEW]
    return await _tell(db, new, [], batch)


async def _lock(db: Connection, intakes: Sequence[Intake], requests: Sequence[VoidRequest]) -> None:
    """Lock the numbers of documents that come and of documents that are voided, corrected ones among them."""
    if not intakes and not requests:
        return
    corrected = [request.document for intake in intakes if (request := correction_of(intake)) is not None]
    await queries.lock_numbers(
        db, read=[intake.document.id for intake in intakes], voided=[*corrected, *(request.document for request in requests)]
    )


async def _tell(db: Connection, new: Sequence[tuple[Intake, Envelope | None]], asked: Sequence[VoidAsked], batch: Batch) -> list[Fact]:
    """
    Say which documents came, and carry out what they correct and what was asked to be voided.

    All documents are told before any void, so that a void stands behind its document whichever came first.
    """
    facts = [issued(intake.document, cause) for intake, cause in new]
    corrections = [VoidAsked(request, cause) for intake, cause in new if (request := correction_of(intake)) is not None]
    return facts + await carry_out_voids(db, [*asked, *corrections], new, batch)


async def _take_in(db: Connection, intakes: Sequence[Intake], batch: Batch) -> list[Verdict]:
    """
    Write the documents whose number is free, the first of each number, and judge all of them in order.

    Inserting before looking leaves no gap in which another transaction could take a number.
    """
    if not intakes:
        return []
    firsts: dict[str, Intake] = {}
    for intake in intakes:
        firsts.setdefault(intake.document.id, intake)
    row_ids = await queries.insert_documents(db, list(firsts.values()), batch.now)
    if row_ids:
        await queries.insert_instalments(db, {row_id: firsts[document].document for document, row_id in row_ids.items()})
    hashes = {document: firsts[document].document.content_hash for document in row_ids}
    taken = [intake.document for document, intake in firsts.items() if document not in row_ids]
    if taken:
        hashes |= await queries.load_hashes(db, taken)
    verdicts = []
    for intake in intakes:
        document = intake.document
        if hashes[document.id] != document.content_hash:
            verdicts.append(Verdict.CONFLICTING)
        elif intake is firsts[document.id] and document.id in row_ids:
            verdicts.append(Verdict.NEW)
        else:
            verdicts.append(Verdict.REPEATED)
    return verdicts
