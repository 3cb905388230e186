"""What is billed of returned payments: told by the ledger, billed two days later, once."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chassis.service import Batch
from events import erp
from events.invoice import DebitMemoIssued, Instalment
from events.payment import PaymentReversed, PaymentReversedAsDebit
from invoice.app import SERVICE
from invoice.domain.returned_payments import Origin, memo_no
from invoice.handlers.returned_payments import bill_returned_payments
from testkit.service import ServiceUnderTest, service_under_test, two_entities

OPENS_ON, RETURNED_ON = date(2026, 3, 13), date(2026, 3, 14)
ONE_DAY = timedelta(days=1)


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice"), entities=two_entities(opens_on=OPENS_ON)) as sut:
        yield sut


def returned(bank_ref: str = "B-6", account: str | None = "C-1", fee: str | None = "35.00", currency: str = "USD") -> PaymentReversed:
    return PaymentReversed(
        entity="US01",
        receipt=f"US01|{bank_ref}",
        currency=currency,
        amount="1000.00" if currency == "USD" else "1000",
        kind="nsf",
        value_on=RETURNED_ON,
        account=account,
        reason_code="R01",
        fee=fee,
        reopened=["US01|INV-6|1", "US01|INV-7|1"],
    )


async def memos_by(sut: ServiceUnderTest, day: date) -> list[Any]:
    """Turn days up to `day` and return the debit memos published meanwhile, with their context."""
    sut.published()
    await sut.turn("US01", day)
    return sut.published_envelopes(DebitMemoIssued)


@pytest.mark.db
async def test_a_fee_is_billed_due_at_once_on_the_day_the_money_was_taken_back(invoice: ServiceUnderTest) -> None:
    """PAY-10, A6: returned on 03-14, billed in the work of 03-16, effective 03-14."""
    await invoice.turn("US01", RETURNED_ON)
    await invoice.receive(returned(), effective_on=RETURNED_ON)
    assert await memos_by(invoice, RETURNED_ON + ONE_DAY) == []

    (fact,) = await memos_by(invoice, RETURNED_ON + 2 * ONE_DAY)

    assert (fact.envelope.key, fact.envelope.effective_on, fact.envelope.booked_on) == ("US01|C-1", RETURNED_ON, date(2026, 3, 16))
    assert fact.data == DebitMemoIssued(
        entity="US01",
        invoice="US01|FEE-B-6",
        document_no="FEE-B-6",
        type="383",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=RETURNED_ON,
        total="35.00",
        instalments=[Instalment(n=1, due_on=RETURNED_ON, amount="35.00")],
        reason="RETURN_FEE",
        origin="return_fee",
        origin_id="US01|B-6",
    )
    shown = (await invoice.get("/v1/debit-memos/FEE-B-6?entity=US01")).json()
    assert (shown["origin"], shown["origin_id"], shown["open"]) == ("return_fee", "US01|B-6", "35.00")


@pytest.mark.db
async def test_a_fee_is_billed_once(invoice: ServiceUnderTest) -> None:
    """PAY-10, A6: told twice, in one fact and in two, and the work of the day done twice."""
    await invoice.turn("US01", RETURNED_ON)
    await invoice.receive(returned())
    await invoice.receive_again()
    await invoice.receive(returned())
    day = RETURNED_ON + 2 * ONE_DAY
    assert len(await memos_by(invoice, day)) == 1

    batch = Batch("invoice", datetime(2026, 3, 16, 12, tzinfo=UTC), invoice.entities, {"US01": day})
    async with invoice.db.transaction() as db:
        assert await bill_returned_payments(db, "US01", day, ["C-1"], batch) == []
        await db.execute("UPDATE return_charge SET billed_on = NULL")
        assert await bill_returned_payments(db, "US01", day, ["C-1"], batch) == []  # Its number keeps it from being made twice, too.
    assert await memos_by(invoice, day + 2 * ONE_DAY) == []


@pytest.mark.db
async def test_what_is_heard_of_the_day_before_makes_no_difference(invoice: ServiceUnderTest) -> None:
    """XC-11, A14: of two returns of the same day one is heard before the next one starts and one after; both are billed on one day."""
    await invoice.turn("US01", RETURNED_ON)
    await invoice.receive(returned("B-1"))
    await invoice.turn("US01", RETURNED_ON + ONE_DAY)
    await invoice.receive(returned("B-2", "C-2"), day=RETURNED_ON)
    await invoice.receive(returned("B-3", "C-3"))  # Of the next day.

    first, second = await memos_by(invoice, date(2026, 3, 16)), await memos_by(invoice, date(2026, 3, 17))

    assert [one.data.document_no for one in first] == ["FEE-B-1", "FEE-B-2"]
    assert [one.data.document_no for one in second] == ["FEE-B-3"]


@pytest.mark.db
async def test_a_return_that_comes_late_is_billed_with_the_last_closed_day(invoice: ServiceUnderTest) -> None:
    """PAY-10: its own days are complete here, so it cannot change what they did."""
    await invoice.turn("US01", date(2026, 3, 20))
    await invoice.receive(returned(), day=RETURNED_ON, effective_on=RETURNED_ON)
    (fact,) = await memos_by(invoice, date(2026, 3, 21))
    assert fact.data.issued_on == RETURNED_ON


@pytest.mark.db
@pytest.mark.parametrize("told", [returned(account=None), returned(fee=None), returned(fee="0.00")])
async def test_without_a_fee_or_somebody_to_bill_there_is_no_memo(told: PaymentReversed, invoice: ServiceUnderTest) -> None:
    """PAY-10"""
    await invoice.receive(told)
    assert await memos_by(invoice, OPENS_ON + 3 * ONE_DAY) == []
    async with invoice.db.reading() as db:
        assert await db.fetchval("SELECT count(*) FROM chk.return_fee") == 0


@pytest.mark.db
async def test_a_number_that_is_taken_stops_the_account_and_nobody_else(invoice: ServiceUnderTest) -> None:
    """EVT-04: somebody has to look; the other accounts are billed."""
    await invoice.receive(
        erp.InvoiceIssued(
            entity="US01", document_no="FEE-B-1", customer="C-1", currency="USD", issued_on=OPENS_ON, total="9.00", terms="NET30"
        ),
        returned("B-1"),
        returned("B-2", "C-2", fee="2500", currency="JPY"),
    )
    (fact,) = await memos_by(invoice, OPENS_ON + 2 * ONE_DAY)
    assert (fact.data.document_no, fact.data.currency, fact.data.total) == ("FEE-B-2", "JPY", "2500")
    async with invoice.db.reading() as db:
        assert await db.fetchval("SELECT DISTINCT key FROM chk.parked") == "US01|C-1"


@pytest.mark.parametrize(("bank_ref", "number"), [("B-6", "FEE-B-6"), ("x" * 60, "FEE-" + "x" * 60)])
def test_the_number_of_a_fee_is_made_of_the_bank_reference(bank_ref: str, number: str) -> None:
    assert memo_no("return_fee", f"US01|{bank_ref}") == number


@pytest.mark.parametrize("origin", ["return_fee", "returned_payment"])
def test_a_long_bank_reference_is_replaced_by_its_fingerprint(origin: Origin) -> None:
    numbers = {memo_no(origin, f"US01|{one}") for one in ("x" * 61, "x" * 60 + "y", "x" * 61)}
    assert len(numbers) == 2
    assert all(len(number) <= 64 for number in numbers)


def billed_anew(bank_ref: str = "B-6", fee: str | None = "35.00") -> PaymentReversedAsDebit:
    return PaymentReversedAsDebit(
        entity="US01",
        receipt=f"US01|{bank_ref}",
        account="C-1",
        currency="USD",
        amount="1000.00",
        kind="nsf",
        value_on=OPENS_ON,
        reason_code="R01",
        fee=fee,
    )


@pytest.mark.db
async def test_money_that_stays_on_what_it_paid_is_billed_beside_its_fee(invoice: ServiceUnderTest) -> None:
    """PAY-10: a debit-memo reversal of 03-14, billed in the work of 03-16, due on the day it was taken back; told twice, once."""
    await invoice.turn("US01", RETURNED_ON)
    await invoice.receive(billed_anew(), effective_on=RETURNED_ON)
    await invoice.receive_again()
    assert await memos_by(invoice, RETURNED_ON + ONE_DAY) == []

    fee, amount = await memos_by(invoice, RETURNED_ON + 2 * ONE_DAY)

    assert (fee.data.document_no, fee.data.total) == ("FEE-B-6", "35.00")
    assert (amount.envelope.key, amount.envelope.effective_on, amount.envelope.booked_on) == ("US01|C-1", RETURNED_ON, date(2026, 3, 16))
    assert amount.data == DebitMemoIssued(
        entity="US01",
        invoice="US01|RETURN-B-6",
        document_no="RETURN-B-6",
        type="383",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=RETURNED_ON,
        total="1000.00",
        instalments=[Instalment(n=1, due_on=RETURNED_ON, amount="1000.00")],
        reason="RETURNED_PAYMENT",
        origin="returned_payment",
        origin_id="US01|B-6",
    )
    assert await memos_by(invoice, RETURNED_ON + 4 * ONE_DAY) == []
    async with invoice.db.reading() as db:
        assert [tuple(row) for row in await db.fetch("SELECT receipt, fee_minor FROM chk.return_fee")] == [("US01|B-6", 35_00)]


@pytest.mark.db
async def test_without_a_fee_the_amount_is_billed_alone(invoice: ServiceUnderTest) -> None:
    """PAY-10"""
    await invoice.receive(billed_anew(fee=None))
    assert [one.data.document_no for one in await memos_by(invoice, OPENS_ON + 3 * ONE_DAY)] == ["RETURN-B-6"]
