"""The bench's end of Kafka: publishing at full speed, and where topics begin and end."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from chassis.relay import partition_of
from events.topics import TOPICS

from bench.facts import Record
from bench.history import Published

Ends = Mapping[TopicPartition, int]
"""The offset after the last record of every partition."""


class Kafka:
    """A producer, and a consumer that only asks for offsets."""

    def __init__(self, bootstrap: str, producer: AIOKafkaProducer, asker: AIOKafkaConsumer, partitions: int) -> None:
        self.bootstrap = bootstrap
        self._producer = producer
        self._asker = asker
        self._partitions = partitions
        self._all = [TopicPartition(topic, number) for topic in TOPICS for number in range(partitions)]

    async def publish(self, records: Sequence[Record]) -> None:
        """Publish in order, as fast as the broker takes them, and return when all are acknowledged."""
        sent = [await self._producer.send(one.topic, one.value, one.key, headers=one.headers) for one in records]
        await asyncio.gather(*sent)

    async def pour(self, facts: Sequence[Published]) -> None:
        """Publish facts of ours in whole batches, each key in order, to the partitions the relay would choose."""
        by_place: dict[tuple[str, int], list[Published]] = {}
        for fact in facts:
            by_place.setdefault((fact.topic, partition_of(fact.key, self._partitions)), []).append(fact)
        sent = [future for place, members in by_place.items() for future in await self._pour_into(place, members)]
        await asyncio.gather(*sent)

    async def _pour_into(self, place: tuple[str, int], facts: Sequence[Published]) -> list["asyncio.Future[object]"]:
        topic, partition = place
        sent, batch = [], self._producer.create_batch()
        for fact in facts:
            about = {"key": fact.key.encode(), "value": fact.value, "timestamp": None, "headers": fact.headers}
            if batch.append(**about) is None:
                sent.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                batch.append(**about)
        sent.append(await self._producer.send_batch(batch, topic, partition=partition))
        return sent

    async def ends(self) -> Ends:
        """Ask where every partition of every topic ends now."""
        found: Ends = await self._asker.end_offsets(self._all)
        return found


def by_topic(ends: Ends) -> dict[str, int]:
    """Sum the ends of a topic's partitions: as many records as it ever had."""
    sums: dict[str, int] = {}
    for partition, end in ends.items():
        sums[partition.topic] = sums.get(partition.topic, 0) + end
    return sums


@asynccontextmanager
async def connected(bootstrap: str, partitions: int) -> AsyncIterator[Kafka]:
    """Connect to topics that exist."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, compression_type="lz4", max_batch_size=128 * 1024
    )
    asker = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await producer.start()
        await asker.start()
        yield Kafka(bootstrap, producer, asker, partitions)
    finally:
        await producer.stop()
        await asker.stop()
