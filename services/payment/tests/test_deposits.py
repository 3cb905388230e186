"""Deposits: bound to an order or a contract, drawn down by what bears its number, released by people (PAY-16)."""

import random
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from events import bank, invoice
from events.erp import References
from events.payment import DepositReleased, MatchSuggested, OverpaymentDetected, PayerIdentified, PaymentReceived, ShortPaymentDetected
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db

Services = Callable[[], Awaitable[ServiceUnderTest]]
D1, D2, D3, D4 = (FIRST_DAY + timedelta(days=n) for n in range(4))


def an_invoice(number: str, total: str, account: str = "C-1", due: int = 0, **references: Any) -> invoice.InvoiceIssued:
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
        instalments=[invoice.Instalment(n=1, due_on=D1 + timedelta(days=due), amount=total)],
        references=References(**references) if references else None,
    )


def a_deposit(ref: str, amount: str, deposit_for: str | None = "PO-4711", customer: str | None = "C-1", **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, customer=customer, deposit_for=deposit_for, **fields)


async def applied(payment: ServiceUnderTest) -> dict[str, int]:
    """What stands applied, by receipt and item."""
    rows = await payment.db.pool.fetch("SELECT source, item, amount_minor FROM chk.application WHERE NOT reversed ORDER BY source, item")
    return {f"{row['source']}>{row['item']}".replace("US01|", "").removesuffix("|1"): row["amount_minor"] for row in rows}


async def receipt(payment: ServiceUnderTest, ref: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await payment.get(f"/v1/receipts/{ref}", entity="US01")).json()
    return shown


async def release(payment: ServiceUnderTest, ref: str) -> httpx.Response:
    return await payment.post(f"/v1/receipts/{ref}/release", {"entity": "US01", "reason": "ORDER_CANCELLED"}, key=f"release {ref}")


async def deposits(payment: ServiceUnderTest, **asked: Any) -> list[tuple[str, str, str, str]]:
    """Open deposits: reference, order, drawn, left."""
    shown = (await payment.get("/v1/deposits", entity="US01", **asked)).json()
    return [(one["bank_ref"], one["deposit_for"], one["drawn"], one["left"]) for one in shown["deposits"]]


async def test_a_deposit_waits_for_the_invoices_of_its_order_and_is_drawn_down_by_them(payment: ServiceUnderTest) -> None:
    """PAY-16: as many as come, in the order they come; the oldest open item is not its business, nor is the rest paid too much."""
    await payment.receive(an_invoice("INV-1", "100.00"), a_deposit("BR-1", "250.00"))
    assert await applied(payment) == {}
    assert (await receipt(payment, "BR-1"))["on_account"] == "250.00"
    await payment.turn("US01", D2)
    await payment.receive(an_invoice("INV-2", "120.00", order_no="po-4711"), an_invoice("INV-3", "80.00", order_no="PO-4712"))
    assert await applied(payment) == {"BR-1>INV-2": 120_00}
    await payment.turn("US01", D3)
    await payment.receive(an_invoice("INV-4", "200.00", customer_reference="PO-4711"))
    assert await applied(payment) == {"BR-1>INV-2": 120_00, "BR-1>INV-4": 130_00}
    await payment.turn("US01", D4)
    found = (OverpaymentDetected, ShortPaymentDetected, MatchSuggested)
    assert [one for one in payment.published() if isinstance(one, found)] == []
    assert await deposits(payment) == []


async def test_an_invoice_of_the_order_that_comes_later_the_same_day_may_take_the_place_of_another(payment: ServiceUnderTest) -> None:
    """PAY-16: what was due first is drawn first, though the deposit was used up and its invoice settled."""
    await payment.receive(a_deposit("BR-1", "100.00"), an_invoice("INV-1", "100.00", due=9, order_no="PO-4711"))
    assert await applied(payment) == {"BR-1>INV-1": 100_00}
    await payment.receive(an_invoice("INV-2", "60.00", due=1, order_no="PO-4711"))
    assert await applied(payment) == {"BR-1>INV-1": 40_00, "BR-1>INV-2": 60_00}


