"""
Starting business days: one service of a deployment (invoice, or payment where invoice is not deployed) owns the calendar.

It queues the marker of a day into every partition of every ingress topic, in one transaction of its outbox.
Skipped days are taken one by one.
"""

from collections.abc import Sequence
from datetime import date, datetime

from chassis.business_day import ONE_DAY
from chassis.database import Connection
from chassis.entities import Entities
from chassis.outbox import Marker

INGRESS_TOPICS = ("erp.customers", "erp.documents", "erp.orders", "erp.reference", "bank.entries", "psp.events")
DAYS_AT_ONCE_MAX = 4000


class DayRefused(Exception):
    """A business day cannot be started: it lies after tomorrow by the entity's clock, or too many days were skipped."""


def today(entities: Entities, entity: str, now: datetime) -> date:
    """The present date by the entity's clock."""
    return now.astimezone(entities.by_id[entity].time_zone).date()


async def start_days(db: Connection, entities: Entities, entity: str, day: date, now: datetime, partitions: int) -> list[Marker]:
    """
    Start every day up to and including `day` that was not started yet; none when it was already.

    :raises DayRefused: `day` is after tomorrow there, or more than 4 000 days would start at once.
    :raises KeyError: the entity is not declared.
    """
    declared = entities.by_id[entity]
    if day > today(entities, entity, now) + ONE_DAY:
        raise DayRefused(f"{day} is after tomorrow in {declared.time_zone.key}")
    await db.execute(
        "INSERT INTO chassis.calendar (entity, started_on) VALUES ($1, $2) ON CONFLICT (entity) DO NOTHING",
        entity,
        declared.opens_on - ONE_DAY,
    )
    started_on = await db.fetchval("SELECT started_on FROM chassis.calendar WHERE entity = $1 FOR UPDATE", entity)
    days = [started_on + ONE_DAY * n for n in range(1, (day - started_on).days + 1)]
    if len(days) > DAYS_AT_ONCE_MAX:
        raise DayRefused(f"{len(days)} days from {started_on} to {day} are too many at once (at most {DAYS_AT_ONCE_MAX})")
    if days:
        await db.execute("UPDATE chassis.calendar SET started_on = $2 WHERE entity = $1", entity, day)
    return [Marker(topic, partition, entity, one) for one in days for topic in INGRESS_TOPICS for partition in range(partitions)]


async def start_days_by_clock(db: Connection, entities: Entities, now: datetime, partitions: int) -> Sequence[Marker]:
    """Start the present day of every entity that follows the clock (`day_starts = "midnight"`)."""
    markers: list[Marker] = []
    for entity in sorted(name for name, declared in entities.by_id.items() if declared.day_starts == "midnight"):
        markers += await start_days(db, entities, entity, today(entities, entity, now), now, partitions)
    return markers
