"""How a document that was refused is answered."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from chassis.entities import ENTITY_UNKNOWN
from chassis.service import NOBODY, Fact, Refusal
from events.envelope import Envelope
from events.ingress import check_identifier
from events.invoice import DocumentRejected, Reason

from invoice.domain import ISSUED_ON_MIN
from invoice.domain.voids import VoidRequest


def reject_document(refusal: Refusal) -> Fact:
    """
    Answer a document that was refused: every reason, and as much of its identity as can be read.

    Under the key of its customer where the entity is ours and the customer is legible, else as a fact of no entity. A rejection changes no
    books, so where the document's own date cannot be read its effective date says nothing.
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


def reject_void(request: VoidRequest, reasons: Sequence[Reason], cause: Envelope | None) -> Fact:
    """
    Answer a void that was noted before its document and is refused now that this has come; `cause` is the fact that brought it.

    Told like the refusal of a void that comes later than its document. It is not kept for redrive, for there is nothing to mend.
    """
    return Fact(
        DocumentRejected(
            source=request.source or "",
            source_id=request.source_id or "",
            source_type=request.source_type or "",
            reasons=list(reasons),
            entity=request.entity,
            document_no=request.document_no,
        ),
        entity=request.entity,
        key=f"{request.entity}|{request.customer}",
        effective_on=ISSUED_ON_MIN,
        cause=cause,
    )


def _legible(content: Mapping[str, Any], field: str) -> str | None:
    value = content.get(field)
    return value if isinstance(value, str) and check_identifier(field, value) is None else None


def _legible_date(content: Mapping[str, Any], field: str) -> date | None:
    try:
        return date.fromisoformat(content.get(field, ""))
    except (TypeError, ValueError):
        return None
