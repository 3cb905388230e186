"""Refunds: asked for by one person, approved by another whose limit covers them, out of what is free then (PAY-08, XC-05)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from events import bank, invoice
from events.payment import PaymentReversed, ReceiptUnapplied, RefundIssued, RefundRejected, RefundRequested
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
D1, D2, D3 = (date(2026, 1, 5) + timedelta(days=n) for n in range(3))


def an_invoice(number: str, total: str, issued: date = D1) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=issued,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=issued, amount=total)],
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


async def ask(payment: ServiceUnderTest, amount: str | None = None, *, receipt: str = "BR-1", sub: str = "maker", key: str = "a") -> Any:
    body = {"entity": "US01", "receipt": receipt, "reason": "OVERPAID", **({"amount": amount} if amount else {})}
    return await payment.post("/v1/refunds", body, key=f"ask {key}", sub=sub)


async def approve(
    payment: ServiceUnderTest, refund: str, *, sub: str = "checker", roles: tuple[str, ...] = ("approver",)
) -> httpx.Response:
    return await payment.post(f"/v1/refunds/{refund}/approve", {}, key=f"ok {refund} {sub}", sub=sub, roles=roles)


def codes(answer: httpx.Response) -> list[str]:
    return [one["code"] for one in answer.json()["reasons"]]


async def overpaid(payment: ServiceUnderTest) -> None:
    """A3: INV-3 of 2,350.00 and a receipt of 2,500.00 that names it."""
    await payment.receive(an_invoice("INV-3", "2350.00"), an_entry("BR-1", "2500.00", "INV-3"))
    payment.published()


async def test_what_was_overpaid_is_refunded_when_somebody_else_approves(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-08: requested, approved, issued; the money leaves the account from the day of the approval."""
    await overpaid(payment)
    asked = (await ask(payment)).json()
    assert (asked["refund"], asked["amount"], asked["status"], asked["expires_on"]) == (
        "US01|refund|BR-1|1",
        "150.00",
        "pending",
        "2026-02-04",
    )
    (requested,) = payment.published()
    assert isinstance(requested, RefundRequested)
    assert (requested.requested_by, requested.account, requested.reason) == ("maker", "C-1", "OVERPAID")
    await payment.turn("US01", D2)
    payment.published()

    answer = await approve(payment, asked["refund"])
    assert (answer.status_code, answer.json()["status"], answer.json()["limit"]) == (200, "approved", "5000.00")
    unapplied, issued = payment.published_envelopes()
    assert isinstance(unapplied.data, ReceiptUnapplied)
    assert isinstance(issued.data, RefundIssued)
    assert (issued.data.amount, issued.data.requested_by, issued.data.approved_by) == ("150.00", "maker", "checker")
    assert issued.envelope.effective_on == D2
    shown = (await payment.get("/v1/receipts/BR-1", entity="US01")).json()
    assert (shown["applied"], shown["refunded"], shown["on_account"], shown["unapplied"]) == ("2350.00", "150.00", "0.00", "0.00")
    totals = (await payment.get("/v1/accounts/C-1/open-items", entity="US01", as_of=D1)).json()["totals"]
    assert totals[0]["balance"] == "-150.00"
    await assert_books_balance(payment)


async def test_what_paid_the_next_invoice_is_not_refunded(payment: ServiceUnderTest) -> None:
    """A3: INV-4 takes the 150.00; a refund of 10.00 asked for on a later day is refused, no credit is left."""
    await overpaid(payment)
    await payment.receive(an_invoice("INV-4", "400.00"))
    await payment.turn("US01", D2)
    refused = await ask(payment, "10.00")
    assert (refused.status_code, refused.json()["code"], codes(refused)) == (409, "REFUND_REFUSED", ["NOTHING_FREE"])
    assert refused.json()["detail"] == "0.00 USD of the receipt is free."
    assert payment.published(RefundRequested) == []


