"""Statements of `chassis.parking`: what is set aside, and how it comes back."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from simulation.store.session import Row, Session, Waiting
from simulation.store.statements.registry import statement


@statement(
    """
    INSERT INTO chassis.parked (topic, key, partition, "offset", reason, detail, waits_for, headers, record_key, value, parked_at)
    SELECT topic, key, partition, "offset", reason, detail, waits_for, headers, record_key, value, $11
    FROM unnest(
        $1::text[], $2::text[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[], $10::bytea[]
    ) WITH ORDINALITY AS row (topic, key, partition, "offset", reason, detail, waits_for, headers, record_key, value, place)
    ORDER BY place
    """
)
def park(tx: Session, *columns: Any) -> None:
    names = ("topic", "key", "partition", "offset", "reason", "detail", "waits_for", "headers", "record_key", "value")
    *lists, parked_at = columns
    for values in zip(*lists, strict=True):
        _insert(tx, "parked", dict(zip(names, values, strict=True)) | {"parked_at": parked_at, "state": "parked"})


@statement(
    """
    INSERT INTO chassis.refused (topic, partition, "offset", reasons, headers, record_key, value, refused_at)
    SELECT topic, partition, "offset", reasons::jsonb, headers, record_key, value, $8
    FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[])
        AS row (topic, partition, "offset", reasons, headers, record_key, value)
    """
)
def keep_refused(tx: Session, *columns: Any) -> None:
    names = ("topic", "partition", "offset", "reasons", "headers", "record_key", "value")
    *lists, refused_at = columns
    for values in zip(*lists, strict=True):
        row = dict(zip(names, values, strict=True)) | {"refused_at": refused_at, "redriven_at": None}
        _insert(tx, "refused", row | {"reasons": msgspec.json.decode(row["reasons"])})


def _insert(tx: Session, table: str, row: Row) -> None:
    id = tx.store.next_id(table)
    tx.put(table, id, {"id": id, **row})


@statement("SELECT pg_advisory_xact_lock($1, hashtext(thing)) FROM unnest($2::text[]) AS thing")
def lock_awaited(tx: Session, kind: int, things: Sequence[str]) -> Waiting:
    for thing in things:
        yield from tx.take((kind, thing))


@statement("SELECT DISTINCT p.topic, p.key FROM chassis.parked p WHERE p.state = 'parked' AND p.waits_for = ANY($1) ORDER BY 1, 2")
def streams_awaiting(tx: Session, things: Sequence[str]) -> list[Row]:
    found = {(row["topic"], row["key"]) for row in tx.rows("parked") if row["state"] == "parked" and row["waits_for"] in things}
    return [{"topic": topic, "key": key} for topic, key in sorted(found)]


@statement(
    """
    SELECT id, topic, key, reason, partition, "offset", headers, record_key, value FROM chassis.parked
    WHERE topic = $1 AND key = $2 AND state = 'parked' ORDER BY id FOR UPDATE
    """
)
def parked_of(tx: Session, topic: str, key: str) -> Waiting:
    def is_wanted(row: Row) -> bool:
        return (row["topic"], row["key"], row["state"]) == (topic, key, "parked")

    return (yield from _locked(tx, "parked", is_wanted))


@statement(
    """
    SELECT id, topic, '' AS key, 'refused' AS reason, partition, "offset", headers, record_key, value FROM chassis.refused
    WHERE id = $1 AND redriven_at IS NULL FOR UPDATE
    """
)
def refused_of(tx: Session, id: int) -> Waiting:
    rows = yield from _locked(tx, "refused", lambda row: row["id"] == id and row["redriven_at"] is None)
    return [{**row, "key": "", "reason": "refused"} for row in rows]


@statement("UPDATE chassis.parked SET state = $2 WHERE id = ANY($1)")
def mark_parked(tx: Session, ids: Sequence[int], state: str) -> Waiting:
    yield from _update(tx, "parked", lambda row: row["id"] in ids, {"state": state})


@statement("UPDATE chassis.parked SET reason = $2, detail = $3, waits_for = $4 WHERE id = $1")
def park_on(tx: Session, id: int, reason: str, detail: str, waits_for: str | None) -> Waiting:
    yield from _update(tx, "parked", lambda row: row["id"] == id, {"reason": reason, "detail": detail, "waits_for": waits_for})


@statement(
    """
    UPDATE chassis.parked SET reason = 'failed', detail = $4, waits_for = NULL
    WHERE topic = $1 AND key = $2 AND state = 'parked' AND waits_for = ANY($3)
    """
)
def stop_waiting(tx: Session, topic: str, key: str, things: Sequence[str], detail: str) -> Waiting:
    def is_wanted(row: Row) -> bool:
        return (row["topic"], row["key"], row["state"]) == (topic, key, "parked") and row["waits_for"] in things

    yield from _update(tx, "parked", is_wanted, {"reason": "failed", "detail": detail, "waits_for": None})


@statement("UPDATE chassis.refused SET redriven_at = $2 WHERE id = $1")
def mark_redriven(tx: Session, id: int, now: datetime) -> Waiting:
    yield from _update(tx, "refused", lambda row: row["id"] == id, {"redriven_at": now})


@statement("SELECT topic, key FROM chassis.parked WHERE id = $1 AND state = 'parked'")
def parked_stream(tx: Session, id: int) -> list[Row]:
    row = tx.get("parked", id)
    return [{"topic": row["topic"], "key": row["key"]}] if row is not None and row["state"] == "parked" else []


def _locked(tx: Session, table: str, is_wanted: Callable[[Row], bool]) -> Waiting:
    """Lock the rows wanted, by id; one that has changed meanwhile is looked at again."""
    rows = []
    for id in sorted(row["id"] for row in tx.rows(table) if is_wanted(row)):
        row = yield from tx.lock(table, id)
        if row is not None and is_wanted(row):
            rows.append(row)
    return rows


def _update(tx: Session, table: str, is_wanted: Callable[[Row], bool], changes: Row) -> Waiting:
    rows = yield from _locked(tx, table, is_wanted)
    for row in rows:
        tx.put(table, row["id"], {**row, **changes})
