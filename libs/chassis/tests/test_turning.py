"""Turning the day: its work sees exactly the facts booked before, is done once, and one broken account does not stop the calendar."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta

import pytest
from chassis import turning
from chassis.failpoints import FailpointHit, arm
from chassis.turning import Turner
from events.business_day import DayOpenedWithout
from testkit import toy
from testkit.service import FIRST_DAY, PARTITIONS, ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db
TUESDAY, WEDNESDAY = date(2026, 1, 6), date(2026, 1, 7)


@pytest.fixture
async def service(database_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServiceUnderTest]:
    toy.broken.clear()
    arm("")
    monkeypatch.setattr(turning, "ACCOUNTS_AT_ONCE", 3)
    async with service_under_test(toy.TOY, database_url("invoice")) as sut:
        async with sut.db.pool.acquire() as db:
            await db.execute(toy.TABLES)
            await db.execute(
                """
                INSERT INTO effect (entity, key, document_no, booked_on, topic)
                SELECT 'US01', 'US01|C-' || n, 'X' || n, $1, '' FROM generate_series(1, 8) n
                """,
                FIRST_DAY,
            )
        yield sut
    arm("")


async def judged(service: ServiceUnderTest, day: date) -> list[str]:
    async with service.db.pool.acquire() as db:
        return [row["account"] for row in await db.fetch("SELECT account FROM work WHERE day = $1 ORDER BY account", day)]


async def markers(service: ServiceUnderTest) -> list[int]:
    async with service.db.pool.acquire() as db:
        return [row["partition"] for row in await db.fetch("SELECT partition FROM chassis.outbox WHERE partition IS NOT NULL ORDER BY id")]


async def test_every_account_is_judged_once_and_the_marker_is_passed_on(service: ServiceUnderTest) -> None:
    await service.turn("US01", TUESDAY)
    assert await judged(service, TUESDAY) == [f"C-{n}" for n in range(1, 9)]
    assert await markers(service) == list(range(PARTITIONS))
    assert await service.open_on() == TUESDAY
    assert await service.open_on("JP01") == FIRST_DAY


@pytest.mark.parametrize("place", ["locked:2", "turning:1", "turning:2", "chunk:1", "chunk:2"])
async def test_a_turn_that_dies_goes_on_where_it_stopped(service: ServiceUnderTest, place: str) -> None:
    arm(f"day.{place}:raise")
    with pytest.raises(FailpointHit):
        await service.turn("US01", TUESDAY)
    assert await service.open_on() == FIRST_DAY
    await service.intake.work_off(service.places)
    assert await service.open_on() == TUESDAY
    assert await judged(service, TUESDAY) == [f"C-{n}" for n in range(1, 9)]
    assert await markers(service) == list(range(PARTITIONS))


async def test_while_a_day_turns_in_chunks_its_entity_waits_and_others_flow(service: ServiceUnderTest) -> None:
    from events import erp

    arm("day.chunk:1:raise")
    with pytest.raises(FailpointHit):
        await service.turn("US01", TUESDAY)
    async with service.db.transaction() as db:
        from chassis.business_day import DayTurning, share_day

        with pytest.raises(DayTurning):
            await share_day(db, "US01")
        assert await share_day(db, "JP01") == FIRST_DAY
    event = erp.InvoiceIssued(
        entity="US01", document_no="D", customer="C-1", currency="USD", issued_on=FIRST_DAY, total="1.00", terms="NET30"
    )
    await service.receive(event)
    async with service.db.pool.acquire() as db:
        assert await db.fetchval("SELECT booked_on FROM effect WHERE document_no = 'D'") == TUESDAY


async def test_an_account_that_cannot_be_judged_is_parked_and_the_day_turns_without_it(service: ServiceUnderTest) -> None:
    toy.broken.add("C-5")
    await service.turn("US01", TUESDAY)
    assert await judged(service, TUESDAY) == [f"C-{n}" for n in (1, 2, 3, 4, 6, 7, 8)]
    async with service.db.pool.acquire() as db:
        rows = await db.fetch("SELECT topic, key, reason FROM chk.parked")
    assert [tuple(row) for row in rows] == [("receivables.invoice", "US01|C-5", "day_work")]


async def test_days_are_taken_one_by_one_though_their_markers_came_together(service: ServiceUnderTest) -> None:
    for day in (TUESDAY, WEDNESDAY):
        await service.meet_in("erp.documents", "US01", day)
    for day in (TUESDAY, WEDNESDAY):
        await service.meet_in("receivables.invoice", "US01", day)
    assert await service.open_on() == WEDNESDAY
    assert await judged(service, TUESDAY) == await judged(service, WEDNESDAY) != []


async def test_a_day_opens_without_a_marker_that_is_missing_for_too_long_and_says_so(service: ServiceUnderTest) -> None:
    await service.meet_in("erp.documents", "US01", TUESDAY)
    turner = Turner(toy.TOY, service.db, service.entities, service.clock, service.wake, PARTITIONS, timedelta(hours=4))
    assert await turner.turn_all_due() == 0
    service.now += timedelta(hours=3)
    assert await turner.turn_all_due() == 0
    service.now += timedelta(hours=2)
    assert await turner.turn_all_due() == 1
    await service._look()
    (told,) = service.published(DayOpenedWithout)
    assert (told.date, told.service) == (TUESDAY, "toy")
    assert [(one.topic, one.partition) for one in told.missing] == [("receivables.invoice", n) for n in range(PARTITIONS)]
