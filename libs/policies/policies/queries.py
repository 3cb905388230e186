"""
Policies in the table `policy` of the service's own database: proposed, decided, in force. Nothing here commits.

The columns are those of `PolicyRow` in the tables of each service that has policies. A number is given once by its unique constraint over
entity, kind and version, and its check keeps makers from deciding, whatever is asked here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from chassis.database import Connection

from policies.kinds import PolicyKind, PolicyT
from policies.versions import EXPIRES_DAYS, PolicyVersion, Proposal, in_force


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy as it stands. `version` is its number once approved; who decided about it, on which business day, and why when rejected."""

    id: int
    entity: str
    kind: str
    version: int | None
    valid_from: date
    body: dict[str, Any]
    proposal: Proposal
    decided_by: str | None
    decided_on: date | None
    reason: str | None


async def insert_policy(
    db: Connection, entity: str, kind: str, valid_from: date, body: Mapping[str, Any], *, proposed_by: str, proposed_on: date, now: datetime
) -> int:
    """Write down a policy that somebody proposes; return its id."""
    return int(
        await db.fetchval(
            """
            INSERT INTO policy (entity, kind, status, valid_from, body, proposed_by, proposed_on, proposed_at)
            VALUES ($1, $2, 'proposed', $3, $4::jsonb, $5, $6, $7)
            RETURNING id
            """,
            *(entity, kind, valid_from, msgspec.json.encode(body).decode(), proposed_by, proposed_on, now),
        )
    )


async def approve_policy(db: Connection, id_: int, *, decided_by: str, decided_on: date, now: datetime) -> None:
    """
    Write down that a policy was approved, and give it the next number of its entity and kind.

    :raises UniqueViolationError: another one got that number at the same time: begin again.
    """
    await db.execute(
        """
        UPDATE policy SET status = 'approved', decided_by = $2, decided_on = $3, decided_at = $4, version = (
            SELECT coalesce(max(other.version), 0) + 1 FROM policy AS other WHERE other.entity = policy.entity AND other.kind = policy.kind
        )
        WHERE id = $1
        """,
        *(id_, decided_by, decided_on, now),
    )


async def reject_policy(db: Connection, id_: int, *, decided_by: str, decided_on: date, reason: str, now: datetime) -> None:
    """Write down that a policy was rejected, and why."""
    await db.execute(
        "UPDATE policy SET status = 'rejected', decided_by = $2, decided_on = $3, decided_at = $4, reason = $5 WHERE id = $1",
        *(id_, decided_by, decided_on, now, reason),
    )


async def find_entity(db: Connection, id_: int) -> str | None:
    """Return whose policy this is, or None where there is none."""
    entity: str | None = await db.fetchval("SELECT entity FROM policy WHERE id = $1", id_)
    return entity


async def find_policy(db: Connection, id_: int) -> StoredPolicy | None:
    """Read one policy."""
    row = await db.fetchrow("SELECT * FROM policy WHERE id = $1", id_)
    return None if row is None else _stored(row)


async def lock_policy(db: Connection, id_: int) -> StoredPolicy | None:
    """Read one policy that is about to be decided about; a second decision waits here."""
    row = await db.fetchrow("SELECT * FROM policy WHERE id = $1 FOR UPDATE", id_)
    return None if row is None else _stored(row)


async def list_policies(
    db: Connection, entity: str, *, kind: str | None, status: str | None, open_on: date, after: int, limit: int
) -> list[StoredPolicy]:
    """Read up to `limit` policies of an entity whose id is greater than `after`, by id; `status` is what they are on the open day."""
    rows = await db.fetch(
        """
        SELECT * FROM policy
        WHERE entity = $1 AND id > $2 AND ($3::text IS NULL OR kind = $3) AND (
            $4::text IS NULL
            OR $4 = CASE WHEN status = 'proposed' AND proposed_on + $5::integer < $6 THEN 'expired' ELSE status END
        )
        ORDER BY id
        LIMIT $7
        """,
        *(entity, after, kind, status, EXPIRES_DAYS, open_on, limit),
    )
    return [_stored(row) for row in rows]


async def find_open_day(db: Connection, entity: str) -> date | None:
    """Return the business day that is open for an entity, or None for one that is not declared."""
    opened: date | None = await db.fetchval("SELECT open_on FROM chk.day WHERE entity = $1", entity)
    return opened


async def load_in_force(db: Connection, kind: str, entities: Collection[str], before: Mapping[str, date]) -> dict[str, list[PolicyVersion]]:
    """
    Return the approved policies of a kind by entity, ascending by (valid_from, number): those booked before the entity's day in `before`.

    Of several that begin on one day only the last one is read: the others can no longer be in force. An entity without any has no entry.
    """
    found = await load_kinds_in_force(db, [kind], {entity: before[entity] for entity in entities})
    return {entity: versions for (entity, _), versions in found.items()}


async def load_kinds_in_force(
    db: Connection, kinds: Collection[str], before: Mapping[str, date]
) -> dict[tuple[str, str], list[PolicyVersion]]:
    """Return the approved policies of several kinds by (entity, kind), for every entity of `before`; the rest as in `load_in_force`."""
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (policy.entity, policy.kind, policy.valid_from) policy.entity, policy.kind, policy.version, policy.valid_from,
            policy.body
        FROM unnest($1::text[], $2::date[]) AS asked (entity, before)
        JOIN policy ON policy.entity = asked.entity AND policy.kind = ANY ($3::text[])
            AND policy.version IS NOT NULL AND policy.decided_on < asked.before
        ORDER BY policy.entity, policy.kind, policy.valid_from, policy.version DESC
        """,
        list(before),
        list(before.values()),
        sorted(set(kinds)),
    )
    found: dict[tuple[str, str], list[PolicyVersion]] = {}
    for row in rows:
        version = PolicyVersion(str(row["version"]), row["valid_from"], msgspec.json.decode(row["body"]))
        found.setdefault((row["entity"], row["kind"]), []).append(version)
    return found


async def read_in_force(db: Connection, kind: PolicyKind[PolicyT], entity: str, open_on: date) -> tuple[PolicyT, str]:
    """Return what the policy of a kind says that is in force for what is decided on the open day, and its number; else the standard."""
    versions = await load_in_force(db, kind.name, [entity], {entity: open_on})
    return kind.read(in_force(versions.get(entity, ()), open_on))


def _stored(row: Mapping[str, Any]) -> StoredPolicy:
    return StoredPolicy(
        id=row["id"],
        entity=row["entity"],
        kind=row["kind"],
        version=row["version"],
        valid_from=row["valid_from"],
        body=msgspec.json.decode(row["body"]),
        proposal=Proposal(None if row["status"] == "proposed" else row["status"], row["proposed_by"], row["proposed_on"]),
        decided_by=row["decided_by"],
        decided_on=row["decided_on"],
        reason=row["reason"],
    )
