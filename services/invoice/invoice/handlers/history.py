"""What happened to a document, told from what is stored of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection
from policies.queries import load_in_force
from policies.versions import in_force

from invoice.domain import Movement, document_id, item_id
from invoice.domain.history import Event, Placed, moved, place
from invoice.domain.policy_kinds import SPLIT
from invoice.domain.split import RuleSet
from invoice.queries import movements as queries
from invoice.queries.history import load_charges
from invoice.queries.reads import Asked, StoredDocument


@dataclass(frozen=True, slots=True)
class History:
    """The events of a document in booked order, and the rule set, of a version of the policy `split`, that its movements are split by."""

    events: Sequence[Placed]
    rule_set: RuleSet
    policy_version: str


async def tell_history(db: Connection, stored: StoredDocument, asked: Asked) -> History:
    """
    Tell what happened to a document, as far as it was booked by the day asked about.

    Movements are split by the policy that was in force when the document came (INV-11), so that no later policy splits them anew.
    """
    versions = await load_in_force(db, SPLIT.name, [stored.entity], {stored.entity: stored.booked_on})
    rule_set, version = SPLIT.read(in_force(versions.get(stored.entity, ()), stored.issued_on))
    _, known_at = asked.days
    charges = await load_charges(db, subjects_of(stored), known_at)
    movements = await load_movements(db, stored, Asked(known_at=asked.known_at))
    events = [*_events(stored, known_at), *charges, *map(moved, movements)]
    return History(place(events, stored.parts, rule_set), rule_set, version)


async def load_movements(db: Connection, stored: StoredDocument, asked: Asked) -> list[Movement]:
    """Read what the settlement ledger did to the items of a document, or to a memo, by the days asked about, in booked order."""
    return await queries.load_movements(db, subjects_of(stored), *asked.days)


def subjects_of(stored: StoredDocument) -> list[str]:
    """Return what of a document can be settled: its items, or the memo itself."""
    document = document_id(stored.entity, stored.document_no)
    return [item_id(document, part.n) for part in stored.instalments] or [document]


def _events(stored: StoredDocument, known_at: date) -> list[Event]:
    """Say what its own books say of a document: that it was issued, voided, and what of it fell due."""
    document = document_id(stored.entity, stored.document_no)
    events = [
        Event(
            "issued",
            effective_on=stored.issued_on,
            booked_on=stored.booked_on,
            amount_minor=stored.total_minor,
            change_minor=stored.total_minor,
            recorded_at=stored.recorded_at,
            reason=stored.reason,
            document_no=stored.ref_document_no,
        )
    ]
    void = stored.void
    if void is not None and void.booked_on <= known_at:
        events.append(
            Event(
                "voided",
                effective_on=void.effective_on,
                booked_on=void.booked_on,
                amount_minor=stored.total_minor,
                change_minor=-stored.total_minor,
                recorded_at=void.recorded_at,
                reason=void.reason,
                document_no=void.replaced_by,
            )
        )
    for part in stored.instalments:
        judged_on = part.judged_due_on
        if judged_on is not None and judged_on <= known_at and (void is None or void.booked_on >= judged_on):
            item = item_id(document, part.n)
            events.append(Event("fell_due", part.due_on, judged_on, part.total_minor, item=item))
    return events
