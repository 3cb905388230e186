"""Statements that only mutants of the chassis ask: what it would do without a lock, or with a cursor."""

from collections.abc import Sequence

from simulation.store.session import Row, Session, Waiting
from simulation.store.statements.registry import statement


@statement("SELECT id, topic, key, partition, headers, value, queued_at FROM chassis.outbox WHERE id > $2 ORDER BY id LIMIT $1")
def queued_after(tx: Session, limit: int, after: int) -> list[Row]:
    return sorted((row for row in tx.rows("outbox") if row["id"] > after), key=lambda row: int(row["id"]))[:limit]


@statement("DELETE FROM chassis.outbox WHERE id <= $1")
def forget_up_to(tx: Session, last: int) -> Waiting:
    for id in [row["id"] for row in tx.rows("outbox") if row["id"] <= last]:
        if (yield from tx.lock("outbox", id)) is not None:
            tx.put("outbox", id, None)


@statement("SELECT key, sequence FROM chassis.stream_head WHERE topic = $1 AND key = ANY($2)")
def read_heads(tx: Session, topic: str, keys: Sequence[str]) -> list[Row]:
    return [row for row in tx.rows("stream_head") if row["topic"] == topic and row["key"] in keys]


@statement(
    """
    INSERT INTO chassis.stream_head (topic, key, sequence) SELECT $1, * FROM unnest($2::text[], $3::bigint[])
    ON CONFLICT (topic, key) DO UPDATE SET sequence = excluded.sequence
    """
)
def set_heads(tx: Session, topic: str, keys: Sequence[str], sequences: Sequence[int]) -> Waiting:
    for key, sequence in zip(keys, sequences, strict=True):
        yield from tx.lock("stream_head", (topic, key))
        tx.put("stream_head", (topic, key), {"topic": topic, "key": key, "sequence": sequence})


@statement(
    """
    SELECT id, topic, key, reason, partition, "offset", headers, record_key, value FROM chassis.parked
    WHERE topic = $1 AND key = $2 AND state = 'parked' ORDER BY id
    """
)
def read_parked(tx: Session, topic: str, key: str) -> list[Row]:
    found = [row for row in tx.rows("parked") if (row["topic"], row["key"], row["state"]) == (topic, key, "parked")]
    return sorted(found, key=lambda row: int(row["id"]))
