"""Statements of `chassis.business_day` and `chassis.calendar`: the open day of each entity, its lock, its markers."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from simulation.store.session import Row, Session, Waiting
from simulation.store.statements.registry import statement


@statement(
    "INSERT INTO chassis.day (entity, open_on) SELECT * FROM unnest($1::text[], $2::date[]) ORDER BY 1 ON CONFLICT (entity) DO NOTHING"
)
def declare(tx: Session, entities: Sequence[str], days: Sequence[date]) -> Waiting:
    for entity, day in sorted(zip(entities, days, strict=True)):
        if (yield from tx.claim("day", entity)):
            row = {"entity": entity, "open_on": day, "turning_on": None, "cursor": "", "waiting_since": None, "late": 0}
            tx.put("day", entity, row)


@statement("SELECT pg_advisory_xact_lock_shared($1, hashtext(entity)) FROM unnest($2::text[]) AS entity")
def share_days(tx: Session, kind: int, entities: Sequence[str]) -> Waiting:
    for entity in entities:
        yield from tx.take((kind, entity), exclusive=False)


@statement("SELECT pg_advisory_xact_lock($1, hashtext($2))")
def lock_day(tx: Session, kind: int, entity: str) -> Waiting:
    yield from tx.take((kind, entity))


@statement("SELECT entity, open_on, turning_on FROM chassis.day WHERE entity = ANY($1)")
def open_days(tx: Session, entities: Sequence[str]) -> list[Row]:
    return [row for row in tx.rows("day") if row["entity"] in entities]


@statement(
    """
    SELECT d.entity, d.open_on, d.waiting_since, h.behind,
        count(*) FILTER (WHERE m.topic = ANY($2) AND m.day > d.open_on) AS forward_met,
        count(*) FILTER (WHERE m.topic = ANY($3) AND m.day >= d.open_on) AS feedback_met,
        count(*) FILTER (WHERE m.day > d.open_on) > 0 AS begun
    FROM chassis.day d
    LEFT JOIN chassis.met m ON m.entity = d.entity AND m.partition < $4
    LEFT JOIN (SELECT entity, min(behind) AS behind FROM chassis.held GROUP BY entity) AS h ON h.entity = d.entity
    WHERE d.entity = ANY($1) GROUP BY d.entity, h.behind ORDER BY d.entity
    """
)
def days_due(tx: Session, entities: Sequence[str], forward: Sequence[str], feedback: Sequence[str], partitions: int) -> list[Row]:
    met = [row for row in tx.rows("met") if row["partition"] < partitions]
    held = list(tx.rows("held"))
    rows = []
    for day in sorted(tx.rows("day"), key=lambda row: str(row["entity"])):
        entity, open_on = day["entity"], day["open_on"]
        if entity in entities:
            mine = [(row["topic"], row["day"]) for row in met if row["entity"] == entity]
            rows.append(
                {
                    "entity": entity,
                    "open_on": open_on,
                    "waiting_since": day["waiting_since"],
                    "behind": min((row["behind"] for row in held if row["entity"] == entity), default=None),
                    "forward_met": sum(topic in forward and seen > open_on for topic, seen in mine),
                    "feedback_met": sum(topic in feedback and seen >= open_on for topic, seen in mine),
                    "begun": any(seen > open_on for _, seen in mine),
                }
            )
    return rows


@statement("UPDATE chassis.day SET waiting_since = $2 WHERE entity = $1 AND waiting_since IS NULL")
def wait_since(tx: Session, entity: str, now: datetime) -> Waiting | None:
    row = tx.get("day", entity)
    if row is None or row["waiting_since"] is not None:
        return None
    return _change(tx, entity, lambda newest: {"waiting_since": now} if newest["waiting_since"] is None else {})


@statement("SELECT topic, partition, day FROM chassis.met WHERE entity = $1")
def met_of(tx: Session, entity: str) -> list[Row]:
    return [row for row in tx.rows("met") if row["entity"] == entity]


@statement("SELECT open_on, turning_on FROM chassis.day WHERE entity = $1 FOR UPDATE")
def day_to_turn(tx: Session, entity: str) -> Waiting:
    if tx.get("day", entity) is None:
        return []
    row = yield from tx.lock("day", entity)
    return [{"open_on": row["open_on"], "turning_on": row["turning_on"]}] if row is not None else []


@statement("SELECT open_on, turning_on FROM chassis.day WHERE entity = $1")
def day_of(tx: Session, entity: str) -> list[Row]:
    row = tx.get("day", entity)
    return [{"open_on": row["open_on"], "turning_on": row["turning_on"]}] if row is not None else []


@statement("SELECT cursor FROM chassis.day WHERE entity = $1")
def cursor(tx: Session, entity: str) -> list[Row]:
    row = tx.get("day", entity)
    return [{"cursor": row["cursor"]}] if row is not None else []


@statement("UPDATE chassis.day SET turning_on = $2, cursor = $3 WHERE entity = $1")
def keep_turning(tx: Session, entity: str, day: date, after: str) -> Waiting:
    return _change(tx, entity, lambda row: {"turning_on": day, "cursor": after})


@statement("UPDATE chassis.day SET open_on = $2, turning_on = NULL, cursor = '', waiting_since = NULL WHERE entity = $1")
def open_day(tx: Session, entity: str, day: date) -> Waiting:
    return _change(tx, entity, lambda row: {"open_on": day, "turning_on": None, "cursor": "", "waiting_since": None})


@statement(
    """
    INSERT INTO chassis.met AS met (topic, partition, entity, day)
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::date[])
    ON CONFLICT (topic, partition, entity) DO UPDATE SET day = greatest(met.day, excluded.day)
    """
)
def meet(tx: Session, *columns: Sequence[Any]) -> Waiting:
    for topic, partition, entity, day in zip(*columns, strict=True):
        row = yield from tx.lock("met", (topic, partition, entity))
        highest = max(row["day"], day) if row is not None else day
        tx.put("met", (topic, partition, entity), {"topic": topic, "partition": partition, "entity": entity, "day": highest})


@statement("UPDATE chassis.day SET late = late + $2 WHERE entity = $1")
def count_late(tx: Session, entity: str, late: int) -> Waiting:
    return _change(tx, entity, lambda row: {"late": row["late"] + late})


@statement("INSERT INTO chassis.calendar (entity, started_on) VALUES ($1, $2) ON CONFLICT (entity) DO NOTHING")
def begin_calendar(tx: Session, entity: str, day: date) -> Waiting:
    if (yield from tx.claim("calendar", entity)):
        tx.put("calendar", entity, {"entity": entity, "started_on": day})


@statement("SELECT started_on FROM chassis.calendar WHERE entity = $1 FOR UPDATE")
def lock_calendar(tx: Session, entity: str) -> Waiting:
    row = yield from tx.lock("calendar", entity)
    return [{"started_on": row["started_on"]}] if row is not None else []


@statement("UPDATE chassis.calendar SET started_on = $2 WHERE entity = $1")
def start_days(tx: Session, entity: str, day: date) -> Waiting:
    yield from tx.lock("calendar", entity)
    tx.put("calendar", entity, {"entity": entity, "started_on": day})


def _change(tx: Session, entity: str, changes: Callable[[Row], Row]) -> Waiting:
    if tx.get("day", entity) is not None:
        row = yield from tx.lock("day", entity)
        if row is not None:
            tx.put("day", entity, {**row, **changes(row)})