@pytest.mark.parametrize("field", ["order_no", "purchase_order_no", "delivery_no", "customer_reference", "contract_no"])
@pytest.mark.parametrize("number", ["PO-4711", "17", "BY PHONE"])
async def test_an_order_is_found_however_short_its_number_is(payment: ServiceUnderTest, field: str, number: str) -> None:
    """PAY-16: what says that it is an order needs no digits."""
    await payment.receive(a_deposit("BR-1", "30.00", number), an_invoice("INV-1", "10.00"))
    await payment.receive(an_invoice("INV-2", "100.00", due=20, **{field: number}))
    assert await applied(payment) == {"BR-1>INV-2": 30_00}


async def test_a_contract_is_named_by_deposits_only(payment: ServiceUnderTest) -> None:
    """PAY-04, PAY-16: its number stands in too many texts."""
    await payment.receive(an_invoice("INV-1", "10.00"), an_invoice("INV-2", "100.00", due=20, contract_no="V-2026"))
    await payment.receive(a_deposit("BR-1", "5.00", None, remittance="V-2026"))
    assert await applied(payment) == {"BR-1>INV-1": 5_00}


async def test_numbers_that_the_remittance_names_come_before_the_order(payment: ServiceUnderTest) -> None:
    """PAY-04, PAY-16: an invoice named by its number is meant; another order in the text is not."""
    await payment.receive(
        an_invoice("INV-1", "10.00"),
        an_invoice("INV-2", "30.00", order_no="PO-4711"),
        an_invoice("INV-3", "20.00", due=9),
        an_invoice("INV-4", "40.00", order_no="PO-4712"),
    )
    await payment.receive(a_deposit("BR-1", "100.00", remittance="PO-4711, INV-3, PO-4712"))
    assert await applied(payment) == {"BR-1>INV-2": 30_00, "BR-1>INV-3": 20_00}
    assert await deposits(payment) == [("BR-1", "PO-4711", "50.00", "50.00")]


async def test_a_deposit_of_nobody_finds_its_payer_by_the_order_when_the_day_turns(payment: ServiceUnderTest) -> None:
    """PAY-11, PAY-16"""
    await payment.receive(a_deposit("BR-1", "60.00", customer=None))
    (received,) = payment.published(PaymentReceived)
    assert (received.account, received.deposit_for) == (None, "PO-4711")
    assert await deposits(payment, account="C-1") == []
    assert (await release(payment, "BR-1")).json()["reasons"] == [{"code": "PAYER_UNKNOWN", "field": "receipt"}]
    await payment.receive(an_invoice("INV-1", "100.00", order_no="PO-4711"), an_invoice("INV-2", "90.00", "C-2", order_no="PO-4712"))
    await payment.turn("US01", D2)
    (identified,) = payment.published(PayerIdentified)
    assert (identified.account, identified.references, identified.deposit_for) == ("C-1", ["INV-1"], "PO-4711")
    assert await applied(payment) == {"BR-1>INV-1": 60_00}


async def test_nothing_is_suggested_for_a_deposit(payment: ServiceUnderTest) -> None:
    """PAY-06, PAY-16: not by its amount either."""
    await payment.receive(an_invoice("INV-1", "100.00"), a_deposit("BR-1", "100.00"))
    shown = (await payment.get("/v1/suggestions", entity="US01")).json()
    assert shown["suggestions"] == []
    assert [(one["receipt"], one["reason"]) for one in shown["without"]] == [("US01|BR-1", "BOUND")]


async def test_a_person_may_use_a_deposit_for_anything(payment: ServiceUnderTest) -> None:
    """PAY-07, PAY-16: what is left stays bound."""
    await payment.receive(an_invoice("INV-1", "40.00"), a_deposit("BR-1", "100.00"))
    body = {"entity": "US01", "item": "US01|INV-1|1", "reason": "AS_ASKED"}
    assert (await payment.post("/v1/receipts/BR-1/applications", body)).status_code == 201
    await payment.turn("US01", D2)
    await payment.receive(an_invoice("INV-2", "50.00"))
    assert await applied(payment) == {"BR-1>INV-1": 40_00}
    assert await deposits(payment) == [("BR-1", "PO-4711", "40.00", "60.00")]


