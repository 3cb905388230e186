"""A worker on a real broker: everything once, in order, whatever goes away and comes back (EVT-02, EVT-03)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaConnectionError
from chassis import consumer as consuming
from chassis.database import Database
from chassis.failpoints import FailpointHit, arm
from chassis.intake import MustStop
from chassis.outbox import Wake
from chassis.relay import partition_of
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.worker import Worker
from events import erp
from events.invoice import Instalment, InvoiceIssued
from pydantic import SecretStr
from testkit import toy
from testkit.cable import cable_to_database
from testkit.patience import until
from testkit.service import FIRST_DAY, two_entities
from testkit.topic_log import PARTITIONS, is_whole, publisher, read_topic

pytestmark = pytest.mark.kafka
TOPICS = (*toy.TOY.subscriptions.topics, toy.TOY.topic)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
_numbers = count(1)


@dataclass
class Stage:
    """Empty topics, an empty database, and a toy whose consumer group is its own."""

    bootstrap: str
    url: str
    service: Service
    database: Database

    def worker(self, *, url: str | None = None, database: Database | None = None, partitions: int = PARTITIONS) -> Worker:
        settings = ServiceSettings(
            database_url=SecretStr(url or self.url),
            kafka_bootstrap=self.bootstrap,
            entities_file=Path("unused.toml"),
            topic_partitions=partitions,
            session_timeout_ms=1500,
            fetch_wait_ms=20,
        )
        return Worker(self.service, settings, database or self.database, two_entities(), lambda: NOON, Wake())

    async def effects(self) -> list[str]:
        async with self.database.pool.acquire() as db:
            return [row["document_no"] for row in await db.fetch("SELECT document_no FROM effect ORDER BY place")]

    async def until_effects(self, wanted: int, *, seconds: float = 20) -> list[str]:
        """Wait for this many effects, and a moment longer to see one too many."""
        await until(lambda: self.has_effects(wanted), seconds=seconds)
        await asyncio.sleep(0.2)
        return await self.effects()

    async def has_effects(self, at_least: int) -> bool:
        return len(await self.effects()) >= at_least


@pytest.fixture
async def stage(database_url: Callable[[str], str], topics: Callable[..., str]) -> AsyncIterator[Stage]:
    toy.broken.clear()
    arm("")
    url = database_url("invoice")
    database = await Database.open(url)
    async with database.pool.acquire() as db:
        await db.execute(toy.TABLES)
    yield Stage(topics(*TOPICS), url, replace(toy.TOY, name=f"toy-{next(_numbers)}"), database)
    arm("")
    await database.close()


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator["asyncio.Task[None]"]:
    """Run a worker, and stop it as SIGTERM would."""
    task = asyncio.create_task(worker.run())
    try:
        yield task
    finally:
        worker.stop()
        async with asyncio.timeout(15):
            await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def issued(number: str, customer: str) -> InvoiceIssued:
    return InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=customer,
        account=customer,
        currency="USD",
        issued_on=FIRST_DAY,
        total="10.00",
        instalments=[Instalment(n=1, due_on=FIRST_DAY, amount="10.00")],
    )


def from_erp(number: str, customer: str) -> erp.InvoiceIssued:
    return erp.InvoiceIssued(
        entity="US01", document_no=number, customer=customer, currency="USD", issued_on=FIRST_DAY, total="10.00", terms="NET30"
    )


def facts(numbers: range) -> list[InvoiceIssued]:
    return [issued(f"{n:04}", f"C-{n % 7}") for n in numbers]


def in_order_of_their_keys(numbers: list[str]) -> bool:
    by_key: dict[int, list[str]] = {}
    for number in numbers:
        by_key.setdefault(int(number) % 7, []).append(number)
    return all(found == sorted(found) for found in by_key.values())


async def end_suddenly(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_everything_is_handled_once_and_in_order_however_often_the_worker_ends_suddenly(stage: Stage) -> None:
    points = ("polled", "pos_locked", "handled", "before_commit", "after_commit")
    async with publisher(stage.bootstrap) as ledger:
        for n, point in enumerate(points):
            await ledger.publish(facts(range(10 * n, 10 * n + 10)))
            arm(f"consumer.{point}:1:raise")
            with pytest.raises(ExceptionGroup) as ended:
                await asyncio.wait_for(stage.worker().run(), 20)
            assert ended.group_contains(FailpointHit)
        async with running(stage.worker()):
            found = await stage.until_effects(50)
    assert len(found) == len(set(found)) == 50
    assert in_order_of_their_keys(found)


async def test_what_comes_out_is_whole_and_in_order(stage: Stage) -> None:
    async with publisher(stage.bootstrap) as ledger, running(stage.worker()):
        for n in range(5):
            await ledger.publish(facts(range(20 * n, 20 * n + 20)))
        await stage.until_effects(100)
    async with stage.database.pool.acquire() as db:
        heads = {row["key"]: row["sequence"] for row in await db.fetch("SELECT key, sequence FROM chk.stream_head")}
        assert await db.fetchval("SELECT rows FROM chk.unpublished") == 0
    assert sum(heads.values()) == 100
    assert is_whole(await read_topic(stage.bootstrap, stage.service.topic), heads)


@pytest.mark.parametrize("group_offset", ["behind", "ahead", "never committed"])
async def test_the_position_decides_and_not_the_group_offset(stage: Stage, group_offset: str) -> None:
    async with publisher(stage.bootstrap) as ledger:
        await ledger.publish(facts(range(30)))
        async with running(stage.worker()):
            await stage.until_effects(30)
        await ledger.publish(facts(range(30, 60)))
    if group_offset == "never committed":
        stage.service = replace(stage.service, name=f"{stage.service.name}-renamed")
    else:
        await commit(stage, 0 if group_offset == "behind" else 10_000)
    async with running(stage.worker()):
        found = await stage.until_effects(60)
    assert len(found) == len(set(found)) == 60
    async with stage.database.pool.acquire() as db:
        assert await db.fetchval("SELECT count(*) FROM chk.parked") == 0


async def commit(stage: Stage, offset: int) -> None:
    group = AIOKafkaConsumer(
        bootstrap_servers=stage.bootstrap, group_id=f"receivables-{stage.service.name}", enable_auto_commit=False, auto_offset_reset="none"
    )
    await group.start()
    places = [TopicPartition("receivables.invoice", partition) for partition in range(PARTITIONS)]
    group.assign(places)
    await group.commit(dict.fromkeys(places, offset))
    await group.stop()


async def test_a_worker_told_another_number_of_partitions_stops_with_a_sentence(stage: Stage) -> None:
    with pytest.raises(ExceptionGroup) as stopped:
        await asyncio.wait_for(stage.worker(partitions=4).run(), 20)
    assert stopped.group_contains(MustStop, match="has 3 partitions and TOPIC_PARTITIONS says 4")


async def test_a_worker_whose_next_offset_is_gone_stops_with_a_sentence_and_skips_nothing(stage: Stage) -> None:
    async with publisher(stage.bootstrap) as ledger:
        await ledger.publish([issued(f"{n:04}", "C-1") for n in range(5)])
    place = TopicPartition("receivables.invoice", partition_of("US01|C-1", PARTITIONS))
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await admin.start()
    await admin.delete_records({place: RecordsToDelete(2)})
    await admin.close()
    with pytest.raises(ExceptionGroup) as stopped:
        await asyncio.wait_for(stage.worker().run(), 20)
    assert stopped.group_contains(MustStop, match="no longer holds .* which this service has yet to read")
    assert await stage.effects() == []


async def test_a_database_that_goes_away_loses_nothing_and_doubles_nothing(stage: Stage) -> None:
    async with publisher(stage.bootstrap) as ledger, cable_to_database(stage.url) as (cable, url):
        worker = stage.worker(url=url, database=await Database.open(url))
        async with running(worker) as task:
            await ledger.publish(facts(range(30)))
            await stage.until_effects(30)
            for n in (1, 2):
                sending = asyncio.create_task(ledger.publish(facts(range(30 * n, 30 * n + 30))))
                await asyncio.sleep(0.01 * n)
                await cable.pull()
                pulled_at = time.monotonic()
                await sending
                await asyncio.sleep(1.5)
                assert not task.done()
                assert worker.consumer.alive_at > pulled_at
                await cable.plug()
                found = await stage.until_effects(30 * n + 30)  # Or the next outage would begin in a pause of this one.
    assert len(found) == len(set(found)) == 90
    assert in_order_of_their_keys(found)


async def test_partitions_change_hands_while_the_database_is_away(stage: Stage) -> None:
    async with publisher(stage.bootstrap) as ledger, cable_to_database(stage.url) as (cable, url):
        cut_off = stage.worker(url=url, database=await Database.open(url))
        async with running(cut_off):
            await ledger.publish(facts(range(30)))
            await stage.until_effects(30)
            await cable.pull()
            await ledger.publish(facts(range(30, 60)))
            await asyncio.sleep(0.3)
            async with running(stage.worker()) as task:
                await until(lambda: stage.has_effects(31))  # The other one gets its share, though we cannot finish ours.
                assert not task.done()
                await cable.plug()
                found = await stage.until_effects(60)
    assert len(found) == len(set(found)) == 60
    assert in_order_of_their_keys(found)


async def test_two_workers_share_the_partitions_and_one_takes_over_from_the_other(stage: Stage) -> None:
    async with publisher(stage.bootstrap) as ledger:
        first = stage.worker()
        task = asyncio.create_task(first.run())
        await ledger.publish(facts(range(30)))
        await stage.until_effects(30)
        second = stage.worker()
        async with running(second):
            await until(lambda: 0 < len(first.consumer._assigned) < 9 and 0 < len(second.consumer._assigned) < 9)
            await ledger.publish(facts(range(30, 60)))
            await end_suddenly(task)
            await ledger.publish(facts(range(60, 90)))
            found = await stage.until_effects(90)
            assert len(second.consumer._assigned) == 9
    assert len(found) == len(set(found)) == 90
    assert in_order_of_their_keys(found)


async def test_a_day_met_by_two_workers_in_parts_opens_once(stage: Stage) -> None:
    tuesday = date(2026, 1, 6)
    async with publisher(stage.bootstrap) as ledger, running(stage.worker()), running(stage.worker()):
        for day in (FIRST_DAY, tuesday):
            await ledger.mark(stage.service.subscriptions.forward, "US01", day)
            await ledger.publish([from_erp(f"{day:%d}-{n}", f"C-{n}") for n in range(10)])
        await stage.until_effects(20)
    async with stage.database.pool.acquire() as db:
        rows = await db.fetch("SELECT split_part(document_no, '-', 1)::int AS said, booked_on FROM effect")
        assert all(row["said"] == row["booked_on"].day for row in rows)
        assert await db.fetchval("SELECT open_on FROM chk.day WHERE entity = 'US01'") == tuesday
    markers = [record.key for record in await read_topic(stage.bootstrap, stage.service.topic) if b"|day|" in (record.key or b"")]
    assert len(markers) == 2 * PARTITIONS


async def test_the_end_of_somebodys_kafka_transaction_is_not_taken_for_a_stuck_partition(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "STUCK_S_MAX", 0.5)
    monkeypatch.setattr(consuming, "WATCH_EVERY_S", 0.1)
    async with running(stage.worker()) as task:
        async with publisher(stage.bootstrap, transactional_id=f"erp-{stage.service.name}") as ledger:
            await ledger.publish([from_erp("A", "C-1")])
        assert await stage.until_effects(1) == ["A"]
        await asyncio.sleep(2)
        assert not task.done()


async def test_a_partition_that_does_not_move_though_more_is_there_stops_the_process(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consuming, "STUCK_S_MAX", 0.5)
    monkeypatch.setattr(consuming, "WATCH_EVERY_S", 0.1)
    worker = stage.worker()
    task = asyncio.create_task(worker.run())
    await until(lambda: worker.consumer.is_assigned)
    async with publisher(stage.bootstrap) as ledger:
        await ledger.publish([from_erp("A", "C-1")])
        await stage.until_effects(1)
        kafka = worker.consumer._kafka
        assert kafka is not None
        monkeypatch.setattr(kafka, "getmany", _fetch_nothing)
        await asyncio.sleep(consuming.POLL_MS / 1000 + 0.1)  # The call in flight still fetches.
        await ledger.publish([from_erp(f"B{n}", f"C-{n}") for n in range(9)])
        with pytest.raises(ExceptionGroup) as stopped:
            await asyncio.wait_for(task, 10)
    assert stopped.group_contains(MustStop, match="has not moved")


async def _fetch_nothing(**_: object) -> dict[TopicPartition, list[object]]:
    """A client that has lost its way after a rebalance, as aiokafka is known to."""
    await asyncio.sleep(0.05)
    return {}


async def test_a_record_the_kafka_client_cannot_read_is_stepped_over_and_kept_with_its_place(stage: Stage) -> None:
    bad = from_erp("0002", "C-2")
    async with publisher(stage.bootstrap) as sent:
        await sent.publish([from_erp("0001", "C-1")], booked_on=FIRST_DAY)
        place = await sent.publish_with_header_name(b"\xff\xfe", bad)
        await sent.publish([from_erp("0003", "C-2"), from_erp("0004", "C-1")], booked_on=FIRST_DAY)
    async with running(stage.worker()):
        assert sorted(await stage.until_effects(3)) == ["0001", "0003", "0004"]
    async with stage.database.pool.acquire() as db:
        assert [tuple(row) for row in await db.fetch('SELECT topic, partition, "offset" FROM chk.refused')] == [place]


class EndsBadly(AIOKafkaConsumer):
    """Fails once as after a lost broker, and then cannot be stopped without a CancelledError of a task of its own."""

    failed = False

    async def getmany(self, *partitions: TopicPartition, **how: int) -> dict[TopicPartition, list[object]]:
        if not EndsBadly.failed:
            EndsBadly.failed = True
            raise KafkaConnectionError
        return await super().getmany(*partitions, **how)

    async def stop(self) -> None:
        await super().stop()
        cancelled = asyncio.get_running_loop().create_future()
        cancelled.cancel()
        await cancelled


async def test_a_client_that_ends_in_a_cancellation_of_its_own_does_not_end_the_worker(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.worker.AIOKafkaConsumer", EndsBadly)
    async with publisher(stage.bootstrap) as sent:
        await sent.publish(facts(range(5)), booked_on=FIRST_DAY)
    async with running(stage.worker()) as task:
        assert len(await stage.until_effects(5)) == 5
        assert EndsBadly.failed
        assert not task.done()
