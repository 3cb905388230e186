"""Documents over HTTP: the same rules as for facts, answered at once."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import httpx
import pytest
from events import erp
from events.fact import Event
from events.invoice import CreditMemoIssued, DebitMemoIssued, InvoiceIssued
from events.payment import PaymentApplied
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

INVOICE = {
    "entity": "US01",
    "document_no": "INV-1",
    "customer": "C-1",
    "currency": "USD",
    "issued_on": "2026-01-05",
    "total": "1200.00",
    "terms": "NET30",
}
MEMO = {"entity": "US01", "document_no": "CM-1", "customer": "C-1", "currency": "USD", "issued_on": "2026-01-05", "total": "300.00"}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def reasons_of(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.headers["content-type"] == "application/problem+json"
    return [(reason["code"], reason["field"]) for reason in answer.json().get("reasons", [])]


def a_payment_of(amount: str) -> PaymentApplied:
    return PaymentApplied(
        entity="US01",
        application="A-1",
        receipt="US01|R-1",
        item="US01|INV-1|1",
        invoice="US01|INV-1",
        customer="C-1",
        account="C-1",
        currency="USD",
        due_on=date(2026, 2, 4),
        amount=amount,
        rule="reference",
    )


async def test_an_issued_invoice_is_answered_as_it_is_read_afterwards(invoice: ServiceUnderTest) -> None:
    """INV-01, INV-05: document status, settlement status and overdue are three fields."""
    answer = await invoice.post("/v1/invoices", {**INVOICE, "total": "1200", "tax": "200.0"}, roles=["clerk"])

    assert answer.status_code == 201
    nothing = {"applied": "0.00", "credited": "0.00", "discounted": "0.00", "adjusted": "0.00"}
    assert answer.json() == {
        "entity": "US01",
        "document_no": "INV-1",
        "type": "380",
        "customer": "C-1",
        "account": "C-1",
        "currency": "USD",
        "issued_on": "2026-01-05",
        "booked_on": answer.json()["booked_on"],
        "total": "1200.00",
        "tax": "200.00",
        "open": "1200.00",
        "document_status": "issued",
        "settlement_status": "open",
        "settled": nothing,
        "ref_document_no": None,
        "reason": None,
        "known_at": None,
        "came_from": None,
        "components": {"goods": "1000.00", "tax": "200.00", "freight": "0.00", "charges": "0.00"},
        "terms": "NET30",
        "policy_version": "standard-1",
        **dict.fromkeys(
            ("discount", "references", "valuation", "project", "assignment", "origin", "origin_id", "voided_on", "replaced_by")
        ),
        "invoice": "US01|INV-1",
        "instalments": [
            {"n": 1, "item": "US01|INV-1|1", "due_on": "2026-02-04", "amount": "1200.00", "open": "1200.00", "overdue": False}
            | {"settled": nothing},
        ],
        "as_of": answer.json()["as_of"],
        "overdue": False,
        "overdue_days": 0,
    }
    assert (await invoice.get("/v1/invoices/INV-1?entity=US01")).json() == answer.json()
    assert [fact.total for fact in invoice.published(InvoiceIssued)] == ["1200.00"]


async def test_an_issued_credit_memo_is_answered_as_it_is_read_afterwards(invoice: ServiceUnderTest) -> None:
    answer = await invoice.post("/v1/credit-memos", {**MEMO, "ref_document_no": "INV-1", "reason": "PRICE"}, roles=["clerk"])

    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["memo"], shown["open"], shown["ref_document_no"], shown["reason"]) == ("US01|CM-1", "300.00", "INV-1", "PRICE")
    assert (await invoice.get("/v1/credit-memos/CM-1?entity=US01")).json() == shown
    assert [fact.ref_invoice for fact in invoice.published(CreditMemoIssued)] == ["US01|INV-1"]


async def test_the_same_invoice_under_another_key_is_the_same_invoice(invoice: ServiceUnderTest) -> None:
    """INV-01: the document number is an idempotency key too, and it holds across HTTP and the ERP's facts."""
    first = await invoice.post("/v1/invoices", INVOICE, key="one", roles=["clerk"])
    again = await invoice.post("/v1/invoices", {**INVOICE, "total": "1200.0"}, key="two", roles=["clerk"])
    await invoice.receive(
        erp.InvoiceIssued(
            entity="US01", document_no="INV-1", customer="C-1", currency="USD", issued_on=date(2026, 1, 5), total="1200", terms="NET30"
        )
    )

    assert (again.status_code, again.json()) == (201, first.json())
    assert len(invoice.published()) == 1


