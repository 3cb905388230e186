"""Consolidated bills: invoices of an account under one payable reference, each on at most one live bill (INV-12)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import httpx
import pytest
from events import erp
from events.invoice import ConsolidatedBillIssued
from events.payment import PaymentApplied
from invoice.app import SERVICE
from invoice.domain.bills import Bill, BillRequest, Payable, consolidate
from testkit.service import ServiceUnderTest, service_under_test

DAY = date(2026, 1, 5)
REQUEST = BillRequest("US01", "C-1", "USD")
BILL = {"entity": "US01", "customer": "C-1", "currency": "USD"}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def payable(document_no: str, open_minor: int = 100, **changes: Any) -> Payable:
    told = {"account": "C-1", "currency": "USD", "issued_on": DAY, "due_on": date(2026, 2, 4), **changes}
    return Payable(1, document_no, open_minor=open_minor, **told)


def an_invoice(document_no: str, total: str = "100.00", **changes: Any) -> erp.InvoiceIssued:
    told = {"customer": "C-1", "currency": "USD", "issued_on": DAY, "terms": "NET30", **changes}
    return erp.InvoiceIssued(entity="US01", document_no=document_no, total=total, **told)


def a_payment_of(document_no: str, amount: str) -> PaymentApplied:
    return PaymentApplied(
        entity="US01",
        application=f"A-{document_no}-{amount}",
        receipt="US01|R-1",
        item=f"US01|{document_no}|1",
        invoice=f"US01|{document_no}",
        customer="C-1",
        account="C-1",
        currency="USD",
        due_on=date(2026, 2, 4),
        amount=amount,
        rule="reference",
    )


def reasons_of(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.headers["content-type"] == "application/problem+json"
    return [(reason["code"], reason["field"]) for reason in answer.json().get("reasons", [])]


# --- domain ---


def test_a_bill_takes_what_was_issued_through_its_day_and_is_on_no_other() -> None:
    """INV-12"""
    late = payable("INV-2", issued_on=date(2026, 1, 6))
    bill = consolidate(
        REQUEST,
        "C-1",
        "B-1",
        [payable("INV-3", 50, due_on=date(2026, 1, 20)), payable("INV-1"), late, payable("INV-4", on_bill="B-0")],
        DAY,
    )

    assert isinstance(bill, Bill)
    assert [document.document_no for document in bill.documents] == ["INV-1", "INV-3"]
    assert (bill.total_minor, bill.due_on, bill.through_on, bill.replaces) == (150, date(2026, 1, 20), DAY, ())


def test_a_bill_that_carries_forward_takes_over_what_is_open_of_live_bills() -> None:
    """INV-12: balance forward."""
    carried = payable("INV-4", on_bill="B-0", issued_on=date(2026, 1, 9))
    bill = consolidate(BillRequest("US01", "C-1", "USD", carries_forward=True), "C-1", "B-1", [payable("INV-1"), carried], DAY)

    assert isinstance(bill, Bill)
    assert ([document.document_no for document in bill.documents], bill.replaces) == (["INV-1", "INV-4"], ("B-0",))


def test_every_reason_against_the_invoices_named_is_said() -> None:
    wrong = payable("W", 0, account="C-2", currency="EUR", issued_on=date(2026, 1, 6), on_bill="B-0")
    request = BillRequest("US01", "C-1", "USD", invoices=("W", "GONE", "OK", "OK"))

    faults = consolidate(request, "C-1", "B-1", [wrong, payable("OK")], DAY)

    assert isinstance(faults, list)
    assert [tuple(fault) for fault in faults] == [
        ("INVOICE_OF_ANOTHER_ACCOUNT", "invoices[0]"),
        ("CURRENCY_MISMATCH", "invoices[0]"),
        ("INVOICE_TOO_LATE", "invoices[0]"),
        ("INVOICE_NOT_OPEN", "invoices[0]"),
        ("INVOICE_ON_A_BILL", "invoices[0]"),
        ("INVOICE_UNKNOWN", "invoices[1]"),
        ("INVOICE_TWICE", "invoices[3]"),
    ]


def test_what_is_asked_for_otherwise_has_another_fingerprint() -> None:
    asked = [
        REQUEST,
        BillRequest("US01", "C-1", "USD", through_on=DAY),
        BillRequest("US01", "C-1", "USD", due_on=DAY),
        BillRequest("US01", "C-1", "USD", invoices=()),
    ]
    assert len({request.content_hash for request in asked}) == len(asked)
    assert REQUEST.content_hash == BillRequest("US01", "C-1", "USD").content_hash


# --- over HTTP ---


@pytest.mark.db
async def test_a_bill_puts_the_open_invoices_of_an_account_under_one_reference(invoice: ServiceUnderTest) -> None:
    """INV-12: what was paid of them counts, and what others owe does not."""
    await invoice.receive(
        an_invoice("INV-1"),
        an_invoice("INV-2", "50.00"),
        an_invoice("PAID"),
        an_invoice("X", customer="C-2"),
        an_invoice("E", currency="EUR"),
    )
    await invoice.receive(a_payment_of("INV-1", "40.00"), a_payment_of("PAID", "100.00"))
    invoice.published()

    answer = await invoice.post("/v1/bills", BILL)

    assert answer.status_code == 201
    assert answer.json() == {
        **BILL,
        "bill": "US01|bill|B20260105-0001",
        "bill_no": "B20260105-0001",
        "account": "C-1",
        "issued_on": "2026-01-05",
        "through_on": "2026-01-05",
        "due_on": "2026-02-04",
        "total": "110.00",
        "open": "110.00",
        "payment_reference": answer.json()["payment_reference"],
        "replaced_by": None,
        "documents": [
            {"document_no": "INV-1", "document_status": "issued", "billed": "60.00", "open": "60.00"},
            {"document_no": "INV-2", "document_status": "issued", "billed": "50.00", "open": "50.00"},
        ],
    }
    assert answer.json()["payment_reference"].endswith("B202601050001")
    (published,) = invoice.published_envelopes()
    assert (published.envelope.key, published.envelope.effective_on) == ("US01|C-1", DAY)
    assert published.data == ConsolidatedBillIssued(
        entity="US01",
        bill="US01|bill|B20260105-0001",
        bill_no="B20260105-0001",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=DAY,
        through_on=DAY,
        total="110.00",
        invoices=["US01|INV-1", "US01|INV-2"],
        payment_reference=answer.json()["payment_reference"],
        due_on=date(2026, 2, 4),
    )


@pytest.mark.db
async def test_a_bill_shows_what_is_open_of_it_now(invoice: ServiceUnderTest) -> None:
    await invoice.receive(an_invoice("INV-1"), an_invoice("INV-2"))
    await invoice.post("/v1/bills", {**BILL, "bill_no": "B-1"})

    await invoice.receive(a_payment_of("INV-2", "30.00"))

    shown = (await invoice.get("/v1/bills/B-1?entity=US01")).json()
    assert (shown["total"], shown["open"]) == ("200.00", "170.00")
    assert [document["open"] for document in shown["documents"]] == ["100.00", "70.00"]


@pytest.mark.db
async def test_an_invoice_is_on_one_live_bill_and_what_comes_later_on_the_next(invoice: ServiceUnderTest) -> None:
    """INV-12: a bill that carries forward takes over what is open, and the bill before it is replaced."""
    await invoice.receive(an_invoice("INV-1"), an_invoice("INV-2"))
    await invoice.post("/v1/bills", {**BILL, "bill_no": "B-1"}, key="1")
    nothing = await invoice.post("/v1/bills", BILL, key="2")
    named = await invoice.post("/v1/bills", {**BILL, "invoices": ["INV-1"]}, key="3")
    await invoice.receive(an_invoice("INV-3"), a_payment_of("INV-1", "100.00"))
    invoice.published()

    second = await invoice.post("/v1/bills", {**BILL, "bill_no": "B-2", "carry_forward": True}, key="4")

    assert (nothing.status_code, reasons_of(nothing)) == (422, [("NOTHING_OPEN", "invoices")])
    assert (named.status_code, reasons_of(named)) == (422, [("INVOICE_ON_A_BILL", "invoices[0]")])
    assert [document["document_no"] for document in second.json()["documents"]] == ["INV-2", "INV-3"]
    assert (await invoice.get("/v1/bills/B-1?entity=US01")).json()["replaced_by"] == "B-2"
    assert [fact.replaces for fact in invoice.published(ConsolidatedBillIssued)] == [["US01|bill|B-1"]]


@pytest.mark.db
async def test_two_who_bill_the_same_invoices_at_once_leave_one_live_bill(invoice: ServiceUnderTest) -> None:
    """INV-12: the later one begins anew and finds nothing left to bill."""
    await invoice.receive(an_invoice("INV-1"), an_invoice("INV-2"))
    invoice.published()

    answers = await asyncio.gather(*(invoice.post("/v1/bills", {**BILL, "bill_no": f"B-{n}"}, key=f"{n}") for n in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]
    assert len(invoice.published(ConsolidatedBillIssued)) == 1


@pytest.mark.db
async def test_a_bill_asked_for_again_is_the_same_bill(invoice: ServiceUnderTest) -> None:
    await invoice.receive(an_invoice("INV-1"))
    first = await invoice.post("/v1/bills", {**BILL, "bill_no": "B-1"}, key="1")
    invoice.published()

    again = await invoice.post("/v1/bills", {**BILL, "bill_no": "B-1"}, key="2")
    other = await invoice.post("/v1/bills", {**BILL, "bill_no": "B-1", "reference": "qr"}, key="3")

    assert (again.status_code, again.json()) == (201, first.json())
    assert (other.status_code, reasons_of(other)) == (409, [("CONFLICT", "bill_no")])
    assert invoice.published() == []


@pytest.mark.db
async def test_two_bills_never_share_a_payable_reference(invoice: ServiceUnderTest) -> None:
    await invoice.receive(an_invoice("INV-1"), an_invoice("INV-2"))
    await invoice.post("/v1/bills", {**BILL, "bill_no": "B-1", "invoices": ["INV-1"]}, key="1")

    twin = await invoice.post("/v1/bills", {**BILL, "bill_no": "B1", "invoices": ["INV-2"]}, key="2")

    assert (twin.status_code, reasons_of(twin)) == (422, [("PAYMENT_REFERENCE_TAKEN", "bill_no")])


@pytest.mark.db
@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (
            {
                "bill_no": "a/b",
                "through_on": "2026-01-06",
                "invoices": [],
                "carry_forward": True,
                "due_on": "1969-01-01",
                "customer": "a|b",
            },
            [
                ("BAD_IDENTIFIER", "bill_no"),
                ("DATE_IN_FUTURE", "through_on"),
                ("DATE_OUT_OF_RANGE", "due_on"),
                ("INVOICES_AND_CARRY_FORWARD", "carry_forward"),
                ("OUT_OF_RANGE", "invoices"),
                ("BAD_IDENTIFIER", "customer"),
            ],
        ),
        ({"currency": "nothing"}, [("NOTHING_OPEN", "invoices")]),
        ({"invoices": ["GONE"]}, [("INVOICE_UNKNOWN", "invoices[0]")]),
    ],
)
async def test_a_bill_that_cannot_be_is_refused_with_every_reason(
    invoice: ServiceUnderTest, change: dict[str, object], reasons: list[tuple[str, str]]
) -> None:
    answer = await invoice.post("/v1/bills", {**BILL, **change})

    assert (answer.status_code, reasons_of(answer)) == (422, reasons)
    assert invoice.published() == []


@pytest.mark.db
async def test_running_numbers_and_pages_go_by_number(invoice: ServiceUnderTest) -> None:
    for n in range(3):
        await invoice.receive(an_invoice(f"INV-{n}"))
        await invoice.post("/v1/bills", BILL, key=f"{n}")
    await invoice.receive(an_invoice("X", customer="C-2"))
    await invoice.post("/v1/bills", {**BILL, "customer": "C-2", "bill_no": "A-1", "reference": "ocr"}, key="x")

    first = (await invoice.get("/v1/bills?entity=US01&customer=C-1&limit=2")).json()
    rest = (await invoice.get(f"/v1/bills?entity=US01&customer=C-1&limit=2&cursor={first['next_cursor']}")).json()
    everything = (await invoice.get("/v1/bills?entity=US01")).json()

    assert [bill["bill_no"] for bill in first["bills"] + rest["bills"]] == [f"B20260105-000{n}" for n in (1, 2, 3)]
    assert rest["next_cursor"] is None
    assert [bill["bill_no"] for bill in everything["bills"]] == ["A-1", *(f"B20260105-000{n}" for n in (1, 2, 3))]


@pytest.mark.db
@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/bills/B-1?entity=US01", 404), ("/v1/bills?entity=XX99", 404), ("/v1/bills?entity=US01&cursor=a%7Cb", 400), ("/v1/bills", 422)],
)
async def test_a_bill_that_cannot_be_found_or_asked_for_is_a_problem(invoice: ServiceUnderTest, path: str, status: int) -> None:
    answer = await invoice.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.db
async def test_only_those_who_may_bill_do(invoice: ServiceUnderTest) -> None:
    assert (await invoice.post("/v1/bills", BILL, roles=["collector"])).status_code == 403
