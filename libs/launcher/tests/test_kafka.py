"""A real broker of our own: started, found again, repaired, with clean topics."""

import asyncio
import os
import signal
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from events.topics import TOPICS
from launcher import ports, topics
from launcher.folders import State
from launcher.kafka import Kafka
from launcher.tail import records
from launcher.trouble import ServerDied, Trouble

pytestmark = pytest.mark.kafka

ELSEWHERE = 9  # A port where a proxy might be.
AWKWARD = uuid.UUID(int=0xF8 << 120)  # As a cluster id it begins with a hyphen, like every 64th.


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    state = State(tmp_path_factory.mktemp("kafka"))
    state.prepare()
    return state


@pytest.fixture(scope="module")
def kafka(state: State) -> Iterator[Kafka]:
    kafka = Kafka(state, print, advertised={"probe": ELSEWHERE})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(uuid, "uuid4", lambda: AWKWARD)
        kafka.begin()
    kafka.wait()
    yield kafka
    kafka.stop()


async def write_and_count(bootstrap: str, topic: str) -> int:
    """Write one record and return how many the partition ever had."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    sent = await producer.send_and_wait(topic, b"fact", partition=0)
    await producer.stop()
    return int(sent.offset) + 1


async def end_offset(bootstrap: str, topic: str) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    offsets = await consumer.end_offsets([TopicPartition(topic, 0)])
    await consumer.stop()
    return int(next(iter(offsets.values())))


def test_a_second_start_finds_the_running_broker(kafka: Kafka, state: State) -> None:
    said: list[str] = []
    again = Kafka(state, said.append)
    again.begin()
    assert again.running() == kafka.running()
    assert again.wait() == kafka.bootstrap
    assert "runs already" in said[0]


def test_it_listens_on_loopback_only(kafka: Kafka) -> None:
    port = int(kafka.bootstrap.rpartition(":")[2])
    listening = [line.split()[1] for line in Path("/proc/net/tcp6").read_text().splitlines()[1:] if line.split()[3] == "0A"]
    bound = [address.rpartition(":")[0] for address in listening if int(address.rpartition(":")[2], 16) == port]
    assert all(address == "0000000000000000FFFF00000100007F" for address in bound)


async def test_clients_of_another_listener_are_sent_to_the_port_it_advertises(kafka: Kafka) -> None:
    for port, sent_to in ((kafka.port_behind("probe"), ELSEWHERE), (int(kafka.bootstrap.rpartition(":")[2]),) * 2):
        client = AIOKafkaClient(bootstrap_servers=f"{ports.HOST}:{port}")
        await client.bootstrap()
        assert [broker.port for broker in client.cluster.brokers()] == [sent_to]
        await client.close()


def test_all_topics_are_made_once_and_another_shape_is_refused(kafka: Kafka) -> None:
    topics.recreate(kafka.bootstrap, partitions=2)
    topics.ensure(kafka.bootstrap, partitions=2)
    assert topics.sizes(kafka.bootstrap) == dict.fromkeys(TOPICS, 2)
    with pytest.raises(topics.PartitionsDiffer, match="make reset"):
        topics.ensure(kafka.bootstrap, partitions=3)


def test_recreated_topics_are_empty_and_take_records_at_once(kafka: Kafka) -> None:
    for _ in range(3):
        topics.recreate(kafka.bootstrap, ["erp.documents"], partitions=1)
        assert asyncio.run(write_and_count(kafka.bootstrap, "erp.documents")) == 1


async def test_a_topic_is_read_from_its_start(kafka: Kafka) -> None:
    topics.recreate(kafka.bootstrap, ["erp.orders"], partitions=3)
    await write_and_count(kafka.bootstrap, "erp.orders")
    async with asyncio.timeout(20):
        record = await anext(records(kafka.bootstrap, "erp.orders", from_start=True))
    assert (record.partition, record.offset, record.value) == (0, 0, b"fact")


async def test_an_unknown_topic_is_refused_by_name(kafka: Kafka) -> None:
    with pytest.raises(Trouble, match="no topic erp.unknown"):
        await anext(records(kafka.bootstrap, "erp.unknown", from_start=True))


def test_a_killed_broker_comes_back_with_what_it_had(kafka: Kafka) -> None:
    topics.recreate(kafka.bootstrap, ["bank.entries"], partitions=1)
    asyncio.run(write_and_count(kafka.bootstrap, "bank.entries"))
    before = kafka.running()
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    while before.alive():
        time.sleep(0.02)
    kafka.begin()
    kafka.wait()
    assert asyncio.run(end_offset(kafka.bootstrap, "bank.entries")) == 1


def test_a_port_taken_by_somebody_else_is_replaced_and_the_broker_still_comes_up(kafka: Kafka, state: State) -> None:
    assert kafka.stop()
    taken = state.recall("ports")["kafka"]
    with socket.create_server((ports.HOST, taken)):
        kafka.begin()
        assert kafka.wait() != f"{ports.HOST}:{taken}"
    assert set(TOPICS) <= set(topics.sizes(kafka.bootstrap))


def test_a_broker_that_dies_while_we_wait_is_reported_with_its_log(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.prepare()
    broken = Kafka(state, print)
    broken.begin()
    running = broken.running()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    with pytest.raises(ServerDied, match=r"kafka\.log"):
        broken.wait()
