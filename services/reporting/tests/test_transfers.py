"""Money that goes from one account to another, as reports show it (PAY-02, PAY-11)."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import payment
from reporting.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test, two_entities

pytestmark = pytest.mark.db

D1 = date(2026, 3, 2)
D2 = D1 + timedelta(days=1)
COMMON = {"entity": "US01", "transfer": "US01|transfer|B-1|1", "currency": "USD", "amount": "40.00"}


@pytest.fixture
async def reporting(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("reporting"), entities=two_entities(opens_on=D1)) as sut:
        yield sut


def came() -> payment.PaymentReceived:
    return payment.PaymentReceived(
        entity="US01", receipt="US01|B-1", method="bank", amount="100.00", currency="USD", value_on=D1, bank_ref="B-1", account="C-1"
    )


def left() -> payment.MoneyTransferredOut:
    return payment.MoneyTransferredOut(receipt="US01|B-1", account="C-1", to_account="C-2", by="reference", **COMMON)


def arrived() -> payment.MoneyTransferredIn:
    return payment.MoneyTransferredIn(
        receipt="US01|B-1/to/C-2/1",
        account="C-2",
        from_receipt="US01|B-1",
        from_account="C-1",
        method="transfer",
        value_on=D1,
        bank_ref="B-1/to/C-2/1",
        **COMMON,
    )


async def read(reporting: ServiceUnderTest, path: str, **asked: Any) -> Any:
    return (await reporting.get(path, entity="US01", **asked)).json()


async def test_what_leaves_one_account_arrives_at_another_and_the_entity_has_as_much_as_before(reporting: ServiceUnderTest) -> None:
    """RPT-01, PAY-02: as of the date of the transfer, whichever of its two facts comes first."""
    await reporting.receive(came(), day=D1)
    await reporting.receive(arrived(), day=D2, effective_on=D2)
    await reporting.receive(left(), day=D2, effective_on=D2)

    sums = (
        "SELECT account, sum(delta_minor)::bigint AS minor FROM account_delta WHERE measure = 'unapplied' AND effective_on <= $1 GROUP BY 1"
    )
    for day, expected in ((D1, {"C-1": 10000}), (D2, {"C-1": 6000, "C-2": 4000})):
        assert {row["account"]: row["minor"] for row in await reporting.db.pool.fetch(sums, day)} == expected
        (row,) = (await read(reporting, "/v1/aging", as_of=day))["rows"]
        assert row["unapplied"] == "100.00"
    (march,) = (await read(reporting, "/v1/roll-forward", month="2026-03"))["rows"]
    assert [march[name] for name in ("reversed", "refunded", "settled", "transferred")] == ["0.00", "0.00", "0.00", "40.00"]


async def test_money_that_is_transferred_came_once(reporting: ServiceUnderTest) -> None:
    """PAY-17: of the receipt it left that much less was received; what arrived has come on the day it was transferred."""
    await reporting.receive(came(), day=D1)
    await reporting.receive(left(), arrived(), day=D2, effective_on=D1)
    rows = await reporting.db.pool.fetch("SELECT receipt, received_minor, free_minor FROM chk.receipt ORDER BY receipt")
    assert [tuple(row) for row in rows] == [("US01|B-1", 6000, 6000), ("US01|B-1/to/C-2/1", 4000, 4000)]
    (row,) = (await read(reporting, "/v1/match-quality", **{"from": D1, "until": D2, "as_of": D2}))["rows"]
    assert (row["receipts"], row["received"]) == (2, "100.00")
