"""One service in this process, on a database of its own and without Kafka: what a worker does with records once it has them."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from chassis import business_day, streams
from chassis.__main__ import GARBAGE_AFTER
from chassis.clock import system_clock
from chassis.database import Connection, Database
from chassis.entities import load_entities
from chassis.intake import Intake
from chassis.outbox import Wake
from chassis.record import Record
from chassis.relay import partition_of
from chassis.service import Service
from chassis.settings import load_settings
from chassis.worker import Worker
from launcher.topics import PARTITIONS

from bench.facts import Record as Told
from bench.history import Published
from bench.scratch import database
from bench.track import Track

AT_ONCE: Final = 500
"""Records of one poll, as a worker asks for them."""

_LOOK_SECONDS: Final = 0.002


class Station:
    """A service that is handed records; it is as deaf to Kafka as it is in its own tests."""

    def __init__(self, service: Service, opened: Database, build: Callable[[], Worker]) -> None:
        self.service = service
        self.database = opened
        self._build = build
        self.worker = build()
        self._intake = Intake(self.worker.delivery, self.worker.turner)
        self._places = [(topic, partition) for topic in service.subscriptions.topics for partition in range(PARTITIONS)]
        self._offsets: Counter[tuple[str, int]] = Counter()

    def receive(self, told: Sequence[Told | Published]) -> list[Record]:
        """Give facts the next offsets of their partitions, as if they had just been polled."""
        return [self._record(one) for one in told]

    def again(self, records: Sequence[Record]) -> list[Record]:
        """Give records their next offsets once more: what a producer does that was not sure."""
        return [Record(r.topic, r.partition, self._next(r.topic, r.partition), r.key, r.value, r.headers) for r in records]

    async def take(self, records: Sequence[Record]) -> float:
        """Take records in, so many at once as a worker polls, and return how many seconds that took."""
        began_at = time.perf_counter()
        for first in range(0, len(records), AT_ONCE):
            self.keep(records[first : first + AT_ONCE])
            await self.work_off()
        return time.perf_counter() - began_at

    def keep(self, records: Sequence[Record]) -> None:
        """Read the envelopes of what was polled."""
        by_place: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            by_place.setdefault((record.topic, record.partition), []).append(record)
        for place, members in by_place.items():
            self._intake.keep(place, members)

    async def work_off(self) -> None:
        """Handle what is kept."""
        await self._intake.work_off(self._places)

    async def relay(self) -> int:
        """Send what is in the outbox to Kafka, and return how many facts that were when they are acknowledged and deleted."""
        async with self.database.pool.acquire() as db:
            waiting: int = await db.fetchval("SELECT rows FROM chk.unpublished")
            if waiting:
                relay = self._build().relay  # One that was stopped stays stopped.
                relaying = asyncio.create_task(relay.run())
                await emptied(db)
                await relay.stop()
                await relaying
        return waiting

    def _record(self, told: Told | Published) -> Record:
        key = told.key.decode() if isinstance(told.key, bytes) else told.key
        partition = partition_of(key, PARTITIONS)
        return Record(told.topic, partition, self._next(told.topic, partition), key.encode(), told.value, told.headers)

    def _next(self, topic: str, partition: int) -> int:
        self._offsets[topic, partition] += 1
        return self._offsets[topic, partition] - 1


async def emptied(db: Connection) -> None:
    """Return when nothing is left in the outbox."""
    while await db.fetchval("SELECT EXISTS (SELECT FROM chassis.outbox)"):  # noqa: ASYNC110 - Postgres sets no event of ours
        await asyncio.sleep(_LOOK_SECONDS)


Opening = Callable[[str], Awaitable[Database]]
"""How a station's database is opened: as a service does, or with a watch on it."""


@asynccontextmanager
async def station(track: Track, service: Service, label: str, opening: Opening = Database.open) -> AsyncIterator[Station]:
    """Make a database named after `label` and a service on it while the block runs."""
    async with database(track, service.name, label) as dsn:
        settings = load_settings(service.name, track.environment(dsn, 0))
        entities = load_entities(settings.entities_file)
        opened = await opening(dsn)
        try:
            async with opened.transaction() as db:
                await business_day.declare(db, entities)
                places = [(topic, partition) for topic in service.subscriptions.topics for partition in range(PARTITIONS)]
                await streams.start_positions(db, places)
            yield Station(service, opened, lambda: Worker(service, settings, opened, entities, system_clock, Wake()))
        finally:
            await opened.close()


@contextmanager
def as_a_service() -> Iterator[None]:
    """Have this process collect garbage as a service does while the block runs."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
