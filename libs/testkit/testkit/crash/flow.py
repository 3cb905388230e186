"""A service with empty books on a real Kafka and Postgres, which a test kills at a named place and starts again."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
from chassis.clock import system_clock
from chassis.record import Record
from events.fact import Event
from launcher import ports

from testkit.process import ServiceProcess, service_process
from testkit.tokens import TestKeys
from testkit.topic_log import PARTITIONS, is_whole, publisher, read_ends, read_topic
from testkit.world import House, declare

ENTITY = "US01"
FIRST_DAY = date(2025, 1, 1)
_LOOK_S = 0.02
_REST_S_MAX = 30


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a service is wired: the topics it hears, its own, and others it writes to."""

    service: str
    heard: Sequence[str]
    own: str
    others: Sequence[str] = ()

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.heard, self.own, *self.others]))


@dataclass
class Flow:
    """One service: what is told to it, and what it has made of it."""

    wiring: Wiring
    bootstrap: str
    environment: dict[str, str]
    log: Path
    keys: TestKeys

    @classmethod
    def of(cls, wiring: Wiring, *, bootstrap: str, database_url: str, folder: Path, keys: TestKeys) -> "Flow":
        """A service on these servers, where its topics are empty; `folder` takes its log and its entities file."""
        environment = {
            "DATABASE_URL": database_url,
            "KAFKA_BOOTSTRAP": bootstrap,
            "ENTITIES_FILE": str(declare(folder / "entities.toml", [House(ENTITY, FIRST_DAY)])),
            "JWT_KEYS_FILE": str(keys.file),
            "TOPIC_PARTITIONS": str(PARTITIONS),
            "SESSION_TIMEOUT_MS": "500",
            "FETCH_WAIT_MS": "20",
        }
        return cls(wiring, bootstrap, environment, folder / "service.log", keys)

    def process(self, fp: str = "", role: str = "all") -> AbstractContextManager[ServiceProcess]:
        """Run the service, its failpoints armed as `fp` says."""
        return service_process(self.wiring.service, {**self.environment, "HTTP_PORT": str(_free_port()), "FP": fp}, self.log, role)

    def headers(self, key: str | None = None) -> dict[str, str]:
        token = self.keys.token("operator-1", ("operator", "clerk"), system_clock())
        return {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}

    def told(self) -> str:
        """What the service has printed in all its lives."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def publish(self, events: Sequence[Event], *, pause_s: float = 0) -> None:
        """Publish facts as their owners would, one after the other where there is a pause."""
        asyncio.run(self._publish(events, pause_s))

    async def _publish(self, events: Sequence[Event], pause_s: float) -> None:
        async with publisher(self.bootstrap) as sent:
            if not pause_s:
                await sent.publish(events, booked_on=FIRST_DAY)
                return
            for event in events:
                await sent.publish([event], booked_on=FIRST_DAY)
                await asyncio.sleep(pause_s)

    def mark(self, topics: Sequence[str], day: date) -> None:
        """Publish the marker of a day into every partition of these topics, as the service that passes it on would."""
        asyncio.run(self._mark(topics, day))

    async def _mark(self, topics: Sequence[str], day: date) -> None:
        async with publisher(self.bootstrap) as sent:
            await sent.mark(topics, ENTITY, day)

    def ask(self, statement: str, *given: object) -> list[Any]:
        """Ask the service's database."""
        return asyncio.run(self._ask(statement, *given))

    async def _ask(self, statement: str, *given: object) -> list[Any]:
        async with self._connected() as db:
            return await db.fetch(statement, *given)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        db = await asyncpg.connect(self.environment["DATABASE_URL"])
        try:
            yield db
        finally:
            await db.close()

    def wait_until(self, process: ServiceProcess, true: Callable[[], bool]) -> bool:
        """
        Look again and again until something is true; False when the process has died before.

        :raises TimeoutError: neither, within half a minute.
        """
        deadline = time.monotonic() + _REST_S_MAX
        while process.is_alive:
            if true():
                return True
            if time.monotonic() > deadline:
                raise TimeoutError(self.told())
            time.sleep(_LOOK_S)
        return False

    def is_at_rest(self, open_on: date) -> bool:
        """Whether all was heard, all was said, and this day is open."""
        rows = self.ask("SELECT topic, partition, next_offset FROM chk.position")
        heard = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        ((unpublished, opened_on),) = self.ask(
            "SELECT (SELECT rows FROM chk.unpublished), (SELECT open_on FROM chk.day WHERE entity = $1)", ENTITY
        )
        return unpublished == 0 and opened_on == open_on and heard == asyncio.run(read_ends(self.bootstrap, self.wiring.heard))

    def said(self) -> list[Record]:
        """Everything that stands in the service's own topic."""
        return asyncio.run(read_topic(self.bootstrap, self.wiring.own))

    def is_log_whole(self, records: Sequence[Record]) -> bool:
        """Whether the log holds the sequences of every key from 1 to its head, first occurrences in this order."""
        return is_whole(records, {row["key"]: row["sequence"] for row in self.ask("SELECT key, sequence FROM chk.stream_head")})


def _free_port() -> int:
    with socket.create_server((ports.HOST, 0)) as server:
        return int(server.getsockname()[1])
