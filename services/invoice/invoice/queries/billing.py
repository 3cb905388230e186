"""Billing schedules, their versions, and what they billed. Columns: `tables.billing`; nothing here commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import msgspec
from chassis.database import Connection
from events.invoice import Reason

from invoice.domain.billing import Occurrence, Plan, Schedule, next_on


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """A schedule as it stands, its row, and the day its present version was decided on."""

    row_id: int
    schedule: Schedule
    booked_on: date
    decided_on: date
    decided_by: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an occurrence: the document it was billed by, or every reason why it could not be."""

    row_id: int
    version: int
    occurrence: Occurrence
    document_no: str
    reasons: Sequence[Reason] = ()

    @property
    def status(self) -> Literal["billed", "refused"]:
        return "refused" if self.reasons else "billed"


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """What became of an occurrence, and the day it did."""

    outcome: Outcome
    booked_on: date


async def insert_schedule(db: Connection, schedule: Schedule, booked_on: date, now: datetime) -> int | None:
    """Write a new schedule without its plan and return its row; None when the entity has one of this number."""
    row_id: int | None = await db.fetchval(
        """
        INSERT INTO billing_schedule (
            entity, schedule_no, kind, customer, currency, number_prefix, version, next_on, booked_on, recorded_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (entity, schedule_no) DO NOTHING
        RETURNING id
        """,
        schedule.entity,
        schedule.schedule_no,
        "recurring" if schedule.plan.recurrence is not None else "milestones",
        schedule.customer,
        schedule.currency,
        schedule.plan.number_prefix,
        schedule.version,
        next_on(schedule),
        booked_on,
        now,
    )
    return row_id


async def insert_version(db: Connection, row_id: int, version: int, plan: Plan, decided_by: str, booked_on: date, now: datetime) -> None:
    """Write a version of what a schedule bills."""
    await db.execute(
        "INSERT INTO billing_version (schedule_id, version, plan, decided_by, booked_on, recorded_at) VALUES ($1, $2, $3, $4, $5, $6)",
        row_id,
        version,
        msgspec.json.encode(plan).decode(),
        decided_by,
        booked_on,
        now,
    )


async def update_schedules(db: Connection, schedules: Mapping[int, Schedule]) -> None:
    """Keep, by row, how far schedules are: version, what they were judged through, whether they are stopped, and the next day."""
    ordered = sorted(schedules)
    await db.execute(
        """
        UPDATE billing_schedule
        SET number_prefix = now_is.number_prefix, version = now_is.version, judged_through = now_is.judged_through,
            stopped_on = now_is.stopped_on, next_on = now_is.next_on
        FROM unnest($1::bigint[], $2::text[], $3::int[], $4::date[], $5::date[], $6::date[])
            AS now_is (id, number_prefix, version, judged_through, stopped_on, next_on)
        WHERE billing_schedule.id = now_is.id
        """,
        ordered,
        [schedules[row_id].plan.number_prefix for row_id in ordered],
        [schedules[row_id].version for row_id in ordered],
        [schedules[row_id].judged_through for row_id in ordered],
        [schedules[row_id].stopped_on for row_id in ordered],
        [next_on(schedules[row_id]) for row_id in ordered],
    )


async def save_outcomes(db: Connection, outcomes: Sequence[Outcome], booked_on: date, now: datetime) -> None:
    """Write what became of occurrences; what was refused before is replaced, what was billed never is."""
    await db.execute(
        """
        INSERT INTO billing_occurrence (schedule_id, n, occurrence_on, version, document_no, status, reasons, booked_on, recorded_at)
        SELECT *, $8::date, $9::timestamptz
        FROM unnest($1::bigint[], $2::int[], $3::date[], $4::int[], $5::text[], $6::text[], $7::jsonb[])
        ON CONFLICT (schedule_id, n) DO UPDATE
        SET occurrence_on = excluded.occurrence_on, version = excluded.version, document_no = excluded.document_no,
            status = excluded.status, reasons = excluded.reasons, booked_on = excluded.booked_on, recorded_at = excluded.recorded_at
        WHERE billing_occurrence.status = 'refused'
        """,
        [one.row_id for one in outcomes],
        [one.occurrence.n for one in outcomes],
        [one.occurrence.on for one in outcomes],
        [one.version for one in outcomes],
        [one.document_no for one in outcomes],
        [one.status for one in outcomes],
        [msgspec.json.encode(one.reasons).decode() if one.reasons else None for one in outcomes],
        booked_on,
        now,
    )


async def list_customers_due(db: Connection, entity: str, day: date) -> list[str]:
    """Return the customers with a schedule that has something to bill when `day` starts."""
    rows = await db.fetch("SELECT DISTINCT customer FROM billing_schedule WHERE entity = $1 AND next_on <= $2", entity, day)
    return [row["customer"] for row in rows]


