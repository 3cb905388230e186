"""Connections come back to the pool as they were given."""

from collections.abc import Callable

import pytest
from chassis.database import Database

pytestmark = pytest.mark.db


async def test_a_connection_left_in_a_transaction_comes_back_without_it(database_url: Callable[[str], str]) -> None:
    database = await Database.open(database_url("invoice"), connections_max=1)
    async with database.pool.acquire() as db:
        await db.execute("BEGIN; SET LOCAL lock_timeout = '7s'; SELECT pg_advisory_xact_lock(1, 1)")
    async with database.pool.acquire() as db:
        assert not db.is_in_transaction()
        assert await db.fetchval("SHOW lock_timeout") == "20s"
        assert await db.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()") == 0
    await database.close()
