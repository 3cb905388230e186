"""The tests' end of a real Kafka: what is published to it, and everything that stands in its topics."""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from datetime import date
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from chassis.record import MarkerMet, Record, classify
from events.topics import TOPICS

from testkit.ingress import Message

WAIT_S_MAX: Final = 30
_POLL_MS: Final = 50
T = TypeVar("T")


class Wire:
    """
    Publishes records and reads all topics from their beginning: `with Wire("host:port") as wire:`.

    Methods block; the clients run in a thread of their own, so that they go on while a test does something else.
    """

    def __init__(self, bootstrap: str) -> None:
        self._seen: dict[str, list[Record]] = defaultdict(list)
        self._markers: dict[tuple[str, int, str], date] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._places: list[TopicPartition] = []
        self._run(self._connect(bootstrap))

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish in this order and return when the broker has acknowledged all."""
        self._run(self._publish(messages))

    def read(self, topic: str) -> list[Record]:
        """Read what stands in the topics by now; return that of one of them, in the order of each partition, markers left out."""
        self._run(self._read())
        return self._seen[topic]

    def wait_for_markers(self, topics: Sequence[str], entity: str, day: date) -> None:
        """Return when the start of a day stands in every partition of these topics; AssertionError after half a minute."""
        places = [(place.topic, place.partition) for place in self._places if place.topic in topics]
        deadline = time.monotonic() + WAIT_S_MAX
        while missing := [place for place in places if self._markers.get((*place, entity), date.min) < day]:
            assert time.monotonic() < deadline, f"the start of {day} of {entity} did not come to {missing}"
            self._run(self._read())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._run(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * WAIT_S_MAX)

    async def _connect(self, bootstrap: str) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none")
        await self._producer.start()
        await self._consumer.start()
        for topic in TOPICS:
            self._places += [TopicPartition(topic, number) for number in sorted(await self._producer.partitions_for(topic))]
        self._consumer.assign(self._places)
        for place in self._places:
            self._consumer.seek(place, 0)

    async def _disconnect(self) -> None:
        await self._producer.stop()
        await self._consumer.stop()

    async def _publish(self, messages: Sequence[Message]) -> None:
        sent = [await self._producer.send(one.topic, one.value, one.key, one.partition, headers=list(one.headers)) for one in messages]
        await asyncio.gather(*sent)

    async def _read(self) -> None:
        """Poll until everything that stood there when we began has been read."""
        ends = await self._consumer.end_offsets(self._places)
        while [place for place in self._places if await self._consumer.position(place) < ends[place]]:
            for place, records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).items():
                for one in records:
                    self._note(Record(place.topic, place.partition, one.offset, one.key, one.value, one.headers))

    def _note(self, record: Record) -> None:
        item = classify(record)
        if isinstance(item, MarkerMet):
            place = (record.topic, record.partition, item.entity)
            self._markers[place] = max(item.day, self._markers.get(place, date.min))
        else:
            self._seen[record.topic].append(record)
