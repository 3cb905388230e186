"""The race track: a stack of its own with clean books, watched from outside through Kafka, the `chk` views and /proc."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import httpx
from launcher import ports
from launcher.databases import Cluster
from launcher.folders import State, checkout
from launcher.servers import Servers
from launcher.stack import Stack, Urls
from launcher.topics import PARTITIONS
from launcher.trouble import Trouble

from bench import kafka, processes
from bench.case import Round
from bench.facts import ENTITY, OPENS_ON, Told
from bench.kafka import Kafka

LOOK_SECONDS: Final = 0.05
_STUCK_SECONDS: Final = 60
APPLICATION: Final = "bench"
_PATIENCE: Final = "PT0S"  # For ever: a day must not open without its markers because a machine is slow.
_ENTITIES: Final = f"""\
# Written by the bench.
[entities.{ENTITY}]
currency = "USD"
time_zone = "America/New_York"
calendar = "US"
opens_on = {OPENS_ON}
sources = []
day_starts = "told"
"""


class Stuck(Trouble):
    """The services stopped moving before they had caught up."""

    def __init__(self, standing: str) -> None:
        super().__init__(f"The services have not moved for {_STUCK_SECONDS} s ({standing}): look at the logs in .local/bench/logs.")


@dataclass(slots=True)
class Usage:
    """What a measured part used: seconds, CPU microseconds by process (Postgres backends by database), and what was resident at its end."""

    seconds: float = 0.0
    cpu_us: dict[str, int] = field(default_factory=dict)
    rss_mib: dict[str, float] = field(default_factory=dict)

    def per(self, n: int) -> dict[str, float]:
        """Return CPU microseconds per event by process."""
        return {name: round(used / n, 1) for name, used in sorted(self.cpu_us.items())}

    def round_of(self, n: int) -> Round:
        """Return the round that so many events made of it."""
        return Round(n, self.seconds, self.per(n), self.rss_mib)


def build(port_base: int, say: Callable[[str], None]) -> Stack:
    """Return the bench's own stack, in its own state folder and on its own ports, not started."""
    state = State(checkout() / ".local" / "bench")
    state.prepare()
    entities = state.folder / "entities.toml"
    if not entities.exists() or entities.read_text() != _ENTITIES:
        entities.write_text(_ENTITIES)
    return Stack(entities=entities, state=state.folder, port_base=port_base, say=say, full_jit=True, environment={"PATIENCE": _PATIENCE})


