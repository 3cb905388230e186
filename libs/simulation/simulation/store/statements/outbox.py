"""Statements of `chassis.outbox` and `chassis.relay`: heads of streams, the queue of facts, its leader."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from simulation.store.session import Row, Session, Waiting
from simulation.store.statements.registry import statement


@statement(
    """
    INSERT INTO chassis.stream_head AS head (topic, key, sequence)
    SELECT $1, key, taken FROM unnest($2::text[], $3::bigint[]) AS wanted (key, taken) ORDER BY key
    ON CONFLICT (topic, key) DO UPDATE SET sequence = head.sequence + excluded.sequence
    RETURNING key, sequence
    """
)
def next_sequences(tx: Session, topic: str, keys: Sequence[str], taken: Sequence[int]) -> Waiting:
    rows = []
    for key, n in sorted(zip(keys, taken, strict=True)):
        head = yield from tx.lock("stream_head", (topic, key))
        row = {"topic": topic, "key": key, "sequence": n + (head["sequence"] if head is not None else 0)}
        tx.put("stream_head", (topic, key), row)
        rows.append(row)
    return rows


@statement(
    """
    INSERT INTO chassis.outbox (topic, key, partition, headers, value, queued_at)
    SELECT topic, key, partition, headers, value, $6
    FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[], $5::bytea[])
        WITH ORDINALITY AS row (topic, key, partition, headers, value, place)
    ORDER BY place
    """
)
def queue(
    tx: Session,
    topics: Sequence[str],
    keys: Sequence[str],
    partitions: Sequence[int | None],
    headers: Sequence[bytes],
    values: Sequence[bytes],
    now: datetime,
) -> None:
    names = ("topic", "key", "partition", "headers", "value")
    for row in zip(topics, keys, partitions, headers, values, strict=True):
        id = tx.store.next_id("outbox")
        tx.put("outbox", id, {"id": id, **dict(zip(names, row, strict=True)), "queued_at": now})


@statement("NOTIFY chassis_outbox")
def notify(tx: Session) -> None:
    tx.notify("chassis_outbox")


@statement("SELECT pg_try_advisory_lock($1)")
def lead(tx: Session, kind: int) -> list[Row]:
    return [{"pg_try_advisory_lock": tx.take_for_session((kind,))}]


@statement("SELECT id, topic, key, partition, headers, value, queued_at FROM chassis.outbox ORDER BY id LIMIT $1")
def first_queued(tx: Session, limit: int) -> list[Row]:
    return sorted(tx.rows("outbox"), key=_id)[:limit]


@statement("DELETE FROM chassis.outbox WHERE id = ANY($1)")
def forget(tx: Session, ids: Sequence[int]) -> Waiting:
    for id in [row["id"] for row in tx.rows("outbox") if row["id"] in ids]:
        if (yield from tx.lock("outbox", id)) is not None:
            tx.put("outbox", id, None)


def _id(row: Row) -> Any:
    return row["id"]
