"""How far everything is: what Kafka holds, what each service has handled and has yet to send, which instances say they are ready."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from torture.cancellation import EndedByItself, only_our_own
from torture.check.topology import SERVICES, TOPICS
from torture.rig.cluster import Cluster

LOOK_S_MAX: Final = 5.0
NOT_ANSWERING: Final = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.exceptions.PostgresError,
    asyncpg.exceptions.InterfaceError,
    asyncpg.exceptions.InternalClientError,
    httpx.HTTPError,
    EndedByItself,
)

Place = tuple[str, int]


@dataclass(slots=True)
class Books:
    """What one service's database says about its own progress."""

    positions: dict[Place, int]
    unpublished: int
    oldest_at: datetime | None
    held: int
    parked: int
    days: dict[str, Any] = field(default_factory=dict)


class Standing:
    """Looks at the cluster past all proxies; an answer that does not come is an exception of NOT_ANSWERING."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._kafka: AIOKafkaConsumer | None = None
        self._http = httpx.AsyncClient(timeout=2.5, trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()
        await self._drop_kafka()

    async def ends(self) -> dict[Place, int]:
        """One beyond the last record of every partition of every topic."""
        try:
            with only_our_own():
                return await self._ends()
        except NOT_ANSWERING:
            await self._drop_kafka()
            raise

    async def _ends(self) -> dict[Place, int]:
        async with asyncio.timeout(LOOK_S_MAX):
            if self._kafka is None:
                kafka = AIOKafkaConsumer(bootstrap_servers=self._cluster.bootstrap, request_timeout_ms=4000)
                self._kafka = kafka
                await kafka.start()
            places = [TopicPartition(topic, n) for topic in TOPICS for n in range(self._cluster.partitions)]
            return {(tp.topic, tp.partition): end for tp, end in (await self._kafka.end_offsets(places)).items()}

    async def books(self, service: str) -> Books:
        """Read the protocol's `chk` views of one database."""
        async with asyncio.timeout(LOOK_S_MAX):
            db = await asyncpg.connect(self._cluster.dsn(service), timeout=LOOK_S_MAX)
            try:
                positions = await db.fetch("SELECT topic, partition, next_offset FROM chk.position")
                outbox = await db.fetchrow("SELECT rows, oldest_at FROM chk.unpublished")
                held = await db.fetchval("SELECT coalesce(sum(rows), 0) FROM chk.held")
                parked = await db.fetchval("SELECT count(*) FROM chk.parked WHERE state = 'parked'")
                days = await db.fetch("SELECT entity, open_on, turning_on FROM chk.day")
            finally:
                await db.close()
        return Books(
            {(row["topic"], row["partition"]): row["next_offset"] for row in positions},
            outbox["rows"],
            outbox["oldest_at"],
            int(held),
            parked,
            {row["entity"]: (row["open_on"], row["turning_on"]) for row in days},
        )

    async def is_ready(self, instance: str) -> bool:
        """Whether an instance says that it can do its work."""
        with contextlib.suppress(httpx.HTTPError):
            return (await self._http.get(f"{self._cluster.url(instance)}/health/ready")).status_code == 200
        return False

    async def since_now(self) -> Callable[[], Awaitable[str | None]]:
        """
        Return a question: is everything that was in the log by now handled, all that was queued by now sent, every instance ready?

        Its answer is None, or what is still behind.
        """
        healed_at = datetime.fromtimestamp(time.time(), UTC)
        wanted: dict[Place, int] | None = None

        async def still_behind() -> str | None:
            nonlocal wanted
            try:
                wanted = wanted or await self.ends()
                for service in SERVICES:
                    books = await self.books(service)
                    if books.oldest_at is not None and books.oldest_at <= healed_at:
                        return f"{service} has yet to send {books.unpublished} facts"
                    late = [place for place, at in books.positions.items() if at < wanted.get(place, 0)]
                    if late or not books.positions:
                        return f"{service} has yet to hear {len(late)} partitions, {late[0] if late else 'all of them'}"
                unready = [name for name in self._cluster.names if not await self.is_ready(name)]
                return f"{', '.join(unready)} not ready" if unready else None
            except NOT_ANSWERING as error:
                return f"{type(error).__name__}: {error}"

        return still_behind

    async def _drop_kafka(self) -> None:
        kafka, self._kafka = self._kafka, None
        if kafka is not None:
            with contextlib.suppress(*NOT_ANSWERING), only_our_own():
                async with asyncio.timeout(3):
                    await kafka.stop()
