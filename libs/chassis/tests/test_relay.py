"""What is in the outbox leaves in order, and is forgotten only when the broker has it (docs/messaging.md section 3)."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from chassis import outbox, relay
from chassis.database import Database
from chassis.failpoints import FailpointHit, arm
from chassis.outbox import Marker, Wake
from chassis.record import MarkerMet, Record, classify
from chassis.relay import Relay
from chassis.service import Batch, Fact
from chassis.settings import ServiceSettings
from chassis.worker import Worker
from events.invoice import CreditMemoIssued
from launcher import topics as broker_topics
from launcher.databases import Cluster
from launcher.folders import State
from launcher.kafka import Kafka
from pydantic import SecretStr
from testkit import toy
from testkit.patience import until
from testkit.service import FIRST_DAY, two_entities
from testkit.topic_log import PARTITIONS, is_whole, read_topic

pytestmark = pytest.mark.kafka
TOPIC = toy.TOY.topic
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CUT_LEADER = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1"


@dataclass
class Stage:
    """An empty topic, an empty outbox, and relays that drain the one into the other."""

    bootstrap: str
    url: str
    database: Database
    built: list[AIOKafkaProducer] = field(default_factory=list)
    queued: dict[str, int] = field(default_factory=dict)

    def relay(self) -> Relay:
        return Relay(self.url, self._build, Wake(), PARTITIONS)

    def _build(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, max_batch_size=1_000_000, request_timeout_ms=3000
        )
        self.built.append(producer)
        return producer

    async def queue(self, numbers: range, *, keys: int = 5) -> None:
        """Queue a fact for each number in one transaction."""
        memos = [memo(f"{n:05}", f"C-{n % keys}") for n in numbers]
        async with self.database.transaction() as db:
            batch = Batch("toy", NOON, two_entities(), {"US01": FIRST_DAY})
            await outbox.add(db, toy.TOY, [Fact(one, "US01", f"US01|{one.account}", FIRST_DAY) for one in memos], batch)
        for one in memos:
            self.queued[f"US01|{one.account}"] = self.queued.get(f"US01|{one.account}", 0) + 1

    async def left(self) -> int:
        async with self.database.pool.acquire() as db:
            return int(await db.fetchval("SELECT rows FROM chk.unpublished"))

    async def is_drained(self) -> bool:
        return await self.left() == 0

    async def until_drained(self, *, seconds: float = 20) -> list[Record]:
        await until(self.is_drained, seconds=seconds)
        return await read_topic(self.bootstrap, TOPIC)


def memo(number: str, account: str) -> CreditMemoIssued:
    return CreditMemoIssued(
        entity="US01",
        memo=f"US01|{number}",
        document_no=number,
        type="381",
        customer=account,
        account=account,
        currency="USD",
        issued_on=FIRST_DAY,
        total="1.00",
    )


@asynccontextmanager
async def stage_on(bootstrap: str, url: str) -> AsyncIterator[Stage]:
    arm("")
    database = await Database.open(url)
    yield Stage(bootstrap, url, database)
    arm("")
    await database.close()


@pytest.fixture
async def stage(database_url: Callable[[str], str], topics: Callable[..., str]) -> AsyncIterator[Stage]:
    async with stage_on(topics(TOPIC), database_url("invoice")) as stage:
        yield stage


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        await relay.stop()
        await asyncio.wait([task], timeout=10)
    assert task.done()


async def test_facts_leave_in_the_order_of_their_keys_and_are_forgotten(stage: Stage) -> None:
    for n in range(6):
        await stage.queue(range(500 * n, 500 * n + 500), keys=7)
    async with running(stage.relay()):
        records = await stage.until_drained()
    assert is_whole(records, stage.queued)
    assert len(records) == 3000
    assert await stage.left() == 0


async def test_a_marker_stands_behind_everything_queued_before_it_in_every_partition(stage: Stage) -> None:
    await stage.queue(range(60))
    async with stage.database.transaction() as db:
        await outbox.add_markers(db, [Marker(TOPIC, n, "US01", date(2026, 1, 6)) for n in range(PARTITIONS)], NOON)
    await stage.queue(range(60, 120))
    async with running(stage.relay()):
        records = await stage.until_drained()
    for partition in range(PARTITIONS):
        here = [record for record in records if record.partition == partition]
        (at,) = [n for n, record in enumerate(here) if isinstance(classify(record), MarkerMet)]
        numbers = [int(record.value.split(b'"document_no":"')[1][:5]) for record in here if record.value and b"document_no" in record.value]
        assert all(number < 60 for number in numbers[:at])
        assert all(number >= 60 for number in numbers[at:])


@pytest.mark.parametrize("place", ["leader_got", "read", "sent_some", "sent_all", "before_delete", "after_delete"])
async def test_a_relay_that_dies_anywhere_sends_again_what_it_had_not_forgotten(stage: Stage, place: str) -> None:
    await stage.queue(range(40))
    arm(f"relay.{place}:1:raise")
    with pytest.raises(FailpointHit):
        await asyncio.wait_for(stage.relay().run(), 10)
    assert await stage.left() == (0 if place == "after_delete" else 40)
    await stage.queue(range(40, 50))
    async with running(stage.relay()):
        records = await stage.until_drained()
    assert is_whole(records, stage.queued)


async def test_one_of_two_relays_leads_and_the_other_takes_over(stage: Stage) -> None:
    first, second = stage.relay(), stage.relay()
    async with running(first) as leading:
        await until(lambda: first.leading)
        async with running(second):
            await stage.queue(range(20))
            await stage.until_drained()
            await asyncio.sleep(0.5)
            assert not second.leading
            await first.stop()
            await leading
            await until(lambda: second.leading)
            await stage.queue(range(20, 40))
            records = await stage.until_drained()
    assert is_whole(records, stage.queued)
    assert len(records) == 40


async def test_a_relay_whose_connection_is_cut_goes_on(stage: Stage, postgres_server: Cluster) -> None:
    admin = await asyncpg.connect(postgres_server.admin_dsn)
    leads = stage.relay()
    async with running(leads) as task:
        for n in range(3):
            await until(lambda: leads.leading)
            adding = asyncio.create_task(stage.queue(range(20 * n, 20 * n + 20)))
            await admin.execute(CUT_LEADER, relay.LEADER_LOCK)
            await adding
        records = await stage.until_drained()
        assert not task.done()
    await admin.close()
    assert is_whole(records, stage.queued)


async def test_a_relay_is_back_as_soon_after_its_seventh_loss_as_after_its_first(stage: Stage, postgres_server: Cluster) -> None:
    admin = await asyncpg.connect(postgres_server.admin_dsn)
    wake = Wake()
    leads = Relay(stage.url, stage._build, wake, PARTITIONS)
    async with running(leads):
        for n in range(7):
            await stage.queue(range(n, n + 1))
            wake.set()
            await until(stage.is_drained)
            await admin.execute(CUT_LEADER, relay.LEADER_LOCK)
            wake.set()
            await until(lambda: not leads.leading)
            await until(lambda: leads.leading, seconds=1)
    await admin.close()


async def test_two_relays_that_both_believe_they_lead_invert_nothing(stage: Stage, postgres_server: Cluster) -> None:
    """The lock saves duplicates only: whoever wakes with old rows in hand sends again what the topic has."""
    await stage.queue(range(200))
    late = stage.relay()
    connection = await asyncpg.connect(stage.url)
    rows = await connection.fetch("SELECT id, topic, key, partition, headers, value, queued_at FROM chassis.outbox ORDER BY id LIMIT 100")
    async with running(stage.relay()):
        await stage.until_drained()
        await late._send(await late._started(), rows)
        await stage.queue(range(200, 240))
        await stage.until_drained()
        records = await read_topic(stage.bootstrap, TOPIC)
    await late._close_producer()
    await connection.close()
    assert len(records) == 340
    assert is_whole(records, stage.queued)


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker that may be hurt."""
    state = State(tmp_path_factory.mktemp("kafka"))
    state.prepare()
    kafka = Kafka(state, lambda _: None)
    kafka.begin()
    kafka.wait()
    yield kafka
    kafka.stop()


