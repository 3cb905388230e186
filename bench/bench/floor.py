"""
The floor: the least that anybody has to do with the same bytes from the same Kafka.

One process, a bare loop: `getmany`, decode the envelope and the fact, COPY into one unlogged table. No books, no dedupe, no order, no
second service. How far above it the services are is what can be compared between machines; records a second cannot.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from events import envelope
from events.fact import kind_of_type

from bench.kafka import Ends

_RECORDS_MAX: Final = 5_000
_POLL_MS: Final = 200
_COLUMNS: Final = ("topic", "partition", "position", "id", "entity", "key", "data")
_TABLE: Final = """
    CREATE SCHEMA IF NOT EXISTS bench;
    DROP TABLE IF EXISTS bench.floor;
    CREATE UNLOGGED TABLE bench.floor (topic text, partition integer, position bigint, id text, entity text, key text, data bytea)
"""


async def race(bootstrap: str, dsn: str, since: Ends, until: Ends) -> tuple[int, float]:
    """Take everything between two ends of the topics; return how many records that was and in how many seconds."""
    spans = {tp: (since[tp], end) for tp, end in until.items() if end > since[tp]}
    async with _table(dsn) as db, _reader(bootstrap) as consumer:
        began_at = time.perf_counter()
        consumer.assign(list(spans))
        for tp, (start, _) in spans.items():
            consumer.seek(tp, start)
        missing = sum(end - start for start, end in spans.values())
        while missing > 0:
            rows = [
                _row(record)
                for tp, records in (await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS_MAX)).items()
                for record in records
                if record.offset < spans[tp][1]
            ]
            if rows:
                await db.copy_records_to_table("floor", schema_name="bench", columns=_COLUMNS, records=rows)
                missing -= len(rows)
        seconds = time.perf_counter() - began_at
        return sum(end - start for start, end in spans.values()), seconds


async def copy(dsn: str, records: Sequence[Any]) -> float:
    """Do the same with records that are here already, without Kafka; return how many seconds that took."""
    async with _table(dsn) as db:
        began_at = time.perf_counter()
        for first in range(0, len(records), _RECORDS_MAX):
            rows = [_row(record) for record in records[first : first + _RECORDS_MAX]]
            await db.copy_records_to_table("floor", schema_name="bench", columns=_COLUMNS, records=rows)
        return time.perf_counter() - began_at


class Follower:
    """The floor of a latency: takes records as they come and notes when each one's COPY was committed, by event id."""

    def __init__(self) -> None:
        self.seen_at: dict[str, float] = {}

    @asynccontextmanager
    async def following(self, bootstrap: str, dsn: str, since: Mapping[TopicPartition, int]) -> AsyncIterator[None]:
        """Follow these partitions while the block runs."""
        async with _table(dsn) as db, _reader(bootstrap) as consumer:
            consumer.assign(list(since))
            for tp, start in since.items():
                consumer.seek(tp, start)
            task = asyncio.create_task(self._follow(db, consumer))
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _follow(self, db: asyncpg.Connection, consumer: AIOKafkaConsumer) -> None:
        while True:
            polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_RECORDS_MAX)
            rows = [_row(record) for records in polled.values() for record in records]
            if rows:
                await db.copy_records_to_table("floor", schema_name="bench", columns=_COLUMNS, records=rows)
                now = time.perf_counter()
                self.seen_at.update((row[3], now) for row in rows)


def _row(record: Any) -> tuple[Any, ...]:
    context, data = envelope.read(record.headers, record.value)
    kind = kind_of_type(context.type)
    if kind is not None:
        msgspec.json.decode(data, type=kind.event)
    return record.topic, record.partition, record.offset, context.id, context.entity, context.key, data


@asynccontextmanager
async def _table(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(dsn)
    try:
        await db.execute(_TABLE)
        yield db
        await db.execute("DROP TABLE bench.floor")
    finally:
        await db.close()


@asynccontextmanager
async def _reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="none", fetch_max_wait_ms=50)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()
