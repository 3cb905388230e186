"""
The business day is a watermark (docs/messaging.md section 10): one open day per entity, turned when its markers have been met.

Locks, everywhere in this order: position rows, the entity's day (advisory; shared by commands and batches before they read the open day,
exclusive to turn), idempotency key, awaited things, accounts, stream heads, each sorted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chassis.database import Connection
from chassis.entities import Entities
from chassis.service import Subscriptions

DAY_LOCK = 1  # First key of the advisory locks on an entity's day; the second is hashtext(entity).
ONE_DAY = timedelta(days=1)


class DayTurning(Exception):
    """The entity's day is being turned: roll back, wait without a connection, start again."""


@dataclass(frozen=True, slots=True)
class OpenDay:
    """An entity's open day here; `turning_on` is set while the next day's work is being done in chunks."""

    open_on: date
    turning_on: date | None


async def declare(db: Connection, entities: Entities) -> None:
    """Give every declared entity its first open day (the day before `opens_on`) where it has none yet."""
    await db.execute(
        """
        INSERT INTO chassis.day (entity, open_on) SELECT * FROM unnest($1::text[], $2::date[]) ORDER BY 1 ON CONFLICT (entity) DO NOTHING
        """,
        sorted(entities.by_id),
        [entities.by_id[name].opens_on - ONE_DAY for name in sorted(entities.by_id)],
    )


async def share(db: Connection, entities: Collection[str]) -> dict[str, OpenDay]:
    """Take the shared day locks in sorted order, then read the open days; they cannot turn before this transaction ends."""
    await db.execute(
        "SELECT pg_advisory_xact_lock_shared($1, hashtext(entity)) FROM unnest($2::text[]) AS entity", DAY_LOCK, sorted(set(entities))
    )
    rows = await db.fetch("SELECT entity, open_on, turning_on FROM chassis.day WHERE entity = ANY($1)", list(entities))
    return {row["entity"]: OpenDay(row["open_on"], row["turning_on"]) for row in rows}


async def share_day(db: Connection, entity: str) -> date:
    """
    Take the shared day lock of one entity for a command and return its open day.

    :raises DayTurning: the day is being turned.
    :raises KeyError: the entity is not declared.
    """
    day = (await share(db, [entity]))[entity]
    if day.turning_on is not None:
        raise DayTurning(entity)
    return day.open_on


@dataclass(frozen=True, slots=True)
class Due:
    """A day that can be turned to now; `missing` names partitions whose marker never came (patience ran out)."""

    entity: str
    day: date
    missing: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Awaited:
    """Which markers opening a day waits for: every partition of these topics."""

    forward: Sequence[str]
    feedback: Sequence[str]
    partitions: int

    @classmethod
    def of(cls, subscriptions: Subscriptions, entities: Entities, partitions: int) -> "Awaited":
        """Leave out the topics of services that are not deployed."""
        silent = {topic for topic, owner in TOPIC_OWNERS.items() if owner not in entities.deployed}
        return cls(
            tuple(t for t in subscriptions.forward if t not in silent),
            tuple(t for t in subscriptions.feedback_awaited if t not in silent),
            partitions,
        )

    def are_met(self, forward_met: int, feedback_met: int) -> bool:
        """Whether so many partitions with their markers are all that are awaited."""
        return forward_met >= len(self.forward) * self.partitions and feedback_met >= len(self.feedback) * self.partitions

    def missing(self, met: Mapping[tuple[str, int], date], day: date) -> list[tuple[str, int]]:
        """Name the partitions that keep `day` from opening: forward ones below it, feedback ones below the day before."""
        wanted = [(topic, day) for topic in self.forward] + [(topic, day - ONE_DAY) for topic in self.feedback]
        return [(t, p) for t, least in wanted for p in range(self.partitions) if met.get((t, p), date.min) < least]


TOPIC_OWNERS: Mapping[str, str] = {
    "receivables.invoice": "invoice",
    "receivables.payment": "payment",
    "receivables.credit": "credit",
    "receivables.collections": "dunning",
    "receivables.reporting": "reporting",
}


