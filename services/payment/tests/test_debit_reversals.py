"""Money that was taken back and is billed anew: what it paid stays paid (PAY-10)."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from events import bank, invoice
from events.fact import Event
from events.payment import EntryRejected, PaymentReversed, PaymentReversedAsDebit
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
Services = Callable[[], Awaitable[ServiceUnderTest]]
D1, D2, D3, D4 = (FIRST_DAY + timedelta(days=n) for n in range(4))


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


def a_void(number: str, total: str) -> invoice.InvoiceVoided:
    return invoice.InvoiceVoided(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        customer="C-1",
        account="C-1",
        currency="USD",
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=D1 + timedelta(days=30), amount=total)],
        reason="WRONG",
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, remittance=remittance, **fields)


def a_return(of: str, amount: str, ref: str | None = None, **other: Any) -> bank.EntryReturned:
    fields = {"entity": "US01", "account_ref": "OUR-1", "currency": "USD", "kind": "nsf", "reason_code": "R01", "value_on": D2, **other}
    return bank.EntryReturned(bank_ref=ref or f"RT-{of}", returned_bank_ref=of, amount=amount, **fields)


async def bill_returns_anew(payment: ServiceUnderTest) -> None:
    """Publish a policy under which money that banks take back is billed anew, in force from the next opening."""
    proposal = {"entity": "US01", "kind": "cash_application", "valid_from": str(D1), "body": {"returns": "debit_memo"}}
    proposed = await payment.post("/v1/policies", proposal, roles=["policy_maker"], sub="maker", key="propose")
    assert proposed.status_code == 201, proposed.text
    number = proposed.json()["policy"]
    approved = await payment.post(f"/v1/policies/{number}/approve", {}, roles=["policy_checker"], sub="checker", key="approve")
    assert approved.status_code == 200, approved.text


async def reverse(payment: ServiceUnderTest, ref: str, key: str = "reverse", **other: Any) -> httpx.Response:
    body = {"entity": "US01", "kind": "nsf", "value_on": str(D2), "reason": "CHECK_BOUNCED", "as": "debit_memo", **other}
    return await payment.post(f"/v1/receipts/{ref}/reverse", body, key=f"{key} {ref}")


async def open_of(payment: ServiceUnderTest) -> dict[str, int]:
    rows = await payment.db.pool.fetch("SELECT item, open_minor FROM chk.item")
    return {row["item"].split("|")[1]: row["open_minor"] for row in rows}


async def receipt(payment: ServiceUnderTest, ref: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await payment.get(f"/v1/receipts/{ref}", entity="US01")).json()
    return shown


async def test_a_return_leaves_what_it_paid_and_is_billed_anew_where_the_policy_says_so(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-10: discounts and all; told once, and a second return is refused."""
    await bill_returns_anew(payment)
    await payment.receive(an_invoice("INV-1", "60.00"), an_invoice("INV-2", "40.00"), an_entry("BR-1", "100.00", "INV-1 INV-2"))
    await payment.turn("US01", D2)
    payment.published()
    await payment.receive(a_return("BR-1", "100.00", fee="35.00"))
    (fact,) = payment.published_envelopes()
    assert fact.data == PaymentReversedAsDebit(
        entity="US01",
        receipt="US01|BR-1",
        account="C-1",
        currency="USD",
        amount="100.00",
        kind="nsf",
        value_on=D1,
        reason_code="R01",
        fee="35.00",
    )
    assert (fact.envelope.key, fact.envelope.effective_on) == ("US01|C-1", D2)
    assert await open_of(payment) == {"INV-1": 0, "INV-2": 0}
    shown = await receipt(payment, "BR-1")
    assert (shown["applied"], shown["returned"], shown["returned_on"], shown["debited_on"]) == ("100.00", "0.00", None, str(D2))
    await payment.receive_again()
    await payment.receive(a_return("BR-1", "100.00", "RT-2"))
    (refused,) = payment.published()
    assert isinstance(refused, EntryRejected)
    assert [one.code for one in refused.reasons] == ["ALREADY_RETURNED"]
    (kept,) = (await payment.get("/v1/returns", entity="US01")).json()["returns"]
    assert (kept["is_matched"], kept["reversed_as"]) == (True, "debit_memo")
    await assert_books_balance(payment)


