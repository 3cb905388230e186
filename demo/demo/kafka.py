"""The player's end of Kafka: it publishes as an ERP and a bank do, and sees when a business day has really started in the topics."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from events.business_day import BusinessDayStarted
from events.fact import kind_of
from launcher.trouble import Trouble

from demo.facts import TOPICS, Record
from demo.services import BEGIN_AGAIN

_REQUEST_MS: Final = 10_000
_ACKNOWLEDGED_SECONDS_MAX: Final = 20
_KNOCK_SECONDS_MAX: Final = 5
_STOP_SECONDS_MAX: Final = 5
_MARKER_SECONDS_MAX: Final = 60
_POLL_MS: Final = 1_000
_MARKER: Final = kind_of(BusinessDayStarted).type.encode()
_decode_marker: Final = msgspec.json.Decoder(BusinessDayStarted).decode


class KafkaGone(Trouble):
    """The broker stopped answering in the middle of a ledger; `advice` says how to go on."""

    def __init__(self, bootstrap: str, reason: str, advice: str = BEGIN_AGAIN) -> None:
        super().__init__(f"Kafka at {bootstrap} does not answer any more ({reason}): `make logs S=kafka` tells why, {advice}.")


class Publisher:
    """Publishes records and remembers when each invoice left (`sent_at`, seconds since 1970, by document id)."""

    def __init__(self, bootstrap: str, producer: AIOKafkaProducer, advice: str = BEGIN_AGAIN) -> None:
        self.sent_at: dict[str, float] = {}
        self._bootstrap = bootstrap
        self._producer = producer
        self._advice = advice

    async def publish(self, records: Sequence[Record]) -> None:
        """
        Publish records in their order and return when the broker has acknowledged all.

        :raises KafkaGone: it did not.
        """
        try:
            async with asyncio.timeout(_ACKNOWLEDGED_SECONDS_MAX):  # The client itself would try for ever.
                acknowledged = []
                for record in records:
                    if record.document_id:
                        self.sent_at.setdefault(record.document_id, time.time())
                    acknowledged.append(await self._producer.send(record.topic, record.value, record.key, headers=record.headers))
                await asyncio.gather(*acknowledged)
        except (KafkaError, OSError) as error:  # A timeout is an OSError.
            raise KafkaGone(self._bootstrap, type(error).__name__, self._advice) from None


@asynccontextmanager
async def publishing(bootstrap: str, advice: str) -> AsyncIterator[Publisher]:
    """
    Connect as producer only.

    :raises KafkaGone: there is no broker.
    """
    producer = _producer(bootstrap)
    try:
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            raise KafkaGone(bootstrap, type(error).__name__, advice) from None
        yield Publisher(bootstrap, producer, advice)
    finally:
        await part_from(producer)


class Markers:
    """Reads the ingress topics for the markers of one entity's business days, from the beginning of the topics."""

    def __init__(self, bootstrap: str, consumer: AIOKafkaConsumer, entity: str) -> None:
        self._bootstrap = bootstrap
        self._consumer = consumer
        self._entity = entity
        self._met = dict.fromkeys(consumer.assignment(), date.min)

    async def wait_for(self, day: date) -> None:
        """
        Return when every partition of every ingress topic we write to has the marker of a day.

        The calendar's answer only says that the markers are queued. A fact that were published before its day's marker has landed would
        be booked on the day before.

        :raises KafkaGone: the markers did not come although they were queued.
        """
        deadline = time.monotonic() + _MARKER_SECONDS_MAX
        while min(self._met.values()) < day:
            if time.monotonic() > deadline:
                raise KafkaGone(self._bootstrap, f"the start of {day} did not arrive within {_MARKER_SECONDS_MAX} s")
            try:
                polled = await self._consumer.getmany(timeout_ms=_POLL_MS)
            except KafkaError as error:
                raise KafkaGone(self._bootstrap, type(error).__name__) from None
            if not polled:
                await self.knock()
            for partition, records in polled.items():
                for record in records:
                    if ("ce_type", _MARKER) in record.headers and record.value is not None:
                        marker = _decode_marker(record.value)
                        if marker.entity == self._entity:
                            self._met[partition] = max(self._met[partition], marker.date)

    async def knock(self) -> None:
        """
        See whether a broker listens there at all: a consumer waits for ever for one that has gone.

        :raises KafkaGone: none does.
        """
        host, _, port = self._bootstrap.rpartition(":")
        try:
            async with asyncio.timeout(_KNOCK_SECONDS_MAX):
                _, writer = await asyncio.open_connection(host, int(port))
        except OSError as error:
            raise KafkaGone(self._bootstrap, type(error).__name__) from None
        writer.close()


@asynccontextmanager
async def connected(bootstrap: str, entity: str) -> AsyncIterator[tuple[Publisher, Markers]]:
    """
    Connect to clean topics as producer and as reader of markers.

    :raises KafkaGone: there is no broker, or the topics are missing.
    """
    producer = _producer(bootstrap)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none", request_timeout_ms=_REQUEST_MS, check_crcs=False
    )
    try:
        try:
            await producer.start()
            await consumer.start()
            partitions = [TopicPartition(topic, number) for topic in TOPICS for number in await producer.partitions_for(topic)]
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek(partition, 0)
        except (KafkaError, OSError) as error:
            raise KafkaGone(bootstrap, type(error).__name__) from None
        yield Publisher(bootstrap, producer), Markers(bootstrap, consumer, entity)
    finally:
        await part_from(producer, consumer)


def _producer(bootstrap: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, request_timeout_ms=_REQUEST_MS)


async def part_from(*clients: AIOKafkaProducer | AIOKafkaConsumer) -> None:
    """Stop clients within a bound; a broker that is gone cannot be said goodbye to, so how it went does not matter."""
    stopping = [asyncio.ensure_future(client.stop()) for client in clients]  # type: ignore[no-untyped-call]  # aiokafka has no types.
    done, pending = await asyncio.wait(stopping, timeout=_STOP_SECONDS_MAX)
    for task in pending:
        task.cancel()
    await asyncio.gather(*done, return_exceptions=True)
