"""Discounts and what is tolerated of a short payment, as the ledger tells of them: in status, history, explanation and split."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import erp
from events.payment import AdjustmentPosted, AdjustmentReversed, ApplicationReversed, DiscountGranted, DiscountRevoked, PaymentApplied
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


async def issue(sut: ServiceUnderTest, document_no: str = "INV-2") -> None:
    """Take in an invoice of 1,000.00 and VAT 200.00 (A2)."""
    await sut.receive(
        erp.InvoiceIssued(
            entity="US01",
            document_no=document_no,
            customer="C-1",
            currency="USD",
            issued_on=DAY,
            total="1200.00",
            tax="200.00",
            terms="NET30",
        )
    )


def _of_item(amount: str, document_no: str) -> dict[str, Any]:
    of = {"entity": "US01", "customer": "C-1", "account": "C-1", "currency": "USD", "due_on": date(2026, 2, 4)}
    return {**of, "item": f"US01|{document_no}|1", "invoice": f"US01|{document_no}", "amount": amount}


def paid(amount: str, document_no: str = "INV-2") -> PaymentApplied:
    return PaymentApplied(application=f"pay|{document_no}", receipt="US01|B-1", rule="reference", **_of_item(amount, document_no))


def given_back(amount: str, document_no: str = "INV-2") -> ApplicationReversed:
    return ApplicationReversed(application=f"pay|{document_no}", receipt="US01|B-1", reason="returned", **_of_item(amount, document_no))


def discounted(amount: str, tax: str, document_no: str = "INV-2") -> DiscountGranted:
    return DiscountGranted(discount="D-1", receipt="US01|B-1", tax=tax, kind="earned", **_of_item(amount, document_no))


def revoked(amount: str, tax: str, document_no: str = "INV-2") -> DiscountRevoked:
    return DiscountRevoked(discount="D-1", receipt="US01|B-1", tax=tax, kind="earned", reason="returned", **_of_item(amount, document_no))


def tolerated(amount: str, kind: str = "tolerance", document_no: str = "INV-2") -> AdjustmentPosted:
    return AdjustmentPosted(adjustment=f"US01|B-1|{kind}", kind=kind, tax="0.58", receipt="US01|B-1", **_of_item(amount, document_no))


def not_tolerated(amount: str, kind: str = "tolerance", document_no: str = "INV-2") -> AdjustmentReversed:
    return AdjustmentReversed(
        adjustment=f"US01|B-1|{kind}", kind=kind, tax="0.58", receipt="US01|B-1", reason="returned", **_of_item(amount, document_no)
    )


async def read(sut: ServiceUnderTest, path: str = "/v1/invoices/INV-2", **params: Any) -> Any:
    answer = await sut.get(path, entity="US01", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_discount_settles_with_the_money_and_is_told_apart_from_a_write_off(invoice: ServiceUnderTest) -> None:
    """A2 (a), INV-04, INV-05: 1,176.00 and 24.00 off are all there was to pay."""
    await issue(invoice)
    await invoice.receive(discounted("24.00", "4.00"))
    assert ((await read(invoice))["settlement_status"], (await read(invoice))["open"]) == ("partially_settled", "1176.00")

    await invoice.receive(paid("1176.00"))

    shown = await read(invoice)
    assert (shown["settlement_status"], shown["open"]) == ("settled", "0.00")
    assert shown["settled"] == {"applied": "1176.00", "credited": "0.00", "discounted": "24.00", "adjusted": "0.00"}
    listed = await read(invoice, "/v1/invoices", settlement_status="settled")
    assert [one["document_no"] for one in listed["invoices"]] == ["INV-2"]
    async with invoice.db.reading() as db:
        row = await db.fetchrow("SELECT open_minor, settled_minor, adjusted_minor, discounted_minor FROM chk.item")
    assert row is not None
    assert tuple(row) == (0, 117_600, 0, 2_400)


@pytest.mark.parametrize("kind", ["tolerance", "bank_charge", "withholding_tax"])
async def test_what_nobody_was_asked_for_takes_off_the_item_and_is_no_request(kind: str, invoice: ServiceUnderTest) -> None:
    """A2 (e), PAY-09: 3.50 that a policy of the payment service lets go are adjusted, and no request of ours."""
    await issue(invoice)
    await invoice.receive(paid("1172.50"), discounted("24.00", "4.00"), tolerated("3.50", kind))

    shown = await read(invoice)
    assert (shown["settlement_status"], shown["open"], shown["settled"]["adjusted"]) == ("written_off", "0.00", "3.50")
    assert (await read(invoice, "/v1/adjustments"))["adjustments"] == []
    await invoice.receive(not_tolerated("3.50", kind))
    assert (await read(invoice))["open"] == "3.50"
    async with invoice.db.reading() as db:
        assert await db.fetchval("SELECT count(*) FROM chk.parked") == 0


async def test_a_returned_payment_leaves_the_document_as_it_was_issued(invoice: ServiceUnderTest) -> None:
    """PAY-10: money, discount and tolerance come back, whichever is told first; and as of the day before nothing has changed."""
    await issue(invoice)
    await invoice.receive(paid("1172.50"), discounted("24.00", "4.00"), tolerated("3.50"))
    await invoice.turn("US01", NEXT)
    await invoice.receive(revoked("24.00", "4.00"), not_tolerated("3.50"), given_back("1172.50"))

    assert ((await read(invoice))["settlement_status"], (await read(invoice))["open"]) == ("open", "1200.00")
    before = await read(invoice, as_of=DAY.isoformat())
    assert (before["open"], before["settled"]["discounted"]) == ("0.00", "24.00")


async def test_history_and_explanation_tell_discounts_with_their_tax_and_their_receipt(invoice: ServiceUnderTest) -> None:
    """INV-04, INV-11, EVT-09: the split of all movements sums to what the document is made of."""
    await issue(invoice)
    await invoice.receive(paid("1172.50"), discounted("24.00", "4.00"), tolerated("3.50"), revoked("10.00", "1.67"))

    history = (await read(invoice, "/v1/history/invoices/INV-2"))["events"]
    explained = (await read(invoice, "/v1/explain/invoices/INV-2"))["items"][0]

    assert [(one["event"], one["amount"], one["open_after"], one["rule"], one["tax"]) for one in history[1:]] == [
        ("applied", "1172.50", "27.50", "reference", None),
        ("discounted", "24.00", "3.50", "earned", "4.00"),
        ("adjusted", "3.50", "0.00", "tolerance", "0.58"),
        ("discount_revoked", "10.00", "10.00", "earned", "-1.67"),
    ]
    assert {one["counterpart"] for one in history[1:]} == {"US01|B-1"}
    assert history[-1]["reason"] == "returned"
    assert [one["split"]["tax"] for one in history[1:]] == ["195.42", "4.00", "0.58", "-1.67"]
    assert [(one["kind"], one["amount"], one["left"]) for one in explained["less"][1:]] == [
        ("discounted", "24.00", "3.50"),
        ("adjusted", "3.50", "0.00"),
        ("discounted", "-10.00", "10.00"),
    ]


async def test_nothing_discounted_is_voided_by_a_person(invoice: ServiceUnderTest) -> None:
    """INV-07"""
    await issue(invoice)
    await invoice.receive(discounted("24.00", "4.00"))
    void = await invoice.post("/v1/voids", {"entity": "US01", "document_no": "INV-2", "customer": "C-1", "reason": "WRONG"})
    assert (void.status_code, [one["code"] for one in void.json()["reasons"]]) == (409, ["INVOICE_SETTLED"])


async def test_what_is_discounted_cannot_be_written_off(invoice: ServiceUnderTest) -> None:
    """INV-08: no more than is open."""
    await issue(invoice)
    await invoice.receive(paid("1100.00"), discounted("24.00", "4.00"))
    ask = {"entity": "US01", "document_no": "INV-2", "n": 1, "kind": "bad_debt", "amount": "77.00", "reason": "GONE"}
    refused = await invoice.post("/v1/adjustments", ask)
    taken = await invoice.post("/v1/adjustments", {**ask, "amount": "76.00"}, key="k2")
    assert (refused.status_code, taken.status_code) == (422, 201)
