"""What the service does with what it hears: documents from an ERP, and what the settlement ledger did to them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from chassis.entities import Entities, Entity
from chassis.service import Batch, Refusal
from events import erp
from events.envelope import Envelope
from events.fact import Event
from events.invoice import Components, CreditMemoIssued, DocumentRejected, Instalment, InvoiceIssued, Reason
from events.payment import ApplicationReversed, CreditApplied, PaymentApplied
from invoice import handlers
from invoice.app import SERVICE
from invoice.domain import Draft
from testkit.service import ServiceUnderTest, service_under_test

DAY = date(2026, 1, 5)
US01 = Entity("US01", "USD", ZoneInfo("America/New_York"), "US", DAY, frozenset({"/erp/one"}), "told")


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def an_invoice(document_no: str = "INV-1", **changes: object) -> erp.InvoiceIssued:
    smallest = erp.InvoiceIssued(
        entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="1200.00", terms="NET30"
    )
    return msgspec.structs.replace(smallest, **changes)


def a_memo(document_no: str = "CM-1", **changes: object) -> erp.CreditMemoIssued:
    smallest = erp.CreditMemoIssued(entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="300.00")
    return msgspec.structs.replace(smallest, **changes)


def a_payment_applied(item: str, amount: str) -> PaymentApplied:
    return PaymentApplied(application=f"{item}|pay", receipt="US01|R-1", **_applied(item, amount), rule="reference")


def a_credit_applied(item: str, amount: str, memo: str = "US01|CM-1") -> CreditApplied:
    return CreditApplied(application=f"{item}|memo", memo=memo, **_applied(item, amount), rule="reference")


def a_reversal(item: str, amount: str, **of: Any) -> ApplicationReversed:
    return ApplicationReversed(application=f"{item}|undone", **_applied(item, amount), reason="reordered", **of)


def _applied(item: str, amount: str) -> dict[str, Any]:
    common = {"entity": "US01", "customer": "C-1", "account": "C-1", "currency": "USD", "due_on": date(2026, 2, 4)}
    return {**common, "item": item, "invoice": item.rpartition("|")[0], "amount": amount}


async def standing_items(sut: ServiceUnderTest) -> dict[str, int]:
    """Open minor units by item."""
    async with sut.db.transaction() as db:
        return dict(await db.fetch("SELECT item, open_minor FROM chk.item"))


@pytest.mark.db
async def test_an_accepted_invoice_is_published_under_its_account_on_its_own_date(invoice: ServiceUnderTest) -> None:
    """INV-01, XC-01: amounts leave with all decimals of their currency."""
    await invoice.receive(an_invoice(total="1200", tax="200.0", issued_on=date(2026, 1, 2)))

    (published,) = invoice.published_envelopes(InvoiceIssued)
    envelope = published.envelope
    assert (envelope.entity, envelope.key, envelope.effective_on) == ("US01", "US01|C-1", date(2026, 1, 2))


@pytest.mark.db
async def test_an_invoice_and_a_memo_become_facts_with_items_and_references(invoice: ServiceUnderTest) -> None:
    """INV-01, INV-02"""
    halves = [erp.Instalment(due_on=date(2026, 2, 4), amount="600"), erp.Instalment(due_on=date(2026, 3, 4), amount="600.0")]
    await invoice.receive(an_invoice(terms=None, instalments=halves, tax="200"), a_memo(ref_document_no="INV-1", reason="PRICE"))

    assert invoice.published() == [
        InvoiceIssued(
            entity="US01",
            invoice="US01|INV-1",
            document_no="INV-1",
            type="380",
            customer="C-1",
            account="C-1",
            currency="USD",
            issued_on=DAY,
            total="1200.00",
            instalments=[
                Instalment(n=1, due_on=date(2026, 2, 4), amount="600.00"),
                Instalment(n=2, due_on=date(2026, 3, 4), amount="600.00"),
            ],
            tax="200.00",
            components=Components(goods="1000.00", tax="200.00", freight="0.00", charges="0.00"),
        ),
        CreditMemoIssued(
            entity="US01",
            memo="US01|CM-1",
            document_no="CM-1",
            type="381",
            customer="C-1",
            account="C-1",
            currency="USD",
            issued_on=DAY,
            total="300.00",
            ref_invoice="US01|INV-1",
            reason="PRICE",
        ),
    ]


@pytest.mark.db
async def test_the_same_document_again_changes_nothing_and_says_nothing(invoice: ServiceUnderTest) -> None:
    """INV-01: redelivered as it was, sent again with other decimals, or twice in one batch."""
    await invoice.receive(an_invoice(), an_invoice(total="1200.0"))
    assert len(invoice.published()) == 1

    await invoice.receive_again()
    await invoice.receive(an_invoice(total="1200"))

    assert invoice.published() == []
    assert await standing_items(invoice) == {"US01|INV-1|1": 120_000}


@pytest.mark.db
@pytest.mark.parametrize("other", [an_invoice(total="1200.01"), an_invoice(customer="C-2"), a_memo("INV-1", total="1200.00")])
async def test_other_content_under_a_taken_number_is_refused_and_overwrites_nothing(invoice: ServiceUnderTest, other: Event) -> None:
    """INV-01: a number is taken over all kinds of document."""
    await invoice.receive(an_invoice())
    invoice.published()

    await invoice.receive(other)

    (rejected,) = invoice.published()
    assert isinstance(rejected, DocumentRejected)
    assert (rejected.document_no, rejected.reasons) == ("INV-1", [Reason(code="CONFLICT", field="document_no")])
    assert await standing_items(invoice) == {"US01|INV-1|1": 120_000}


@pytest.mark.db
async def test_of_two_contents_in_one_batch_the_first_is_taken(invoice: ServiceUnderTest) -> None:
    """INV-01: and a repetition of the first, behind the conflict, is still a repetition."""
    await invoice.receive(an_invoice(), an_invoice(total="999.00"), an_invoice(total="1200"))

    issued, rejected = invoice.published()
    assert (type(issued), type(rejected)) == (InvoiceIssued, DocumentRejected)
    assert await standing_items(invoice) == {"US01|INV-1|1": 120_000}


@pytest.mark.db
async def test_a_bad_document_is_answered_with_every_reason_and_the_others_go_on(invoice: ServiceUnderTest) -> None:
    """INV-01, INV-02"""
    bad = an_invoice("B", type="383", total="-1", terms=None, lines=[erp.Line(amount="1.001")])
    await invoice.receive(an_invoice("A"), bad, an_invoice("C"))

    published = invoice.published()
    assert [fact.document_no for fact in published if isinstance(fact, InvoiceIssued)] == ["A", "C"]
    (rejected,) = (fact for fact in published if isinstance(fact, DocumentRejected))
    assert (rejected.entity, rejected.document_no) == ("US01", "B")
    assert [(reason.code, reason.field) for reason in rejected.reasons] == [
        ("TYPE_NOT_SUPPORTED", "type"),
        ("AMOUNT_NEGATIVE", "total"),
        ("AMOUNT_TOO_PRECISE", "lines[0].amount"),
        ("TERMS_MISSING", "terms"),
    ]
    async with invoice.db.transaction() as db:
        assert await db.fetchval("SELECT count(*) FROM chk.refused") == 1


@pytest.mark.db
async def test_a_document_of_an_unknown_entity_is_answered_though_it_has_no_books(invoice: ServiceUnderTest) -> None:
    await invoice.receive(an_invoice(entity="XX99"))

    (rejected,) = invoice.published(DocumentRejected)
    assert rejected.reasons == [Reason(code="ENTITY_UNKNOWN", field="entity")]


@pytest.mark.db
async def test_settlement_is_followed_in_any_order(invoice: ServiceUnderTest) -> None:
    """INV-05: the projection is a sum, so every order of the same facts leaves the same open amount, for items and for memos."""
    orders = list(permutations(range(4)))
    await invoice.receive(*(an_invoice(f"I{n}") for n in range(len(orders))), *(a_memo(f"M{n}") for n in range(len(orders))))
    for n, order in enumerate(orders):
        item, memo = f"US01|I{n}|1", f"US01|M{n}"
        facts = [
            a_payment_applied(item, "500.00"),
            a_reversal(item, "500.00", receipt="US01|R-1"),
            a_credit_applied(item, "300.00", memo),
            a_reversal(item, "100.00", memo=memo),
        ]
        await invoice.receive(*(facts[place] for place in order))

    assert set((await standing_items(invoice)).values()) == {100_000}
    for n in range(len(orders)):
        memo_out = (await invoice.get(f"/v1/credit-memos/M{n}?entity=US01")).json()
        assert (memo_out["open"], memo_out["settlement_status"]) == ("100.00", "partially_settled")


@pytest.mark.db
async def test_a_payment_that_comes_before_its_invoice_counts(invoice: ServiceUnderTest) -> None:
    await invoice.receive(a_payment_applied("US01|INV-1|1", "200.00"))
    assert await standing_items(invoice) == {}

    await invoice.receive(an_invoice())

    assert await standing_items(invoice) == {"US01|INV-1|1": 100_000}


@pytest.mark.db
async def test_a_redelivered_payment_counts_once(invoice: ServiceUnderTest) -> None:
    await invoice.receive(an_invoice())
    await invoice.receive(a_payment_applied("US01|INV-1|1", "200.00"))

    await invoice.receive_again()

    assert await standing_items(invoice) == {"US01|INV-1|1": 100_000}


@pytest.mark.db
async def test_two_who_take_one_number_at_once_leave_one_document(invoice: ServiceUnderTest) -> None:
    """INV-01: the second waits for the first, then sees a repetition or a conflict, never a second document."""
    entities = Entities({"US01": US01}, ("invoice",))
    batch = Batch("invoice", datetime(2026, 1, 5, 12, tzinfo=UTC), entities, {"US01": DAY})
    first, other = handlers.draft_of(an_invoice()), handlers.draft_of(an_invoice(total="999.00"))

    async def take(draft: Draft) -> int:
        async with invoice.db.transaction() as db:
            return len(await handlers.issue_document(db, draft, batch))

    async with invoice.db.transaction() as db:
        assert len(await handlers.issue_document(db, first, batch)) == 1
        same, conflicting = asyncio.create_task(take(first)), asyncio.create_task(take(other))
        await asyncio.sleep(0.2)
        assert not same.done()
        assert not conflicting.done()

    assert await same == 0
    with pytest.raises(handlers.DocumentNumberTaken):
        await conflicting


@pytest.mark.parametrize(("source", "codes"), [("/erp/one", []), ("/erp/other", ["SOURCE_NOT_ALLOWED"])])
def test_only_the_declared_sources_speak_for_an_entity(source: str, codes: list[str]) -> None:
    """INV-01"""
    envelope = Envelope(id="1", type="erp.InvoiceIssued.v1", source=source)

    document = handlers.examine(handlers.draft_of(an_invoice()), Entities({"US01": US01}, ("invoice",)), envelope)

    assert [reason.code for reason in document] == codes if isinstance(document, list) else codes == []


def test_what_the_sender_and_what_the_content_have_wrong_is_one_list() -> None:
    """INV-01"""
    envelope = Envelope(id="1", type="erp.InvoiceIssued.v1", source="/erp/other", entity="JP01")
    bad = an_invoice("a|b", customer="", currency="usd")

    reasons = handlers.examine(handlers.draft_of(bad), Entities({"US01": US01}, ("invoice",)), envelope)

    assert reasons == [
        Reason(code="ENTITY_MISMATCH", field="entity"),
        Reason(code="SOURCE_NOT_ALLOWED", field="source"),
        Reason(code="BAD_IDENTIFIER", field="document_no"),
        Reason(code="BAD_IDENTIFIER", field="customer"),
        Reason(code="CURRENCY_UNKNOWN", field="currency"),
    ]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"entity": "US01", "customer": "C-1", "document_no": "INV-1"}, "US01|C-1"),
        ({"entity": "US01", "customer": "a|b"}, "?|erp.documents|7"),
        ({"entity": "US01", "customer": 5}, "?|erp.documents|7"),
        ({"customer": "C-1"}, "?|erp.documents|7"),
        ({}, "?|erp.documents|7"),
    ],
)
def test_a_rejection_goes_to_the_account_where_one_can_be_read(content: dict[str, object], key: str) -> None:
    """EVT-03: a key has one entity, for whose days its facts wait; two under one key would overtake each other."""
    refusal = Refusal(None, content, [Reason(code="MISSING", field="total")], "erp.documents", 7)
    fact = handlers.reject_document(refusal)
    assert (fact.key, fact.entity) == (key, key.partition("|")[0])


def test_a_rejection_repeats_no_value_that_is_not_an_identifier() -> None:
    envelope = Envelope(id="e-1", type="erp.InvoiceIssued.v1", source="/erp/one")
    content = {"entity": "US01", "customer": "C-1", "document_no": "x" * 65, "issued_on": "soon"}

    fact = handlers.reject_document(Refusal(envelope, content, [Reason(code="BAD_DATE", field="issued_on")], "erp.documents", 0))

    assert fact.data == DocumentRejected(
        source="/erp/one",
        source_id="e-1",
        source_type="erp.InvoiceIssued.v1",
        reasons=[Reason(code="BAD_DATE", field="issued_on")],
        entity="US01",
    )
    assert fact.cause is envelope