@pytest.mark.parametrize("amount", ["120.00", "80.00"])
async def test_what_is_not_all_on_items_since_an_earlier_day_leaves_what_it_paid(payment: ServiceUnderTest, amount: str) -> None:
    """PAY-10: part of it on-account, or come today, or nobody's."""
    await bill_returns_anew(payment)
    await payment.turn("US01", D2)
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", amount, "INV-1"), an_entry("BR-2", "9.00"))
    if amount == "120.00":
        await payment.turn("US01", D3)
    payment.published()
    await payment.receive(a_return("BR-1", amount), a_return("BR-2", "9.00"))
    assert {one.receipt for one in payment.published(PaymentReversed)} == {"US01|BR-1", "US01|BR-2"}
    assert await open_of(payment) == {"INV-1": 100_00}


async def test_the_policy_counts_from_the_next_opening(payment: ServiceUnderTest) -> None:
    """PAY-10, XC-07"""
    await payment.receive(an_invoice("INV-1", "60.00"), an_entry("BR-1", "60.00", "INV-1"))
    await payment.turn("US01", D2)
    await bill_returns_anew(payment)
    await payment.receive(a_return("BR-1", "60.00"))
    assert await open_of(payment) == {"INV-1": 60_00}


async def test_a_person_bills_a_receipt_anew_under_any_policy(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-10: only what was all on items when the day opened; the other receipt may be reversed the standard way."""
    await payment.receive(an_invoice("INV-1", "60.00"), an_entry("BR-1", "60.00", "INV-1"), an_entry("BR-2", "9.00", customer="C-1"))
    early = await reverse(payment, "BR-1", value_on=str(D1))
    assert (early.status_code, early.json()["code"]) == (409, "REVERSAL_REFUSED")
    assert early.json()["reasons"] == [{"code": "NOT_ALL_APPLIED", "field": "as"}]
    await payment.turn("US01", D2)
    assert (await reverse(payment, "BR-2")).json()["reasons"] == [{"code": "NOT_ALL_APPLIED", "field": "as"}]
    payment.published()
    answer = await reverse(payment, "BR-1", key="again", fee="5.00")
    assert (answer.status_code, answer.json()["debited_on"], answer.json()["applied"]) == (200, str(D2), "60.00")
    (told,) = payment.published(PaymentReversedAsDebit)
    assert (told.amount, told.fee, told.reason_code) == ("60.00", "5.00", None)
    twice = await reverse(payment, "BR-1", key="twice", **{"as": "standard"})
    assert (twice.status_code, twice.json()["code"]) == (409, "ALREADY_RETURNED")
    assert (await reverse(payment, "BR-2", key="other", **{"as": "otherwise"})).status_code == 422
    assert (await reverse(payment, "BR-2", key="standard", **{"as": "standard"})).json()["returned"] == "9.00"
    await assert_books_balance(payment)


A_DAY: tuple[Event, ...] = (
    a_return("BR-1", "100.00", fee="5.00"),
    a_void("INV-1", "100.00"),
    an_invoice("INV-3", "70.00"),
    an_entry("BR-2", "40.00", "INV-3", customer="C-1"),
    a_return("BR-2", "40.00"),
    a_return("BR-3", "50.00"),
    an_invoice("INV-4", "55.00", "C-2"),
)


async def test_which_way_a_return_goes_does_not_hang_on_the_order_of_the_day(services: Services, assert_books_balance: Balance) -> None:
    """PAY-10, A14: money that a void of today frees was on items when the day opened, so its return is billed anew all the same."""
    ends = set()
    for seed in range(8):
        payment = await services()
        await bill_returns_anew(payment)
        await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
        await payment.receive(an_invoice("INV-2", "30.00", "C-2"), an_entry("BR-3", "50.00", "INV-2"))
        await payment.turn("US01", D2)
        payment.published()
        facts = random.Random(seed).sample(A_DAY, len(A_DAY))
        for fact in facts:
            await payment.receive(fact)
            await payment.receive_again()
        told = [one for one in payment.published() if isinstance(one, PaymentReversed | PaymentReversedAsDebit)]
        ways = sorted({(one.receipt, type(one).__name__) for one in told})
        rows = await payment.db.pool.fetch("SELECT * FROM chk.receipt ORDER BY receipt")
        ends.add(str((sorted((await open_of(payment)).items()), [tuple(row) for row in rows], ways)))
        await assert_books_balance(payment)
    assert len(ends) == 1, ends
    (end,) = ends
    assert "('US01|BR-1', 'PaymentReversedAsDebit'), ('US01|BR-2', 'PaymentReversed'), ('US01|BR-3', 'PaymentReversed')" in end
    assert "('INV-3', 0)" in end, "the credit that the void freed paid it"
