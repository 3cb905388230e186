"""Faults of the servers: broker and database killed, stopped, away for long, out of disk; connections and locks of the database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg

from torture.nemesis.kind import Ground, Heal, nothing_to_heal
from torture.rig.cluster import Server

READY_S_MAX = 90.0
GIVES_UP_S_MAX = 2.0


async def kill(ground: Ground, target: str) -> Heal:
    """SIGKILL of a server; started again when healed."""
    server = _server(ground, target)
    server.kill()
    return lambda: bring_back(server)


async def stop_and_wake(ground: Ground, target: str) -> Heal:
    """SIGSTOP and SIGCONT of the broker: clients hang on open connections."""
    server = _server(ground, target)
    server.pause()

    async def wake() -> None:
        server.resume()
        await server.wait_ready(READY_S_MAX)

    return wake


async def take_down(ground: Ground, target: str) -> Heal:
    """An orderly stop, and nobody there for a while."""
    server = _server(ground, target)
    server.terminate()
    return lambda: bring_back(server)


async def fill_disk(ground: Ground, target: str) -> Heal:
    """Fill the disk under a server; make room again, and start it where it has given up."""
    server, disk = _server(ground, target), ground.disks[target]
    await asyncio.to_thread(disk.fill)
    ground.counts[f"disk of {target} full"] += 1

    async def make_room() -> None:
        await asyncio.to_thread(disk.make_room)
        if await server.ended(GIVES_UP_S_MAX) is not None:  # It may give up, or go on: both are allowed.
            ground.counts[f"{target} gave up on a full disk"] += 1
        await bring_back(server)

    return make_room


async def kill_backends(ground: Ground, target: str) -> Heal:
    """End some of the connections that a service has to its database, whatever they are doing."""
    async with _admin(ground, target) as admin:
        rows = await admin.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        pids = [row["pid"] for row in rows]
        for pid in ground.random.sample(pids, min(len(pids), ground.random.randint(1, 6))):
            await admin.fetchval("SELECT pg_terminate_backend($1)", pid)
            ground.counts["backend killed"] += 1
    return nothing_to_heal


async def hold_locks(ground: Ground, target: str) -> Heal:
    """Hold row locks that every batch and every command of a service needs, as a careless operator's session would."""
    admin = await asyncpg.connect(ground.cluster.admin_dsn(target), timeout=10)
    transaction = admin.transaction()
    await transaction.start()
    await admin.execute("SET LOCAL lock_timeout = '5s'")
    with contextlib.suppress(asyncpg.exceptions.LockNotAvailableError):
        await admin.execute(ground.random.choice(_LOCKS))

    async def let_go() -> None:
        with contextlib.suppress(asyncpg.exceptions.PostgresError, asyncpg.exceptions.InterfaceError, OSError):
            await admin.close(timeout=5)

    return let_go


_LOCKS = (
    "SELECT FROM chassis.position FOR UPDATE",
    "SELECT FROM chassis.stream_head FOR UPDATE",
    "SELECT FROM chassis.day FOR UPDATE",
    "LOCK TABLE chassis.outbox IN EXCLUSIVE MODE",
    "SELECT pg_advisory_xact_lock(1, hashtext(entity)) FROM chassis.day",
)


async def bring_back(server: Server) -> None:
    """Start a server once its last life is over, unless it runs; wait until it answers."""
    await server.start()
    await server.wait_ready(READY_S_MAX)


def _server(ground: Ground, target: str) -> Server:
    return ground.cluster.kafka if target == "kafka" else ground.cluster.postgres


@contextlib.asynccontextmanager
async def _admin(ground: Ground, service: str) -> AsyncIterator[asyncpg.Connection]:
    admin = await asyncpg.connect(ground.cluster.admin_dsn(service), timeout=10)
    try:
        yield admin
    finally:
        await admin.close(timeout=5)
