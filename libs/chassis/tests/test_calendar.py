"""Business days are started one by one, once, and never ahead of the entity's own clock."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from chassis.calendar import INGRESS_TOPICS, DayRefused, start_days, start_days_by_clock, today
from chassis.database import Database
from chassis.entities import Entities
from chassis.outbox import Marker
from testkit.service import FIRST_DAY, PARTITIONS, two_entities

EVENING = datetime(2026, 1, 9, 16, tzinfo=UTC)  # Friday in New York, Saturday already in Tokyo.
FRIDAY, SATURDAY = date(2026, 1, 9), date(2026, 1, 10)


@pytest.fixture
async def database(database_url: Callable[[str], str]) -> AsyncIterator[Database]:
    database = await Database.open(database_url("invoice"))
    yield database
    await database.close()


async def start(database: Database, entity: str, day: date, *, entities: Entities | None = None) -> list[Marker]:
    async with database.transaction() as db:
        return await start_days(db, entities or two_entities(), entity, day, EVENING, PARTITIONS)


def test_today_is_told_by_the_entitys_own_clock() -> None:
    assert today(two_entities(), "US01", EVENING) == FRIDAY
    assert today(two_entities(), "JP01", EVENING) == SATURDAY


@pytest.mark.db
async def test_skipped_days_are_started_one_by_one_in_every_partition_of_every_ingress_topic(database: Database) -> None:
    markers = await start(database, "US01", FIRST_DAY + timedelta(2))
    days = [FIRST_DAY, FIRST_DAY + timedelta(1), FIRST_DAY + timedelta(2)]
    wanted = [Marker(topic, partition, "US01", day) for day in days for topic in INGRESS_TOPICS for partition in range(PARTITIONS)]
    assert markers == wanted


@pytest.mark.db
async def test_a_day_is_started_once_and_an_earlier_one_not_any_more(database: Database) -> None:
    assert await start(database, "US01", FIRST_DAY + timedelta(2))
    assert await start(database, "US01", FIRST_DAY + timedelta(2)) == []
    assert await start(database, "US01", FIRST_DAY) == []
    assert {marker.day for marker in await start(database, "US01", FIRST_DAY + timedelta(3))} == {FIRST_DAY + timedelta(3)}
    assert await start(database, "JP01", FIRST_DAY)


@pytest.mark.db
async def test_a_day_after_tomorrow_there_is_refused(database: Database) -> None:
    assert await start(database, "US01", SATURDAY)
    with pytest.raises(DayRefused, match="after tomorrow in America/New_York"):
        await start(database, "US01", SATURDAY + timedelta(1))
    assert await start(database, "JP01", SATURDAY + timedelta(1))


@pytest.mark.db
async def test_thousands_of_days_at_once_are_refused_and_none_is_started(database: Database) -> None:
    long_ago = two_entities(opens_on=date(2010, 1, 1))
    with pytest.raises(DayRefused, match="too many at once"):
        await start(database, "US01", FRIDAY, entities=long_ago)
    assert len(await start(database, "US01", date(2010, 1, 2), entities=long_ago)) == 2 * len(INGRESS_TOPICS) * PARTITIONS


@pytest.mark.db
async def test_by_the_clock_only_entities_that_follow_it_start_their_present_day(database: Database) -> None:
    told = two_entities(opens_on=FRIDAY)
    by_clock = {name: replace(entity, day_starts="midnight") for name, entity in told.by_id.items()}
    async with database.transaction() as db:
        assert await start_days_by_clock(db, told, EVENING, PARTITIONS) == []
        markers = await start_days_by_clock(db, Entities(by_clock, told.deployed), EVENING, PARTITIONS)
    assert {(marker.entity, marker.day) for marker in markers} == {("US01", FRIDAY), ("JP01", FRIDAY), ("JP01", SATURDAY)}
