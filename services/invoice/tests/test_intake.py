"""Every kind of document on its way in from an ERP: what becomes of it, and what it says afterwards."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from chassis.service import Batch
from events import erp
from events.invoice import (
    Components,
    CreditMemoIssued,
    DebitMemoIssued,
    DiscountTerms,
    DiscountTier,
    DocumentRejected,
    Instalment,
    InvoiceIssued,
    Valuation,
)
from invoice import handlers
from invoice.app import SERVICE
from invoice.domain import Draft
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def an_invoice(document_no: str = "INV-1", **changes: Any) -> erp.InvoiceIssued:
    smallest = erp.InvoiceIssued(
        entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="1200.00", terms="NET30"
    )
    return msgspec.structs.replace(smallest, **changes)


def an_opening(document_no: str = "OLD-1", **changes: Any) -> erp.OpeningBalanceLoaded:
    smallest = erp.OpeningBalanceLoaded(
        entity="US01",
        document_no=document_no,
        customer="C-1",
        currency="USD",
        issued_on=date(2025, 11, 20),
        as_of=date(2025, 12, 31),
        open="400.00",
        due_on=date(2025, 12, 20),
    )
    return msgspec.structs.replace(smallest, **changes)


def reasons(rejected: Sequence[DocumentRejected]) -> list[list[tuple[str, str]]]:
    return [[(reason.code, reason.field) for reason in one.reasons] for one in rejected]


async def a_policy(sut: ServiceUnderTest, body: dict[str, Any], kind: str = "terms", decided_on: date = date(2026, 1, 4)) -> None:
    """Put a policy in force as if it had been approved on a day."""
    async with sut.db.transaction() as db:
        await db.execute(
            """
            INSERT INTO policy (entity, kind, version, valid_from, body, status, proposed_by, proposed_on, proposed_at,
                decided_by, decided_on, decided_at)
            VALUES ('US01', $1, 1, '2026-01-01', $2::jsonb, 'approved', 'maker', $3, now(), 'checker', $3, now())
            """,
            kind,
            msgspec.json.encode(body).decode(),
            decided_on,
        )


async def test_a2_an_invoice_states_its_discount_in_money(invoice: ServiceUnderTest) -> None:
    """INV-04, A2: 1,000.00 + 20 % on 2/10 net 30, tax included."""
    await invoice.receive(an_invoice("INV-2", issued_on=date(2026, 3, 1), terms="2/10 NET30", tax="200.00"))

    (fact,) = invoice.published(InvoiceIssued)
    assert fact.instalments == [Instalment(n=1, due_on=date(2026, 3, 31), amount="1200.00")]
    assert (fact.terms, fact.policy_version) == ("2/10 NET30", "standard-1")
    assert fact.components == Components(goods="1000.00", tax="200.00", freight="0.00", charges="0.00")
    assert fact.discount == DiscountTerms(
        tiers=[DiscountTier(percent="2", until_on=date(2026, 3, 11), amount="24.00", tax="4.00")],
        grace_days=0,
        tax_choice="included",
        base="gross",
        partial="prorate",
    )


async def test_a10_a_foreign_invoice_is_valued_by_the_rate_it_brings_or_by_the_published_one(invoice: ServiceUnderTest) -> None:
    """INV-13, A10: 10,000.00 EUR at 1.10 = 11,000.00. A rate published today counts from tomorrow."""
    fx = erp.Fx(rate="1.10", rate_on=DAY)
    await invoice.receive(an_invoice("INV-10", currency="EUR", total="10000.00", fx=fx))
    await invoice.receive(erp.FxRatePublished(entity="US01", currency="EUR", rate="1.2", rate_on=date(2026, 1, 2)))
    await invoice.receive(an_invoice("INV-11", currency="EUR", total="100.00"))
    await invoice.turn("US01", date(2026, 1, 6))
    await invoice.receive(an_invoice("INV-12", currency="EUR", total="100.00"))

    assert [fact.valuation for fact in invoice.published(InvoiceIssued)] == [
        Valuation(currency="USD", rate="1.10", rate_on=DAY, type="spot", total="11000.00"),
        None,
        Valuation(currency="USD", rate="1.2", rate_on=date(2026, 1, 2), type="spot", total="120.00"),
    ]


async def test_a_debit_memo_is_payable_like_an_invoice(invoice: ServiceUnderTest) -> None:
    """INV-02: its instalments are open items of its own."""
    memo = erp.DebitMemoIssued(
        entity="US01",
        document_no="DM-1",
        customer="C-1",
        currency="USD",
        issued_on=DAY,
        total="35.00",
        terms="IMMEDIATE",
        ref_document_no="INV-1",
        reason="NSF",
    )
    await invoice.receive(memo)

    (fact,) = invoice.published()
    assert isinstance(fact, DebitMemoIssued)
    assert (fact.invoice, fact.type, fact.ref_invoice, fact.reason) == ("US01|DM-1", "383", "US01|INV-1", "NSF")
    async with invoice.db.transaction() as db:
        assert await db.fetchval("SELECT open_minor FROM chk.item WHERE item = 'US01|DM-1|1'") == 3_500


async def test_an_opening_balance_becomes_an_item_that_ages_from_its_old_due_date_or_credit(invoice: ServiceUnderTest) -> None:
    """XC-10"""
    owed = an_opening("OLD-1", original_total="900.00")
    by_terms = an_opening("OLD-2", terms="NET30", due_on=None)
    fee = an_opening("OLD-3", type="383")
    credit = an_opening("OLD-4", open="-50.00", due_on=None)
    await invoice.receive(owed, by_terms, fee, credit)

    facts = invoice.published()
    assert [type(fact) for fact in facts] == [InvoiceIssued, InvoiceIssued, DebitMemoIssued, CreditMemoIssued]
    billed = [fact for fact in facts if isinstance(fact, InvoiceIssued | DebitMemoIssued)]
    assert [fact.instalments[0].due_on for fact in billed] == [date(2025, 12, 20)] * 3
    assert {(fact.origin, fact.origin_id) for fact in billed} == {("opening_balance", "2025-12-31")}
    memo = facts[3]
    assert isinstance(memo, CreditMemoIssued)
    assert (memo.total, memo.type, memo.origin) == ("50.00", "381", "opening_balance")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"open": "0.00"}, [("NOTHING_OPEN", "open")]),
        ({"open": "1e3", "due_on": date(1969, 1, 1)}, [("AMOUNT_NOT_PLAIN", "open"), ("DATE_OUT_OF_RANGE", "due_on")]),
        ({"open": "-1.00"}, [("TERMS_OF_CREDIT", "terms")]),
        ({"terms": "NET30"}, [("TERMS_AND_INSTALMENTS", "terms")]),
        ({"due_on": None}, [("TERMS_MISSING", "terms")]),
        ({"as_of": date(2025, 11, 19)}, [("AS_OF_BEFORE_ISSUE", "as_of")]),
        ({"original_total": "399.99"}, [("OPEN_EXCEEDS_TOTAL", "open")]),
        ({"type": "381"}, [("TYPE_NOT_SUPPORTED", "type")]),
    ],
)
async def test_an_opening_balance_that_is_none_is_refused(
    invoice: ServiceUnderTest, changes: dict[str, Any], why: list[tuple[str, str]]
) -> None:
    """XC-10: every reason by the field that the migration wrote."""
    await invoice.receive(an_opening(**changes))

    assert reasons(invoice.published(DocumentRejected)) == [why]


async def test_what_surrounds_a_document_travels_on(invoice: ServiceUnderTest) -> None:
    """INV-14, INV-15: references, project with its retention, assignment."""
    references = erp.References(order_no="SO-1", payment="RF18539007547034")
    project = erp.Project(project="P-1", milestone="M-1", retention_percent="10", retention_due_on=date(2027, 1, 5))
    assignment = erp.Assignment(factor="F-1", insurer="I-1", insured_percent="85")
    await invoice.receive(an_invoice(references=references, project=project, assignment=assignment))

    (fact,) = invoice.published(InvoiceIssued)
    assert (fact.references, fact.project, fact.assignment) == (references, project, assignment)
    assert [part.amount for part in fact.instalments] == ["1080.00", "120.00"]


async def test_what_surrounds_a_document_is_made_of_identifiers(invoice: ServiceUnderTest) -> None:
    """INV-14, INV-15"""
    bad = an_invoice(
        references=erp.References(order_no="a|b", payment="RF00"),
        project=erp.Project(project="", milestone=" M"),
        assignment=erp.Assignment(factor="|", insured_percent="0"),
    )
    await invoice.receive(bad)

    assert reasons(invoice.published(DocumentRejected)) == [
        [
            ("BAD_IDENTIFIER", "references.order_no"),
            ("BAD_IDENTIFIER", "project.project"),
            ("BAD_IDENTIFIER", "project.milestone"),
            ("BAD_IDENTIFIER", "assignment.factor"),
            ("REFERENCE_CHECK_DIGITS", "references.payment"),
            ("PERCENT_OUT_OF_RANGE", "assignment.insured_percent"),
        ]
    ]


async def test_a_terms_policy_and_the_calendar_of_the_entity_decide_due_dates(invoice: ServiceUnderTest) -> None:
    """INV-03, XC-06, XC-07: 2026-07-04 is a Saturday whose holiday is kept on Friday the 3rd; the fact names the version."""
    halves = [{"percent": "50", "due": {"net_days": 30}}, {"percent": "50", "due": {"day": 4}}]
    await a_policy(invoice, {"codes": {"HALVES": {"instalments": halves, "roll": "preceding"}}})
    await a_policy(invoice, {"default_terms": "HALVES"}, kind="documents")

    await invoice.receive(an_invoice(issued_on=date(2026, 6, 10), total="100.01", terms=None))

    (fact,) = invoice.published(InvoiceIssued)
    assert fact.instalments == [
        Instalment(n=1, due_on=date(2026, 7, 10), amount="50.01"),
        Instalment(n=2, due_on=date(2026, 7, 2), amount="50.00"),
    ]
    assert (fact.terms, fact.policy_version) == ("HALVES", "1")


async def test_a_policy_of_today_counts_from_tomorrow_and_changes_no_repetition(invoice: ServiceUnderTest) -> None:
    """XC-07, INV-01"""
    await a_policy(invoice, {"codes": {"NET30": {"due": {"net_days": 10}}}}, decided_on=DAY)
    await invoice.receive(an_invoice())
    await invoice.turn("US01", date(2026, 1, 6))
    await invoice.receive(an_invoice(total="1200.0"), an_invoice("INV-2"))

    today, tomorrow = invoice.published(InvoiceIssued)
    assert invoice.published(DocumentRejected) == []
    assert (today.instalments[0].due_on, today.policy_version) == (date(2026, 2, 4), "standard-1")
    assert (tomorrow.document_no, tomorrow.instalments[0].due_on, tomorrow.policy_version) == ("INV-2", date(2026, 1, 15), "1")


async def test_what_the_service_makes_itself_is_made_once(invoice: ServiceUnderTest) -> None:
    """INV-01: by its number, whoever asks how often; and something else under the number is an error of ours."""
    drafts = [
        Draft("invoice", "US01", f"S-1-{n}", "C-1", "USD", DAY, "10.00", "380", terms="NET30", origin="schedule", origin_id=f"S-1|{n}")
        for n in range(3)
    ]
    batch = Batch("invoice", datetime(2026, 1, 5, 12, tzinfo=UTC), invoice.entities, {"US01": DAY})
    async with invoice.db.transaction() as db:
        facts = await handlers.issue_made(db, drafts[:2], batch)
        again = await handlers.issue_made(db, drafts, batch)

    made = [fact.data for fact in [*facts, *again]]
    assert [fact.origin_id for fact in made if isinstance(fact, InvoiceIssued)] == ["S-1|0", "S-1|1", "S-1|2"]
    other = Draft("invoice", "US01", "S-1-0", "C-1", "USD", DAY, "11.00", "380", terms="NET30")
    nothing = Draft("invoice", "US01", "S-2", "C-1", "USD", DAY, "11.00", "380", terms="SOON")
    with pytest.raises(handlers.DocumentNumberTaken):
        async with invoice.db.transaction() as db:
            await handlers.issue_made(db, [other], batch)
    with pytest.raises(handlers.DocumentRefused, match="S-2: terms TERMS_UNKNOWN"):
        async with invoice.db.transaction() as db:
            await handlers.issue_made(db, [nothing], batch)


async def test_te_01_te_03_di_08_terms_of_peers_become_due_dates_of_facts(invoice: ServiceUnderTest) -> None:
    """INV-03, INV-04: the scenarios through the public surface."""
    wanted = {
        ("IMMEDIATE", date(2019, 1, 15)): date(2019, 1, 15),
        ("EOM+45", date(2019, 1, 31)): date(2019, 3, 17),
        ("EOM", date(2019, 1, 1)): date(2019, 1, 31),
        ("EONM", date(2016, 1, 22)): date(2016, 2, 29),
        ("EONM", date(2017, 1, 22)): date(2017, 2, 28),
        ("NET30", date(2016, 1, 22)): date(2016, 2, 21),
        ("10/10 NET30", date(2019, 1, 1)): date(2019, 1, 31),
    }
    await invoice.receive(*(an_invoice(f"I-{n}", terms=terms, issued_on=day) for n, (terms, day) in enumerate(wanted)))

    facts = invoice.published(InvoiceIssued)
    assert [fact.instalments[0].due_on for fact in facts] == list(wanted.values())
    assert facts[-1].discount is not None
    assert facts[-1].discount.tiers[0].until_on == date(2019, 1, 11)


async def test_di_01_di_05_di_09_discounts_of_peers_become_money_of_facts(invoice: ServiceUnderTest) -> None:
    """INV-04: 10 % of what the customer pays, the tax share told apart."""
    ten = {"terms": "10/10 NET30"}
    await invoice.receive(
        an_invoice("DI-01", total="236.00", tax="36.00", **ten),
        an_invoice("DI-05", total="1725.00", tax="225.00", **ten),
        an_invoice("DI-09-1", total="1000.00", **ten),
        an_invoice("DI-09-2", total="2000.00", **ten),
    )

    discounts = [fact.discount for fact in invoice.published(InvoiceIssued)]
    stated = [(one.tiers[0].amount, one.tiers[0].tax) for one in discounts if one is not None]
    assert stated == [("23.60", "3.60"), ("172.50", "22.50"), ("100.00", "0.00"), ("200.00", "0.00")]
