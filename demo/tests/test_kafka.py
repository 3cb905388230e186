"""The player's end of Kafka, against a real broker."""

import asyncio
from collections.abc import Callable
from datetime import date

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from demo.facts import TOPICS, to_record
from demo.kafka import KafkaGone, connected
from demo.ledger import Invoice
from events.business_day import BusinessDayStarted
from events.envelope import Envelope, to_headers
from events.fact import kind_of
from launcher.ports import HOST

DAY = date(2025, 1, 2)


async def put_marker(producer: AIOKafkaProducer, topic: str, partition: int, day: date, entity: str = "US01") -> None:
    headers = to_headers(Envelope(id=f"{topic}{partition}{day}", type=kind_of(BusinessDayStarted).type, source="/test", entity=entity))
    value = msgspec.json.encode(BusinessDayStarted(entity=entity, date=day))
    await producer.send_and_wait(topic, value, b"day", partition=partition, headers=headers)


@pytest.mark.kafka
async def test_published_records_are_in_their_topics_when_publish_returns(topics: Callable[..., str]) -> None:
    bootstrap = topics(*TOPICS)
    records = [to_record(Invoice(f"I-{n}", f"C-{n % 5}", "USD", DAY, DAY, 100), "US01") for n in range(50)]

    async with connected(bootstrap, "US01") as (publisher, _):
        await publisher.publish(records)

    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        partitions = [TopicPartition("erp.documents", number) for number in range(3)]
        assert sum((await consumer.end_offsets(partitions)).values()) == 50
    assert publisher.sent_at.keys() == {f"US01|I-{n}" for n in range(50)}


@pytest.mark.kafka
async def test_a_day_has_started_only_when_every_partition_has_its_marker(topics: Callable[..., str]) -> None:
    bootstrap = topics(*TOPICS)
    async with connected(bootstrap, "US01") as (_, markers), AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        everywhere = [(topic, partition) for topic in TOPICS for partition in range(3)]
        for topic, partition in everywhere[:-1]:
            await put_marker(producer, topic, partition, DAY)
        await put_marker(producer, *everywhere[-1], DAY, entity="DE01")
        waiting = asyncio.create_task(markers.wait_for(DAY))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done

        await put_marker(producer, *everywhere[-1], DAY)

        await asyncio.wait_for(waiting, 10)


@pytest.mark.kafka
async def test_no_broker_is_one_sentence_that_says_what_to_do(unused_tcp_port: int) -> None:
    with pytest.raises(KafkaGone, match=r"does not answer any more .*make demo"):
        async with connected(f"{HOST}:{unused_tcp_port}", "US01"):
            pass
