"""Connections to one service's own Postgres database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

TRANSIENT = (
    asyncpg.exceptions.SerializationError,
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.QueryCanceledError,
    asyncpg.exceptions.PostgresConnectionError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.TooManyConnectionsError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.InternalClientError,
    asyncpg.exceptions.InterfaceError,
    OSError,
    TimeoutError,
)
"""Failures that say nothing about the facts in hand: the same work is tried again on a new connection."""


PLAN_S_MAX = 5  # A plan made while a table was nearly empty scans it, and would do so until it is analysed, however full it is by then.


class Database:
    """A pool of connections; a transaction is the only way to write."""

    def __init__(self, pool: asyncpg.Pool, url: str) -> None:
        self.pool = pool
        self.url = url

    @classmethod
    async def open(cls, url: str, *, connections_max: int = 10) -> "Database":
        """Connect lazily; raises OSError or a PostgresError when the first connection fails."""
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=connections_max,
            timeout=10,
            command_timeout=60,
            max_cached_statement_lifetime=PLAN_S_MAX,
            reset=_keep_session,
            server_settings={"application_name": "receivables", "lock_timeout": "20s", "idle_in_transaction_session_timeout": "60s"},
        )
        return cls(pool, url)

    async def close(self) -> None:
        """Give every connection back; those still busy after 5 seconds are cut."""
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One READ COMMITTED transaction; committed when the block ends, rolled back when it raises."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """One repeatable snapshot for a read of several statements."""
        async with self.pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection


async def _keep_session(connection: Connection) -> None:
    """
    Ask nothing of the server when a connection comes back to the pool.

    asyncpg rolls back what was left open. What else it would reset (settings, LISTEN, session locks) is never given to a pooled
    connection here, and its question would be one round trip in five.
    """
