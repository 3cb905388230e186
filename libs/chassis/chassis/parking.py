"""
Facts set aside, and how they come back (docs/messaging.md section 4).

A domain fact that fails for good is parked and blocks its (topic, key); an ingress record that fails by our own fault blocks its natural
key only; a record without a usable key blocks nothing. Refused ingress records are answered and kept. Redrive applies in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec
from events.invoice import Reason

from chassis.database import Connection
from chassis.outbox import pack_headers, unpack_headers
from chassis.record import Record

DAY_WORK = "day_work"
"""The reason of a row that stands for an account whose work failed when a day turned: it blocks the key, and there is no record in it."""

AWAITED_LOCK = 2  # First key of the advisory locks on awaited things; the second is hashtext(thing).


@dataclass(frozen=True, slots=True)
class Parked:
    """A record to set aside: the key it blocks (empty: none), a stable reason, a sentence, and what it waits for, if anything."""

    record: Record
    key: str
    reason: str
    detail: str
    waits_for: str | None = None


async def park(db: Connection, parked: Sequence[Parked], now: datetime) -> None:
    """Keep records set aside, in order."""
    if not parked:
        return
    await db.execute(
        """
        INSERT INTO chassis.parked (topic, key, partition, "offset", reason, detail, waits_for, headers, record_key, value, parked_at)
        SELECT topic, key, partition, "offset", reason, detail, waits_for, headers, record_key, value, $11
        FROM unnest(
            $1::text[], $2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[], $10::bytea[]
        ) WITH ORDINALITY AS row (topic, key, partition, "offset", reason, detail, waits_for, headers, record_key, value, place)
        ORDER BY place
        """,
        [p.record.topic for p in parked],
        [p.key for p in parked],
        [p.record.partition for p in parked],
        [p.record.offset for p in parked],
        [p.reason for p in parked],
        [_told(p.detail) for p in parked],
        [p.waits_for for p in parked],
        [pack_headers(p.record.headers) for p in parked],
        [p.record.key for p in parked],
        [p.record.value for p in parked],
        now,
    )


async def keep_refused(db: Connection, refused: Sequence[tuple[Record, Sequence[Reason]]], now: datetime) -> None:
    """Keep ingress records that were refused, with every reason."""
    if not refused:
        return
    await db.execute(
        """
        INSERT INTO chassis.refused (topic, partition, "offset", reasons, headers, record_key, value, refused_at)
        SELECT topic, partition, "offset", reasons::jsonb, headers, record_key, value, $8
        FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[])
            AS row (topic, partition, "offset", reasons, headers, record_key, value)
        """,
        [r.topic for r, _ in refused],
        [r.partition for r, _ in refused],
        [r.offset for r, _ in refused],
        [msgspec.json.encode(list(reasons)).decode() for _, reasons in refused],
        [pack_headers(r.headers) for r, _ in refused],
        [r.key for r, _ in refused],
        [r.value for r, _ in refused],
        now,
    )


async def lock_awaited(db: Connection, things: Sequence[str]) -> None:
    """Both sides of a wait take these locks, sorted, before they look: else two workers miss each other for ever."""
    await db.execute(
        "SELECT pg_advisory_xact_lock($1, hashtext(thing)) FROM unnest($2::text[]) AS thing", AWAITED_LOCK, sorted(set(things))
    )


@dataclass(frozen=True, slots=True)
class Setaside:
    """A parked or refused record as kept: its row id, the stream it blocks and the record itself."""

    id: int
    topic: str
    key: str
    reason: str
    record: Record


async def streams_awaiting(db: Connection, things: Sequence[str]) -> list[tuple[str, str]]:
    """The (topic, key) whose first parked fact waits for one of `things`."""
    rows = await db.fetch(
        """
        SELECT DISTINCT p.topic, p.key FROM chassis.parked p WHERE p.state = 'parked' AND p.waits_for = ANY($1) ORDER BY 1, 2
        """,
        list(things),
    )
    return [(row["topic"], row["key"]) for row in rows]


async def parked_of(db: Connection, topic: str, key: str) -> list[Setaside]:
    """Everything parked of a stream, in the order it was parked, locked."""
    rows = await db.fetch(
        """
        SELECT id, topic, key, reason, partition, "offset", headers, record_key, value FROM chassis.parked
        WHERE topic = $1 AND key = $2 AND state = 'parked' ORDER BY id FOR UPDATE
        """,
        topic,
        key,
    )
    return [Setaside(r["id"], r["topic"], r["key"], r["reason"], _record(r)) for r in rows]


async def refused_of(db: Connection, id: int) -> Setaside | None:
    """One refused record that was not redriven yet, locked; None when there is none."""
    row = await db.fetchrow(
        """
        SELECT id, topic, '' AS key, 'refused' AS reason, partition, "offset", headers, record_key, value FROM chassis.refused
        WHERE id = $1 AND redriven_at IS NULL FOR UPDATE
        """,
        id,
    )
    return Setaside(row["id"], row["topic"], row["key"], row["reason"], _record(row)) if row else None


def _record(row: asyncpg.Record) -> Record:
    return Record(row["topic"], row["partition"], row["offset"], row["record_key"], row["value"], unpack_headers(row["headers"]))


async def mark_parked(db: Connection, ids: Sequence[int], state: str) -> None:
    """Take parked records out of the way: `redriven` or `skipped`."""
    await db.execute("UPDATE chassis.parked SET state = $2 WHERE id = ANY($1)", list(ids), state)


async def park_on(db: Connection, parked: Sequence[tuple[int, Parked]]) -> None:
    """Note why rows stay parked after a redrive, which may be another reason than before: what waits must say for what."""
    await db.executemany(
        "UPDATE chassis.parked SET reason = $2, detail = $3, waits_for = $4 WHERE id = $1",
        [(id, one.reason, _told(one.detail), one.waits_for) for id, one in parked],
    )


async def stop_waiting(db: Connection, topic: str, key: str, things: Sequence[str], detail: str) -> None:
    """Note that what a stream waited for has come but it cannot be handled: it is for a person to redrive."""
    await db.execute(
        """
        UPDATE chassis.parked SET reason = 'failed', detail = $4, waits_for = NULL
        WHERE topic = $1 AND key = $2 AND state = 'parked' AND waits_for = ANY($3)
        """,
        topic,
        key,
        list(things),
        _told(detail),
    )


def _told(detail: str) -> str:
    """A detail as a column takes it: what an exception says may repeat any character of the fact."""
    return detail[:2000].replace("\x00", "\ufffd")


async def mark_redriven(db: Connection, id: int, now: datetime) -> None:
    """Note that a refused record was handled after all, or refused again as a new row."""
    await db.execute("UPDATE chassis.refused SET redriven_at = $2 WHERE id = $1", id, now)


async def list_parked(db: Connection) -> list[dict[str, object]]:
    """The oldest 200 parked records: identity and reason, never content."""
    rows = await db.fetch(
        """
        SELECT id, topic, key, partition, "offset", reason, detail, waits_for, parked_at FROM chassis.parked
        WHERE state = 'parked' ORDER BY id LIMIT 200
        """
    )
    return [dict(row) for row in rows]


async def list_refused(db: Connection) -> list[dict[str, object]]:
    """The newest 200 refused records that were not redriven: identity and reasons, never content."""
    rows = await db.fetch(
        """
        SELECT id, topic, partition, "offset", reasons, refused_at FROM chassis.refused WHERE redriven_at IS NULL ORDER BY id DESC LIMIT 200
        """
    )
    return [{**row, "reasons": msgspec.json.decode(row["reasons"])} for row in rows]
