"""Suggestions that were made, accepted or rejected."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from asyncpg import Record
from chassis.database import Connection

from payment.domain.suggestions import Part, Suggestion


@dataclass(frozen=True, slots=True)
class StoredSuggestion:
    """
    A suggestion that was told or decided about; `state` is `made`, `accepted` or `rejected`.

    `number` is where it stands in the list, `account` whose items it is about, `free_minor` what of the receipt was free then.
    """

    number: int
    receipt_id: int
    suggestion: Suggestion
    currency: str
    free_minor: int
    policy_version: str
    state: str
    made_on: date
    decided_on: date | None
    decided_by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    """A suggestion to keep, of a receipt (row id) with so much free money, made under a policy."""

    receipt_id: int
    suggestion: Suggestion
    free_minor: int
    policy_version: str


async def insert_made(db: Connection, entity: str, made: Sequence[NewSuggestion], day: date) -> set[str]:
    """Keep suggestions that are made on a day; return the ids of those that were not there yet."""
    rows = await db.fetch(
        """
        INSERT INTO suggestion (suggestion, entity, receipt_id, account, rule, score_bps, items, parts, free_minor, policy_version, state,
            made_on)
        SELECT suggestion, $1, receipt_id, account, rule, score_bps, ARRAY(SELECT jsonb_array_elements_text(items)), parts, free_minor,
            policy_version, 'made', $2
        FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::int[], $8::jsonb[], $9::jsonb[], $10::bigint[], $11::text[])
            AS new (suggestion, receipt_id, account, rule, score_bps, items, parts, free_minor, policy_version)
        ON CONFLICT (suggestion) DO NOTHING
        RETURNING suggestion
        """,
        entity,
        day,
        [one.suggestion.id for one in made],
        [one.receipt_id for one in made],
        [one.suggestion.account for one in made],
        [one.suggestion.rule for one in made],
        [one.suggestion.score_bps for one in made],
        [_json(sorted(one.suggestion.items)) for one in made],
        [_json(one.suggestion.parts) for one in made],
        [one.free_minor for one in made],
        [one.policy_version for one in made],
    )
    return {row["suggestion"] for row in rows}


async def decide(db: Connection, suggestion: str, state: str, day: date, decided_by: str, reason: str) -> None:
    """Write down what a person decided about a suggestion that is kept as made."""
    await db.execute(
        "UPDATE suggestion SET state = $2, decided_on = $3, decided_by = $4, reason = $5 WHERE suggestion = $1 AND state = 'made'",
        *(suggestion, state, day, decided_by, reason),
    )


async def find_rejected(db: Connection, receipt_ids: Collection[int]) -> dict[int, list[frozenset[str]]]:
    """Which sets of items a person has rejected for receipts."""
    rows = await db.fetch(
        "SELECT receipt_id, items FROM suggestion WHERE receipt_id = ANY($1::bigint[]) AND state = 'rejected'", list(receipt_ids)
    )
    found: dict[int, list[frozenset[str]]] = defaultdict(list)
    for row in rows:
        found[row["receipt_id"]].append(frozenset(row["items"]))
    return found


_STORED = """
    SELECT suggestion.*, receipt.entity || '|' || receipt.bank_ref AS receipt, receipt.currency
    FROM suggestion JOIN receipt ON receipt.id = suggestion.receipt_id
"""


async def find_suggestion(db: Connection, suggestion: str) -> StoredSuggestion | None:
    """A suggestion that was told or decided about."""
    row = await db.fetchrow(f"{_STORED} WHERE suggestion.suggestion = $1", suggestion)
    return None if row is None else _stored(row)


async def list_decided(
    db: Connection, entity: str, state: str, *, bank_ref: str | None, account: str | None, after: int, limit: int
) -> list[StoredSuggestion]:
    """The next suggestions of an entity in a state, in the order they were kept."""
    rows = await db.fetch(
        f"""
        {_STORED}
        WHERE suggestion.entity = $1 AND suggestion.state = $2 AND ($3::text IS NULL OR receipt.bank_ref = $3)
            AND ($4::text IS NULL OR suggestion.account = $4) AND suggestion.number > $5
        ORDER BY suggestion.number LIMIT $6
        """,
        *(entity, state, bank_ref, account, after, limit),
    )
    return [_stored(row) for row in rows]


def _stored(row: Record) -> StoredSuggestion:
    parts = msgspec.json.decode(row["parts"], type=list[Part])
    return StoredSuggestion(
        number=row["number"],
        receipt_id=row["receipt_id"],
        suggestion=Suggestion(row["receipt"], row["account"], row["rule"], row["score_bps"], tuple(parts)),
        currency=row["currency"],
        free_minor=row["free_minor"],
        policy_version=row["policy_version"],
        state=row["state"],
        made_on=row["made_on"],
        decided_on=row["decided_on"],
        decided_by=row["decided_by"],
        reason=row["reason"],
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