@pytest.mark.parametrize("turns", [False, True])
async def test_a_released_deposit_is_money_like_other_money(payment: ServiceUnderTest, turns: bool) -> None:
    """PAY-16: from the day of its release on, told once."""
    await payment.receive(an_invoice("INV-1", "100.00"), a_deposit("BR-1", "60.00"))
    if turns:
        await payment.turn("US01", D2)
    shown = (await receipt(payment, "BR-1"))["deposit_for"], (await receipt(payment, "BR-1"))["is_bound"]
    assert shown == ("PO-4711", True)
    answer = await release(payment, "BR-1")
    assert (answer.status_code, answer.json()["is_bound"]) == (200, False)
    (released,) = payment.published(DepositReleased)
    assert (released.account, released.deposit_for, released.amount, released.released_by) == ("C-1", "PO-4711", "60.00", "clerk-1")
    assert await applied(payment) == {"BR-1>INV-1": 60_00}
    again = await payment.post("/v1/receipts/BR-1/release", {"entity": "US01", "reason": "AGAIN"}, key="again")
    assert (again.status_code, again.json()["reasons"]) == (409, [{"code": "NOTHING_KEPT", "field": "receipt"}])


async def test_a_deposit_is_recorded_over_http_and_is_another_receipt_without_its_order(payment: ServiceUnderTest) -> None:
    """PAY-16: what it is for is part of what it says."""
    body = {"entity": "US01", "bank_ref": "BR-1", "value_on": str(D1), "amount": "60.00", "currency": "USD", "customer": "C-1"}
    recorded = await payment.post("/v1/receipts", {**body, "deposit_for": "PO-4711"}, key="one")
    assert (recorded.status_code, recorded.json()["on_account"], recorded.json()["is_bound"]) == (201, "60.00", True)
    assert (await payment.post("/v1/receipts", body, key="two")).status_code == 409
    refused = await payment.post("/v1/receipts", {**body, "bank_ref": "BR-2", "deposit_for": " PO|1"}, key="three")
    assert [one["field"] for one in refused.json()["reasons"]] == ["deposit_for"]


async def test_a_returned_deposit_leaves_what_it_paid(payment: ServiceUnderTest) -> None:
    """PAY-10, PAY-16"""
    await payment.receive(a_deposit("BR-1", "60.00"), an_invoice("INV-1", "40.00", order_no="PO-4711"))
    await payment.turn("US01", D2)
    back = {"entity": "US01", "account_ref": "OUR-1", "bank_ref": "RT-1", "returned_bank_ref": "BR-1", "currency": "USD", "kind": "nsf"}
    await payment.receive(bank.EntryReturned(value_on=D2, amount="60.00", **back))
    assert await applied(payment) == {}
    assert await deposits(payment) == []
    assert (await release(payment, "BR-1")).status_code == 409


A_DAY = (
    an_invoice("INV-1", "100.00", due=9, order_no="PO-4711"),
    an_invoice("INV-2", "80.00", due=8, purchase_order_no="PO-4711"),
    an_invoice("INV-3", "70.00", "C-2", due=7, order_no="PO-4711"),
    an_invoice("INV-4", "60.00", due=1),
    an_invoice("INV-5", "50.00", due=2, contract_no="V-7"),
    a_deposit("BR-1", "120.00"),
    a_deposit("BR-2", "30.00", "V-7"),
    a_deposit("BR-3", "90.00", customer=None, remittance="INV-2"),
    a_deposit("BR-4", "45.00", "PO-9999"),
    a_deposit("BR-5", "35.00", None),
    a_deposit("BR-6", "15.00", customer="C-2", value_on=date(2026, 1, 2)),
)


async def test_the_same_deposits_and_invoices_of_a_day_in_any_order_end_in_the_same_books(services: Services) -> None:
    """PAY-16, A14: each fact twice."""
    seen = []
    for seed in range(6):
        payment = await services()
        order = random.Random(seed)
        facts = order.sample(A_DAY, len(A_DAY))
        while facts:
            batch, facts = facts[: (size := order.randint(1, 4))], facts[size:]
            await payment.receive(*batch)
            await payment.receive_again()
        await payment.turn("US01", D2)
        views = (
            "SELECT * FROM chk.receipt ORDER BY receipt",
            "SELECT application, amount_minor FROM chk.application WHERE NOT reversed ORDER BY 1",
        )
        seen.append([[tuple(row) for row in await payment.db.pool.fetch(view)] for view in views])
    assert all(one == seen[0] for one in seen)
    assert await applied(payment) == {
        "BR-1>INV-1": 40_00,
        "BR-1>INV-2": 80_00,
        "BR-2>INV-5": 30_00,
        "BR-3>INV-1": 60_00,
        "BR-5>INV-4": 35_00,
        "BR-6>INV-3": 15_00,
    }
