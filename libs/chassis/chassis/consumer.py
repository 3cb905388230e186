"""
The consumer: polls Kafka, delivers micro-batches, turns days, never guesses (docs/messaging.md section 4).

The `position` table is the truth; the group offset only follows, for those who watch the lag. A batch that fails for good is halved until
the culprit stands alone and is set aside; what is transient is tried again with a growing pause, while Kafka is still being polled.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError

from chassis import streams
from chassis.database import TRANSIENT
from chassis.delivery import Delivery
from chassis.failpoints import fp
from chassis.intake import RECORDS_MAX, Intake, MustStop
from chassis.metrics import metrics
from chassis.record import Record
from chassis.streams import Place
from chassis.turning import Turner

POLL_MS = 500
RETRY_S_FIRST, RETRY_S_MAX = 0.1, 30.0
HELD_PER_PARTITION_MAX = 100_000
STUCK_S_MAX = 60.0
COMMIT_EVERY_S = 1.0
LOOK_EVERY_S = 1.0
WATCH_EVERY_S = 15.0
STOP_S_MAX = 5.0

log = structlog.get_logger()


class _Assignments(ConsumerRebalanceListener):
    """Seeks to the position table when partitions come, waits for the batch in flight when they go; never raises, it would be swallowed."""

    def __init__(self, owner: "Consumer") -> None:
        self._owner = owner

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        await self._owner.take_over(assigned)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        await self._owner.let_go(revoked)


class Consumer:
    """Runs one service's subscriptions until stopped."""

    def __init__(self, build: Callable[[], AIOKafkaConsumer], delivery: Delivery, turner: Turner, partitions: int) -> None:
        self._build = build
        self._delivery = delivery
        self._partitions = partitions
        self._topics = delivery.service.subscriptions.topics
        self._kafka: AIOKafkaConsumer | None = None
        self._in_flight = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._assignment_failed: Exception | None = None
        self._assigned: set[Place] = set()
        self._intake = Intake(delivery, turner)
        self._moved_at: dict[Place, float] = {}
        self._committed: dict[Place, int] = {}
        self._paused: set[Place] = set()
        self._committed_at = self._looked_at = self._watched_at = 0.0
        self.retrying = False
        self.alive_at = 0.0

    async def run(self) -> None:
        """
        Consume until stopped; rebuild the Kafka client after it has failed.

        :raises MustStop: offsets are gone, the partition count differs, or too many records in a row had to be set aside.
        """
        pause_s = RETRY_S_FIRST
        while not self._stopping.is_set():
            kafka = self._build()
            try:
                kafka.subscribe(topics=list(self._topics), listener=_Assignments(self))
                await kafka.start()
                await self._check_partitions(kafka)
                self._kafka = kafka
                pause_s = RETRY_S_FIRST
                await self._consume(kafka)
            except OffsetOutOfRangeError as error:
                raise MustStop(
                    f"Kafka no longer holds what this service has yet to read ({error}): restore the topic or rebuild this database"
                ) from error
            except (KafkaError, ConsumerStoppedError, *TRANSIENT) as error:
                log.warning("consumer.retry", error=f"{type(error).__name__}: {error}", pause_s=round(pause_s, 1))
                await self._pause(pause_s)
                pause_s = min(pause_s * 2, RETRY_S_MAX)
            finally:
                self._kafka = None
                self._intake.clear()
                with contextlib.suppress(TimeoutError, KafkaError, OSError):
                    await asyncio.wait_for(kafka.stop(), STOP_S_MAX)

    def stop(self) -> None:
        """Stop polling; the transaction in flight is finished first."""
        self._stopping.set()

    @property
    def is_assigned(self) -> bool:
        """Whether the group has given this process partitions."""
        return self._kafka is not None and bool(self._assigned)

    async def take_over(self, assigned: Sequence[TopicPartition]) -> None:
        """Seek every assigned partition to our own position."""
        places = {(tp.topic, tp.partition) for tp in assigned}
        try:
            async with self._delivery.database.transaction() as db:
                positions = await streams.start_positions(db, places)
            for tp in assigned:
                self._kafka_or_stopping().seek(tp, positions[tp.topic, tp.partition])
            self._assigned = places
            self._intake.reached = dict(positions)
            self._committed = {}
            self._moved_at = dict.fromkeys(places, time.monotonic())
            self._paused.clear()
        except Exception as error:  # aiokafka swallows what a listener raises: it is raised by the loop instead.
            self._assignment_failed = error

    async def let_go(self, revoked: Sequence[TopicPartition]) -> None:
        """Wait for the batch in flight, then forget what was polled."""
        async with self._in_flight:
            fp("consumer.revoked")
            self._intake.clear()
            self._assigned = set()

    def _kafka_or_stopping(self) -> AIOKafkaConsumer:
        if self._kafka is None:
            raise ConsumerStoppedError
        return self._kafka

    async def _pause(self, seconds: float) -> None:
        self.retrying = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds * random.uniform(0.7, 1.3))
        self.retrying = False

    async def _check_partitions(self, kafka: AIOKafkaConsumer) -> None:
        for topic in self._topics:
            found = kafka.partitions_for_topic(topic)
            if found is None or len(found) != self._partitions:
                count = len(found) if found else 0
                raise MustStop(f"topic {topic} has {count} partitions and TOPIC_PARTITIONS says {self._partitions}: the count is pinned")

    async def _consume(self, kafka: AIOKafkaConsumer) -> None:
        try:
            while not self._stopping.is_set():
                self.alive_at = time.monotonic()
                if self._assignment_failed is not None:
                    failed, self._assignment_failed = self._assignment_failed, None
                    raise failed
                polled = await kafka.getmany(timeout_ms=POLL_MS, max_records=RECORDS_MAX)
                async with self._in_flight:
                    self._keep(polled)
                    fp("consumer.polled")
                    await self._work_off(kafka)
                await self._housekeeping(kafka)
        finally:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._commit(kafka), STOP_S_MAX)

    def _keep(self, polled: Mapping[TopicPartition, Sequence[Any]]) -> None:
        now = time.monotonic()
        for tp, messages in polled.items():
            place = (tp.topic, tp.partition)
            if place not in self._assigned:
                continue  # Revoked meanwhile: its next owner reads it from our position.
            self._moved_at[place] = now
            self._intake.keep(place, (Record(tp.topic, tp.partition, m.offset, m.key, m.value, m.headers) for m in messages))

    async def _work_off(self, kafka: AIOKafkaConsumer) -> None:
        """Work off what was polled; look at days and held records at least once a second even when nothing was."""
        now = time.monotonic()
        if self._intake.is_empty and now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        pause_s = RETRY_S_FIRST
        while not self._stopping.is_set():
            try:
                await self._intake.work_off(self._assigned)
                return
            except TRANSIENT as error:
                log.warning("consumer.retry", error=f"{type(error).__name__}: {error}", pause_s=round(pause_s, 1))
                await self._pause(pause_s)
                pause_s = min(pause_s * 2, RETRY_S_MAX)
                await self._keep_alive(kafka)

    async def _keep_alive(self, kafka: AIOKafkaConsumer) -> None:
        """While the database is away, go on calling getmany with everything paused: the group must not think us dead."""
        everything = [TopicPartition(topic, partition) for topic, partition in self._assigned]
        kafka.pause(*everything)
        await kafka.getmany(timeout_ms=0)
        kafka.resume(*[tp for tp in everything if (tp.topic, tp.partition) not in self._paused])

    async def _housekeeping(self, kafka: AIOKafkaConsumer) -> None:
        """What is due now and then: group offsets, a watch over stuck partitions, a bound on what is held."""
        now = time.monotonic()
        if now - self._committed_at >= COMMIT_EVERY_S:
            self._committed_at = now
            await self._commit(kafka)
        if now - self._watched_at >= WATCH_EVERY_S:
            self._watched_at = now
            self._watch(kafka, now)
            await self._bound_held(kafka)

    async def _commit(self, kafka: AIOKafkaConsumer) -> None:
        """Let the group offsets follow our positions, for partitions still assigned."""
        fp("consumer.before_kafka_commit")
        moved = {p: n for p, n in self._intake.reached.items() if p in self._assigned and self._committed.get(p) != n}
        if moved:
            await kafka.commit({TopicPartition(*place): next_offset for place, next_offset in moved.items()})
            self._committed.update(moved)
        fp("consumer.after_kafka_commit")

    def _watch(self, kafka: AIOKafkaConsumer, now: float) -> None:
        """Show the lag, and stop the process when a partition that should move does not: aiokafka may wait for ever after a rebalance."""
        for topic, partition in self._assigned:
            tp = TopicPartition(topic, partition)
            lag = max(0, (kafka.highwater(tp) or 0) - self._intake.reached.get((topic, partition), 0))
            metrics.lag.labels(topic, str(partition)).set(lag)
            stuck = lag and (topic, partition) not in self._paused and now - self._moved_at[topic, partition] > STUCK_S_MAX
            if stuck and not self.retrying:
                raise MustStop(
                    f"{topic}/{partition} has not moved for {STUCK_S_MAX:.0f} s with {lag} records waiting: restart this process"
                )

    async def _bound_held(self, kafka: AIOKafkaConsumer) -> None:
        """Stop fetching a partition that holds too much; go on when it has shrunk to half."""
        async with self._delivery.database.pool.acquire() as db:
            held = await streams.held_counts(db)
        too_much = {p for p in self._assigned if held.get(p, 0) > HELD_PER_PARTITION_MAX}
        shrunk = {p for p in self._paused if held.get(p, 0) <= HELD_PER_PARTITION_MAX // 2}
        if too_much - self._paused:
            log.error("consumer.paused", partitions=sorted(too_much - self._paused), held_max=HELD_PER_PARTITION_MAX)
            kafka.pause(*[TopicPartition(*place) for place in too_much - self._paused])
        if shrunk:
            kafka.resume(*[TopicPartition(*place) for place in shrunk])
        self._paused = (self._paused | too_much) - shrunk
