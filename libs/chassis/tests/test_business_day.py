"""When a day is due: its markers have been met on every awaited partition, and nothing stands held before it."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from chassis import business_day
from chassis.business_day import Awaited, Due
from chassis.database import Database
from testkit.service import FIRST_DAY, two_entities

pytestmark = pytest.mark.db
BEFORE, SECOND_DAY = FIRST_DAY - timedelta(1), FIRST_DAY + timedelta(1)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE = timedelta(hours=4)
AWAITED = Awaited(("erp.documents", "receivables.invoice"), ("receivables.collections",), 3)


@pytest.fixture
async def database(database_url: Callable[[str], str]) -> AsyncIterator[Database]:
    database = await Database.open(database_url("invoice"))
    async with database.transaction() as db:
        await business_day.declare(db, two_entities())
    yield database
    await database.close()


async def meet(database: Database, topic: str, day: date, partitions: Sequence[int] = (0, 1, 2), entity: str = "US01") -> None:
    async with database.transaction() as db:
        await business_day.meet(db, {(topic, partition, entity): day for partition in partitions})


async def due(database: Database, now: datetime = NOON, patience: timedelta | None = None) -> list[Due]:
    async with database.transaction() as db:
        return await business_day.days_due(db, AWAITED, two_entities(), now, patience)


async def test_the_first_day_is_due_with_the_last_forward_marker_and_waits_for_no_feedback(database: Database) -> None:
    await meet(database, "erp.documents", FIRST_DAY)
    await meet(database, "receivables.invoice", FIRST_DAY, [0, 2])
    assert await due(database) == []
    await meet(database, "receivables.invoice", FIRST_DAY, [1])
    assert await due(database) == [Due("US01", FIRST_DAY)]


async def test_a_later_day_also_waits_for_the_feedback_of_the_day_before(database: Database) -> None:
    async with database.transaction() as db:
        await business_day.open_day(db, Due("US01", FIRST_DAY))
    await meet(database, "erp.documents", SECOND_DAY)
    await meet(database, "receivables.invoice", SECOND_DAY)
    await meet(database, "receivables.collections", BEFORE)
    assert await due(database) == []
    await meet(database, "receivables.collections", FIRST_DAY)
    assert await due(database) == [Due("US01", SECOND_DAY)]


async def test_markers_of_other_entities_and_other_topics_do_not_count(database: Database) -> None:
    await meet(database, "erp.documents", FIRST_DAY)
    await meet(database, "bank.entries", FIRST_DAY)
    await meet(database, "receivables.invoice", FIRST_DAY, entity="JP01")
    assert await due(database) == []


async def test_what_is_held_behind_an_earlier_day_goes_first(database: Database) -> None:
    for topic in AWAITED.forward:
        await meet(database, topic, SECOND_DAY)
    async with database.transaction() as db:
        await db.execute(
            """
            INSERT INTO chassis.held (topic, partition, "offset", entity, behind, headers) VALUES ('erp.documents', 0, 7, 'US01', $1, '')
            """,
            BEFORE,
        )
    assert await due(database) == []
    async with database.transaction() as db:
        await db.execute("UPDATE chassis.held SET behind = $1", FIRST_DAY)
    assert await due(database) == [Due("US01", FIRST_DAY)]


async def test_a_day_that_has_begun_opens_without_the_missing_markers_when_patience_runs_out(database: Database) -> None:
    assert await due(database, patience=PATIENCE) == []  # Nothing of the day has come: nobody waits.
    await meet(database, "erp.documents", FIRST_DAY)
    await meet(database, "receivables.invoice", FIRST_DAY, [1])
    assert await due(database, patience=PATIENCE) == []
    assert await due(database, NOON + PATIENCE, PATIENCE) == []
    missing = [("receivables.invoice", 0), ("receivables.invoice", 2)]
    assert await due(database, NOON + PATIENCE + timedelta(seconds=1), PATIENCE) == [Due("US01", FIRST_DAY, missing)]
    assert await due(database, NOON + timedelta(days=9), None) == []
