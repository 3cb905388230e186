"""
Rebuilding a read model from offset 0, beside the live one, which keeps serving (docs/messaging.md section 6).

The service gathers the same facts in schema `rebuild`, up to the positions of the live model (`service.Remake`). Then, with those
positions and the open days locked, the rest is gathered, all is added up into tables of the same names, and each is compared with the live
one by a hash of its rows. A table that differs is replaced in that transaction: readers see the old rows until it commits. What is parked
live is left out here, too. A crash at any point changes nothing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from events.fact import Event

from chassis import business_day, streams
from chassis.clock import Clock
from chassis.database import Connection, Database
from chassis.entities import Entities
from chassis.failpoints import fp
from chassis.record import Fresh, Record, classify
from chassis.service import Batch, Received, Remake, Service
from chassis.streams import Place
from chassis.unreadable import step_over

RECORDS_MAX = 5000
POLL_MS = 500
TOLD_EVERY = 100_000
SECONDS_MAX = 3600
"""How long one statement may take over a whole table."""

log = structlog.get_logger()


class RebuildRefused(Exception):
    """The model cannot be rebuilt; the message says why. The live one is as it was."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many facts were folded, and which tables of the live model were not what the facts say."""

    facts: int
    differing: tuple[str, ...]


class Rebuild:
    """One rebuild of one service's read model."""

    def __init__(self, service: Service, database: Database, entities: Entities, clock: Clock) -> None:
        if service.remake is None:
            raise RebuildRefused(f"{service.name} has no read model: its books are the source")
        self._service = service
        self._remake: Remake = service.remake
        self._database = database
        self._entities = entities
        self._clock = clock
        self._heads: dict[tuple[str, str], int] = {}
        self._facts = 0

    async def run(self, kafka: AIOKafkaConsumer, partitions: int) -> Rebuilt:
        """
        Gather, add up, compare and switch. `kafka` is started and belongs to no group.

        :raises RebuildRefused: the topics no longer hold what the live model has read.
        """
        places = [(topic, partition) for topic in self._service.subscriptions.forward for partition in range(partitions)]
        async with self._database.pool.acquire() as db:
            aside = {tuple(row) for row in await db.fetch("SELECT topic, partition, \"offset\" FROM chassis.parked WHERE state = 'parked'")}
            reached = dict.fromkeys(places, 0)
            goal = await streams.start_positions(db, places)
            await self._make_tables(db)
            await self._gather_up_to(db, kafka, reached, goal, aside)
            async with db.transaction():
                await self._gather_up_to(db, kafka, goal, await streams.lock_positions(db, places), aside)
                await business_day.share(db, self._entities.by_id)
                async with _aside(db):
                    await self._remake.add_up(db, self._clock())
                differing = tuple([table for table in self._service.read_model if not await self._same(db, table)])
                fp("rebuild.before_switch")
                for table in differing:
                    await db.execute(f"DELETE FROM public.{table}", timeout=SECONDS_MAX)
                    await db.execute(f"INSERT INTO public.{table} SELECT * FROM rebuild.{table}", timeout=SECONDS_MAX)
                await db.execute("DROP SCHEMA rebuild CASCADE")
        fp("rebuild.after_switch")
        return Rebuilt(self._facts, differing)

    async def _make_tables(self, db: Connection) -> None:
        await db.execute("DROP SCHEMA IF EXISTS rebuild CASCADE; CREATE SCHEMA rebuild")
        for table in self._service.read_model:
            await db.execute(f"CREATE UNLOGGED TABLE rebuild.{table} (LIKE public.{table})")
        async with db.transaction(), _aside(db):
            await self._remake.prepare(db)

    async def _gather_up_to(
        self, db: Connection, kafka: AIOKafkaConsumer, start: Mapping[Place, int], goal: Mapping[Place, int], aside: set[tuple[Any, ...]]
    ) -> None:
        async for records in read_between(kafka, start, goal):
            facts = [received for record in records if record.place not in aside and (received := self._received(record)) is not None]
            batch = Batch(self._service.name, self._clock(), self._entities, {})
            async with db.transaction(), _aside(db):
                await self._remake.gather(db, facts, batch)
            fp("rebuild.read")
            if self._facts // TOLD_EVERY != (self._facts + len(facts)) // TOLD_EVERY:
                log.info("rebuild.folded", facts=self._facts + len(facts))
            self._facts += len(facts)

    def _received(self, record: Record) -> Received[Any] | None:
        """A fact that the live model has applied, the first time it stands in its topic."""
        item = classify(record)
        if not isinstance(item, Fresh):
            return None
        stream, sequence = (record.topic, item.key), item.envelope.sequence or 0
        if sequence <= self._heads.get(stream, 0):
            return None
        self._heads[stream] = sequence
        if item.kind is None or item.kind.event not in self._service.subscriptions.handlers:
            return None
        booked_on = item.envelope.booked_on
        if item.entity is None or booked_on is None:
            raise RebuildRefused(f"{record.topic}/{record.partition} offset {record.offset} carries no entity or booked day")
        data = _decoder(item.kind.event).decode(item.data)
        return Received(data, item.envelope, item.entity, item.key, booked_on, record.topic, record.partition, record.offset)

    async def _same(self, db: Connection, table: str) -> bool:
        return await self._digest(db, f"public.{table}") == await self._digest(db, f"rebuild.{table}")

    async def _digest(self, db: Connection, table: str) -> tuple[int, int]:
        """Count the rows and add up a 64-bit hash of each, without the columns that tell when a row was written; no two rows are equal."""
        schema, _, name = table.partition(".")
        columns = await db.fetchval(
            """
            SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns
            WHERE table_schema = $1 AND table_name = $2 AND column_name <> ALL($3)
            """,
            schema,
            name,
            list(self._service.volatile),
        )
        row = await db.fetchrow(
            f"SELECT count(*) AS n, coalesce(sum(hash_record_extended(ROW({columns}), 0)), 0)::text AS hashes FROM {table}",
            timeout=SECONDS_MAX,
        )
        assert row is not None  # An aggregate has a row.
        return row["n"], int(row["hashes"])


