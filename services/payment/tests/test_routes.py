"""Receipts over HTTP, and the ledger read back."""

import asyncio
from typing import Any

import pytest
from events import invoice
from events.payment import PaymentApplied, PaymentReceived
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db


def an_invoice(number: str, total: str, account: str = "C-1") -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=FIRST_DAY,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=FIRST_DAY, amount=total)],
    )


def a_body(ref: str, amount: str, **other: Any) -> dict[str, Any]:
    return {"entity": "US01", "bank_ref": ref, "value_on": "2026-01-05", "amount": amount, "currency": "USD", **other}


async def test_a_receipt_is_recorded_applied_and_shown(payment: ServiceUnderTest) -> None:
    """A3 over HTTP: 150.00 left over behind the named invoice."""
    await payment.receive(an_invoice("INV-3", "2350.00"))
    answer = await payment.post("/v1/receipts", a_body("BR/1", "2500.00", remittance="INV-3", method="check"))

    assert answer.status_code == 201
    shown = answer.json()
    (application,) = shown.pop("applications")
    assert shown == {
        "receipt": "US01|BR/1",
        "entity": "US01",
        "bank_ref": "BR/1",
        "account": "C-1",
        "identified_by": "reference",
        "method": "check",
        "currency": "USD",
        "amount": "2500.00",
        "unidentified": "0.00",
        "unapplied": "0.00",
        "on_account": "150.00",
        "pinned": "0.00",
        "applied": "2350.00",
        "refunded": "0.00",
        "returned": "0.00",
        "transferred": "0.00",
        "value_on": "2026-01-05",
        "booked_on": "2026-01-05",
        "returned_on": None,
        "came_from": None,
        "deposit_for": None,
        "is_bound": False,
        "debited_on": None,
        "allowances": [],
        "transfers": [],
    }
    assert (application["item"], application["amount"], application["rule"]) == ("US01|INV-3|1", "2350.00", "reference")
    assert (await payment.get("/v1/receipts/BR/1", entity="US01")).json() == answer.json()


async def test_the_same_receipt_again_is_the_same_receipt_and_another_content_a_conflict(payment: ServiceUnderTest) -> None:
    first = await payment.post("/v1/receipts", a_body("BR-1", "10.00", customer="C-1"), key="one")
    replayed = await payment.post("/v1/receipts", a_body("BR-1", "10.00", customer="C-1"), key="one")
    assert (replayed.status_code, replayed.content, replayed.headers["Idempotent-Replayed"]) == (201, first.content, "true")
    again = await payment.post("/v1/receipts", a_body("BR-1", "10.0", customer="C-1"), key="two")
    assert (again.status_code, again.json()) == (201, first.json())
    conflict = await payment.post("/v1/receipts", a_body("BR-1", "11.00", customer="C-1"), key="three")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "CONFLICT")
    assert len(payment.published(PaymentReceived)) == 1


async def test_a_receipt_is_refused_for_every_reason_at_once_and_leaves_nothing(payment: ServiceUnderTest) -> None:
    answer = await payment.post("/v1/receipts", a_body("B|R", "0.001", customer="", entity="XX99"))
    assert answer.status_code == 422
    assert {(one["field"], one["code"]) for one in answer.json()["reasons"]} == {
        ("entity", "ENTITY_UNKNOWN"),
        ("bank_ref", "BAD_IDENTIFIER"),
        ("customer", "BAD_IDENTIFIER"),
        ("amount", "AMOUNT_TOO_PRECISE"),
    }
    assert (await payment.post("/v1/receipts", a_body("BR-1", "1.00", value_on=20260105))).status_code == 422
    assert await payment.db.pool.fetchval("SELECT count(*) FROM receipt") == 0
    assert payment.published() == []


async def test_only_clerks_and_services_record_receipts(payment: ServiceUnderTest) -> None:
    answer = await payment.post("/v1/receipts", a_body("BR-1", "1.00"), roles=["auditor"])
    assert answer.status_code == 403


