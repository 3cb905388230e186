"""Answers to what was refused."""

from datetime import date

from chassis.entities import ENTITY_UNKNOWN
from chassis.service import NOBODY, Fact, Refusal
from events.ingress import check_identifier
from events.payment import EntryRejected

from payment.handlers.entries import VALUE_ON_MIN
from payment.handlers.payers import UNIDENTIFIED


def reject_entry(refusal: Refusal) -> Fact:
    """
    Answer an ingress record that was refused: every reason, and as much of its identity as can be read.

    A rejection moves no money; where the entry's value date cannot be read its effective date says nothing.
    """
    entity, bank_ref = _legible(refusal, "entity"), _legible(refusal, "bank_ref")
    placed = entity is not None and bank_ref is not None and ENTITY_UNKNOWN not in refusal.reasons
    envelope = refusal.envelope
    rejected = EntryRejected(
        source=envelope.source if envelope else "",
        source_id=envelope.id if envelope else "",
        source_type=envelope.type if envelope else "",
        reasons=list(refusal.reasons),
        entity=entity,
        bank_ref=bank_ref,
    )
    key = f"{entity}|{UNIDENTIFIED}{bank_ref}" if placed else f"{NOBODY}|{refusal.topic}|{refusal.partition}"
    return Fact(rejected, entity if placed and entity else NOBODY, key, _value_on(refusal), envelope)


def _legible(refusal: Refusal, field: str) -> str | None:
    value = refusal.content.get(field)
    return value if isinstance(value, str) and check_identifier(field, value) is None else None


def _value_on(refusal: Refusal) -> date:
    try:
        return date.fromisoformat(str(refusal.content.get("value_on")))
    except ValueError:
        return VALUE_ON_MIN
