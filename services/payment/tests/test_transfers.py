"""Money that people transfer from one account to another, and what becomes of it when a bank takes it back (PAY-02, PAY-10, PAY-11)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from events import bank, invoice
from events.erp import CustomerUpserted
from events.payment import (
    FxRealised,
    MoneyTransferredIn,
    MoneyTransferredOut,
    PaymentApplied,
    PaymentReversed,
    ReceiptUnapplied,
    Worth,
)
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
D1, D2, D3, D4 = (date(2026, 1, 5) + timedelta(days=n) for n in range(4))


def an_invoice(number: str, total: str, account: str = "C-1", **more: Any) -> invoice.InvoiceIssued:
    fields = {"currency": "USD", "customer": account, "account": account, "issued_on": D1, "total": total, **more}
    due = invoice.Instalment(n=1, due_on=D1 + timedelta(days=30), amount=total)
    return invoice.InvoiceIssued(entity="US01", invoice=f"US01|{number}", document_no=number, type="380", instalments=[due], **fields)


def an_entry(ref: str, amount: str, remittance: str | None = None, customer: str | None = None, **more: Any) -> bank.EntryBooked:
    fields = {"currency": "USD", "value_on": D1, "remittance": remittance, "customer": customer, **more}
    return bank.EntryBooked(entity="US01", account_ref="OUR-1", bank_ref=ref, amount=amount, **fields)


def a_return(of: str, amount: str, ref: str = "RT-1", **more: Any) -> bank.EntryReturned:
    fields = {"entity": "US01", "currency": "USD", "kind": "nsf", "value_on": D3, **more}
    return bank.EntryReturned(account_ref="OUR-1", bank_ref=ref, returned_bank_ref=of, amount=amount, **fields)


async def transfer(
    payment: ServiceUnderTest, ref: str, to: str, amount: str | None = None, *, role: str = "approver", key: str = "a", **more: Any
) -> httpx.Response:
    body = {"entity": "US01", "to_customer": to, "reason": "PAID_FOR_ANOTHER", **({"amount": amount} if amount else {}), **more}
    return await payment.post(f"/v1/receipts/{ref}/transfers", body, key=f"{ref} {to} {key}", sub="clerk-1", roles=(role,))


async def receipt(payment: ServiceUnderTest, ref: str) -> dict[str, Any]:
    """Where it stands, and what its amount is made of, without what is nothing."""
    row = await payment.db.pool.fetchrow("SELECT * FROM chk.receipt WHERE receipt = $1", f"US01|{ref}")
    parts = ("unidentified", "unapplied", "on_account", "applied", "refunded", "returned", "transferred")
    assert sum(row[f"{part}_minor"] for part in parts) == row["amount_minor"]
    return {"account": row["account"], **{part: row[f"{part}_minor"] for part in parts if row[f"{part}_minor"]}}


async def open_of(payment: ServiceUnderTest) -> dict[str, int]:
    rows = await payment.db.pool.fetch("SELECT item, open_minor FROM chk.item")
    return {row["item"].split("|")[1]: row["open_minor"] for row in rows}


def codes(answer: httpx.Response) -> list[str]:
    return [one["code"] for one in answer.json().get("reasons", ())]


async def two_accounts(payment: ServiceUnderTest) -> None:
    """C-1 has paid 100.00 too much; C-2 owes INV-2 of 80.00."""
    await payment.receive(an_invoice("INV-1", "50.00"), an_invoice("INV-2", "80.00", "C-2"), an_entry("BR-1", "150.00", "INV-1"))
    await payment.turn("US01", D2)
    payment.published()


async def test_money_on_no_item_goes_to_another_account_and_pays_what_is_open_there(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-02, PAY-11: one fact on each side, effective on the same date, under the value date the money came with."""
    await two_accounts(payment)
    answer = await transfer(payment, "BR-1", "C-2", effective_on=str(D1))
    assert answer.status_code == 201
    facts = payment.published_envelopes()
    assert [(type(one.data), one.envelope.effective_on) for one in facts] == [
        (ReceiptUnapplied, D1),
        (MoneyTransferredOut, D1),
        (MoneyTransferredIn, D1),
        (PaymentApplied, D1),
    ]
    out, came = facts[1].data, facts[2].data
    assert (out.account, out.to_account, out.amount, out.by, out.reason, out.transferred_by) == (
        *("C-1", "C-2", "100.00"),
        *("person", "PAID_FOR_ANOTHER", "clerk-1"),
    )
    assert (came.receipt, came.from_receipt, came.from_account, came.transfer) == (
        "US01|BR-1/to/C-2/1",
        "US01|BR-1",
        "C-1",
        out.transfer,
    )
    assert (came.value_on, came.method, came.worth) == (D1, "transfer", None)
    assert await receipt(payment, "BR-1") == {"account": "C-1", "applied": 5000, "transferred": 10000}
    assert await receipt(payment, "BR-1/to/C-2/1") == {"account": "C-2", "applied": 8000, "unapplied": 2000}
    await assert_books_balance(payment)


