"""A receipt that names documents of several accounts is divided among them when the day turns (PAY-11)."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from events import bank, invoice
from events.fact import Event
from events.payment import (
    DiscountGranted,
    MatchSuggested,
    MoneyTransferredIn,
    MoneyTransferredOut,
    OverpaymentDetected,
    PaymentApplied,
    PaymentReversed,
)
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
Services = Callable[[], Awaitable[ServiceUnderTest]]
D1, D2, D3, D4 = (date(2026, 1, 5) + timedelta(days=n) for n in range(4))


def an_invoice(number: str, total: str, account: str = "C-1", **more: Any) -> invoice.InvoiceIssued:
    fields = {"currency": "USD", "customer": account, "account": account, "issued_on": D1, "total": total, **more}
    due = invoice.Instalment(n=1, due_on=D1 + timedelta(days=30), amount=total)
    return invoice.InvoiceIssued(entity="US01", invoice=f"US01|{number}", document_no=number, type="380", instalments=[due], **fields)


def an_entry(ref: str, amount: str, remittance: str | None = None, **more: Any) -> bank.EntryBooked:
    fields = {"currency": "USD", "value_on": D1, "remittance": remittance, **more}
    return bank.EntryBooked(entity="US01", account_ref="OUR-1", bank_ref=ref, amount=amount, **fields)


def pays(number: str, amount: str) -> bank.RemittanceLine:
    return bank.RemittanceLine(document_no=number, amount=amount)


async def receipts(payment: ServiceUnderTest) -> dict[str, dict[str, Any]]:
    """By bank reference, where receipts stand and what their amounts are made of, without what is nothing."""
    parts = ("unidentified", "unapplied", "on_account", "applied", "refunded", "returned", "transferred")
    rows = await payment.db.pool.fetch("SELECT * FROM chk.receipt")
    assert all(sum(row[f"{part}_minor"] for part in parts) == row["amount_minor"] for row in rows)
    return {
        row["receipt"].partition("|")[2]: {
            "account": row["account"],
            **{part: row[f"{part}_minor"] for part in parts if row[f"{part}_minor"]},
        }
        for row in rows
    }


async def open_of(payment: ServiceUnderTest) -> dict[str, int]:
    rows = await payment.db.pool.fetch("SELECT item, open_minor FROM chk.item WHERE open_minor > 0")
    return {row["item"].split("|")[1]: row["open_minor"] for row in rows}


async def test_what_is_left_of_a_receipt_pays_what_it_names_of_others_the_next_morning(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-11: each account's documents take what is open of them, as of the value date; what nothing needs stays."""
    await payment.receive(
        an_invoice("INV-1", "50.00"),
        an_invoice("INV-2", "30.00", "C-2"),
        an_invoice("INV-3", "20.00", "C-3"),
        an_invoice("INV-4", "10.00", "C-2"),
        an_entry("BR-1", "125.00", "INV-1 INV-2 INV-3 INV-4"),
    )
    assert await open_of(payment) == {"INV-2": 3000, "INV-3": 2000, "INV-4": 1000}
    payment.published()
    await payment.turn("US01", D2)
    facts = payment.published_envelopes()
    out = [one.data for one in facts if isinstance(one.data, MoneyTransferredOut)]
    assert [(one.account, one.to_account, one.amount, one.by, one.reason, one.transferred_by) for one in out] == [
        ("C-1", "C-2", "40.00", "reference", None, None),
        ("C-1", "C-3", "20.00", "reference", None, None),
    ]
    came = [one for one in facts if isinstance(one.data, MoneyTransferredIn)]
    assert [(one.data.account, one.data.references, one.envelope.effective_on, one.envelope.booked_on) for one in came] == [
        ("C-2", ["INV-2", "INV-4"], D1, D2),
        ("C-3", ["INV-3"], D1, D2),
    ]
    assert {one.envelope.effective_on for one in facts if isinstance(one.data, PaymentApplied)} == {D1}
    assert [one.data.amount for one in facts if isinstance(one.data, OverpaymentDetected)] == ["15.00"]
    assert not any(isinstance(one.data, MatchSuggested) for one in facts)
    assert await open_of(payment) == {}
    assert (await receipts(payment))["BR-1"] == {"account": "C-1", "applied": 5000, "on_account": 1500, "transferred": 6000}
    await payment.turn("US01", D3)
    assert not any(isinstance(one, MoneyTransferredOut) for one in payment.published())
    await assert_books_balance(payment)