async def test_another_invoice_under_a_taken_number_is_a_conflict_and_leaves_no_trace(invoice: ServiceUnderTest) -> None:
    """INV-01"""
    first = await invoice.post("/v1/invoices", INVOICE, key="one", roles=["clerk"])
    invoice.published()

    other = await invoice.post("/v1/invoices", {**INVOICE, "total": "1200.01"}, key="two", roles=["clerk"])
    memo = await invoice.post("/v1/credit-memos", {**MEMO, "document_no": "INV-1"}, key="three", roles=["clerk"])

    assert (other.status_code, reasons_of(other)) == (409, [("CONFLICT", "document_no")])
    assert (memo.status_code, reasons_of(memo)) == (409, [("CONFLICT", "document_no")])
    assert invoice.published() == []
    assert (await invoice.get("/v1/invoices/INV-1?entity=US01")).json() == first.json()


async def test_a_refused_document_is_told_every_reason(invoice: ServiceUnderTest) -> None:
    """INV-01, INV-02, XC-01"""
    bad = {**INVOICE, "entity": "XX99", "document_no": "a|b", "currency": "JPY", "total": "0.5", "type": "383", "terms": "SOON"}

    answer = await invoice.post("/v1/invoices", bad, roles=["clerk"])

    assert answer.status_code == 422
    assert reasons_of(answer) == [
        ("ENTITY_UNKNOWN", "entity"),
        ("BAD_IDENTIFIER", "document_no"),
        ("TYPE_NOT_SUPPORTED", "type"),
        ("AMOUNT_TOO_PRECISE", "total"),
        ("TERMS_UNKNOWN", "terms"),
    ]
    assert invoice.published() == []


@pytest.mark.parametrize("issued_on", [20260105, "2026-01-05T00:00:00", "20260105", "2026-02-30", None])
async def test_only_a_calendar_day_is_a_date(invoice: ServiceUnderTest, issued_on: object) -> None:
    answer = await invoice.post("/v1/invoices", {**INVOICE, "issued_on": issued_on}, roles=["clerk"])

    assert answer.status_code == 422
    assert [field for _, field in reasons_of(answer)] == ["issued_on"]


@pytest.mark.parametrize("extra", [{"open": "0.00"}, {"settlement_status": "settled"}, {"account": "C-2"}])
async def test_what_is_ours_to_say_cannot_be_sent(invoice: ServiceUnderTest, extra: dict[str, str]) -> None:
    """INV-05: statuses follow from facts and are never set."""
    assert (await invoice.post("/v1/invoices", {**INVOICE, **extra}, roles=["clerk"])).status_code == 422


async def test_only_those_who_may_issue_documents_issue_them(invoice: ServiceUnderTest) -> None:
    assert (await invoice.post("/v1/invoices", INVOICE, roles=["collector"])).status_code == 403
    assert invoice.published() == []


async def test_overdue_follows_from_the_date_and_settled_from_the_ledger(invoice: ServiceUnderTest) -> None:
    """INV-05: a part payment changes the settlement status and not overdue; a full one ends both."""
    await invoice.post("/v1/invoices", INVOICE, roles=["clerk"])

    async def statuses(as_of: str) -> list[Any]:
        shown = (await invoice.get(f"/v1/invoices/INV-1?entity=US01&as_of={as_of}")).json()
        return [shown["document_status"], shown["settlement_status"], shown["overdue"], shown["overdue_days"], shown["open"]]

    assert await statuses("2026-02-04") == ["issued", "open", False, 0, "1200.00"]
    assert await statuses("2026-02-05") == ["issued", "open", True, 1, "1200.00"]
    await invoice.receive(a_payment_of("1000.00"))
    assert await statuses("2026-02-05") == ["issued", "partially_settled", True, 1, "200.00"]
    await invoice.receive(a_payment_of("200.00"))
    assert await statuses("2026-02-05") == ["issued", "settled", False, 0, "0.00"]


