"""
The relay: drains the outbox in id order, sends, deletes what was acknowledged (docs/messaging.md section 3).

One leader per service by an advisory lock on its own connection. The lock only saves duplicates: consumers drop what they have seen.
On any send error the rest of the batch is left, the producer is closed with a bound and built anew: a burnt sequence number of the
idempotent producer would refuse every later batch.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from chassis.database import TRANSIENT, Connection
from chassis.failpoints import fp
from chassis.metrics import metrics
from chassis.outbox import CHANNEL, Wake, unpack_headers
from chassis.strangers import cancelled_by_a_stranger, outcome_of

LEADER_LOCK = 3  # Advisory lock of the relay's leader, on its own connection for as long as it leads.
ROWS_MAX = 1000
POLL_S = 1.0
SEND_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 3.0
RETRY_S_FIRST, RETRY_S_MAX = 0.1, 30.0

log = structlog.get_logger()


class SendFailed(Exception):
    """Kafka did not acknowledge; the rows stay and the producer has to be built anew."""


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key, as Java's and aiokafka's default partitioner choose it (murmur2)."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % partitions


class Relay:
    """
    Sends what the outbox holds, for ever, until stopped.

    `producer` builds a started-able aiokafka producer; `partitions` is the pinned partition count of every topic; `connect` opens the
    connection that leads.
    """

    def __init__(
        self,
        database_url: str,
        producer: Callable[[], AIOKafkaProducer],
        wake: Wake,
        partitions: int,
        connect: Callable[..., Awaitable[asyncpg.Connection]] = asyncpg.connect,
    ) -> None:
        self._url = database_url
        self._connect = connect
        self._build = producer
        self._wake = wake
        self._partitions = partitions
        self._producer: AIOKafkaProducer | None = None
        self._stopping = asyncio.Event()
        self._pause_s = RETRY_S_FIRST
        self.leading = False

    async def run(self) -> None:
        """Lead or wait to lead; survive every loss of Postgres and Kafka."""
        while not self._stopping.is_set():
            try:
                await self._lead()
            except (*TRANSIENT, KafkaError, SendFailed, asyncpg.exceptions.PostgresError, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and not cancelled_by_a_stranger():
                    raise
                log.warning("relay.retry", error=f"{type(error).__name__}: {error}", pause_s=round(self._pause_s, 1))
                await _wait(self._stopping, self._pause_s)  # Not for a wake: commits go on while Kafka is down.
                self._pause_s = min(self._pause_s * 2, RETRY_S_MAX)

    async def stop(self) -> None:
        """Let the batch in flight be acknowledged and deleted, then close the producer, each with a bound."""
        self._stopping.set()
        self._wake.set()

    async def _lead(self) -> None:
        connection = await self._connect(self._url, timeout=10, command_timeout=60)
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK):
                await _wait(self._wake, POLL_S)
                self._wake.clear()
                if self._stopping.is_set():
                    return
            self.leading = True
            fp("relay.leader_got")
            await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
            while not self._stopping.is_set():
                self._wake.clear()
                while await self._drain(connection) == ROWS_MAX:
                    pass
                self._pause_s = RETRY_S_FIRST  # What was wrong is over: a loss next month has nothing to do with it.
                await _wait(self._wake, POLL_S)
            await self._drain(connection)
        finally:
            self.leading = False
            await self._close_producer()
            with contextlib.suppress(*TRANSIENT):
                await asyncio.wait_for(connection.close(), CLOSE_TIMEOUT_S)

    async def _drain(self, connection: Connection) -> int:
        """Send up to ROWS_MAX rows, all that is there in id order, and delete them; return how many."""
        rows = await connection.fetch(
            "SELECT id, topic, key, partition, headers, value, queued_at FROM chassis.outbox ORDER BY id LIMIT $1", ROWS_MAX
        )
        metrics.outbox_depth.set(len(rows))
        if not rows:
            return 0
        fp("relay.read")
        producer = await self._started()
        await self._send(producer, rows)
        fp("relay.before_delete")
        await connection.execute("DELETE FROM chassis.outbox WHERE id = ANY($1)", [row["id"] for row in rows])
        fp("relay.after_delete")
        metrics.relayed.inc(len(rows))
        return len(rows)

    async def _send(self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> None:
        by_partition: dict[tuple[str, int], list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            partition = row["partition"] if row["partition"] is not None else partition_of(row["key"], self._partitions)
            by_partition[row["topic"], partition].append(row)
        sent: list[asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                for (topic, partition), members in by_partition.items():
                    sent += await self._send_partition(producer, topic, partition, members)
                    fp("relay.sent_some")
                await asyncio.gather(*sent)
        except (KafkaError, TimeoutError, OSError) as error:
            for future in sent:
                future.add_done_callback(_look_at)
            raise SendFailed(f"Kafka did not acknowledge: {type(error).__name__}: {error}") from error
        fp("relay.sent_all")

    async def _send_partition(
        self, producer: AIOKafkaProducer, topic: str, partition: int, rows: Sequence[asyncpg.Record]
    ) -> list["asyncio.Future[object]"]:
        """Fill as many batches as the rows need and hand them over in order."""
        futures: list[asyncio.Future[object]] = []
        batch = producer.create_batch()
        for row in rows:
            headers = unpack_headers(row["headers"])
            key = row["key"].encode()
            if batch.append(key=key, value=row["value"], timestamp=None, headers=headers) is None:
                futures.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                if batch.append(key=key, value=row["value"], timestamp=None, headers=headers) is None:
                    raise SendFailed(f"row {row['id']} fits no batch")
        futures.append(await producer.send_batch(batch, topic, partition=partition))
        return futures

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = self._build()
            await asyncio.wait_for(self._producer.start(), SEND_TIMEOUT_S)
            metrics.producers_built.inc()
        return self._producer

    async def _close_producer(self) -> None:
        """Close with a bound: a producer that has lost its broker may wait for ever to flush."""
        if self._producer is None:
            return
        producer, self._producer = self._producer, None
        if (trouble := await outcome_of(producer.stop(), CLOSE_TIMEOUT_S)) is not None:
            log.warning("relay.producer_left", error=trouble)
            await _cut_off(producer)
        fp("relay.producer_closed")


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def _look_at(future: "asyncio.Future[object]") -> None:
    """Take note of how a send ended that nobody waits for any more, or asyncio complains."""
    if not future.cancelled():
        future.exception()


async def _cut_off(producer: AIOKafkaProducer) -> None:
    """
    Do what is left of `stop` when it was cut short waiting to flush; aiokafka has no public way to it.

    Otherwise its sender would go on trying, and keep its sockets, for as long as the process lives: one more with every outage.
    """
    with contextlib.suppress(TimeoutError, KafkaError, OSError):
        await asyncio.wait_for(producer.client.close(), CLOSE_TIMEOUT_S)
    waiting = producer._message_accumulator
    for batch in [*(batch for batches in waiting._batches.values() for batch in batches), *waiting._pending_batches]:
        batch.done_noack()  # Nobody asks any more, but its flush still waits.
    for _ in range(2):  # Once for the sender itself, once for the request it then waits for.
        if (sender := producer._sender.sender_task) is not None:
            sender.cancel()
        await asyncio.sleep(0)
