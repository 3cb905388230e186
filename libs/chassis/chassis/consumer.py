"""
The consumer: polls Kafka, delivers micro-batches, turns days, never guesses (docs/messaging.md section 4).

The `position` table is the truth; the group offset only follows, for those who watch the lag. A batch that fails for good is halved until
the culprit stands alone and is set aside; what is transient is tried again with a growing pause, while Kafka is still being polled.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from chassis import streams
from chassis.database import TRANSIENT
from chassis.delivery import Delivery
from chassis.failpoints import fp
from chassis.intake import RECORDS_MAX, Intake, MustStop
from chassis.metrics import metrics
from chassis.record import Record
from chassis.strangers import cancelled_by_a_stranger, outcome_of
from chassis.streams import Place
from chassis.turning import Turner
from chassis.unreadable import step_over

POLL_MS = 500
RETRY_S_FIRST, RETRY_S_MAX = 0.1, 30.0
HELD_PER_PARTITION_MAX = 100_000
STUCK_S_MAX = 60.0
COMMIT_EVERY_S, COMMIT_S_MAX = 1.0, 2.0
LEFT_OVER_PAUSE_S = 0.05
WATCH_EVERY_S, PROBE_S_MAX = 15.0, 5.0
STOP_S_MAX = 3.0

log = structlog.get_logger()
ResultT = TypeVar("ResultT")


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

    def __init__(
        self,
        build: Callable[[], AIOKafkaConsumer],
        delivery: Delivery,
        turner: Turner,
        partitions: int,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._build = build
        self._jitter = jitter
        self._delivery = delivery
        self._partitions = partitions
        self._topics = delivery.service.subscriptions.topics
        self._kafka: AIOKafkaConsumer | None = None
        self._in_flight = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._assignment_failed: Exception | None = None
        self._assigned: set[Place] = set()
        self._intake = Intake(delivery, turner)
        self._stood: dict[Place, tuple[int, float]] = {}  # Where a partition with records waiting stood, and since when.
        self._committed: dict[Place, int] = {}
        self._paused: set[Place] = set()
        self._committed_at = self._watched_at = 0.0
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
                await self._unless_stopped(kafka.start())
                if self._stopping.is_set():
                    return
                self._check_partitions(kafka)
                self._kafka = kafka
                pause_s = RETRY_S_FIRST
                await self._consume(kafka)
            except (KafkaError, ConsumerStoppedError, asyncio.CancelledError, *TRANSIENT) as error:
                if isinstance(error, asyncio.CancelledError) and not cancelled_by_a_stranger():
                    raise
                log.warning("consumer.retry", error=f"{type(error).__name__}: {error}", pause_s=round(pause_s, 1))
                await self._pause(pause_s)
                pause_s = min(pause_s * 2, RETRY_S_MAX)
            finally:
                self._kafka = None
                self._intake.clear()
                if (trouble := await outcome_of(kafka.stop(), STOP_S_MAX)) is not None:
                    log.warning("consumer.client_left", error=trouble)

    def stop(self) -> None:
        """Stop polling; the transaction in flight is finished first."""
        self._stopping.set()
        self._intake.interrupt()

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
            self._stood.clear()
            self._paused.clear()
        except Exception as error:  # aiokafka swallows what a listener raises: it is raised by the loop instead.
            self._assignment_failed = error

    async def let_go(self, revoked: Sequence[TopicPartition]) -> None:
        """Wait for the batch in flight, then forget what was polled."""
        metrics.rebalances.labels("in flight" if self._in_flight.locked() else "none").inc()
        self._intake.interrupt()
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
            await asyncio.wait_for(self._stopping.wait(), seconds * self._jitter(0.7, 1.3))
        self.retrying = False

    def _check_partitions(self, kafka: AIOKafkaConsumer) -> None:
        for topic in self._topics:
            found = kafka.partitions_for_topic(topic)
            if found is None or len(found) != self._partitions:
                count = len(found) if found else 0
                raise MustStop(f"topic {topic} has {count} partitions and TOPIC_PARTITIONS says {self._partitions}: the count is pinned")

    async def _unless_stopped(self, waiting: Coroutine[Any, Any, ResultT]) -> ResultT | None:
        """Wait for what may wait without end (a hanging broker; getmany while partitions are reassigned), but no longer than we live."""
        task, stopping = asyncio.ensure_future(waiting), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            stopping.cancel()

    async def _consume(self, kafka: AIOKafkaConsumer) -> None:
        pause_s = RETRY_S_FIRST
        try:
            while not self._stopping.is_set():
                self.alive_at = asyncio.get_running_loop().time()
                if self._assignment_failed is not None:
                    failed, self._assignment_failed = self._assignment_failed, None
                    raise failed
                polled = await self._poll(kafka)
                try:
                    async with self._in_flight:
                        self._keep(polled)
                        fp("consumer.polled")
                        await self._work_off()
                    pause_s = RETRY_S_FIRST
                except TRANSIENT as error:
                    log.warning("consumer.retry", error=f"{type(error).__name__}: {error}", pause_s=round(pause_s, 1))
                    await self._pause(pause_s)  # Outside the lock: who takes partitions from us must not wait for the database.
                    pause_s = min(pause_s * 2, RETRY_S_MAX)
                    continue
                await self._housekeeping(kafka)
        finally:
            await self._commit(kafka)

    async def _poll(self, kafka: AIOKafkaConsumer) -> Mapping[TopicPartition, Sequence[Any]]:
        """
        Fetch more when nothing is left over; otherwise only show the group that we live.

        aiokafka starts a partition at the group's offset, if there is one, until `take_over` seeks to ours: what goes wrong before that
        is no concern of ours, and nothing is lost. Where `take_over` ends during a poll, what was fetched before it sought cannot be told
        from what came after: all of it is dropped and fetched again.

        :raises MustStop: our own next offset is gone.
        """
        left_over, assigned = not self._intake.is_empty, self._assigned
        if left_over:
            kafka.pause(*kafka.assignment())
        else:
            kafka.resume(*[tp for tp in kafka.assignment() if (tp.topic, tp.partition) not in self._paused])
        polled: Mapping[TopicPartition, Sequence[Any]] | None
        try:
            polled = await self._unless_stopped(kafka.getmany(timeout_ms=0 if left_over else POLL_MS, max_records=RECORDS_MAX))
        except NoOffsetForPartitionError:
            polled = None
        except UnicodeDecodeError:
            reached = {place: self._intake.reached[place] for place in self._assigned - self._paused}
            polled = await self._unless_stopped(step_over(kafka, reached, RECORDS_MAX))
        except OffsetOutOfRangeError as error:
            polled = None
            for tp, offset in error.args[0].items():
                if (tp.topic, tp.partition) in self._assigned and await kafka.position(tp) == offset:
                    raise MustStop(
                        f"Kafka no longer holds {tp.topic}/{tp.partition} from offset {offset}, which this service has yet to read:"
                        " restore the topic or rebuild this database"
                    ) from error
        if polled and self._assigned is not assigned:
            for tp in polled.keys() & kafka.assignment():
                if (tp.topic, tp.partition) in self._assigned:
                    kafka.seek(tp, self._intake.reached[tp.topic, tp.partition])
            return {}
        return polled or {}

    def _keep(self, polled: Mapping[TopicPartition, Sequence[Any]]) -> None:
        for tp, messages in polled.items():
            place = (tp.topic, tp.partition)
            if place not in self._assigned:
                continue  # Revoked meanwhile, or not yet at our position: whoever owns it reads it from there.
            self._intake.keep(place, (Record(tp.topic, tp.partition, m.offset, m.key, m.value, m.headers) for m in messages))

    async def _work_off(self) -> None:
        """Work off what was polled, if anything; days and held records are looked at each second all the same."""
        await self._intake.work_off(self._assigned)
        if not self._intake.is_empty:
            await asyncio.sleep(LEFT_OVER_PAUSE_S)

    async def _housekeeping(self, kafka: AIOKafkaConsumer) -> None:
        """What is due now and then: group offsets, a watch over stuck partitions, a bound on what is held."""
        now = asyncio.get_running_loop().time()
        if now - self._committed_at >= COMMIT_EVERY_S:
            self._committed_at = now
            await self._commit(kafka)
        if now - self._watched_at >= WATCH_EVERY_S:
            self._watched_at = now
            await self._watch(kafka, now)
            await self._bound_held(kafka)

    async def _commit(self, kafka: AIOKafkaConsumer) -> None:
        """
        Let the group offsets follow our positions, for partitions still assigned.

        They only tell others how far we are: a commit refused during a rebalance, or not answered, is tried again with the next.
        """
        fp("consumer.before_kafka_commit")
        moved = {p: n for p, n in self._intake.reached.items() if p in self._assigned and self._committed.get(p) != n}
        if moved:
            offsets = {TopicPartition(*place): next_offset for place, next_offset in moved.items()}
            if (trouble := await outcome_of(kafka.commit(offsets), COMMIT_S_MAX, cancel=False)) is None:
                self._committed.update(moved)
            else:
                log.warning("consumer.offsets_not_committed", error=trouble)
        fp("consumer.after_kafka_commit")

    async def _watch(self, kafka: AIOKafkaConsumer, now: float) -> None:
        """
        Show the lag, and stop the process when a partition that should move does not: aiokafka may wait for ever after a rebalance.

        The fetch position counts, not ours: it also passes what is no record, such as the end of somebody's Kafka transaction.
        """
        for topic, partition in sorted(self._assigned):
            place, tp = (topic, partition), TopicPartition(topic, partition)
            at = await kafka.position(tp) if self._intake.is_empty else self._intake.reached.get(place, 0)
            lag = max(0, (kafka.highwater(tp) or 0) - at)
            metrics.lag.labels(topic, str(partition)).set(lag)
            stood_at, since = self._stood.get(place, (at, now))
            if not lag or at != stood_at or place in self._paused:
                self._stood.pop(place, None)
                continue
            self._stood[place] = (stood_at, since)
            if now - since > STUCK_S_MAX and await self._broker_has_more(kafka, tp, at):
                raise MustStop(
                    f"{topic}/{partition} has not moved for {STUCK_S_MAX:.0f} s with {lag} records waiting: restart this process"
                )

    async def _broker_has_more(self, kafka: AIOKafkaConsumer, tp: TopicPartition, at: int) -> bool:
        """Ask the broker: where it does not answer, it is not we who are stuck."""
        try:
            async with asyncio.timeout(PROBE_S_MAX):
                return bool((await kafka.end_offsets([tp]))[tp] > at)
        except (KafkaError, TimeoutError):
            return False

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