@pytest.fixture
async def own_stage(database_url: Callable[[str], str], own_kafka: Kafka) -> AsyncIterator[Stage]:
    broker_topics.recreate(own_kafka.bootstrap, [TOPIC], partitions=PARTITIONS)
    async with stage_on(own_kafka.bootstrap, database_url("invoice")) as stage:
        yield stage


async def test_a_broker_that_is_killed_in_the_middle_loses_and_inverts_nothing(
    own_stage: Stage, own_kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SEND_TIMEOUT_S", 1.0)
    async with running(own_stage.relay()) as task:
        await own_stage.queue(range(50))
        await own_stage.until_drained()
        broker = own_kafka.running()
        assert broker is not None
        await own_stage.queue(range(50, 3050))
        os.kill(broker.pid, signal.SIGKILL)
        await own_stage.queue(range(3050, 3100))
        await asyncio.to_thread(_start_again, own_kafka)
        records = await own_stage.until_drained(seconds=40)
        assert not task.done()
    assert len(own_stage.built) > 1  # The producer was built anew.
    assert is_whole(records, own_stage.queued)


def _start_again(kafka: Kafka) -> None:
    while kafka.running():
        pass
    kafka.begin()
    kafka.wait()


async def test_a_broker_that_hangs_is_outlived_and_a_stop_meanwhile_is_quick(
    own_stage: Stage, own_kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SEND_TIMEOUT_S", 1.0)
    monkeypatch.setattr(relay, "CLOSE_TIMEOUT_S", 0.3)
    broker = own_kafka.running()
    assert broker is not None
    tasks_before = len(asyncio.all_tasks())
    async with running(own_stage.relay()):
        await own_stage.queue(range(50))
        await own_stage.until_drained()
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await own_stage.queue(range(50, 100))
            await asyncio.sleep(2.5)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        records = await own_stage.until_drained(seconds=30)
    assert len(own_stage.built) > 1
    assert is_whole(records, own_stage.queued)
    await until(lambda: len(asyncio.all_tasks()) <= tasks_before, seconds=5)  # A producer that was given up does not go on trying.


async def test_a_worker_told_to_stop_while_the_broker_hangs_ends_in_time(own_stage: Stage, own_kafka: Kafka) -> None:
    broker_topics.recreate(own_kafka.bootstrap, toy.TOY.subscriptions.topics, partitions=PARTITIONS)
    settings = ServiceSettings(
        database_url=SecretStr(own_stage.url), kafka_bootstrap=own_stage.bootstrap, entities_file=Path("x"), topic_partitions=PARTITIONS
    )
    worker = Worker(toy.TOY, settings, own_stage.database, two_entities(), lambda: NOON, Wake())
    task = asyncio.create_task(worker.run())
    await until(lambda: worker.consumer.is_assigned)
    await own_stage.queue(range(50))
    await own_stage.until_drained()
    broker = own_kafka.running()
    assert broker is not None
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        await own_stage.queue(range(50, 100))
        await asyncio.sleep(0.5)
        worker.stop()
        async with asyncio.timeout(18):
            await task
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert await own_stage.left() == 50


async def test_a_repeat_is_seen_as_whole_and_an_inversion_is_not(stage: Stage) -> None:
    """The eye these tests look with is not blind."""
    await stage.queue(range(10), keys=1)
    async with running(stage.relay()):
        records = await stage.until_drained()
    assert is_whole([*records, *records[3:]], stage.queued)
    assert not is_whole([records[1], records[0], *records[2:]], stage.queued)
    assert not is_whole(records[:-1], stage.queued)
    assert not is_whole(records, {**stage.queued, "US01|C-9": 1})