class Track:
    """A running stack with everything that was told to it."""

    def __init__(self, stack: Stack, urls: Urls, kafka: Kafka, dbs: Mapping[str, asyncpg.Connection], http: httpx.AsyncClient) -> None:
        self.stack = stack
        self.urls = urls
        self.kafka = kafka
        self.dbs = dict(dbs)
        self.told = Told()
        self.started_on = OPENS_ON - timedelta(days=1)
        self.guests: dict[int, str] = {}  # Processes that a case has started, by name.
        self._http = http

    @property
    def services(self) -> tuple[str, ...]:
        """Name the deployed services."""
        return tuple(self.urls.services)

    @property
    def logs(self) -> Path:
        return self.stack.state.logs

    async def names(self) -> dict[int, str]:
        """Name every process that takes part; a Postgres backend is named after its database."""
        parts = {part.name: part.pid for part in await asyncio.to_thread(self.stack.status) if part.pid}
        named = {os.getpid(): APPLICATION, **self.guests, **{pid: name for name, pid in parts.items()}}
        if "postgres" in parts:
            named.update(dict.fromkeys(processes.children_of(parts["postgres"]), "pg:other"))
            rows = await self.dbs["reporting"].fetch(
                "SELECT pid, CASE application_name WHEN $1 THEN $1 ELSE datname END AS name FROM pg_stat_activity WHERE datname > ''",
                APPLICATION,
            )
            named.update({row["pid"]: f"pg:{row['name'].removeprefix('receivables_')}" for row in rows if row["pid"] in named})
        return named

    @asynccontextmanager
    async def measured(self) -> AsyncIterator[Usage]:
        """Count the CPU that every process uses while the block runs, and the seconds."""
        usage, before_pids = Usage(), await self.names()
        before, began_at = processes.cpu_us(before_pids), time.perf_counter()
        yield usage
        usage.seconds = time.perf_counter() - began_at
        names = before_pids | await self.names()
        usage.cpu_us = processes.used_by_name(before, processes.cpu_us(names), names)
        resident = {name: processes.memory_of(pid) for pid, name in names.items() if not name.startswith("pg:")}  # Backends share theirs.
        usage.rss_mib = {name: round(memory.rss_kib / 1024, 1) for name, memory in resident.items() if memory is not None}

    async def standing(self, service: str) -> tuple[dict[str, int], int]:
        """Say how many records of each topic a service has handled, and how many facts it has yet to send."""
        rows = await self.dbs[service].fetch("SELECT topic, sum(next_offset)::bigint AS n FROM chk.position GROUP BY topic")
        waiting: int = await self.dbs[service].fetchval("SELECT rows FROM chk.unpublished")
        return {row["topic"]: row["n"] for row in rows}, waiting

    async def catch_up(self, watch: Callable[[int], None] = lambda _: None) -> None:
        """
        Wait until every service has handled all that is in its topics and has sent all that follows from it.

        `watch` is told how many records of all topics have been handled by all services together.

        :raises Stuck: nothing has moved for a minute.
        """
        before = kafka.by_topic(await self.kafka.ends())
        handled_last, moved_at = -1, time.monotonic()
        while True:
            handled, behind = 0, []
            for service in self.services:
                positions, waiting = await self.standing(service)
                handled += sum(positions.values())
                late = {topic: f"{n} of {before[topic]}" for topic, n in positions.items() if n != before[topic]}
                if waiting or late:
                    behind.append(f"{service} with {waiting} facts to send, {late} handled")
            after = kafka.by_topic(await self.kafka.ends())
            watch(handled)
            if not behind and after == before:
                return
            before = after
            if handled != handled_last:
                handled_last, moved_at = handled, time.monotonic()
            elif time.monotonic() - moved_at > _STUCK_SECONDS:
                raise Stuck("; ".join(behind))
            await asyncio.sleep(LOOK_SECONDS)

    async def start_day(self, day: date) -> None:
        """
        Start business days up to and including one, as an operator does.

        :raises Trouble: the invoice service refused.
        """
        token = self.stack.token("bench", ["operator"], now=int(time.time()))
        answer = await self._http.post(
            f"{self.urls.services['invoice']}/v1/business-days",
            json={"entity": ENTITY, "date": str(day)},
            headers={"Authorization": f"Bearer {token}"},
        )
        if answer.is_error:
            raise Trouble(f"The invoice service did not start {day}: {answer.text}")
        self.started_on = day

    async def complete_up_to(self) -> date:
        """Ask the read model for its last closed day."""
        day: date = await self.dbs["reporting"].fetchval("SELECT complete_up_to FROM chk.day WHERE entity = $1", ENTITY)
        return day

    def environment(self, dsn: str, port: int) -> dict[str, str]:
        """Return what a service process of a case's own is told: as the stack's are, but with another database and port."""
        return {
            "ENV": "dev",
            "DATABASE_URL": dsn,
            "KAFKA_BOOTSTRAP": self.urls.kafka,
            "ENTITIES_FILE": str(self.stack.entities.path),
            "HTTP_HOST": ports.HOST,
            "HTTP_PORT": str(port),
            "JWT_KEYS_FILE": str(self.stack.state.keys / "jwks.json"),
            "TOPIC_PARTITIONS": str(PARTITIONS),
            "PATIENCE": _PATIENCE,
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
        }

    def cluster(self) -> Cluster:
        """Return the database server, seen by its superuser."""
        return Servers(self.stack.state, os.environ, lambda _: None).known_cluster()


async def _connect(dsn: str) -> asyncpg.Connection:
    db: asyncpg.Connection = await asyncpg.connect(dsn, server_settings={"application_name": APPLICATION})
    return db


@asynccontextmanager
async def opened(stack: Stack) -> AsyncIterator[Track]:
    """Bring the stack up with clean books; stop it in the end, whatever happens."""
    try:
        urls = await asyncio.to_thread(stack.up, clean=True)
        async with AsyncExitStack() as closing:
            http = await closing.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
            client = await closing.enter_async_context(kafka.connected(urls.kafka, PARTITIONS))
            track = Track(stack, urls, client, {name: await _connect(dsn) for name, dsn in urls.databases.items()}, http)
            try:
                yield track
            finally:
                for db in track.dbs.values():
                    await db.close()
    finally:
        await asyncio.to_thread(stack.down)
