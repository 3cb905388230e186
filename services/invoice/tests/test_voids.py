"""Documents become void, and corrected ones replace others: in any order with what they are about, by an ERP and by people."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from itertools import permutations
from typing import Any

import httpx
import msgspec
import pytest
from events import erp
from events.fact import Event
from events.invoice import CreditMemoIssued, DocumentRejected, Instalment, InvoiceIssued, InvoiceVoided
from events.payment import PaymentApplied
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
VOID = {"entity": "US01", "document_no": "INV-1", "customer": "C-1", "reason": "DUPLICATE"}
INVOICE = {
    **{"entity": "US01", "document_no": "INV-1", "customer": "C-1", "currency": "USD"},
    **{"issued_on": "2026-01-05", "total": "1200.00", "terms": "NET30"},
}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def an_invoice(document_no: str = "INV-1", **changes: Any) -> erp.InvoiceIssued:
    smallest = erp.InvoiceIssued(
        entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="1200.00", terms="NET30"
    )
    return msgspec.structs.replace(smallest, **changes)


def a_correction(document_no: str = "INV-2", of: str = "INV-1", **changes: Any) -> erp.InvoiceIssued:
    return an_invoice(document_no, type="384", ref_document_no=of, **{"total": "1100.00"} | changes)


def a_memo(document_no: str = "INV-1") -> erp.CreditMemoIssued:
    return erp.CreditMemoIssued(entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="300.00")


def a_void(document_no: str = "INV-1", **changes: Any) -> erp.InvoiceVoided:
    smallest = erp.InvoiceVoided(entity="US01", document_no=document_no, customer="C-1", reason="DUPLICATE")
    return msgspec.structs.replace(smallest, **changes)


def a_payment(amount: str = "200.00") -> PaymentApplied:
    return PaymentApplied(
        **{"entity": "US01", "application": "A-1", "receipt": "US01|R-1", "item": "US01|INV-1|1", "invoice": "US01|INV-1"},
        **{"customer": "C-1", "account": "C-1", "currency": "USD", "amount": amount, "rule": "reference"},
        due_on=date(2026, 2, 4),
    )


def reasons_of(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(reason["code"], reason["field"]) for reason in answer.json().get("reasons", [])]


async def standing(sut: ServiceUnderTest) -> dict[str, int]:
    """Open minor units by item, as outside checkers see them."""
    async with sut.db.transaction() as db:
        return dict(await db.fetch("SELECT item, open_minor FROM chk.item"))


async def test_a_void_takes_back_all_that_was_billed(invoice: ServiceUnderTest) -> None:
    """INV-07: every item by its amount, from the day it was told on when it names none."""
    await invoice.receive(an_invoice(issued_on=date(2026, 1, 2)))
    invoice.published()
    await invoice.receive(a_void())

    (told,) = invoice.published_envelopes(InvoiceVoided)
    assert told.data == InvoiceVoided(
        entity="US01",
        invoice="US01|INV-1",
        document_no="INV-1",
        customer="C-1",
        account="C-1",
        currency="USD",
        total="1200.00",
        instalments=[Instalment(n=1, due_on=date(2026, 2, 1), amount="1200.00")],
        reason="DUPLICATE",
    )
    assert (told.envelope.key, told.envelope.effective_on, told.envelope.booked_on) == ("US01|C-1", DAY, DAY)
    assert await standing(invoice) == {"US01|INV-1|1": 0}
    shown = (await invoice.get("/v1/invoices/INV-1?entity=US01")).json()
    assert (shown["document_status"], shown["open"]) == ("voided", "0.00")


@pytest.mark.parametrize(
    ("effective_on", "counts_from"),
    [(date(2026, 1, 8), date(2026, 1, 8)), (date(2026, 1, 1), date(2026, 1, 5)), (None, date(2026, 1, 5))],
)
async def test_a_void_never_counts_from_before_its_document(
    invoice: ServiceUnderTest, effective_on: date | None, counts_from: date
) -> None:
    """INV-07"""
    await invoice.receive(an_invoice(), a_void(effective_on=effective_on))

    (told,) = invoice.published_envelopes(InvoiceVoided)
    assert told.envelope.effective_on == counts_from


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_invoice_void_and_repetition_in_any_order_are_one_invoice_and_one_void(
    invoice: ServiceUnderTest, order: tuple[int, ...]
) -> None:
    """INV-07: in one batch, and then each again; the invoice is told first."""
    facts: list[Event] = [an_invoice(), a_void(), a_void(reason="DUPLICATE", effective_on=None)]
    await invoice.receive(*(facts[place] for place in order))
    await invoice.receive_again()

    assert [type(fact) for fact in invoice.published()] == [InvoiceIssued, InvoiceVoided]


async def test_a_void_that_comes_days_before_its_document_waits_for_it(invoice: ServiceUnderTest) -> None:
    """INV-07"""
    await invoice.receive(a_void())
    assert invoice.published() == []
    await invoice.turn("US01", date(2026, 1, 6))
    await invoice.receive(an_invoice())

    issued, voided = invoice.published()
    assert (type(issued), type(voided)) == (InvoiceIssued, InvoiceVoided)
    assert await standing(invoice) == {"US01|INV-1|1": 0}


@pytest.mark.parametrize("void_first", [True, False])
@pytest.mark.parametrize(
    ("document", "void", "why"),
    [
        (an_invoice(), a_void(customer="C-2"), [("CUSTOMER_MISMATCH", "customer")]),
        (a_memo(), a_void(), [("VOID_OF_CREDIT_MEMO", "document_no")]),
        (a_memo(), a_void(customer="C-2"), [("VOID_OF_CREDIT_MEMO", "document_no"), ("CUSTOMER_MISMATCH", "customer")]),
    ],
)
async def test_a_void_that_cannot_be_is_refused_whichever_came_first(
    invoice: ServiceUnderTest, document: Event, void: erp.InvoiceVoided, why: list[tuple[str, str]], void_first: bool
) -> None:
    """INV-07: the same answer under the same key, be it given at once or when the document comes."""
    for fact in [void, document] if void_first else [document, void]:
        await invoice.receive(fact)

    (answer,) = invoice.published_envelopes(DocumentRejected)
    rejected = answer.data
    assert isinstance(rejected, DocumentRejected)
    assert [(reason.code, reason.field) for reason in rejected.reasons] == why
    assert (rejected.document_no, rejected.source_id, rejected.source_type) == ("INV-1", "US01|INV-1", "erp.InvoiceVoided.v1")
    assert answer.envelope.key == f"US01|{void.customer}"
    async with invoice.db.transaction() as db:
        assert await db.fetchval("SELECT document_status FROM document") == "issued"


async def test_a_bad_void_is_told_every_reason(invoice: ServiceUnderTest) -> None:
    """INV-07"""
    await invoice.receive(a_void("a|b", customer="", effective_on=date(1900, 1, 1)))

    (rejected,) = invoice.published(DocumentRejected)
    assert [(reason.code, reason.field) for reason in rejected.reasons] == [
        ("BAD_IDENTIFIER", "document_no"),
        ("BAD_IDENTIFIER", "customer"),
        ("DATE_OUT_OF_RANGE", "effective_on"),
    ]


async def test_an_erp_voids_what_was_paid(invoice: ServiceUnderTest) -> None:
    """INV-07: always accepted; what was applied is more than is billed until the settlement ledger gives it back."""
    await invoice.receive(an_invoice())
    await invoice.receive(a_payment())
    await invoice.receive(a_void())

    assert len(invoice.published(InvoiceVoided)) == 1
    assert await standing(invoice) == {"US01|INV-1|1": -20_000}


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_correction_replaces_its_invoice_in_any_order(invoice: ServiceUnderTest, order: tuple[int, ...]) -> None:
    """INV-07: credit and rebill; the old one goes on the date of the new one. A correction may change the customer."""
    facts = [an_invoice(), a_correction(customer="C-2", issued_on=date(2026, 1, 8)), an_invoice("INV-3")]
    for place in order:
        await invoice.receive(facts[place])

    published = invoice.published_envelopes()
    assert sorted(fact.data.document_no for fact in published if isinstance(fact.data, InvoiceIssued)) == ["INV-1", "INV-2", "INV-3"]
    (told,) = [fact for fact in published if isinstance(fact.data, InvoiceVoided)]
    voided = told.data
    assert isinstance(voided, InvoiceVoided)
    assert (voided.invoice, voided.customer, voided.reason, voided.replaced_by) == ("US01|INV-1", "C-1", "CORRECTED", "US01|INV-2")
    assert (told.envelope.key, told.envelope.effective_on) == ("US01|C-1", date(2026, 1, 8))
    (new,) = [fact.data for fact in published if isinstance(fact.data, InvoiceIssued) and fact.data.document_no == "INV-2"]
    assert (new.type, new.origin, new.origin_id, new.ref_invoice) == ("384", "correction", "US01|INV-1", "US01|INV-1")
    assert await standing(invoice) == {"US01|INV-1|1": 0, "US01|INV-2|1": 110_000, "US01|INV-3|1": 120_000}


@pytest.mark.parametrize("correction_first", [True, False])
async def test_a_correction_of_a_credit_memo_stands_and_its_void_is_refused(invoice: ServiceUnderTest, correction_first: bool) -> None:
    """INV-07: whichever came first."""
    facts: list[Event] = [a_correction(), a_memo()]
    for fact in facts if correction_first else facts[::-1]:
        await invoice.receive(fact)

    published = invoice.published()
    assert {type(fact) for fact in published} == {InvoiceIssued, CreditMemoIssued, DocumentRejected}
    (rejected,) = [fact for fact in published if isinstance(fact, DocumentRejected)]
    assert [(reason.code, reason.field) for reason in rejected.reasons] == [("VOID_OF_CREDIT_MEMO", "ref_document_no")]


async def test_a_void_and_a_document_that_cross_each_other_both_count(invoice: ServiceUnderTest) -> None:
    """INV-07: the one takes the number's lock, so the other sees what it has left."""
    answers: list[httpx.Response] = []

    async def issue() -> None:
        answers.append(await invoice.post("/v1/invoices", INVOICE, key="issue", roles=["clerk"]))

    async with invoice.db.transaction() as db:
        await db.execute("SELECT pg_advisory_xact_lock(3, bucket) FROM generate_series(0, 63) AS bucket")
        issuing = asyncio.create_task(issue())
        await asyncio.sleep(0.2)
        assert not issuing.done()
        await db.execute(
            "INSERT INTO early_void (entity, document_no, customer, booked_on, recorded_at) VALUES ('US01', 'INV-1', 'C-1', $1, now())", DAY
        )
    await issuing

    assert answers[0].json()["document_status"] == "voided"
    await invoice.receive()
    assert [type(fact) for fact in invoice.published()] == [InvoiceIssued, InvoiceVoided]


