"""The database: what the migrations make, and two writers at once."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from credit import queries
from credit.domain import AccountKey, Components
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

KEY = AccountKey("US01", "C-1", "USD")
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


async def test_a_transaction_that_fails_leaves_no_trace(credit: ServiceUnderTest) -> None:
    with pytest.raises(LookupError):
        async with credit.db.transaction() as db:
            await queries.add_components(db, {KEY: Components(open_minor=1)})
            await queries.add_limit(db, KEY, 1, 1, set_by="a", booked_on=date(2026, 1, 5), set_at=AT)
            raise LookupError

    assert await credit.db.pool.fetchval("SELECT count(*) FROM chk.exposure") == 0


async def test_of_two_first_limits_at_once_one_is_set(credit: ServiceUnderTest) -> None:
    async def set_limit(minor: int) -> bool:
        async with credit.db.transaction() as db:
            return await queries.add_limit(db, KEY, minor, 1, set_by="a", booked_on=date(2026, 1, 5), set_at=AT)

    assert sorted(await asyncio.gather(set_limit(1), set_limit(2))) == [False, True]


async def test_batches_of_the_same_accounts_at_once_add_up(credit: ServiceUnderTest) -> None:
    accounts = [AccountKey("US01", f"C-{n}", "USD") for n in range(50)]

    async def add(keys: list[AccountKey]) -> None:
        async with credit.db.transaction() as db:
            await queries.add_components(db, {key: Components(open_minor=1) for key in keys})

    await asyncio.gather(*(add(accounts if n % 2 else accounts[::-1]) for n in range(8)))

    assert await credit.db.pool.fetch("SELECT DISTINCT open_minor FROM exposure") == [(8,)]
