"""A payment service with a database of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from payment.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test


@pytest.fixture
async def payment(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("payment")) as sut:
        yield sut


@pytest.fixture
async def services(database_url: Callable[[str], str]) -> AsyncIterator[Callable[[], Any]]:
    """A factory of payment services, each with a database of its own."""
    opened = []

    async def fresh() -> ServiceUnderTest:
        context = service_under_test(SERVICE, database_url("payment"))
        opened.append(context)
        return await context.__aenter__()

    yield fresh
    for context in opened:
        await context.__aexit__(None, None, None)


def _as_of(part: str, where: str) -> str:
    """What entries add up to, per item or receipt, as of every effective date; what is pinned is on-account too."""
    return (
        f"SELECT {part}_id AS id, sum(sum(amount_minor)) OVER (PARTITION BY {part}_id ORDER BY effective_on) AS so_far"
        f" FROM entry WHERE rule NOT IN ('fx', 'pinned') AND {where} GROUP BY {part}_id, effective_on"
    )


_BY_DISPOSITION = (
    "SELECT receipt_id, memo_id, split_part(rule, ':', 1) AS disposition, sum(sum(amount_minor)) OVER ("
    "PARTITION BY receipt_id, memo_id, split_part(rule, ':', 1) ORDER BY effective_on) AS so_far"
    " FROM entry WHERE item_id IS NULL GROUP BY receipt_id, memo_id, split_part(rule, ':', 1), effective_on"
)
"""What each disposition of receipts, and what is pinned of them and of memos, adds up to as of every effective date."""


OUT_OF_BALANCE = (
    "SELECT item FROM chk.item LEFT JOIN (SELECT item, sum(amount_minor) AS s FROM chk.application GROUP BY 1) AS a USING (item)"
    " WHERE total_minor <> open_minor + coalesce(s, 0) + adjusted_minor + allowed_minor + voided_minor OR open_minor < 0",
    "SELECT item FROM chk.item LEFT JOIN (SELECT item, sum(amount_minor) AS s FROM chk.allowance GROUP BY 1) AS a USING (item)"
    " WHERE allowed_minor <> coalesce(s, 0)",
    "SELECT item FROM chk.item LEFT JOIN (SELECT item, sum(posted_minor) AS s FROM chk.adjustment GROUP BY 1) AS a USING (item)"
    " WHERE adjusted_minor <> coalesce(s, 0)",
    "SELECT id FROM adjustment LEFT JOIN (SELECT adjustment_id AS id, sum(amount_minor) AS s FROM entry GROUP BY 1) AS e USING (id)"
    " WHERE posted_minor <> coalesce(s, 0)",
    "SELECT receipt FROM chk.receipt AS r LEFT JOIN (SELECT source, sum(amount_minor) AS s FROM chk.application"
    " WHERE source_kind = 'receipt' GROUP BY 1) AS a ON a.source = r.receipt"
    " WHERE applied_minor <> coalesce(s, 0) OR amount_minor"
    " <> unidentified_minor + unapplied_minor + on_account_minor + applied_minor + refunded_minor + returned_minor + transferred_minor",
    "SELECT memo FROM chk.memo AS m LEFT JOIN (SELECT source, sum(amount_minor) AS s FROM chk.application"
    " WHERE source_kind = 'memo' GROUP BY 1) AS a ON a.source = m.memo WHERE applied_minor <> coalesce(s, 0)",
    f"SELECT id FROM ({_as_of('item', 'item_id IS NOT NULL')}) AS a JOIN item USING (id) WHERE so_far NOT BETWEEN 0 AND total_minor",
    f"SELECT id FROM ({_as_of('adjustment', 'adjustment_id IS NOT NULL')}) AS a WHERE so_far < 0",
    f"SELECT id FROM ({_as_of('receipt', 'receipt_id IS NOT NULL')}) AS a JOIN receipt USING (id) WHERE so_far > amount_minor",
    f"SELECT * FROM ({_BY_DISPOSITION}) AS a WHERE so_far < 0",
    "SELECT receipt FROM chk.receipt LEFT JOIN (SELECT from_receipt AS receipt, sum(amount_minor) AS s FROM chk.transfer GROUP BY 1) AS t"
    " USING (receipt) WHERE transferred_minor <> coalesce(s, 0)",
    "SELECT entry.id FROM entry JOIN receipt ON receipt.id = entry.receipt_id WHERE entry.effective_on < receipt.arrived_on",
    "SELECT transfer FROM receipt LEFT JOIN (SELECT rule, effective_on, sum(amount_minor) AS s FROM entry GROUP BY 1, 2 HAVING"
    " sum(amount_minor) <> 0) AS e ON e.rule = 'transferred:' || transfer WHERE transfer IS NOT NULL"
    " AND (e.effective_on, e.s) IS DISTINCT FROM (arrived_on, amount_minor)",
    "SELECT entry FROM chk.entry GROUP BY entry, entity, currency HAVING sum(amount_minor) <> 0",
)
"""M1 to M4 and M8: each finds rows that break the books."""


@pytest.fixture
def assert_books_balance() -> Callable[[ServiceUnderTest], Awaitable[None]]:
    """A check of all rows there are; of what is applied and on-account also as of every effective date."""

    async def check(payment: ServiceUnderTest) -> None:
        for wrong in OUT_OF_BALANCE:
            assert await payment.db.pool.fetch(wrong) == []

    return check