async def test_overdue_is_judged_on_the_last_closed_day_unless_asked_otherwise(invoice: ServiceUnderTest) -> None:
    await invoice.turn("US01", date(2026, 1, 20))
    await invoice.post("/v1/invoices", {**INVOICE, "issued_on": "2025-12-20"}, roles=["clerk"])

    before = (await invoice.get("/v1/invoices/INV-1?entity=US01")).json()
    await invoice.turn("US01", date(2026, 1, 21))
    after = (await invoice.get("/v1/invoices/INV-1?entity=US01")).json()

    assert (before["as_of"], before["overdue"]) == ("2026-01-19", False)
    assert (after["as_of"], after["overdue"], after["overdue_days"]) == ("2026-01-20", True, 1)


async def test_pages_hold_every_invoice_of_an_account_once(invoice: ServiceUnderTest) -> None:
    numbers = [f"INV-{n}" for n in range(7)]
    for number in numbers:
        await invoice.post("/v1/invoices", {**INVOICE, "document_no": number}, key=number, roles=["clerk"])
    await invoice.post("/v1/invoices", {**INVOICE, "document_no": "INV-X", "customer": "C-2"}, key="x", roles=["clerk"])
    await invoice.post("/v1/credit-memos", MEMO, key="memo", roles=["clerk"])

    pages, cursor = [], ""
    while cursor is not None:
        at = f"&cursor={cursor}" if cursor else ""
        page = (await invoice.get(f"/v1/invoices?entity=US01&account=C-1&limit=3{at}")).json()
        pages.append([shown["document_no"] for shown in page["invoices"]])
        cursor = page["next_cursor"]

    assert [len(page) for page in pages] == [3, 3, 1]
    assert sum(pages, []) == numbers
    everything = (await invoice.get("/v1/invoices?entity=US01")).json()
    assert [shown["document_no"] for shown in everything["invoices"]] == [*numbers, "INV-X"]
    assert everything["next_cursor"] is None


async def test_a_document_number_may_hold_a_slash(invoice: ServiceUnderTest) -> None:
    await invoice.post("/v1/invoices", {**INVOICE, "document_no": "2026/0001"}, roles=["clerk"])

    assert (await invoice.get("/v1/invoices/2026/0001?entity=US01")).json()["invoice"] == "US01|2026/0001"
    assert (await invoice.get("/v1/invoices/2026%2F0001?entity=US01")).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/invoices/INV-2?entity=US01", 404),
        ("/v1/invoices/INV-1?entity=JP01", 404),
        ("/v1/invoices/INV-1?entity=XX99", 404),
        ("/v1/credit-memos/INV-1?entity=US01", 404),
        ("/v1/invoices?entity=XX99", 404),
        ("/v1/invoices?entity=US01&limit=0", 422),
        ("/v1/invoices?entity=US01&limit=201", 422),
        ("/v1/invoices?entity=US01&cursor=%25", 400),
        ("/v1/invoices?entity=US01&cursor=AA==", 400),
        ("/v1/invoices?entity=US01&as_of=yesterday", 422),
        ("/v1/invoices", 422),
    ],
)
async def test_what_cannot_be_found_or_asked_is_a_problem(invoice: ServiceUnderTest, path: str, status: int) -> None:
    await invoice.post("/v1/invoices", INVOICE, roles=["clerk"])

    answer = await invoice.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_debit_memo_is_issued_and_read_like_an_invoice(invoice: ServiceUnderTest) -> None:
    """INV-02"""
    body = {**INVOICE, "document_no": "DM-1", "total": "35.00", "terms": "IMMEDIATE", "ref_document_no": "INV-1"}

    answer = await invoice.post("/v1/debit-memos", body, roles=["clerk"])

    assert (answer.status_code, answer.json()["type"], answer.json()["open"]) == (201, "383", "35.00")
    assert [fact.ref_invoice for fact in invoice.published(DebitMemoIssued)] == ["US01|INV-1"]