async def test_receipts_and_explanations_show_where_money_went_and_came_from(payment: ServiceUnderTest) -> None:
    await two_accounts(payment)
    shown = (await transfer(payment, "BR-1", "C-2")).json()
    assert (shown["transferred"], shown["on_account"], shown["came_from"]) == ("100.00", "0.00", None)
    (gone,) = shown["transfers"]
    assert (gone["to_account"], gone["to_receipt"], gone["amount"], gone["reason"], gone["transferred_by"], gone["effective_on"]) == (
        *("C-2", "US01|BR-1/to/C-2/1", "100.00"),
        *("PAID_FOR_ANOTHER", "clerk-1", str(D2)),
    )
    there = (await payment.get("/v1/receipts/BR-1/to/C-2/1", entity="US01")).json()
    came_from = {"receipt": "US01|BR-1", "account": "C-1", "transfer": "US01|transfer|BR-1|1", "arrived_on": str(D2)}
    assert (there["came_from"], there["value_on"], there["identified_by"]) == (came_from, str(D1), "transfer")
    explained = (await payment.get(f"/v1/explain/applications/{there['applications'][0]['application']}")).json()
    assert explained["source"]["came_from"] == came_from
    totals = (await payment.get("/v1/accounts/C-2", entity="US01")).json()["balances"]
    assert (totals[0]["open"], totals[0]["unapplied"]) == ("0.00", "20.00")


@pytest.mark.parametrize(
    ("more", "status", "reasons"),
    [
        ({"amount": "100.01"}, 409, ["AMOUNT_ABOVE_FREE"]),
        ({"to": "C-1"}, 422, ["SAME_ACCOUNT"]),
        ({"to": "C-9"}, 422, ["CUSTOMER_UNKNOWN"]),
        ({"effective_on": str(D4), "reason": "not a code"}, 422, ["REASON_INVALID", "DATE_AHEAD"]),
        ({"ref": "BR-9"}, 404, []),
        ({"ref": "BR-3"}, 422, ["PAYER_UNKNOWN"]),
    ],
)
async def test_what_cannot_be_transferred_is_refused_for_every_reason(
    payment: ServiceUnderTest, more: dict[str, Any], status: int, reasons: list[str]
) -> None:
    await two_accounts(payment)
    await payment.receive(an_entry("BR-3", "10.00"))
    payment.published()
    answer = await transfer(payment, **{"ref": "BR-1", "to": "C-2", **more})
    assert (answer.status_code, codes(answer)) == (status, reasons)
    assert payment.published() == []