async def test_items_are_listed_in_pages(payment: ServiceUnderTest) -> None:
    await payment.receive(*[an_invoice(f"INV-{n}", "10.00") for n in range(5)], an_invoice("INV-9", "10.00", "C-9"))
    await payment.post("/v1/receipts", a_body("BR-1", "10.00", remittance="INV-2"))
    listed, cursor = [], "0"
    while cursor:
        page = (await payment.get("/v1/items", entity="US01", account="C-1", open="true", limit=2, cursor=cursor)).json()
        assert len(page["items"]) <= 2
        listed += page["items"]
        cursor = page["next_cursor"]
    assert [one["item"] for one in listed] == [f"US01|INV-{n}|1" for n in (0, 1, 3, 4)]
    assert listed[0] == {
        "item": "US01|INV-0|1",
        "invoice": "US01|INV-0",
        "customer": "C-1",
        "account": "C-1",
        "currency": "USD",
        "due_on": "2026-01-05",
        "total": "10.00",
        "open": "10.00",
        "written_off": "0.00",
        "is_voided": False,
        "booked_on": "2026-01-05",
    }
    closed = (await payment.get("/v1/items", entity="US01", open="false")).json()["items"]
    assert [(one["item"], one["open"]) for one in closed] == [("US01|INV-2|1", "0.00")]


async def test_an_account_shows_its_balances_by_currency(payment: ServiceUnderTest) -> None:
    """PAY-02: what is open, and every kind of credit apart."""
    await payment.receive(an_invoice("INV-1", "100.00"))
    await payment.post("/v1/receipts", a_body("BR-1", "130.00", remittance="INV-1"), key="one")
    await payment.post("/v1/receipts", a_body("BR-2", "7", customer="C-1", currency="JPY"), key="two")
    shown = (await payment.get("/v1/accounts/C-1", entity="US01")).json()
    assert shown == {
        "entity": "US01",
        "account": "C-1",
        "complete_up_to": "2026-01-04",
        "balances": [
            {"currency": "JPY", "open": "0", "unapplied": "7", "on_account": "0", "memo_credit": "0"},
            {"currency": "USD", "open": "0.00", "unapplied": "0.00", "on_account": "30.00", "memo_credit": "0.00"},
        ],
    }


async def test_what_is_not_there_is_a_problem(payment: ServiceUnderTest) -> None:
    for path in ("/v1/receipts/BR-9?entity=US01", "/v1/accounts/C-9?entity=US01", "/v1/items?entity=XX99", "/v1/accounts/C-9?entity=XX99"):
        answer = await payment.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_commands_at_the_same_time_never_apply_the_same_cent_twice(payment: ServiceUnderTest) -> None:
    """M1 to M3 under races: ten receipts of 30.00 for one item of 100.00, each on its own connection."""
    await payment.receive(an_invoice("INV-1", "100.00"))
    answers = await asyncio.gather(
        *[payment.post("/v1/receipts", a_body(f"BR-{n}", "30.00", remittance="INV-1"), key=f"k{n}") for n in range(10)]
    )
    assert {answer.status_code for answer in answers} == {201}
    assert await payment.db.pool.fetchval("SELECT open_minor FROM chk.item") == 0
    assert await payment.db.pool.fetchval("SELECT sum(applied_minor) FROM chk.receipt") == 100_00
    assert await payment.db.pool.fetchval("SELECT sum(on_account_minor) FROM chk.receipt") == 200_00
    applied = sum(int(one.amount.replace(".", "")) for one in payment.published(PaymentApplied))
    assert applied >= 100_00  # What was reversed as reordered is counted in.


async def test_one_receipt_sent_by_many_at_once_is_one_receipt(payment: ServiceUnderTest) -> None:
    answers = await asyncio.gather(*[payment.post("/v1/receipts", a_body("BR-1", "30.00", customer="C-1"), key=f"k{n}") for n in range(8)])
    assert {answer.status_code for answer in answers} == {201}
    assert len(payment.published(PaymentReceived)) == 1
