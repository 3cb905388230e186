"""The database: what the migrations make, and the statements that pick what is due."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from dunning import queries
from dunning.domain import STANDARD, judge
from dunning.queries import ItemMove
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

NOTICED_ON = date(2026, 1, 31)
AT = datetime(2026, 2, 1, 0, 1, tzinfo=UTC)


def a_move(n: int, due_on: date, open_minor: int = 100_00) -> ItemMove:
    return ItemMove(f"US01|INV-{n}|1", "US01", "C-1", "USD", due_on, open_minor)


async def test_only_open_items_at_their_threshold_and_past_their_interval_are_picked(dunning: ServiceUnderTest) -> None:
    """COL-01: on 01-31, due 01-26 is 5 days overdue and 01-27 four; the one noticed on 01-22 rests until 02-01."""
    moves = [
        a_move(1, date(2026, 1, 26)),
        a_move(2, date(2026, 1, 27)),
        a_move(3, date(2026, 1, 1), 0),
        a_move(4, date(2026, 1, 1), -100_00),
        a_move(5, date(2026, 1, 1)),
        a_move(6, date(2026, 1, 1)),
    ]
    async with dunning.db.transaction() as db:
        await queries.add_to_items(db, moves)
        await _notice(db, 5, date(2026, 1, 21))
        await _notice(db, 6, date(2026, 1, 22))

        picked = await queries.load_due_items(db, "US01", STANDARD, NOTICED_ON, ["C-1"])
        assert sorted(item.item for item in picked) == ["US01|INV-1|1", "US01|INV-5|1"]
        assert await queries.find_accounts_due(db, "US01", STANDARD, NOTICED_ON, "", 10) == ["C-1"]
        assert await queries.find_accounts_due(db, "US01", STANDARD, NOTICED_ON, "C-1", 10) == []


async def test_a_turn_that_fails_leaves_no_trace(dunning: ServiceUnderTest) -> None:
    """COL-02: levels, letters and their items are kept together or not at all."""
    async with dunning.db.transaction() as db:
        await queries.add_to_items(db, [a_move(1, date(2026, 1, 1))])
    with pytest.raises(LookupError):
        async with dunning.db.transaction() as db:
            await _notice(db, 1, NOTICED_ON)
            raise LookupError

    assert await dunning.db.pool.fetch("SELECT level, last_noticed_on FROM chk.item") == [(0, None)]
    assert await dunning.db.pool.fetchval("SELECT count(*) FROM chk.notice") == 0


async def test_a_letter_totals_its_items(dunning: ServiceUnderTest) -> None:
    async with dunning.db.transaction() as db:
        await queries.add_to_items(db, [a_move(n, date(2026, 1, 1), n * 1000) for n in range(3, 6)])
        notices = judge(await queries.load_due_items(db, "US01", STANDARD, NOTICED_ON, ["C-1"]), STANDARD, NOTICED_ON)
        await queries.save_notices(db, notices, STANDARD.version, "log", AT)
        rows = await db.fetch("SELECT total_minor, items_minor, items FROM chk.notice")

    assert [tuple(row) for row in rows] == [(12000, 12000, ["US01|INV-3|1", "US01|INV-4|1", "US01|INV-5|1"])]


async def test_a_turn_without_notices_writes_nothing(dunning: ServiceUnderTest) -> None:
    async with dunning.db.transaction() as db:
        await queries.save_notices(db, [], STANDARD.version, "log", AT)
        await queries.raise_levels(db, [], NOTICED_ON)

    assert await dunning.db.pool.fetchval("SELECT count(*) FROM chk.notice") == 0


async def _notice(db: Any, n: int, noticed_on: date) -> None:
    """Send a letter about one item, as a turn does."""
    items = await queries.load_due_items(db, "US01", STANDARD, noticed_on, ["C-1"])
    notices = judge([item for item in items if item.item == f"US01|INV-{n}|1"], STANDARD, noticed_on)
    assert len(notices) == 1
    await queries.save_notices(db, notices, STANDARD.version, "log", AT)
    await queries.raise_levels(db, notices, noticed_on)
