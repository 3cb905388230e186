"""Why so much of an item is paid by this money or credit: everything the ledger keeps about one application."""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Record
from chassis.database import Connection

from payment.domain import FX, PERSON, RECEIPT, RULES, Source
from payment.domain.hand import source_of
from payment.handlers.in_force import load_policies
from payment.queries import ledger_reads, made, reads
from payment.queries.made import StoredSuggestion

_SUGGESTIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    An application: rows of its source and its item, its `steps` in the order they were booked, what it gained (`gains`), what the payment
    was allowed to keep back of the item, and what people decided about both.

    `decision` made it, or `policy_version` of cash application; `suggestion` is the one a person accepted by that decision.
    """

    application: str
    source: Source
    of: Record
    item: Record
    steps: Sequence[Record]
    gains: Sequence[Record]
    allowed: Sequence[Record]
    decisions: Sequence[Record]
    decision: Record | None
    policy_version: str | None
    suggestion: StoredSuggestion | None


async def explain(db: Connection, application: str) -> Explanation | None:
    """Return all there is about an application of a receipt or a memo, by its id in facts; None where there is none."""
    source = source_of(application)
    entries = await ledger_reads.load_steps(db, application, source) if source is not None else []
    steps = [row for row in entries if row["rule"] != FX]
    if source is None or not steps:
        return None
    entity, _, number = source.id.partition("|")
    is_receipt, first = source.kind == RECEIPT, steps[0]
    of = await (reads.read_receipt if is_receipt else ledger_reads.read_memo)(db, entity, number)
    item = await ledger_reads.read_item(db, first["item_id"])
    assert of is not None, "entries are about what is here"
    assert item is not None, "entries are about what is here"
    decided_by = application.rpartition(f"|{PERSON}:")[2] if first["rule"] == PERSON else None
    decision = await ledger_reads.find_decision(db, decided_by) if decided_by is not None else None
    policies = await load_policies(db, {entity: first["applied_on"]}) if first["rule"] in RULES else {}
    return Explanation(
        application=application,
        source=source,
        of=of,
        item=item,
        steps=steps,
        gains=[row for row in entries if row["rule"] == FX],
        allowed=await ledger_reads.load_allowed(db, of["id"], first["item_id"]) if is_receipt else [],
        decisions=await ledger_reads.load_decisions(db, source, of["id"], first["item_id"]),
        decision=decision,
        policy_version=policies[entity].version if policies else None,
        suggestion=await _suggestion(db, source, item, decision) if is_receipt and decision is not None else None,
    )


async def _suggestion(db: Connection, source: Source, item: Record, decision: Record) -> StoredSuggestion | None:
    """The accepted suggestion that a decision came from: of the receipt, with the item in it, by the same person on the same day."""
    entity, _, bank_ref = source.id.partition("|")
    accepted = await made.list_decided(db, entity, "accepted", bank_ref=bank_ref, account=None, after=0, limit=_SUGGESTIONS_MAX)
    item_id = f"{entity}|{item['document_no']}|{item['n']}"
    of = [one for one in accepted if (one.decided_by, one.decided_on) == (decision["decided_by"], decision["booked_on"])]
    return next((one for one in of if item_id in one.suggestion.items), None)