async def test_a_clerk_transfers_within_a_group_only(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-11: accounts whose customers have one parent above them since an earlier day."""
    await two_accounts(payment)
    refused = await transfer(payment, "BR-1", "C-2", role="clerk")
    assert (refused.status_code, refused.json()["code"]) == (403, "OUTSIDE_THE_GROUP")
    assert "approver" in refused.json()["detail"]
    await payment.receive(CustomerUpserted(entity="US01", customer="C-1", name="Child", parent="P-1"), an_invoice("INV-9", "10.00", "P-1"))
    await payment.turn("US01", D3)
    assert (await transfer(payment, "BR-1", "P-1", "10.00", role="clerk")).status_code == 201
    assert (await open_of(payment))["INV-9"] == 0
    await assert_books_balance(payment)


async def test_money_goes_on_to_a_third_account_and_a_repeated_command_moves_nothing(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    await two_accounts(payment)
    await payment.receive(an_invoice("INV-3", "15.00", "C-3"))
    first = await transfer(payment, "BR-1", "C-2", "95.00")
    again = await transfer(payment, "BR-1", "C-2", "95.00")
    assert first.json() == again.json()
    assert (await transfer(payment, "BR-1/to/C-2/1", "C-3")).status_code == 201
    assert await receipt(payment, "BR-1") == {"account": "C-1", "applied": 5000, "on_account": 500, "transferred": 9500}
    assert await receipt(payment, "BR-1/to/C-2/1") == {"account": "C-2", "applied": 8000, "transferred": 1500}
    assert await receipt(payment, "BR-1/to/C-2/1/to/C-3/1") == {"account": "C-3", "applied": 1500}
    assert await open_of(payment) == {"INV-1": 0, "INV-2": 0, "INV-3": 0}
    await assert_books_balance(payment)


async def test_transfers_asked_for_at_the_same_time_never_move_a_cent_twice(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-07: also where another receipt goes the other way at that moment."""
    await two_accounts(payment)
    await payment.receive(an_entry("BR-2", "500.00", customer="C-2"))
    one, two, back = await asyncio.gather(
        transfer(payment, "BR-1", "C-2", "60.00", key="one"),
        transfer(payment, "BR-1", "C-2", "60.00", key="two"),
        transfer(payment, "BR-2", "C-1", "60.00"),
    )
    assert (sorted([one.status_code, two.status_code]), back.status_code) == ([201, 409], 201)
    await assert_books_balance(payment)


async def test_what_comes_later_that_day_changes_nothing_of_a_transfer(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-07: neither amount nor date, because the money is the other account's already."""
    await payment.receive(an_invoice("INV-2", "80.00", "C-2"), an_entry("BR-1", "150.00", customer="C-1"))
    await transfer(payment, "BR-1", "C-2", "100.00")
    payment.published()
    await payment.receive(an_invoice("INV-1", "70.00"), an_entry("BR-2", "5.00", "INV-2"))
    assert not any(isinstance(one, MoneyTransferredOut | MoneyTransferredIn) for one in payment.published())
    assert await receipt(payment, "BR-1") == {"account": "C-1", "applied": 5000, "transferred": 10000}
    await assert_books_balance(payment)


async def test_transferred_money_stays_where_it_is_whatever_its_remittance_names(payment: ServiceUnderTest) -> None:
    """A receipt that people have decided about does not change hands any more, and neither does what was made of it."""
    await payment.receive(an_entry("BR-1", "50.00", "INV-3", "C-1"), an_invoice("INV-2", "80.00", "C-2"))
    await transfer(payment, "BR-1", "C-2")
    await payment.receive(an_invoice("INV-3", "50.00", "C-3"))
    assert await receipt(payment, "BR-1/to/C-2/1") == {"account": "C-2", "applied": 5000}
    assert await receipt(payment, "BR-1") == {"account": "C-1", "transferred": 5000}


async def test_the_bank_takes_back_what_was_transferred_too_each_part_from_its_account(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-10: the parts add up to the receipt, the fee is told once, and both invoices are open again."""
    await two_accounts(payment)
    await transfer(payment, "BR-1", "C-2")
    await payment.turn("US01", D3)
    payment.published()
    await payment.receive(a_return("BR-1", "150.00", fee="35.00"))
    gone = payment.published(PaymentReversed)
    assert [(one.account, one.receipt, one.amount, one.fee, one.reopened) for one in gone] == [
        ("C-1", "US01|BR-1", "50.00", "35.00", ["US01|INV-1|1"]),
        ("C-2", "US01|BR-1/to/C-2/1", "100.00", None, ["US01|INV-2|1"]),
    ]
    assert await receipt(payment, "BR-1") == {"account": "C-1", "returned": 5000, "transferred": 10000}
    assert await receipt(payment, "BR-1/to/C-2/1") == {"account": "C-2", "returned": 10000}
    assert await open_of(payment) == {"INV-1": 5000, "INV-2": 8000}
    await payment.receive(a_return("BR-1", "150.00", fee="35.00"))
    assert payment.published() == []
    await assert_books_balance(payment)


async def test_the_fee_of_a_return_is_told_where_all_of_the_money_went(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-10: also on the day of the transfer itself, and in two steps."""
    await payment.receive(
        an_invoice("INV-2", "80.00", "C-2"), an_invoice("INV-3", "80.00", "C-3"), an_entry("BR-1", "80.00", customer="C-1")
    )
    await transfer(payment, "BR-1", "C-2")
    off = await payment.get("/v1/receipts/BR-1/to/C-2/1", entity="US01")
    (applied,) = off.json()["applications"]
    body = {"entity": "US01", "effective_on": str(D1), "reason": "WRONG"}
    await payment.post(f"/v1/applications/{applied['application']}/unapply", body, key="off", sub="clerk-1", roles=("clerk",))
    await transfer(payment, "BR-1/to/C-2/1", "C-3")
    payment.published()
    await payment.receive(a_return("BR-1", "80.00", fee="35.00", value_on=D1))
    (gone,) = payment.published(PaymentReversed)
    assert (gone.account, gone.amount, gone.fee) == ("C-3", "80.00", "35.00")
    assert await open_of(payment) == {"INV-2": 8000, "INV-3": 8000}
    await assert_books_balance(payment)


async def test_no_bank_takes_back_a_receipt_that_is_ours(payment: ServiceUnderTest) -> None:
    await two_accounts(payment)
    await transfer(payment, "BR-1", "C-2")
    payment.published()
    await payment.receive(a_return("BR-1/to/C-2/1", "100.00"))
    (refused,) = payment.published()
    assert [one.code for one in refused.reasons] == ["RECEIPT_TRANSFERRED"]


async def test_in_another_currency_a_transfer_takes_its_part_of_the_worth_with_it(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-13: 100.00 EUR worth 110.01 USD; what is gained on both sides is what the money was worth less what the invoices were."""
    valuation = invoice.Valuation(currency="USD", rate="1.00", rate_on=D1, type="spot", total="33.33")
    rest = invoice.Valuation(currency="USD", rate="1.00", rate_on=D1, type="spot", total="66.67")
    await payment.receive(
        an_invoice("INV-1", "33.33", currency="EUR", valuation=valuation),
        an_invoice("INV-2", "66.67", "C-2", currency="EUR", valuation=rest),
        an_entry("BR-1", "100.00", "INV-1", currency="EUR", rate="1.1001"),
    )
    await transfer(payment, "BR-1", "C-2")
    facts = payment.published()
    (came,) = [one for one in facts if isinstance(one, MoneyTransferredIn)]
    gains = [one.gain for one in facts if isinstance(one, FxRealised)]
    assert came.worth == Worth(currency="USD", amount="73.34")
    assert gains == ["3.34", "6.67"]
    await assert_books_balance(payment)
