"""What happens to documents: they are taken in, or refused with every reason; and what is settled of them is followed."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any, TypeAlias

from chassis.database import Connection
from chassis.entities import ENTITY_UNKNOWN, Entities
from chassis.service import NOBODY, Batch, Fact, Received, Refusal
from events import erp
from events.envelope import Envelope
from events.ingress import check_identifier
from events.invoice import CreditMemoIssued, DocumentRejected, Instalment, InvoiceIssued, Reason
from events.payment import ApplicationReversed, CreditApplied, PaymentApplied
from money import format_minor, parse_minor

from invoice import domain, queries
from invoice.domain import ISSUED_ON_MIN, Document, Draft
from invoice.queries import Intake

ErpDocument: TypeAlias = erp.InvoiceIssued | erp.CreditMemoIssued
Settlement: TypeAlias = PaymentApplied | CreditApplied | ApplicationReversed

CONFLICT = Reason(code="CONFLICT", field="document_no")


class DocumentNumberTaken(Exception):
    """The entity has a document of this number that says something else. It stays as it is: correct it by a document of another number."""


class Verdict(Enum):
    """What a document is to those already here: new, the same once more, or another one under a number that is taken."""

    NEW = "new"
    REPEATED = "repeated"
    CONFLICTING = "conflicting"


async def issue_documents(db: Connection, received: Sequence[Received[ErpDocument]], batch: Batch) -> list[Fact]:
    """
    Take in documents that an ERP issued and say so; one that is here already changes nothing and says nothing (INV-01).

    What cannot be a document, or says something else under a number that is taken, is refused with every reason.
    """
    accepted: list[tuple[Received[ErpDocument], Intake]] = []
    for one in received:
        document = examine(draft_of(one.data), batch.entities, one.envelope)
        if isinstance(document, Document):
            accepted.append((one, Intake(document, one.booked_on, one.envelope.source, one.envelope.id)))
        else:
            batch.refuse(one, document)
    verdicts = await _take_in(db, [intake for _, intake in accepted], batch)
    facts = []
    for (one, intake), verdict in zip(accepted, verdicts, strict=True):
        if verdict is Verdict.NEW:
            facts.append(_issued(intake.document, one.envelope))
        elif verdict is Verdict.CONFLICTING:
            batch.refuse(one, [CONFLICT])
    return facts


async def issue_document(db: Connection, document: Document, batch: Batch) -> list[Fact]:
    """
    Take in one document on the entity's open day, as `issue_documents` does; no facts when it is here already.

    :raises DocumentNumberTaken: another document has its number.
    """
    verdict = (await _take_in(db, [Intake(document, batch.open_on[document.entity])], batch))[0]
    if verdict is Verdict.CONFLICTING:
        raise DocumentNumberTaken(document.id)
    return [_issued(document)] if verdict is Verdict.NEW else []


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


def draft_of(data: ErpDocument) -> Draft:
    """Read what an ERP published as a draft."""
    if isinstance(data, erp.InvoiceIssued):
        return Draft(
            kind="invoice",
            entity=data.entity,
            document_no=data.document_no,
            customer=data.customer,
            currency=data.currency,
            issued_on=data.issued_on,
            total=data.total,
            type=data.type,
            terms=data.terms,
            instalments=[(part.due_on, part.amount) for part in data.instalments or ()],
            lines=[line.amount for line in data.lines or ()],
            tax=data.tax,
        )
    return Draft(
        kind="credit_memo",
        entity=data.entity,
        document_no=data.document_no,
        customer=data.customer,
        currency=data.currency,
        issued_on=data.issued_on,
        total=data.total,
        type=data.type,
        lines=[line.amount for line in data.lines or ()],
        tax=data.tax,
        ref_document_no=data.ref_document_no,
        reason=data.reason,
    )


def examine(draft: Draft, entities: Entities, envelope: Envelope | None = None) -> Document | list[Reason]:
    """
    Make a document of a draft, or return every reason against it; `envelope` is that of the fact it came in, where it came in one.

    The same for facts and for HTTP, except that who may speak over HTTP is decided by roles and not by the sources of the entities file.
    """
    reasons = entities.reasons_against(draft.entity, envelope)
    identifiers = {"document_no": draft.document_no, "customer": draft.customer}
    if draft.ref_document_no is not None:
        identifiers["ref_document_no"] = draft.ref_document_no
    reasons += [reason for field, value in identifiers.items() if (reason := check_identifier(field, value)) is not None]
    document = domain.examine(draft)
    if isinstance(document, Document):
        return reasons or document
    return reasons + [Reason(code=fault.code, field=fault.field) for fault in document]


def _issued(document: Document, cause: Envelope | None = None) -> Fact:
    """Say that a document was accepted; effective on the day it was issued, amounts with all decimals of their currency."""
    currency = document.currency
    tax = None if document.tax_minor is None else format_minor(document.tax_minor, currency)
    total = format_minor(document.total_minor, currency)
    data: InvoiceIssued | CreditMemoIssued
    if document.kind == "invoice":
        data = InvoiceIssued(
            entity=document.entity,
            invoice=document.id,
            document_no=document.document_no,
            type=document.type,
            customer=document.customer,
            account=document.account,
            currency=currency,
            issued_on=document.issued_on,
            total=total,
            instalments=[Instalment(n=i.n, due_on=i.due_on, amount=format_minor(i.amount_minor, currency)) for i in document.instalments],
            tax=tax,
        )
    else:
        ref = document.ref_document_no
        data = CreditMemoIssued(
            entity=document.entity,
            memo=document.id,
            document_no=document.document_no,
            type=document.type,
            customer=document.customer,
            account=document.account,
            currency=currency,
            issued_on=document.issued_on,
            total=total,
            ref_invoice=None if ref is None else domain.document_id(document.entity, ref),
            reason=document.reason,
            tax=tax,
        )
    return Fact(data, document.entity, document.key, effective_on=document.issued_on, cause=cause)


def reject_document(refusal: Refusal) -> Fact:
    """
    Answer a document that was refused: every reason, and as much of its identity as can be read.

    Under its account's key where the entity is ours and the customer is legible, else as a fact of no entity. A rejection changes no books,
    so where the document's own date cannot be read its effective date says nothing.
    """
    entity = _legible(refusal.content, "entity")
    customer = _legible(refusal.content, "customer")
    placed = entity is not None and customer is not None and ENTITY_UNKNOWN not in refusal.reasons
    envelope = refusal.envelope
    return Fact(
        DocumentRejected(
            source=envelope.source if envelope else "",
            source_id=envelope.id if envelope else "",
            source_type=envelope.type if envelope else "",
            reasons=list(refusal.reasons),
            entity=entity,
            document_no=_legible(refusal.content, "document_no"),
        ),
        entity=entity if placed and entity else NOBODY,
        key=f"{entity}|{customer}" if placed else f"{NOBODY}|{refusal.topic}|{refusal.partition}",
        effective_on=_legible_date(refusal.content, "issued_on") or ISSUED_ON_MIN,
        cause=envelope,
    )


def _legible(content: Mapping[str, Any], field: str) -> str | None:
    value = content.get(field)
    return value if isinstance(value, str) and check_identifier(field, value) is None else None


def _legible_date(content: Mapping[str, Any], field: str) -> date | None:
    try:
        return date.fromisoformat(content.get(field, ""))
    except (TypeError, ValueError):
        return None


async def follow_settlement(db: Connection, received: Sequence[Received[Settlement]], batch: Batch) -> list[Fact]:
    """
    Fold what the settlement ledger did into what is settled of each item and memo.

    Only sums: any order of the facts ends in the same figures, and a fact may come before its document. Nothing follows from it here.
    """
    changes: dict[str, int] = {}
    for one in received:
        data = one.data
        minor = parse_minor(data.amount, data.currency)
        if isinstance(data, ApplicationReversed):
            minor = -minor
        memo = None if isinstance(data, PaymentApplied) else data.memo
        for subject in (data.item, memo):
            if subject is not None:
                changes[subject] = changes.get(subject, 0) + minor
    if changes:
        await queries.add_settled(db, changes)
    return []
