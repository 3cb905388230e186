"""What stands in a topic, read by a plain consumer from offset 0, and facts put there by a plain producer."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from chassis.record import Record
from chassis.relay import partition_of
from events import envelope as cloudevents
from events.business_day import BusinessDayStarted
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of

PARTITIONS = 3


async def read_topic(bootstrap: str, topic: str, *, partitions: int = PARTITIONS) -> list[Record]:
    """Read everything a topic holds now, partition by partition, in offset order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=20)
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[Record] = []
        for place in places:
            consumer.seek(place, 0)
        while any([await consumer.position(place) < ends[place] for place in places]):
            for messages in (await consumer.getmany(timeout_ms=200)).values():
                found += [Record(m.topic, m.partition, m.offset, m.key, m.value, m.headers) for m in messages]
    finally:
        await consumer.stop()
    return sorted(found, key=lambda record: record.place)


async def read_ends(bootstrap: str, topics: Iterable[str], *, partitions: int = PARTITIONS) -> dict[tuple[str, int], int]:
    """One beyond the last record of every partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, partition) for topic in topics for partition in range(partitions)]
        return {(tp.topic, tp.partition): end for tp, end in (await consumer.end_offsets(places)).items()}
    finally:
        await consumer.stop()


def days_of(records: Iterable[Record]) -> dict[int, list[date]]:
    """By partition the booked days of facts and markers as they stand: the marker of a day stands behind all that was booked before."""
    found: dict[int, list[date]] = {}
    for record in records:
        context, _ = cloudevents.read(record.headers, record.value)
        if context.booked_on:
            found.setdefault(record.partition, []).append(context.booked_on)
    return found


def first_sequences(records: Iterable[Record]) -> dict[str, list[int]]:
    """The sequences of each key in the order in which they first occur; repeats and day markers are left out."""
    found: dict[str, list[int]] = {}
    for record in records:
        context, _ = cloudevents.read(record.headers, record.value)
        if context.sequence is None:
            continue
        seen = found.setdefault(context.key or "", [])
        if context.sequence not in seen:
            seen.append(context.sequence)
    return found


def is_whole(records: Iterable[Record], heads: Mapping[str, int]) -> bool:
    """Say whether the topic holds 1…head of every key, first occurrences in that order, and no key beside."""
    return first_sequences(records) == {key: list(range(1, head + 1)) for key, head in heads.items()}


class _Name(str):
    """A header's name that is written as it is given."""

    def __new__(cls, raw: bytes) -> "_Name":
        name = super().__new__(cls, raw.decode("latin-1"))
        name.raw = raw
        return name

    raw: bytes

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self.raw


class Publisher:
    """Puts facts into topics as an ERP, a bank or another service would."""

    def __init__(self, producer: AIOKafkaProducer, partitions: int) -> None:
        self._producer = producer
        self._partitions = partitions
        self._sequences: dict[tuple[str, str], int] = {}

    async def publish(self, events: Sequence[Event], *, key: str | None = None, booked_on: date | None = None) -> None:
        """Publish facts under `key` (default: entity and customer); domain facts get the next sequence of their stream."""
        sent = []
        for event in events:
            kind = kind_of(type(event))
            own = key or f"{getattr(event, 'entity', '?')}|{getattr(event, 'customer', '?')}"
            natural = "|".join(str(getattr(event, name)) for name in kind.natural_key)
            context = Envelope(id=natural, type=kind.type, source="/test", key=own)
            if kind.topic.startswith("receivables."):
                sequence = self._sequences[kind.topic, own] = self._sequences.get((kind.topic, own), 0) + 1
                entity = getattr(event, "entity", None)
                context = Envelope(
                    id=f"test/{own}/{sequence}",
                    type=kind.type,
                    source="/test",
                    entity=entity,
                    key=own,
                    sequence=sequence,
                    booked_on=booked_on,
                    effective_on=booked_on,
                )
            sent.append(await self._send(kind.topic, partition_of(own, self._partitions), own, context, event))
        for future in sent:
            await future

    async def publish_with_header_name(self, name: bytes, event: Event) -> tuple[str, int, int]:
        """Publish a fact with one header more, whose name is these bytes, which need not be text; return its place."""
        kind = kind_of(type(event))
        partition = partition_of(str(getattr(event, "customer", "?")), self._partitions)
        batch = self._producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, 0, 1_000_000)  # The other one, in C, takes no subclass of str.
        context = Envelope(id="unreadable", type=kind.type, source="/test")
        headers = [*to_headers(context), (_Name(name), b"")]
        batch.append(key=b"k", value=msgspec.json.encode(event), timestamp=0, headers=headers)
        sent = await (await self._producer.send_batch(batch, kind.topic, partition=partition))
        return kind.topic, partition, sent.offset

    async def mark(self, topics: Iterable[str], entity: str, day: date) -> None:
        """Publish the marker of a day into every partition of these topics."""
        for topic in topics:
            for partition in range(self._partitions):
                name = f"day|{entity}|{day}|{topic}|{partition}"
                context = Envelope(id=name, type=kind_of(BusinessDayStarted).type, source="/receivables/calendar", entity=entity)
                await (await self._send(topic, partition, "day", context, BusinessDayStarted(entity=entity, date=day)))

    async def _send(self, topic: str, partition: int, key: str, context: Envelope, event: Event) -> "asyncio.Future[object]":
        value = msgspec.json.encode(event)
        sent: asyncio.Future[object] = await self._producer.send(
            topic, value, key=key.encode(), partition=partition, headers=to_headers(context)
        )
        return sent


@asynccontextmanager
async def publisher(bootstrap: str, *, partitions: int = PARTITIONS, transactional_id: str | None = None) -> AsyncIterator[Publisher]:
    """A producer of one's own; with a `transactional_id` all that is published is one Kafka transaction."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", transactional_id=transactional_id)
    await producer.start()
    try:
        if transactional_id is None:
            yield Publisher(producer, partitions)
        else:
            async with producer.transaction():
                yield Publisher(producer, partitions)
    finally:
        await producer.stop()
