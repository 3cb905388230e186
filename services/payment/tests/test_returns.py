"""Money that banks take back: the receipt it came with is undone whole, once, however the facts come (PAY-10)."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from events import bank, invoice
from events.fact import Event
from events.payment import ApplicationReversed, EntryRejected, PayerIdentified, PaymentReceived, PaymentReversed
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
Services = Callable[[], Awaitable[ServiceUnderTest]]
D1, D2, D3, D4 = (date(2026, 1, 5) + timedelta(days=n) for n in range(4))


def an_invoice(number: str, total: str, account: str = "C-1") -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=D1,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=D1 + timedelta(days=30), amount=total)],
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, customer: str | None = None) -> bank.EntryBooked:
    return bank.EntryBooked(
        entity="US01",
        account_ref="OUR-1",
        bank_ref=ref,
        amount=amount,
        currency="USD",
        value_on=D1,
        remittance=remittance,
        customer=customer,
    )


def a_return(of: str, amount: str, ref: str = "RT-1", *, on: date = D3, **other: Any) -> bank.EntryReturned:
    fields = {"entity": "US01", "currency": "USD", "kind": "nsf", "reason_code": "R01", **other}
    return bank.EntryReturned(account_ref="OUR-1", bank_ref=ref, returned_bank_ref=of, amount=amount, value_on=on, **fields)


async def receipt(payment: ServiceUnderTest, ref: str) -> dict[str, Any]:
    """What a receipt's amount is made of, without what is nothing."""
    row = await payment.db.pool.fetchrow("SELECT * FROM chk.receipt WHERE receipt = $1", f"US01|{ref}")
    parts = ("unidentified", "unapplied", "on_account", "applied", "refunded", "returned")
    assert sum(row[f"{part}_minor"] for part in parts) == row["amount_minor"]
    return {part: row[f"{part}_minor"] for part in parts if row[f"{part}_minor"]}


async def open_of(payment: ServiceUnderTest) -> dict[str, int]:
    rows = await payment.db.pool.fetch("SELECT item, open_minor FROM chk.item")
    return {row["item"].split("|")[1]: row["open_minor"] for row in rows}


def told(payment: ServiceUnderTest) -> list[tuple[str, str, str | None]]:
    """Facts published since the last look: type, amount and reason."""
    return [(type(one).__name__, one.amount, getattr(one, "reason", None)) for one in payment.published()]


async def test_a_returned_payment_opens_what_it_paid_with_its_own_due_dates(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """A6: 1,000.00 on two invoices, returned with a fee of 35.00; the second delivery of the return changes nothing."""
    await payment.receive(an_invoice("INV-6", "600.00"), an_invoice("INV-7", "400.00"), an_entry("BR-1", "1000.00", "INV-6, INV-7"))
    assert await open_of(payment) == {"INV-6": 0, "INV-7": 0}
    await payment.turn("US01", D4)
    payment.published()

    await payment.receive(a_return("BR-1", "1000.00", fee="35.00"))
    assert await open_of(payment) == {"INV-6": 600_00, "INV-7": 400_00}
    assert await receipt(payment, "BR-1") == {"returned": 1000_00}
    facts = payment.published_envelopes()
    assert [type(one.data) for one in facts] == [ApplicationReversed, ApplicationReversed, PaymentReversed]
    assert {one.envelope.effective_on for one in facts} == {D3}
    reversed_ = facts[-1].data
    assert isinstance(reversed_, PaymentReversed)
    assert (reversed_.amount, reversed_.fee, reversed_.kind, reversed_.reason_code) == ("1000.00", "35.00", "nsf", "R01")
    assert (reversed_.account, reversed_.reopened) == ("C-1", ["US01|INV-6|1", "US01|INV-7|1"])
    assert {one.data.reason for one in facts[:2] if isinstance(one.data, ApplicationReversed)} == {"returned"}

    await payment.receive_again()
    assert payment.published() == []
    assert (await receipt(payment, "BR-1")) == {"returned": 1000_00}
    await assert_books_balance(payment)
    shown = (await payment.get("/v1/accounts/C-1/open-items", entity="US01", as_of=D2)).json()
    assert (shown["items"], shown["totals"][0]["balance"]) == ([], "0.00")


@pytest.mark.parametrize("day_of_return", [D1, D2])
async def test_a_return_and_its_receipt_end_alike_in_any_order(
    services: Services, assert_books_balance: Balance, day_of_return: date
) -> None:
    """A day is a set: invoice, receipt and return of one day in every order leave the same books."""
    ends = set()
    facts: tuple[Event, ...] = (an_invoice("INV-1", "100.00"), an_entry("BR-1", "120.00", "INV-1"), a_return("BR-1", "120.00", on=D2))
    for order in permutations(facts):
        payment = await services()
        for fact in order:
            await payment.receive(fact)
        if day_of_return == D2:
            await payment.turn("US01", D2)
        ends.add((str(await open_of(payment)), (await receipt(payment, "BR-1")).get("returned")))
        assert await payment.db.pool.fetchval("SELECT count(*) FROM bank_return WHERE receipt_id IS NOT NULL") == 1
        await assert_books_balance(payment)
    assert ends == {("{'INV-1': 10000}", 120_00)}


async def test_a_return_waits_for_its_receipt_over_days(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), a_return("BR-1", "100.00", on=D2))
    assert payment.published() == []
    waiting = (await payment.get("/v1/returns", entity="US01", matched=False)).json()["returns"]
    assert [(one["bank_ref"], one["returned"], one["is_matched"]) for one in waiting] == [("RT-1", "BR-1", False)]
    await payment.turn("US01", D2)
    await payment.receive(an_entry("BR-1", "100.00", "INV-1"))
    assert {type(one) for one in payment.published()} == {PaymentReceived, PaymentReversed}
    assert await open_of(payment) == {"INV-1": 100_00}
    assert (await payment.get("/v1/returns", entity="US01", matched=True)).json()["returns"][0]["booked_on"] == "2026-01-05"
    await assert_books_balance(payment)