async def test_a_payer_who_was_in_time_for_a_discount_stays_so_on_the_other_account(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """INV-04, PAY-11: the remittance states 98.00 of 100.00, within the terms by the value date and not by the day it is booked."""
    tier = invoice.DiscountTier(percent="2", until_on=D1, amount="2.00", tax="0.00")
    terms = invoice.DiscountTerms(tiers=[tier], grace_days=0, tax_choice="included", base="gross", partial="prorate")
    await payment.receive(
        an_invoice("INV-1", "50.00"),
        an_invoice("INV-2", "100.00", "C-2", discount=terms),
        an_entry("BR-1", "160.00", lines=[bank.RemittanceLine(document_no="INV-1"), pays("INV-2", "98.00")]),
    )
    await payment.turn("US01", D2)
    assert [one.amount for one in payment.published(DiscountGranted)] == ["2.00"]
    assert (await receipts(payment))["BR-1"] == {"account": "C-1", "applied": 5000, "on_account": 1200, "transferred": 9800}
    assert await open_of(payment) == {}
    await assert_books_balance(payment)


async def test_documents_that_come_later_have_their_money_the_morning_after(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    await payment.receive(an_invoice("INV-1", "50.00"), an_entry("BR-1", "110.00", "INV-1 INV-2 INV-3"))
    await payment.turn("US01", D2)
    await payment.receive(an_invoice("INV-2", "30.00", "C-2", issued_on=D2))
    await payment.turn("US01", D3)
    await payment.receive(an_invoice("INV-3", "20.00", "C-2", issued_on=D3))
    await payment.turn("US01", D4)
    assert await open_of(payment) == {}
    assert await receipts(payment) == {
        "BR-1": {"account": "C-1", "applied": 5000, "on_account": 1000, "transferred": 5000},
        "BR-1/to/C-2/1": {"account": "C-2", "applied": 3000},
        "BR-1/to/C-2/2": {"account": "C-2", "applied": 2000},
    }
    await assert_books_balance(payment)


async def test_what_the_remittance_names_of_others_waits_for_the_morning_and_pays_nothing_else(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-04, PAY-11: what the payer names stands above what is oldest; what is left then is like other money again."""
    await payment.receive(an_invoice("INV-1", "50.00"), an_invoice("OLD-1", "25.00"), an_invoice("INV-2", "30.00", "C-2"))
    await payment.turn("US01", D2)
    await payment.receive(an_entry("BR-1", "100.00", "INV-1 INV-2"), an_entry("BR-2", "5.00", "INV-2 INV-1"))
    assert await open_of(payment) == {"OLD-1": 2500, "INV-2": 2500}
    await payment.turn("US01", D3)
    assert await open_of(payment) == {"OLD-1": 2500}
    assert (await receipts(payment))["BR-1"] == {"account": "C-1", "applied": 5000, "on_account": 2500, "transferred": 2500}
    await payment.turn("US01", D4)
    await payment.receive(an_entry("BR-3", "1.00", customer="C-1"))
    assert await open_of(payment) == {}
    await assert_books_balance(payment)


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(an_entry("BR-1", "80.00", "INV-1 INV-2", deposit_for="ORDER-77"), id="bound to an order"),
        pytest.param(an_entry("BR-1", "80.00", "INV-1 INV-9"), id="names nothing of others"),
        pytest.param(an_entry("BR-1", "80.00", "INV-1 EUR-1"), id="names another currency"),
        pytest.param(an_entry("BR-1", "80.00", "INV-1 PO-4711"), id="names an order only"),
    ],
)
async def test_what_is_not_named_by_its_own_number_in_its_own_currency_stays(
    kept: bank.EntryBooked, payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    await payment.receive(
        an_invoice("INV-1", "50.00"),
        an_invoice("INV-2", "30.00", "C-2", references=invoice.References(order_no="PO-4711")),
        an_invoice("EUR-1", "30.00", "C-2", currency="EUR"),
        kept,
    )
    await payment.turn("US01", D2)
    assert payment.published(MoneyTransferredOut) == []
    await assert_books_balance(payment)


async def test_what_a_person_keeps_is_not_divided(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-07: only a person uses it, until it is released."""
    await payment.receive(an_invoice("INV-1", "50.00"), an_entry("BR-1", "50.00", "INV-1 INV-2"), an_invoice("INV-2", "50.00", "C-2"))
    (applied,) = (await payment.get("/v1/receipts/BR-1", entity="US01")).json()["applications"]
    body = {"entity": "US01", "effective_on": str(D1), "reason": "WRONG"}
    await payment.post(f"/v1/applications/{applied['application']}/unapply", body, key="off", sub="clerk-1", roles=("clerk",))
    await payment.turn("US01", D2)
    assert payment.published(MoneyTransferredOut) == []
    release = {"entity": "US01", "reason": "CLEARED_UP"}
    await payment.post("/v1/receipts/BR-1/release", release, key="on", sub="clerk-1", roles=("clerk",))
    await payment.turn("US01", D3)
    assert [one.amount for one in payment.published(PaymentApplied)] != []
    await assert_books_balance(payment)


async def test_a_bank_takes_divided_money_back_from_every_account(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-10, PAY-11."""
    await payment.receive(an_invoice("INV-1", "50.00"), an_invoice("INV-2", "30.00", "C-2"), an_entry("BR-1", "80.00", "INV-1 INV-2"))
    await payment.turn("US01", D2)
    payment.published()
    taken = {"entity": "US01", "account_ref": "OUR-1", "bank_ref": "RT-1", "returned_bank_ref": "BR-1", "amount": "80.00"}
    await payment.receive(bank.EntryReturned(**taken, currency="USD", value_on=D1, kind="return"))
    assert [(one.account, one.amount) for one in payment.published(PaymentReversed)] == [("C-1", "50.00"), ("C-2", "30.00")]
    assert await open_of(payment) == {"INV-1": 5000, "INV-2": 3000}
    await assert_books_balance(payment)


SEVERAL = [
    an_invoice("INV-1", "50.00"),
    an_invoice("INV-2", "30.00", "C-2"),
    an_invoice("INV-3", "20.00", "C-3"),
    an_invoice("INV-4", "12.00", "C-2"),
    an_invoice("INV-5", "10.00", "C-2"),
    an_entry("BR-1", "110.00", "INV-1 INV-2 INV-3"),
    an_entry("BR-2", "60.00", lines=[pays("INV-3", "20.00"), pays("INV-4", "40.00")]),
    an_entry("BR-3", "15.00", "INV-5 INV-1"),
]
"""Receipts of two accounts that owe each other's documents."""


@pytest.mark.parametrize(
    ("is_one_day", "transferred"),
    [
        pytest.param(True, {"BR-1": 2500, "BR-2": 1200, "BR-3": 0}, id="all on one day"),
        pytest.param(False, {"BR-1": 3000, "BR-2": 1200, "BR-3": 0}, id="the documents a day before"),
    ],
)
async def test_the_order_of_a_day_and_of_the_receipts_changes_nothing(
    services: Services,
    assert_books_balance: Balance,
    monkeypatch: pytest.MonkeyPatch,
    is_one_day: bool,
    transferred: dict[str, int],
) -> None:
    """PAY-11: it follows from what was booked before the day that starts, whatever is divided first, in one batch or one by one."""
    expected = None
    orders: list[list[Event]] = [list(order) for order in permutations(SEVERAL)][::6_007]
    for n, order in enumerate(orders):
        payment = await services()
        days = (
            [order]
            if is_one_day
            else [[one for one in order if isinstance(one, kind)] for kind in (invoice.InvoiceIssued, bank.EntryBooked)]
        )
        for day, facts in zip((D2, D3), days, strict=False):
            await (payment.receive(*facts) if n % 2 else one_by_one(payment, facts))
            monkeypatch.setattr("chassis.turning.ACCOUNTS_AT_ONCE", n % 3 or 500)
            await payment.turn("US01", day)
        await assert_books_balance(payment)
        found = await receipts(payment), await open_of(payment)
        expected = expected or found
        assert found == expected
    assert expected is not None
    assert expected[1] == {}
    assert {ref: one.get("transferred", 0) for ref, one in expected[0].items() if "/" not in ref} == transferred


async def one_by_one(payment: ServiceUnderTest, facts: list[Event]) -> None:
    for one in facts:
        await payment.receive(one)
