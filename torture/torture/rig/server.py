"""The broker and the database as things to be hurt."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from launcher import topics
from launcher.folders import State
from launcher.kafka import Kafka
from launcher.postgres import Postgres

from torture.rig.disk import SmallDisk
from torture.rig.process import Process

_ANSWER_S_MAX = 5.0


class Server(Process):
    """What services stand on."""


class Broker(Server):
    """The one Kafka node."""

    def __init__(self, kafka: Kafka, state: State) -> None:
        super().__init__("kafka", state.logs / "kafka.log", kafka.register)
        self._kafka = kafka

    async def start(self) -> None:
        """Start it unless it runs, without waiting until it is ready."""
        await self._let_die()
        await asyncio.to_thread(self._kafka.begin)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S_MAX):
                return await topics.look_for_coordinator(self._kafka.bootstrap)
        except TimeoutError:
            return False


class Database(Server):
    """The one PostgreSQL: its first process and one for each connection, all hurt together."""

    politely = signal.SIGINT

    def __init__(self, postgres: Postgres, state: State) -> None:
        super().__init__("postgres", state.logs / "postgres.log", postgres.register)
        self._postgres = postgres

    async def start(self) -> None:
        """
        Start it unless it runs and wait until it takes connections.

        :raises ServerDied: it cannot: its disk is full.
        """
        await self._let_die()
        await asyncio.to_thread(self._postgres.start)

    def _all(self) -> Sequence[int]:
        found = super()._all()
        return [*found, *children_of(found[0])] if found else []

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S_MAX):
                connection = await asyncpg.connect(self._postgres.admin_dsn, ssl=False)
                try:
                    return bool(await connection.fetchval("SELECT true"))
                finally:
                    connection.terminate()
        except (OSError, asyncpg.exceptions.PostgresError):
            return False


def wal_settings(disk: SmallDisk) -> dict[str, str]:
    """Keep the write-ahead log to a quarter of a disk: by the launcher's settings it would fill a small one by itself."""
    return {"max_wal_size": f"{max(64, disk.mebibytes // 4)}MB", "min_wal_size": "32MB"}


def children_of(pid: int) -> list[int]:
    """Return the children of all threads of a process, as the kernel lists them."""
    found = []
    with contextlib.suppress(OSError):  # It ended between the look and the reading.
        for thread in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in thread.read_text().split()]
    return found
