"""Statements of `chassis.streams`: positions, markers met, what is held, streams heard, the inbox."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg

from simulation.store.session import Row, Session, Waiting
from simulation.store.statements.registry import statement

_POSITIONS = """
    SELECT p.topic, p.partition, p.next_offset FROM chassis.position p
    JOIN unnest($1::text[], $2::int[]) AS w (topic, partition) USING (topic, partition) ORDER BY p.topic, p.partition
"""


@statement("INSERT INTO chassis.position (topic, partition) SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING")
def start_positions(tx: Session, topics: Sequence[str], partitions: Sequence[int]) -> Waiting:
    for topic, partition in zip(topics, partitions, strict=True):
        if (yield from tx.claim("position", (topic, partition))):
            tx.put("position", (topic, partition), {"topic": topic, "partition": partition, "next_offset": 0})


@statement(_POSITIONS)
def read_positions(tx: Session, topics: Sequence[str], partitions: Sequence[int]) -> list[Row]:
    rows = (tx.get("position", place) for place in sorted(zip(topics, partitions, strict=True)))
    return [row for row in rows if row is not None]


@statement(_POSITIONS + " FOR UPDATE OF p")
def lock_positions(tx: Session, topics: Sequence[str], partitions: Sequence[int]) -> Waiting:
    places = [place for place in sorted(zip(topics, partitions, strict=True)) if tx.get("position", place) is not None]
    rows = []
    for place in places:
        row = yield from tx.lock("position", place)
        if row is not None:
            rows.append(row)
    return rows


@statement("SELECT DISTINCT partition FROM chassis.parked WHERE topic = $1 AND key = $2 AND state = 'parked'")
def partitions_parked(tx: Session, topic: str, key: str) -> list[Row]:
    found = {row["partition"] for row in tx.rows("parked") if (row["topic"], row["key"], row["state"]) == (topic, key, "parked")}
    return [{"partition": partition} for partition in sorted(found)]


@statement(
    "SELECT FROM chassis.position WHERE topic = $1 AND ($2::int[] IS NULL OR partition = ANY($2)) ORDER BY topic, partition FOR UPDATE"
)
def lock_positions_of_topic(tx: Session, topic: str, partitions: Sequence[int] | None) -> Waiting:
    wanted = [p for t, p in sorted(_keys(tx, "position")) if t == topic and (partitions is None or p in partitions)]
    for partition in wanted:
        yield from tx.lock("position", (topic, partition))


@statement(
    """
    UPDATE chassis.position p SET next_offset = w.next_offset
    FROM unnest($1::text[], $2::int[], $3::bigint[]) AS w (topic, partition, next_offset)
    WHERE p.topic = w.topic AND p.partition = w.partition
    """
)
def advance_positions(tx: Session, topics: Sequence[str], partitions: Sequence[int], offsets: Sequence[int]) -> Waiting:
    for topic, partition, offset in zip(topics, partitions, offsets, strict=True):
        if tx.get("position", (topic, partition)) is not None:
            row = yield from tx.lock("position", (topic, partition))
            if row is not None:
                tx.put("position", (topic, partition), {**row, "next_offset": offset})


@statement(
    """
    SELECT topic, partition, entity, m.day, h.entity IS NOT NULL AS holds FROM chassis.met m
    FULL JOIN (SELECT DISTINCT topic, partition, entity FROM chassis.held) AS h USING (topic, partition, entity)
    JOIN unnest($1::text[], $2::int[]) AS w (topic, partition) USING (topic, partition)
    """
)
def marks(tx: Session, topics: Sequence[str], partitions: Sequence[int]) -> list[Row]:
    wanted = set(zip(topics, partitions, strict=True))
    holding = {(row["topic"], row["partition"], row["entity"]) for row in tx.rows("held")}
    days = {(row["topic"], row["partition"], row["entity"]): row["day"] for row in tx.rows("met")}
    return [
        {"topic": topic, "partition": partition, "entity": entity, "day": days.get((topic, partition, entity)), "holds": mark in holding}
        for mark in sorted(days.keys() | holding)
        for topic, partition, entity in [mark]
        if (topic, partition) in wanted
    ]


@statement(
    """
    INSERT INTO chassis.held (topic, partition, "offset", entity, behind, headers, key, value)
    SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::date[], $6::bytea[], $7::bytea[], $8::bytea[])
    """
)
def hold(tx: Session, *columns: Sequence[Any]) -> Waiting:
    names = ("topic", "partition", "offset", "entity", "behind", "headers", "key", "value")
    for values in zip(*columns, strict=True):
        key = values[:3]
        if (yield from tx.lock("held", key)) is not None:
            raise asyncpg.exceptions.UniqueViolationError('duplicate key value violates unique constraint "held_pkey"')
        tx.put("held", key, dict(zip(names, values, strict=True)))


@statement("SELECT topic, partition, count(*) AS n FROM chassis.held GROUP BY topic, partition")
def held_counts(tx: Session) -> list[Row]:
    places = [(row["topic"], row["partition"]) for row in tx.rows("held")]
    return [{"topic": topic, "partition": partition, "n": places.count((topic, partition))} for topic, partition in sorted(set(places))]


@statement(
    """
    SELECT DISTINCT h.topic, h.partition FROM chassis.held h
    JOIN chassis.day d ON d.entity = h.entity AND d.turning_on IS NULL AND h.behind <= d.open_on
    """
)
def places_to_release(tx: Session) -> list[Row]:
    open_on = {row["entity"]: row["open_on"] for row in tx.rows("day") if row["turning_on"] is None}
    free = {(row["topic"], row["partition"]) for row in tx.rows("held") if row["behind"] <= open_on.get(row["entity"], date.min)}
    return [{"topic": topic, "partition": partition} for topic, partition in sorted(free)]


@statement(
    """
    WITH taken AS (
        SELECT h.topic, h.partition, h."offset" FROM chassis.held h
        JOIN unnest($1::text[], $2::int[]) AS w (topic, partition) USING (topic, partition)
        JOIN unnest($3::text[], $4::date[]) AS d (entity, open_on) ON d.entity = h.entity AND h.behind <= d.open_on
        ORDER BY h.topic, h.partition, h."offset" LIMIT $5
    )
    DELETE FROM chassis.held h USING taken t WHERE (h.topic, h.partition, h."offset") = (t.topic, t.partition, t."offset")
    RETURNING h.topic, h.partition, h."offset", h.headers, h.key, h.value
    """
)
def take_held(
    tx: Session, topics: Sequence[str], partitions: Sequence[int], entities: Sequence[str], days: Sequence[date], limit: int
) -> Waiting:
    places, open_on = set(zip(topics, partitions, strict=True)), dict(zip(entities, days, strict=True))
    taken = sorted(
        (row["topic"], row["partition"], row["offset"])
        for row in tx.rows("held")
        if (row["topic"], row["partition"]) in places and row["behind"] <= open_on.get(row["entity"], date.min)
    )
    rows = []
    for key in taken[:limit]:
        row = yield from tx.lock("held", key)
        if row is not None:
            tx.put("held", key, None)
            rows.append(row)
    return rows


@statement(
    """
    SELECT w.topic, w.key, s.sequence, EXISTS (
        SELECT FROM chassis.parked p WHERE p.topic = w.topic AND p.key = w.key AND p.state = 'parked' AND p.reason <> 'gap'
    ) AS blocked
    FROM unnest($1::text[], $2::text[]) AS w (topic, key) LEFT JOIN chassis.stream_seen s USING (topic, key)
    """
)
def heard(tx: Session, topics: Sequence[str], keys: Sequence[str]) -> list[Row]:
    blocked = {(row["topic"], row["key"]) for row in tx.rows("parked") if row["state"] == "parked" and row["reason"] != "gap"}
    rows = []
    for stream in zip(topics, keys, strict=True):
        seen = tx.get("stream_seen", stream)
        rows.append({"topic": stream[0], "key": stream[1], "sequence": seen["sequence"] if seen else None, "blocked": stream in blocked})
    return rows


@statement(
    """
    INSERT INTO chassis.stream_seen AS s (topic, key, sequence) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
    ON CONFLICT (topic, key) DO UPDATE SET sequence = excluded.sequence
    """
)
def hear(tx: Session, topics: Sequence[str], keys: Sequence[str], sequences: Sequence[int]) -> Waiting:
    for topic, key, sequence in zip(topics, keys, sequences, strict=True):
        yield from tx.lock("stream_seen", (topic, key))
        tx.put("stream_seen", (topic, key), {"topic": topic, "key": key, "sequence": sequence})


@statement(
    """
    INSERT INTO chassis.inbox (source, id, hash) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[]) ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING RETURNING source, id, hash
    """
)
def enter_inbox(tx: Session, sources: Sequence[str], ids: Sequence[str], hashes: Sequence[bytes]) -> Waiting:
    rows = []
    for key in sorted(zip(sources, ids, hashes, strict=True)):
        if (yield from tx.claim("inbox", key)):
            row = dict(zip(("source", "id", "hash"), key, strict=True))
            tx.put("inbox", key, row)
            rows.append(row)
    return rows


def _keys(tx: Session, table: str) -> list[Any]:
    return [(row["topic"], row["partition"]) for row in tx.rows(table)]