async def test_what_is_free_when_it_is_approved_decides(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    await overpaid(payment)
    first, second = (await ask(payment, "100.00")).json()["refund"], (await ask(payment, "100.00", key="b")).json()["refund"]
    assert (await approve(payment, first)).status_code == 200
    refused = await approve(payment, second)
    assert (refused.status_code, codes(refused)) == (409, ["AMOUNT_ABOVE_FREE"])
    assert (await payment.get(f"/v1/refunds/{second}")).json()["status"] == "pending"
    await assert_books_balance(payment)


async def test_refunds_approved_at_the_same_time_never_pay_a_cent_twice(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """M1 to M3 under races: five requests of 100.00 for 150.00 that are free, each approved on its own connection."""
    await overpaid(payment)
    asked = [(await ask(payment, "100.00", key=str(n))).json()["refund"] for n in range(5)]
    answers = await asyncio.gather(*[approve(payment, one) for one in asked])
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert len(payment.published(RefundIssued)) == 1
    await assert_books_balance(payment)


async def test_maker_is_not_checker_and_a_limit_has_to_cover_it(payment: ServiceUnderTest) -> None:
    """XC-05, four eyes: the standard lets approvers decide up to 5,000 units."""
    await payment.receive(an_entry("BR-1", "6000.00", customer="C-1"))
    refund = (await ask(payment, "5000.01")).json()["refund"]
    assert (await approve(payment, refund, sub="maker")).json()["code"] == "MAKER_IS_CHECKER"
    assert (await approve(payment, refund)).json()["code"] == "LIMIT_EXCEEDED"
    assert (await approve(payment, refund, sub="clerk-2", roles=("clerk",))).json()["code"] == "LIMIT_MISSING"
    reject = {"reason": "TOO_MUCH"}
    assert (await payment.post(f"/v1/refunds/{refund}/reject", reject, key="r1", sub="maker", roles=["approver"])).status_code == 403
    answer = await payment.post(f"/v1/refunds/{refund}/reject", reject, key="r2", sub="checker", roles=["approver"])
    assert (answer.json()["status"], answer.json()["rejected_because"]) == ("rejected", "TOO_MUCH")
    (rejected,) = payment.published(RefundRejected)
    assert (rejected.reason, rejected.rejected_by) == ("TOO_MUCH", "checker")
    late = await approve(payment, refund, sub="checker-2")
    assert (late.status_code, late.json()["code"]) == (409, "ALREADY_DECIDED")


async def test_only_the_maker_withdraws(payment: ServiceUnderTest) -> None:
    await overpaid(payment)
    refund = (await ask(payment)).json()["refund"]
    assert (await payment.post(f"/v1/refunds/{refund}/withdraw", {}, key="w1", sub="other")).json()["code"] == "NOT_THE_MAKER"
    assert (await payment.post(f"/v1/refunds/{refund}/withdraw", {}, key="w2", sub="maker")).json()["status"] == "withdrawn"
    assert [(one.reason, one.rejected_by) for one in payment.published(RefundRejected)] == [("WITHDRAWN", "maker")]


async def test_a_request_nobody_decides_about_expires(payment: ServiceUnderTest) -> None:
    """XC-05: after the days the policy of its day allows, when a day turns."""
    await overpaid(payment)
    refund = (await ask(payment)).json()["refund"]
    await payment.turn("US01", D1 + timedelta(days=30))
    assert (await payment.get(f"/v1/refunds/{refund}")).json()["status"] == "pending"
    await payment.turn("US01", D1 + timedelta(days=31))
    shown = (await payment.get(f"/v1/refunds/{refund}")).json()
    assert (shown["status"], shown["decided_by"], shown["decided_on"]) == ("expired", None, "2026-02-05")
    assert [(one.reason, one.rejected_by) for one in payment.published(RefundRejected)] == [("EXPIRED", None)]
    assert (await approve(payment, refund)).json()["code"] == "ALREADY_DECIDED"


async def test_refunds_are_listed(payment: ServiceUnderTest) -> None:
    await overpaid(payment)
    await payment.receive(an_entry("BR-2", "10.00", customer="C-1"))
    first = (await ask(payment, "1.00")).json()["refund"]
    second = (await ask(payment, "2.00", receipt="BR-2", key="b")).json()["refund"]
    await approve(payment, second)

    async def listed(**asked: Any) -> list[str]:
        return [one["refund"] for one in (await payment.get("/v1/refunds", entity="US01", **asked)).json()["refunds"]]

    assert await listed() == [first, second]
    assert (await listed(status="pending"), await listed(receipt="BR-2"), await listed(account="C-2")) == ([first], [second], [])
    assert (await payment.get("/v1/refunds/US01|refund|BR-9|1")).status_code == 404
    assert (await approve(payment, "US01|refund|BR-9|1")).status_code == 404


async def test_money_of_nobody_and_what_is_not_asked_for_properly_is_refused(payment: ServiceUnderTest) -> None:
    await payment.receive(an_entry("BR-1", "10.00"))
    body = {"entity": "US01", "receipt": "BR-1", "amount": "-1", "reason": "please pay it back"}
    refused = await payment.post("/v1/refunds", body)
    assert (refused.status_code, set(codes(refused))) == (422, {"PAYER_UNKNOWN", "AMOUNT_NOT_POSITIVE", "REASON_INVALID"})
    assert (await ask(payment, receipt="BR-9")).json()["code"] == "RECEIPT_UNKNOWN"


async def test_what_was_refunded_is_not_taken_back_by_the_bank_again(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-10: the return of a receipt takes what is left of it; of what was refunded before it says how much."""
    await overpaid(payment)
    await approve(payment, (await ask(payment, "100.00")).json()["refund"])
    await payment.turn("US01", D2)
    await _return(payment)
    (reversed_,) = payment.published(PaymentReversed)
    assert (reversed_.amount, reversed_.refunded) == ("2400.00", "100.00")
    await assert_books_balance(payment)


async def test_a_refund_and_a_return_of_one_day_leave_the_refund(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """What was issued is on its way to the payer, whatever the bank says afterwards."""
    await overpaid(payment)
    await approve(payment, (await ask(payment, "100.00")).json()["refund"])
    payment.published()
    await _return(payment)
    told = payment.published()
    assert not [one for one in told if isinstance(one, RefundIssued)]
    (reversed_,) = [one for one in told if isinstance(one, PaymentReversed)]
    assert (reversed_.amount, reversed_.refunded) == ("2400.00", "100.00")
    await assert_books_balance(payment)


async def _return(payment: ServiceUnderTest) -> None:
    await payment.receive(
        bank.EntryReturned(
            entity="US01",
            account_ref="OUR-1",
            bank_ref="RT-1",
            returned_bank_ref="BR-1",
            value_on=D2,
            amount="2500.00",
            currency="USD",
            kind="return",
        )
    )