@pytest.mark.parametrize(("open_", "kind"), [("400.00", InvoiceIssued), ("-50.00", CreditMemoIssued)])
async def test_an_opening_balance_is_answered_as_what_it_became(invoice: ServiceUnderTest, open_: str, kind: type[Event]) -> None:
    """XC-10"""
    due = {"due_on": "2025-12-20"} if kind is InvoiceIssued else {}
    common = {"entity": "US01", "document_no": "OLD-1", "customer": "C-1", "currency": "USD"}
    body = {**common, "issued_on": "2025-11-20", "as_of": "2025-12-31", "open": open_, **due}

    first = await invoice.post("/v1/opening-balances", body, key="one", roles=["service"])
    again = await invoice.post("/v1/opening-balances", body, key="two", roles=["service"])

    assert (first.status_code, first.json()["open"], first.json()["origin"]) == (201, open_.removeprefix("-"), "opening_balance")
    assert (again.status_code, again.json()) == (201, first.json())
    assert [type(fact) for fact in invoice.published()] == [kind]


async def test_a5_a_memo_that_says_only_its_total_gets_its_share_of_the_tax(invoice: ServiceUnderTest) -> None:
    """INV-06, A5: 300.00 of 1,000.00 + 20 % is 250.00 + 50.00; who credits the rest takes the rest of the tax, sent twice or not."""
    await invoice.post("/v1/invoices", {**INVOICE, "tax": "200.00"}, key="issue", roles=["clerk"])
    memo = {**MEMO, "ref_document_no": "INV-1"}

    first = await invoice.post("/v1/credit-memos", memo, key="one", roles=["clerk"])
    rest = await invoice.post("/v1/credit-memos", {**memo, "document_no": "CM-2", "total": "900.00"}, key="two", roles=["clerk"])
    again = await invoice.post("/v1/credit-memos", memo, key="three", roles=["clerk"])
    more = await invoice.post("/v1/credit-memos", {**memo, "document_no": "CM-3", "total": "10.00"}, key="four", roles=["clerk"])

    assert [answer.json()["tax"] for answer in (first, rest, again, more)] == ["50.00", "150.00", "50.00", "0.00"]
    assert [fact.tax for fact in invoice.published(CreditMemoIssued)] == ["50.00", "150.00", "0.00"]


async def test_a_memo_that_states_its_tax_or_names_nothing_we_know_is_left_as_it_is(invoice: ServiceUnderTest) -> None:
    """INV-06"""
    await invoice.post("/v1/invoices", {**INVOICE, "tax": "200.00"}, key="issue", roles=["clerk"])
    stated = {**MEMO, "ref_document_no": "INV-1", "tax": "10.00"}
    unknown = {**MEMO, "document_no": "CM-2", "ref_document_no": "INV-9"}
    foreign = {**MEMO, "document_no": "CM-3", "ref_document_no": "INV-1", "currency": "EUR"}

    answers = [
        await invoice.post("/v1/credit-memos", body, key=body["document_no"], roles=["clerk"]) for body in (stated, unknown, foreign)
    ]

    assert [answer.json()["tax"] for answer in answers] == ["10.00", None, None]


async def test_everything_a_document_may_say_is_shown(invoice: ServiceUnderTest) -> None:
    """INV-03, INV-04, INV-13, INV-14, INV-15, through the public surface."""
    said = {
        "references": {"order_no": "SO-1", "payment": "RF18539007547034"},
        "fx": {"rate": "1.10", "rate_on": "2026-01-05"},
        "project": {"project": "P-1", "retention_percent": "10", "retention_due_on": "2027-01-05"},
        "assignment": {"factor": "F-1", "insured_percent": "85"},
        "lines": [{"amount": "900.00", "tax": "180.00"}, {"amount": "100.00", "kind": "freight", "tax": "20.00"}],
    }
    answer = await invoice.post("/v1/invoices", {**INVOICE, "currency": "EUR", "terms": "2/10 NET30", **said}, roles=["clerk"])

    shown = answer.json()
    assert answer.status_code == 201, shown
    assert shown["components"] == {"goods": "900.00", "tax": "200.00", "freight": "100.00", "charges": "0.00"}
    assert shown["discount"]["tiers"] == [{"percent": "2", "until_on": "2026-01-15", "amount": "24.00", "tax": "4.00"}]
    assert shown["valuation"] == {"currency": "USD", "rate": "1.10", "rate_on": "2026-01-05", "type": "spot", "total": "1320.00"}
    assert shown["references"]["payment"] == "RF18539007547034"
    assert shown["project"]["retention_percent"] == "10"
    assert shown["assignment"]["factor"] == "F-1"
    assert [part["amount"] for part in shown["instalments"]] == ["1080.00", "120.00"]