async def load_due(db: Connection, entity: str, day: date, customers: Sequence[str]) -> list[StoredSchedule]:
    """Read the schedules of these customers that have something to bill when `day` starts, by customer and number."""
    return await _read(
        db,
        "schedule.entity = $1 AND schedule.customer = ANY($2) AND schedule.next_on <= $3",
        "schedule.customer, schedule.schedule_no",
        *(entity, list(customers), day),
    )


async def lock_schedule(db: Connection, entity: str, schedule_no: str) -> StoredSchedule | None:
    """Read one schedule and keep others from changing it until the transaction ends."""
    # Two statements: what waited for the lock in one would still see the versions and occurrences of before it waited.
    await db.execute("SELECT FROM billing_schedule WHERE entity = $1 AND schedule_no = $2 FOR UPDATE", entity, schedule_no)
    return await find_schedule(db, entity, schedule_no)


async def find_schedule(db: Connection, entity: str, schedule_no: str) -> StoredSchedule | None:
    """Read one schedule as it stands."""
    found = await _read(db, "schedule.entity = $1 AND schedule.schedule_no = $2", "1", entity, schedule_no)
    return found[0] if found else None


async def list_schedules(db: Connection, entity: str, customer: str | None, after: str, limit: int) -> list[StoredSchedule]:
    """Read up to `limit` schedules whose number is greater than `after`, by number, of one customer or of all."""
    return await _read(
        db,
        "schedule.entity = $1 AND schedule.schedule_no > $2 AND ($3::text IS NULL OR schedule.customer = $3)",
        "schedule.schedule_no LIMIT $4",
        *(entity, after, customer, limit),
    )


async def is_prefix_taken(db: Connection, schedule: Schedule) -> bool:
    """Say whether another schedule of the entity that was not stopped has the same prefix: it would bill under the same numbers."""
    taken: bool = await db.fetchval(
        """
        SELECT EXISTS (
            SELECT FROM billing_schedule WHERE entity = $1 AND number_prefix = $2 AND stopped_on IS NULL AND schedule_no <> $3
        )
        """,
        schedule.entity,
        schedule.plan.number_prefix,
        schedule.schedule_no,
    )
    return taken


async def find_first_plan(db: Connection, row_id: int) -> Plan:
    """Return what a schedule was to bill when it was made."""
    return _plan(await db.fetchval("SELECT plan FROM billing_version WHERE schedule_id = $1 AND version = 1", row_id))


async def list_outcomes(db: Connection, row_id: int, limit: int) -> list[StoredOutcome]:
    """Read what became of the latest occurrences of a schedule, the latest first."""
    rows = await db.fetch("SELECT * FROM billing_occurrence WHERE schedule_id = $1 ORDER BY n DESC LIMIT $2", row_id, limit)
    return [
        StoredOutcome(
            Outcome(
                row_id=row_id,
                version=row["version"],
                occurrence=Occurrence(row["n"], row["occurrence_on"]),
                document_no=row["document_no"],
                reasons=msgspec.json.decode(row["reasons"], type=list[Reason]) if row["reasons"] else (),
            ),
            row["booked_on"],
        )
        for row in rows
    ]


async def _read(db: Connection, condition: str, order: str, *arguments: object) -> list[StoredSchedule]:
    """Read the schedules that satisfy a condition, with the plan of their version and what of them was refused, or billed of milestones."""
    rows = await db.fetch(
        f"""
        SELECT schedule.*, version.plan, version.booked_on AS decided_on, version.decided_by,
               ARRAY(SELECT n FROM billing_occurrence WHERE schedule_id = schedule.id AND status = 'refused') AS refused,
               ARRAY(
                   SELECT n FROM billing_occurrence
                   WHERE schedule_id = schedule.id AND status = 'billed' AND schedule.kind = 'milestones'
               ) AS billed
        FROM billing_schedule AS schedule
        JOIN billing_version AS version ON version.schedule_id = schedule.id AND version.version = schedule.version
        WHERE {condition}
        ORDER BY {order}
        """,
        *arguments,
    )
    return [_stored(row) for row in rows]


def _stored(row: Mapping[str, Any]) -> StoredSchedule:
    schedule = Schedule(
        entity=row["entity"],
        schedule_no=row["schedule_no"],
        customer=row["customer"],
        currency=row["currency"],
        version=row["version"],
        plan=_plan(row["plan"]),
        judged_through=row["judged_through"],
        billed=frozenset(row["billed"]),
        refused=frozenset(row["refused"]),
        stopped_on=row["stopped_on"],
    )
    return StoredSchedule(row["id"], schedule, row["booked_on"], row["decided_on"], row["decided_by"])


def _plan(written: str) -> Plan:
    return msgspec.json.decode(written, type=Plan)
