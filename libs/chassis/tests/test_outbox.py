"""Facts in the outbox: ids that stay, sequences without a gap, and nothing that could never be sent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime

import pytest
from chassis import outbox
from chassis.database import Connection, Database
from chassis.outbox import PAYLOAD_BYTES_MAX, FactUnsendable, Marker, pack_headers, unpack_headers
from chassis.service import Batch, Fact
from events import envelope as cloudevents
from events.envelope import Envelope
from events.invoice import CreditMemoIssued
from testkit import toy
from testkit.service import FIRST_DAY, two_entities

pytestmark = pytest.mark.db
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
async def database(database_url: Callable[[str], str]) -> AsyncIterator[Database]:
    database = await Database.open(database_url("invoice"))
    yield database
    await database.close()


def fact(number: str, key: str = "US01|C-1", cause: Envelope | None = None) -> Fact:
    memo = CreditMemoIssued(
        entity="US01",
        memo=f"US01|{number}",
        document_no=number,
        type="381",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=FIRST_DAY,
        total="1.00",
    )
    return Fact(memo, "US01", key, FIRST_DAY, cause)


async def add(db: Connection, *facts: Fact) -> None:
    await outbox.add(db, toy.TOY, facts, Batch("toy", NOON, two_entities(), {"US01": FIRST_DAY}))


async def queued(database: Database) -> list[Envelope]:
    async with database.pool.acquire() as db:
        rows = await db.fetch("SELECT headers, value FROM chassis.outbox ORDER BY id")
    return [cloudevents.read(unpack_headers(row["headers"]), row["value"])[0] for row in rows]


async def test_an_id_says_who_under_which_key_and_which_one_it_was(database: Database) -> None:
    async with database.transaction() as db:
        await add(db, fact("A"), fact("B", "US01|C-2"), fact("C"))
    async with database.transaction() as db:
        await add(db, fact("D"))
    wanted = ["toy/US01|C-1/1", "toy/US01|C-2/1", "toy/US01|C-1/2", "toy/US01|C-1/3"]
    assert [context.id for context in await queued(database)] == wanted
    assert {(context.booked_on, context.entity) for context in await queued(database)} == {(FIRST_DAY, "US01")}


async def test_what_was_rolled_back_leaves_no_gap(database: Database) -> None:
    for number in ("A", "LOST", "B"):
        try:
            async with database.transaction() as db:
                await add(db, fact(number))
                if number == "LOST":
                    raise ZeroDivisionError
        except ZeroDivisionError:
            continue
    assert [context.sequence for context in await queued(database)] == [1, 2]


async def test_many_writers_of_a_few_keys_queue_in_the_order_of_their_sequences(database: Database) -> None:
    async def write(n: int) -> None:
        async with database.transaction() as db:
            await add(db, *[fact(f"{n}-{m}", f"US01|C-{(n + m) % 3}") for m in range(4)])

    await asyncio.gather(*(write(n) for n in range(40)))
    by_key: dict[str, list[int]] = {}
    for context in await queued(database):
        by_key.setdefault(context.key or "", []).append(context.sequence or 0)
    assert sum(map(len, by_key.values())) == 160
    assert all(found == list(range(1, len(found) + 1)) for found in by_key.values())


async def test_a_fact_follows_from_its_cause(database: Database) -> None:
    first = Envelope("erp-1", "erp.InvoiceIssued.v1", "/erp", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    async with database.transaction() as db:
        await add(db, fact("A", cause=first))
    (second,) = await queued(database)
    async with database.transaction() as db:
        await add(db, fact("B", cause=second))
    third = (await queued(database))[-1]
    assert (second.causation_id, second.correlation_id, second.traceparent) == ("erp-1", "erp-1", first.traceparent)
    assert (third.causation_id, third.correlation_id) == (second.id, "erp-1")


@pytest.mark.parametrize("unsendable", [fact("A", key=""), fact("A" * PAYLOAD_BYTES_MAX), fact("A", key="JP01|C-1")])
async def test_what_could_never_be_sent_or_not_in_order_is_refused_before_it_blocks_the_relay(database: Database, unsendable: Fact) -> None:
    with pytest.raises(FactUnsendable):
        async with database.transaction() as db:
            await add(db, fact("FIRST"), unsendable)
    assert await queued(database) == []


async def test_a_marker_says_which_day_in_which_partition(database: Database) -> None:
    async with database.transaction() as db:
        await outbox.add_markers(db, [Marker("receivables.invoice", 2, "US01", date(2026, 1, 6))], NOON)
    (marker,) = await queued(database)
    assert (marker.id, marker.key) == ("day|US01|2026-01-06|receivables.invoice|2", "US01|day|2")
    assert marker.sequence is None


def test_headers_are_kept_as_they_came() -> None:
    headers = [("ce_id", b"\x00\xff"), ("ce_id", b""), ("x", None)]
    assert unpack_headers(pack_headers(headers)) == headers