async def test_a_person_voids_what_nothing_was_paid_on(invoice: ServiceUnderTest) -> None:
    """INV-07: once, however often it is asked for."""
    await invoice.post("/v1/invoices", INVOICE, key="issue", roles=["clerk"])
    invoice.published()

    first = await invoice.post("/v1/voids", VOID, key="one", roles=["clerk"])
    again = await invoice.post("/v1/voids", VOID, key="two", roles=["clerk"])

    assert (first.status_code, first.json()["document_status"]) == (201, "voided")
    assert (again.status_code, again.json()) == (201, first.json())
    assert [type(fact) for fact in invoice.published()] == [InvoiceVoided]


async def test_a_person_voids_nothing_that_something_is_settled_of(invoice: ServiceUnderTest) -> None:
    """INV-07: neither by a void nor by a correction; a credit memo or an ERP can."""
    await invoice.post("/v1/invoices", INVOICE, key="issue", roles=["clerk"])
    await invoice.receive(a_payment())
    invoice.published()

    void = await invoice.post("/v1/voids", VOID, key="void", roles=["clerk"])
    rebill = {**INVOICE, "document_no": "INV-2", "type": "384", "ref_document_no": "INV-1"}
    correction = await invoice.post("/v1/invoices", rebill, key="rebill", roles=["clerk"])

    assert (void.status_code, reasons_of(void)) == (409, [("INVOICE_SETTLED", "document_no")])
    assert (correction.status_code, reasons_of(correction)) == (409, [("INVOICE_SETTLED", "ref_document_no")])
    assert invoice.published() == []
    assert (await invoice.get("/v1/invoices/INV-2?entity=US01")).status_code == 404


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        ({"document_no": "INV-9"}, 404, []),
        ({"customer": "C-2"}, 409, [("CUSTOMER_MISMATCH", "customer")]),
        ({"document_no": "CM-1"}, 409, [("VOID_OF_CREDIT_MEMO", "document_no")]),
        ({"entity": "XX99"}, 422, [("ENTITY_UNKNOWN", "entity")]),
        ({"effective_on": "1900-01-01"}, 422, [("DATE_OUT_OF_RANGE", "effective_on")]),
    ],
)
async def test_a_void_over_http_that_cannot_be_is_a_problem(
    invoice: ServiceUnderTest, change: dict[str, str], status: int, why: list[tuple[str, str]]
) -> None:
    """INV-07"""
    await invoice.receive(an_invoice(), a_memo("CM-1"))

    answer = await invoice.post("/v1/voids", VOID | change, roles=["clerk"])

    assert (answer.status_code, reasons_of(answer)) == (status, why)
