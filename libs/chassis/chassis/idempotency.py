"""
The answers already given to commands, by (entity, principal, route, Idempotency-Key): IETF draft-ietf-httpapi-idempotency-key-header-07.

The row is inserted before the command's effects in the same transaction, so a repeat waits for the first and then finds its answer.
A refusal (4xx) rolls everything back, the row too: it leaves nothing, and the same key may be used again with a corrected body.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.database import Connection

KEPT = timedelta(days=7)
PURGED_AT_ONCE_MAX = 5000
KEY_LENGTH_MAX = 255


@dataclass(frozen=True, slots=True)
class Slot:
    """Whose command this is and which: the identity of an answer."""

    entity: str
    principal: str
    route: str
    key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given, byte for byte, and the fingerprint of the request it answers."""

    fingerprint: bytes
    status: int
    body: bytes


def is_key(text: str) -> bool:
    """Say whether a header value may be a key: 1 to 255 printable ASCII characters."""
    return 1 <= len(text) <= KEY_LENGTH_MAX and text.isascii() and text.isprintable() and not text.isspace()


def fingerprint_of(method: str, target: str, body: bytes) -> bytes:
    """The hash by which a repeat is told from another request under the same key; `target` is the path with its query."""
    return hashlib.sha256(b"\0".join((method.encode(), target.encode(), body))).digest()


async def claim(db: Connection, slot: Slot, fingerprint: bytes, created_at: datetime) -> Answer | None:
    """
    Take the slot for this transaction, or return the answer that stands in it.

    Waits for a transaction that holds the slot, as long as the connection's `lock_timeout` allows.

    :raises asyncpg.exceptions.LockNotAvailableError: the slot is still held after that.
    """
    while True:
        taken = await db.fetchval(
            """
            INSERT INTO chassis.idempotency (entity, principal, route, key, fingerprint, created_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (entity, principal, route, key) DO NOTHING RETURNING true
            """,
            slot.entity,
            slot.principal,
            slot.route,
            slot.key,
            fingerprint,
            created_at,
        )
        if taken:
            return None
        row = await db.fetchrow(
            "SELECT fingerprint, status, body FROM chassis.idempotency WHERE entity = $1 AND principal = $2 AND route = $3 AND key = $4",
            slot.entity,
            slot.principal,
            slot.route,
            slot.key,
        )
        if row is not None:  # None: purged between the two statements, so it is free.
            return Answer(row["fingerprint"], row["status"], row["body"])


async def keep(db: Connection, slot: Slot, status: int, body: bytes) -> None:
    """Store the answer in the slot this transaction has claimed."""
    await db.execute(
        "UPDATE chassis.idempotency SET status = $5, body = $6 WHERE entity = $1 AND principal = $2 AND route = $3 AND key = $4",
        slot.entity,
        slot.principal,
        slot.route,
        slot.key,
        status,
        body,
    )


async def purge(db: Connection, now: datetime) -> int:
    """Forget answers given more than 7 days before `now`, at most 5 000 at once; return how many."""
    forgotten: int = await db.fetchval(
        """
        WITH old AS (
            SELECT entity, principal, route, key FROM chassis.idempotency WHERE created_at < $1
            ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM chassis.idempotency AS kept USING old
            WHERE (kept.entity, kept.principal, kept.route, kept.key) = (old.entity, old.principal, old.route, old.key) RETURNING true
        )
        SELECT count(*) FROM gone
        """,
        now - KEPT,
        PURGED_AT_ONCE_MAX,
    )
    return forgotten