async def test_a_return_of_nobodys_money_leaves_and_finds_no_payer_any_more(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-10, PAY-11: it leaves what is unidentified; a document it names that comes later does not get it."""
    await payment.receive(an_entry("BR-1", "100.00", "INV-1"), a_return("BR-1", "100.00", fee="5.00"))
    (reversed_,) = payment.published_envelopes(PaymentReversed)
    assert isinstance(reversed_.data, PaymentReversed)
    assert (reversed_.data.account, reversed_.data.amount, reversed_.data.fee) == (None, "100.00", "5.00")
    assert (reversed_.envelope.key, reversed_.envelope.effective_on) == ("US01|receipt:BR-1", D3)
    assert await receipt(payment, "BR-1") == {"returned": 100_00}
    await payment.receive(an_invoice("INV-1", "100.00"))
    assert payment.published(PayerIdentified) == []
    assert await open_of(payment) == {"INV-1": 100_00}
    await assert_books_balance(payment)


async def test_a_return_that_does_not_undo_its_receipt_is_refused_for_every_reason(payment: ServiceUnderTest) -> None:
    await payment.receive(an_entry("BR-1", "100.00", customer="C-1"))
    payment.published()
    await payment.receive(
        a_return("BR-1", "99.99", "RT-1"),
        a_return("BR-1", "100.00", "RT-2", currency="EUR"),
        a_return("BR-1", "-1.00", "RT-3", kind="theft", reason_code="no code!", fee="0.00", on=date(1, 1, 1)),
    )
    refused = {one.bank_ref: {(why.field, why.code) for why in one.reasons} for one in payment.published(EntryRejected)}
    assert refused == {
        "RT-1": {("amount", "AMOUNT_DIFFERS")},
        "RT-2": {("currency", "CURRENCY_DIFFERS")},
        "RT-3": {
            ("amount", "AMOUNT_NOT_POSITIVE"),
            ("fee", "AMOUNT_NOT_POSITIVE"),
            ("kind", "KIND_UNKNOWN"),
            ("reason_code", "REASON_INVALID"),
            ("value_on", "DATE_OUT_OF_RANGE"),
        },
    }
    assert await receipt(payment, "BR-1") == {"unapplied": 100_00}


async def test_a_receipt_is_returned_once(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    await payment.receive(an_entry("BR-1", "100.00", customer="C-1"), a_return("BR-1", "100.00", "RT-1"))
    payment.published()
    await payment.receive(a_return("BR-1", "100.00", "RT-2"), a_return("BR-1", "100.00", "RT-1", kind="return"))
    refused = {one.bank_ref: [why.code for why in one.reasons] for one in payment.published()}
    assert refused == {"RT-1": ["CONFLICT"], "RT-2": ["ALREADY_RETURNED"]}
    await assert_books_balance(payment)


async def test_what_the_bank_says_after_us_is_refused(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """A person takes a receipt back in the bank's place, with fee and reason; a second time is a conflict."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    payment.published()
    body = {"entity": "US01", "kind": "error", "value_on": "2026-01-05", "fee": "10.00", "reason": "POSTED_TWICE"}
    answer = await payment.post("/v1/receipts/BR-1/reverse", body, key="one")
    assert (answer.status_code, answer.json()["returned"], answer.json()["returned_on"]) == (200, "100.00", "2026-01-05")
    (reversed_,) = payment.published(PaymentReversed)
    assert (reversed_.kind, reversed_.fee) == ("error", "10.00")
    kept = (await payment.get("/v1/returns", entity="US01")).json()["returns"]
    assert [(one["bank_ref"], one["reversed_by"], one["reason"]) for one in kept] == [("reversal:BR-1", "clerk-1", "POSTED_TWICE")]

    again = await payment.post("/v1/receipts/BR-1/reverse", body, key="two")
    assert (again.status_code, again.json()["code"]) == (409, "ALREADY_RETURNED")
    await payment.receive(a_return("BR-1", "100.00"))
    assert [one.reasons[0].code for one in payment.published(EntryRejected)] == ["ALREADY_RETURNED"]
    wrong = await payment.post(
        "/v1/receipts/BR-1/reverse", {**body, "kind": "x", "fee": "y", "reason": "?", "value_on": "2026-01-06"}, key="three"
    )
    assert {one["field"] for one in wrong.json()["reasons"]} == {"kind", "fee", "reason", "value_on"}
    assert (await payment.post("/v1/receipts/BR-9/reverse", body, key="four")).status_code == 404
    await assert_books_balance(payment)


async def test_money_kept_for_people_goes_back_too(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-07, PAY-10: what a person took off an item and kept from the rules belongs to what the bank takes back."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    await payment.turn("US01", D2)
    (applied,) = (await payment.get("/v1/receipts/BR-1", entity="US01")).json()["applications"]
    body = {"entity": "US01", "effective_on": str(D2), "reason": "WRONG", "amount": "30.00"}
    await payment.post(f"/v1/applications/{applied['application']}/unapply", body)
    await payment.receive(a_return("BR-1", "100.00"))
    assert await receipt(payment, "BR-1") == {"returned": 100_00}
    assert await open_of(payment) == {"INV-1": 100_00}
    await assert_books_balance(payment)


async def test_a_receipt_that_had_paid_elsewhere_before_its_document_came_is_taken_back_where_it_is(payment: ServiceUnderTest) -> None:
    """Torture, seed 45: what it had paid on the other account is that account's, and has been taken off there."""
    await payment.receive(an_invoice("A-1", "40.00"), an_entry("R-1", "40.00", "B-1", customer="C-1"))
    await payment.receive(an_invoice("B-1", "40.00", "C-2"))
    await payment.receive(a_return("R-1", "40.00", on=D1))
    await payment.receive(an_entry("R-2", "15.00", "B-1"))

    assert await receipt(payment, "R-1") == {"returned": 4000}
    assert await receipt(payment, "R-2") == {"applied": 1500}
    assert await open_of(payment) == {"A-1": 4000, "B-1": 2500}


@pytest.mark.parametrize("is_returned_first", [False, True])
async def test_what_a_return_reopens_is_what_the_money_had_paid_when_the_day_opened(
    payment: ServiceUnderTest, is_returned_first: bool
) -> None:
    """PAY-10: nothing that it paid in between, and all of it although a void of the same day had taken a part off already."""
    first, second = an_invoice("INV-1", "40.00"), an_invoice("INV-2", "60.00")
    await payment.receive(first, second, an_entry("BR-1", "110.00", "INV-1 INV-2"))
    await payment.turn("US01", D2)
    payment.published()
    void = invoice.InvoiceVoided(
        entity="US01",
        invoice=first.invoice,
        document_no="INV-1",
        customer="C-1",
        account="C-1",
        currency="USD",
        total=first.total,
        instalments=first.instalments,
    )
    for one in (a_return("BR-1", "110.00"), void) if is_returned_first else (an_invoice("INV-3", "5.00"), void, a_return("BR-1", "110.00")):
        await payment.receive(one)
    assert [one.reopened for one in payment.published(PaymentReversed)] == [["US01|INV-1|1", "US01|INV-2|1"]]
