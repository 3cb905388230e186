"""Positions, streams and the inbox: which records have been handled already (docs/messaging.md section 4)."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from chassis.database import Connection
from chassis.outbox import pack_headers, unpack_headers
from chassis.record import Fresh, Record

Place = tuple[str, int]
"""A partition of a topic."""
Mark = tuple[str, int, str]
"""An entity in a partition: (topic, partition, entity)."""


async def start_positions(db: Connection, places: Collection[Place]) -> dict[Place, int]:
    """Give every partition a position (0 when new) and return the next offset of each."""
    ordered = sorted(places)
    topics, partitions = [t for t, _ in ordered], [p for _, p in ordered]
    await db.execute(
        "INSERT INTO chassis.position (topic, partition) SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING",
        topics,
        partitions,
    )
    return await _positions(db, topics, partitions, "")


async def lock_positions(db: Connection, places: Collection[Place]) -> dict[Place, int]:
    """Lock the position rows of these partitions in sorted order: one owner at a time, zombies queue here."""
    ordered = sorted(places)
    return await _positions(db, [t for t, _ in ordered], [p for _, p in ordered], "FOR UPDATE OF p")


async def lock_parked_stream(db: Connection, topic: str, key: str) -> None:
    """
    Lock the positions of the partitions in which something of this stream is parked.

    Otherwise a batch could meanwhile park a fact behind one that is just leaving, for which nobody would come back, or apply one twice.
    A row of a day's work names no partition; alone it locks all of the topic.
    """
    parked = await db.fetch("SELECT DISTINCT partition FROM chassis.parked WHERE topic = $1 AND key = $2 AND state = 'parked'", topic, key)
    partitions = [row["partition"] for row in parked if row["partition"] >= 0] or None
    await db.execute(
        """
        SELECT FROM chassis.position WHERE topic = $1 AND ($2::int[] IS NULL OR partition = ANY($2)) ORDER BY topic, partition FOR UPDATE
        """,
        topic,
        partitions,
    )


async def _positions(db: Connection, topics: Sequence[str], partitions: Sequence[int], locking: str) -> dict[Place, int]:
    rows = await db.fetch(
        f"""
        SELECT p.topic, p.partition, p.next_offset FROM chassis.position p
        JOIN unnest($1::text[], $2::int[]) AS w (topic, partition) USING (topic, partition) ORDER BY p.topic, p.partition {locking}
        """,
        topics,
        partitions,
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def advance_positions(db: Connection, positions: Mapping[Place, int]) -> None:
    """Write the next offset of every partition that moved."""
    if not positions:
        return
    await db.execute(
        """
        UPDATE chassis.position p SET next_offset = w.next_offset
        FROM unnest($1::text[], $2::int[], $3::bigint[]) AS w (topic, partition, next_offset)
        WHERE p.topic = w.topic AND p.partition = w.partition
        """,
        [t for t, _ in positions],
        [p for _, p in positions],
        list(positions.values()),
    )


async def marks(db: Connection, places: Collection[Place]) -> tuple[dict[Mark, date], set[Mark]]:
    """The highest marker seen in these partitions by entity, and where something of an entity is held."""
    rows = await db.fetch(
        """
        SELECT topic, partition, entity, m.day, h.entity IS NOT NULL AS holds FROM chassis.met m
        FULL JOIN (SELECT DISTINCT topic, partition, entity FROM chassis.held) AS h USING (topic, partition, entity)
        JOIN unnest($1::text[], $2::int[]) AS w (topic, partition) USING (topic, partition)
        """,
        [t for t, _ in places],
        [p for _, p in places],
    )
    seen = {(row["topic"], row["partition"], row["entity"]): row["day"] for row in rows if row["day"] is not None}
    return seen, {(row["topic"], row["partition"], row["entity"]) for row in rows if row["holds"]}


async def hold(db: Connection, held: Sequence[tuple[Record, str, date]]) -> None:
    """Put records of (entity) that stand behind a day not yet open aside, to be released in offset order."""
    await db.execute(
        """
        INSERT INTO chassis.held (topic, partition, "offset", entity, behind, headers, key, value)
        SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::date[], $6::bytea[], $7::bytea[], $8::bytea[])
        """,
        [r.topic for r, _, _ in held],
        [r.partition for r, _, _ in held],
        [r.offset for r, _, _ in held],
        [entity for _, entity, _ in held],
        [behind for _, _, behind in held],
        [pack_headers(r.headers) for r, _, _ in held],
        [r.key for r, _, _ in held],
        [r.value for r, _, _ in held],
    )


async def held_counts(db: Connection) -> dict[Place, int]:
    """How many records each partition holds."""
    rows = await db.fetch("SELECT topic, partition, count(*) AS n FROM chassis.held GROUP BY topic, partition")
    return {(row["topic"], row["partition"]): row["n"] for row in rows}


async def places_to_release(db: Connection, places: Collection[Place]) -> list[Place]:
    """Partitions of ours that hold something whose day has opened and is not turning."""
    rows = await db.fetch(
        """
        SELECT DISTINCT h.topic, h.partition FROM chassis.held h
        JOIN chassis.day d ON d.entity = h.entity AND d.turning_on IS NULL AND h.behind <= d.open_on
        """
    )
    wanted = set(places)
    return [place for row in rows if (place := (row["topic"], row["partition"])) in wanted]


async def take_held(db: Connection, places: Collection[Place], open_on: Mapping[str, date], limit: int) -> list[Record]:
    """Take the oldest held records of these partitions whose day has opened; they are deleted with this transaction."""
    rows = await db.fetch(
        """
        WITH taken AS (
            SELECT h.topic, h.partition, h."offset" FROM chassis.held h
            JOIN unnest($1::text[], $2::int[]) AS w (topic, partition) USING (topic, partition)
            JOIN unnest($3::text[], $4::date[]) AS d (entity, open_on) ON d.entity = h.entity AND h.behind <= d.open_on
            ORDER BY h.topic, h.partition, h."offset" LIMIT $5
        )
        DELETE FROM chassis.held h USING taken t WHERE (h.topic, h.partition, h."offset") = (t.topic, t.partition, t."offset")
        RETURNING h.topic, h.partition, h."offset", h.headers, h.key, h.value
        """,
        [t for t, _ in places],
        [p for _, p in places],
        list(open_on),
        list(open_on.values()),
        limit,
    )
    records = [Record(r["topic"], r["partition"], r["offset"], r["key"], r["value"], unpack_headers(r["headers"])) for r in rows]
    return sorted(records, key=lambda record: record.place)


async def heard(db: Connection, streams: Collection[tuple[str, str]]) -> tuple[dict[tuple[str, str], int], set[tuple[str, str]]]:
    """The last sequence applied of every (topic, key), and which of them are blocked by something parked."""
    if not streams:
        return {}, set()
    rows = await db.fetch(
        """
        SELECT w.topic, w.key, s.sequence, EXISTS (
            SELECT FROM chassis.parked p WHERE p.topic = w.topic AND p.key = w.key AND p.state = 'parked' AND p.reason <> 'gap'
        ) AS blocked
        FROM unnest($1::text[], $2::text[]) AS w (topic, key) LEFT JOIN chassis.stream_seen s USING (topic, key)
        """,
        [t for t, _ in streams],
        [k for _, k in streams],
    )
    seen = {(row["topic"], row["key"]): row["sequence"] for row in rows if row["sequence"] is not None}
    return seen, {(row["topic"], row["key"]) for row in rows if row["blocked"]}


async def hear(db: Connection, heads: Mapping[tuple[str, str], int]) -> None:
    """Note the last sequence applied or parked of every (topic, key)."""
    if not heads:
        return
    keys = sorted(heads)
    await db.execute(
        """
        INSERT INTO chassis.stream_seen AS s (topic, key, sequence) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
        ON CONFLICT (topic, key) DO UPDATE SET sequence = excluded.sequence
        """,
        [t for t, _ in keys],
        [k for _, k in keys],
        [heads[key] for key in keys],
    )


async def enter_inbox(db: Connection, facts: Sequence[Fresh]) -> set[tuple[str, int, int]]:
    """Note ingress facts by (source, id, hash of their data); return the places of those not seen before, the first of twins only."""
    if not facts:
        return set()
    first: dict[tuple[str, str, bytes], Fresh] = {}
    for fact in facts:
        first.setdefault((fact.envelope.source, fact.envelope.id, hashlib.sha256(fact.data).digest()), fact)
    rows = await db.fetch(
        """
        INSERT INTO chassis.inbox (source, id, hash) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[]) ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING RETURNING source, id, hash
        """,
        [key[0] for key in first],
        [key[1] for key in first],
        [key[2] for key in first],
    )
    return {first[row["source"], row["id"], row["hash"]].record.place for row in rows}