async def test_ro_01_a_memo_by_its_net_amount_is_the_sum_of_its_rounded_parts(invoice: ServiceUnderTest) -> None:
    """INV-06: 193.33 of 200.00 + 25 % (29 of 30 days) is 48.33 of tax and 241.66; the total rounded would be 241.67."""
    await invoice.post("/v1/invoices", {**INVOICE, "total": "250.00", "tax": "50.00"}, key="issue", roles=["clerk"])
    memo = {name: value for name, value in MEMO.items() if name != "total"} | {"ref_document_no": "INV-1", "net": "193.33"}

    answer = await invoice.post("/v1/credit-memos", memo, roles=["clerk"])

    assert (answer.status_code, answer.json()["tax"], answer.json()["total"]) == (201, "48.33", "241.66")


async def test_ro_04_memos_by_their_net_amounts_never_exceed_the_invoice(invoice: ServiceUnderTest) -> None:
    """INV-06: 769.00 + 20 % credited as 726.86 and 42.14; each sent again is the same, and more than the rest is refused."""
    await invoice.post("/v1/invoices", {**INVOICE, "total": "922.80", "tax": "153.80"}, key="issue", roles=["clerk"])
    common = {name: value for name, value in MEMO.items() if name != "total"} | {"ref_document_no": "INV-1"}
    first, rest = {**common, "net": "726.86"}, {**common, "document_no": "CM-2", "net": "42.14"}

    answers = [
        await invoice.post("/v1/credit-memos", body, key=f"{n}", roles=["clerk"]) for n, body in enumerate([first, rest, first, rest])
    ]
    more = await invoice.post("/v1/credit-memos", {**rest, "document_no": "CM-3", "net": "0.01"}, key="more", roles=["clerk"])

    assert [(answer.json()["tax"], answer.json()["total"]) for answer in answers] == [("145.37", "872.23"), ("8.43", "50.57")] * 2
    assert len(invoice.published(CreditMemoIssued)) == 2
    assert (more.status_code, reasons_of(more)) == (422, [("NET_OUT_OF_RANGE", "net")])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, [("TAX_UNKNOWN", "ref_document_no")]),
        ({"ref_document_no": None}, [("MISSING", "ref_document_no")]),
        ({"ref_document_no": "a|b"}, [("BAD_IDENTIFIER", "ref_document_no")]),
        ({"net": "1.001"}, [("AMOUNT_TOO_PRECISE", "net")]),
    ],
)
async def test_a_net_amount_needs_an_invoice_that_says_its_tax(
    invoice: ServiceUnderTest, change: dict[str, Any], why: list[tuple[str, str]]
) -> None:
    """INV-06"""
    body = {name: value for name, value in MEMO.items() if name != "total"} | {"ref_document_no": "INV-1", "net": "1.00"} | change

    answer = await invoice.post("/v1/credit-memos", body, roles=["clerk"])

    assert (answer.status_code, reasons_of(answer)) == (422, why)


@pytest.mark.parametrize("amounts", [{}, {"total": "1.00", "net": "1.00"}, {"net": "1.00", "tax": "0.20"}])
async def test_a_memo_says_its_total_or_its_net_amount(invoice: ServiceUnderTest, amounts: dict[str, str]) -> None:
    body = {name: value for name, value in MEMO.items() if name != "total"} | amounts

    assert (await invoice.post("/v1/credit-memos", body, roles=["clerk"])).status_code == 422