@cache
def _decoder(event: type[Event]) -> "msgspec.json.Decoder[Event]":
    return msgspec.json.Decoder(event)


@asynccontextmanager
async def _aside(db: Connection) -> AsyncIterator[None]:
    """Have names mean the tables made anew while the block runs, in this transaction."""
    await db.execute("SET LOCAL search_path TO rebuild, public")
    yield
    await db.execute("SET LOCAL search_path TO DEFAULT")


async def read_between(kafka: AIOKafkaConsumer, start: Mapping[Place, int], goal: Mapping[Place, int]) -> AsyncIterator[Sequence[Record]]:
    """
    Read every partition from `start` to just before `goal`, in batches, each partition in order.

    :raises RebuildRefused: a partition no longer begins at its start, or ends before its goal.
    """
    wanted = {TopicPartition(*place): goal[place] for place in goal if goal[place] > start[place]}
    if not wanted:
        return
    beginnings, ends = await kafka.beginning_offsets(list(wanted)), await kafka.end_offsets(list(wanted))
    gone = [tp for tp in wanted if beginnings[tp] > start[tp.topic, tp.partition] or ends[tp] < wanted[tp]]
    if gone:
        raise RebuildRefused(f"{gone[0].topic}/{gone[0].partition} no longer holds everything from its first fact on: restore the topic")
    kafka.assign(list(wanted))
    reached = {(tp.topic, tp.partition): start[tp.topic, tp.partition] for tp in wanted}
    for place, offset in reached.items():
        kafka.seek(TopicPartition(*place), offset)
    while wanted:
        polled: Mapping[TopicPartition, Sequence[Any]]
        try:
            polled = await kafka.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
        except UnicodeDecodeError:
            polled = await step_over(kafka, reached, RECORDS_MAX)
        records = [
            Record(tp.topic, tp.partition, m.offset, m.key, m.value, m.headers)
            for tp, messages in polled.items()
            for m in messages
            if m.offset < goal[tp.topic, tp.partition]
        ]
        if records:
            yield records
        for tp, end in list(wanted.items()):
            reached[tp.topic, tp.partition] = await kafka.position(tp)
            if reached[tp.topic, tp.partition] >= end:
                del wanted[tp], reached[tp.topic, tp.partition]
                kafka.pause(tp)