async def days_due(db: Connection, awaited: Awaited, entities: Entities, now: datetime, patience: timedelta | None) -> list[Due]:
    """
    Say which entities can turn to their next day, judged by the markers met.

    With `patience`, a day that has some but not all of its markers for that long is due without the rest. Markers of days before
    `opens_on` count as met. The markers are counted where they are: this is asked several times a day.
    """
    rows = await db.fetch(
        """
        SELECT d.entity, d.open_on, d.waiting_since, h.behind,
            count(*) FILTER (WHERE m.topic = ANY($2) AND m.day > d.open_on) AS forward_met,
            count(*) FILTER (WHERE m.topic = ANY($3) AND m.day >= d.open_on) AS feedback_met,
            count(*) FILTER (WHERE m.day > d.open_on) > 0 AS begun
        FROM chassis.day d
        LEFT JOIN chassis.met m ON m.entity = d.entity AND m.partition < $4
        LEFT JOIN (SELECT entity, min(behind) AS behind FROM chassis.held GROUP BY entity) AS h ON h.entity = d.entity
        WHERE d.entity = ANY($1) GROUP BY d.entity, h.behind ORDER BY d.entity
        """,
        sorted(entities.by_id),
        list(awaited.forward),
        list(awaited.feedback),
        awaited.partitions,
    )
    due = []
    for row in rows:
        entity, day = row["entity"], row["open_on"] + ONE_DAY
        if row["behind"] is not None and row["behind"] < day:
            continue  # Something that stands before this day's marker is still held: it goes first.
        first = day <= entities.by_id[entity].opens_on  # Feedback markers of the day before the first are met by definition.
        waits = awaited if not first else Awaited(awaited.forward, (), awaited.partitions)
        if waits.are_met(row["forward_met"], row["feedback_met"]):
            due.append(Due(entity, day))
        elif patience is not None and row["begun"]:
            if row["waiting_since"] is None:
                await db.execute("UPDATE chassis.day SET waiting_since = $2 WHERE entity = $1 AND waiting_since IS NULL", entity, now)
            elif now - row["waiting_since"] > patience:
                due.append(Due(entity, day, waits.missing(await _met(db, entity), day)))
    return due


async def _met(db: Connection, entity: str) -> dict[tuple[str, int], date]:
    rows = await db.fetch("SELECT topic, partition, day FROM chassis.met WHERE entity = $1", entity)
    return {(row["topic"], row["partition"]): row["day"] for row in rows}


async def lock_to_turn(db: Connection, due: Due) -> OpenDay | None:
    """Take the exclusive day lock; return the day as it stands, or None when somebody else has turned it already."""
    await db.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", DAY_LOCK, due.entity)
    row = await db.fetchrow("SELECT open_on, turning_on FROM chassis.day WHERE entity = $1 FOR UPDATE", due.entity)
    if row is None or row["open_on"] + ONE_DAY != due.day:
        return None
    return OpenDay(row["open_on"], row["turning_on"])


async def cursor(db: Connection, entity: str) -> str:
    """How far the day's work has come: the last account judged."""
    return str(await db.fetchval("SELECT cursor FROM chassis.day WHERE entity = $1", entity))


async def keep_turning(db: Connection, due: Due, after: str) -> None:
    """Note that the day's work has been done up to the account `after`."""
    await db.execute("UPDATE chassis.day SET turning_on = $2, cursor = $3 WHERE entity = $1", due.entity, due.day, after)


async def open_day(db: Connection, due: Due) -> None:
    """Open the day: from this commit on, facts are booked on it."""
    await db.execute(
        "UPDATE chassis.day SET open_on = $2, turning_on = NULL, cursor = '', waiting_since = NULL WHERE entity = $1", due.entity, due.day
    )


async def meet(db: Connection, markers: Mapping[tuple[str, int, str], date]) -> None:
    """Note the markers met: (topic, partition, entity) -> day. The highest counts."""
    if not markers:
        return
    keys = sorted(markers)
    await db.execute(
        """
        INSERT INTO chassis.met AS met (topic, partition, entity, day)
        SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::date[])
        ON CONFLICT (topic, partition, entity) DO UPDATE SET day = greatest(met.day, excluded.day)
        """,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [key[2] for key in keys],
        [markers[key] for key in keys],
    )


async def count_late(db: Connection, late: Sequence[str]) -> None:
    """Count facts that came after their day had closed here, one mention of the entity each."""
    for entity in sorted(set(late)):
        await db.execute("UPDATE chassis.day SET late = late + $2 WHERE entity = $1", entity, late.count(entity))
