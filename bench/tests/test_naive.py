"""The naive hop keeps the promise it is compared for."""

from collections.abc import Callable

import asyncpg
import pytest
from bench.naive.hop import Hop

pytestmark = pytest.mark.db


async def test_the_naive_hop_writes_each_invoice_and_its_fact_once(database_url: Callable[[str], str]) -> None:
    dsn = database_url("invoice")
    async with Hop.opened(dsn) as hop:
        assert (await hop.take(7)).n == 7
    async with Hop.opened(dsn) as hop:  # Told from the beginning again.
        await hop.take(9)
    db = await asyncpg.connect(dsn)
    counts = [await db.fetchval(f"SELECT count(*) FROM naive.{table}") for table in ("inbox", "invoice", "outbox")]
    await db.close()
    assert counts == [9, 9, 9]
