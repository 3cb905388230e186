"""Documents settle under the account of the customer's topmost parent, as it is in force when they come, and stay there (PAY-11)."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from events import erp
from events.invoice import ConsolidatedBillIssued, CreditMemoIssued, DebitMemoIssued, DocumentRejected, InvoiceIssued, Reason
from events.payment import PaymentReversed
from invoice.app import SERVICE
from invoice.domain.documents import InForce, account_for
from invoice.domain.drafts import Draft
from policies.customers import load_accounts
from testkit.service import FIRST_DAY, ServiceUnderTest, service_under_test

D1, D2, D3, D4, D5 = (FIRST_DAY + timedelta(days=n) for n in range(5))


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def a_customer(number: str, parent: str | None = None, name: str = "Example Stores") -> erp.CustomerUpserted:
    return erp.CustomerUpserted(entity="US01", customer=number, name=name, parent=parent)


def an_invoice(number: str, customer: str = "C-1", **more: Any) -> erp.InvoiceIssued:
    body = {"currency": "USD", "issued_on": D1, "terms": "NET30", "total": "100.00", **more}
    return erp.InvoiceIssued(entity="US01", document_no=number, customer=customer, **body)


def a_memo(number: str, about: str, customer: str = "C-1") -> erp.CreditMemoIssued:
    return erp.CreditMemoIssued(
        entity="US01", document_no=number, customer=customer, currency="USD", issued_on=D1, total="10.00", ref_document_no=about
    )


def a_draft(customer: str = "C-1", **more: Any) -> Draft:
    return Draft("debit_memo", "US01", "DM-1", customer, "USD", D1, "1.00", "383", **more)


async def accounts_on(sut: ServiceUnderTest, day: date, *customers: str) -> dict[str, str]:
    async with sut.db.transaction() as db:
        found = await load_accounts(db, [("US01", customer) for customer in customers], {"US01": day})
    return {customer: account for (_, customer), account in found.items()}


async def stored(sut: ServiceUnderTest) -> dict[str, tuple[str, str]]:
    """Customer and account of every document, by number."""
    rows = await sut.db.pool.fetch("SELECT document_no, customer, account FROM document")
    return {row["document_no"]: (row["customer"], row["account"]) for row in rows}


def test_a_document_goes_where_the_one_it_is_about_is_if_that_is_of_the_same_customer() -> None:
    """PAY-11: and where somebody has said whose account it is for, there."""
    in_force = InForce(accounts={"C-1": "NEW"}, placed={"INV-1": ("C-1", "OLD"), "INV-2": ("C-2", "OTHER")})
    assert account_for(a_draft(), in_force) == "NEW"
    assert account_for(a_draft(ref_document_no="INV-1"), in_force) == "OLD"
    assert account_for(a_draft(ref_document_no="INV-2"), in_force) == "NEW"
    assert account_for(a_draft(ref_document_no="INV-1", account="SAID"), in_force) == "SAID"
    assert account_for(a_draft("C-9", ref_document_no="GONE"), in_force) == "C-9"


@pytest.mark.db
async def test_a_parent_counts_from_the_next_opening_for_what_comes_then(invoice: ServiceUnderTest) -> None:
    """PAY-11: the customer stays on the document; key, fact, item and instalment are the account's; what is here stays where it is."""
    await invoice.receive(a_customer("C-1", "REGION"), a_customer("REGION", "GROUP"), an_invoice("INV-1"))
    await invoice.turn("US01", D2)
    invoice.published()

    await invoice.receive(an_invoice("INV-2"), an_invoice("INV-3", "GROUP"), an_invoice("INV-4", "STRANGER"))

    told = [(one.envelope.key, one.data.customer, one.data.account) for one in invoice.published_envelopes(InvoiceIssued)]
    assert sorted(told) == [
        ("US01|GROUP", "C-1", "GROUP"),
        ("US01|GROUP", "GROUP", "GROUP"),
        ("US01|STRANGER", "STRANGER", "STRANGER"),
    ]
    assert (await stored(invoice))["INV-1"] == ("C-1", "C-1")
    async with invoice.db.transaction() as db:
        assert await db.fetchval("SELECT account FROM chk.item WHERE item = 'US01|INV-2|1'") == "GROUP"
        of_invoice = "document_id = (SELECT id FROM document WHERE document_no = 'INV-2')"
        assert await db.fetchval(f"SELECT account FROM instalment WHERE {of_invoice}") == "GROUP"


@pytest.mark.db
async def test_of_several_parents_on_one_day_the_greatest_counts_whatever_comes_first(invoice: ServiceUnderTest) -> None:
    """PAY-11: and any before none; on a later day none takes it away."""
    for n, order in enumerate(permutations((None, "P-1", "P-2"))):
        for parent in order:
            await invoice.receive(a_customer(f"C-{n}", parent))
    await invoice.turn("US01", D2)
    customers = [f"C-{n}" for n in range(6)]
    assert await accounts_on(invoice, D2, *customers) == dict.fromkeys(customers, "P-2")

    await invoice.receive(a_customer("C-0", name="Renamed"), a_customer("NEVER"))
    await invoice.turn("US01", D3)
    assert await accounts_on(invoice, D2, "C-0") == {"C-0": "P-2"}
    assert await accounts_on(invoice, D3, "C-0", "C-1", "NEVER") == {"C-0": "C-0", "C-1": "P-2", "NEVER": "NEVER"}
    assert await invoice.db.pool.fetchval("SELECT count(*) FROM customer_parent WHERE customer = 'NEVER'") == 0


@pytest.mark.db
async def test_a_circle_of_parents_ends(invoice: ServiceUnderTest) -> None:
    """PAY-11"""
    circle = [a_customer("A", "B"), a_customer("B", "C"), a_customer("C", "A"), a_customer("D", "B")]
    await invoice.receive(*circle, *(a_customer(f"N-{n}", f"N-{n + 1}") for n in range(40)))
    await invoice.turn("US01", D2)
    assert await accounts_on(invoice, D2, *"ABCD") == {"A": "A", "B": "B", "C": "C", "D": "B"}
    assert await accounts_on(invoice, D2, "N-0", "N-8", "N-39") == {"N-0": "N-0", "N-8": "N-40", "N-39": "N-40"}


@pytest.mark.db
async def test_a_parent_that_can_be_none_is_refused_with_every_reason(invoice: ServiceUnderTest) -> None:
    """PAY-11, EVT-04"""
    await invoice.receive(a_customer("C-1", "C-1"), a_customer("C|2", "P|1"), a_customer("C-3", ""))
    refused = [one.reasons for one in invoice.published(DocumentRejected)]
    bad = "BAD_IDENTIFIER"
    assert [Reason(code="PARENT_OF_ITSELF", field="parent")] in refused
    assert [Reason(code=bad, field="customer"), Reason(code=bad, field="parent")] in refused
    assert [Reason(code=bad, field="parent")] in refused
    assert await accounts_on(invoice, D2, "C-1") == {"C-1": "C-1"}


@pytest.mark.db
async def test_after_a_regrouping_what_is_about_an_old_invoice_follows_it(invoice: ServiceUnderTest) -> None:
    """PAY-11: credit memo, debit memo and corrected invoice go to its account, new documents to the new one."""
    await invoice.receive(an_invoice("OLD"), a_customer("C-1", "GROUP"))
    await invoice.turn("US01", D2)
    about: dict[str, Any] = {"ref_document_no": "OLD"}
    corrected = an_invoice("CORRECTED", type="384", **about)
    memo = erp.DebitMemoIssued(
        entity="US01", document_no="DM", customer="C-1", currency="USD", issued_on=D1, total="5.00", terms="NET0", ref_document_no="OLD"
    )
    await invoice.receive(a_memo("CM", "OLD"), memo, corrected, a_memo("CM-ALONE", "UNHEARD-OF"), a_memo("CM-OTHER", "OLD", "C-2"))
    answer = await invoice.post(
        "/v1/credit-memos",
        {
            "entity": "US01",
            "document_no": "CM-HTTP",
            "customer": "C-1",
            "currency": "USD",
            "issued_on": str(D2),
            "total": "1.00",
            "ref_document_no": "OLD",
        },
    )
    assert answer.status_code == 201, answer.text
    found = await stored(invoice)
    assert {number: found[number] for number in ("OLD", "CM", "DM", "CORRECTED", "CM-HTTP")} == dict.fromkeys(
        ("OLD", "CM", "DM", "CORRECTED", "CM-HTTP"), ("C-1", "C-1")
    )
    assert (found["CM-ALONE"], found["CM-OTHER"]) == (("C-1", "GROUP"), ("C-2", "C-2"))


@pytest.mark.db
@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_memo_and_its_invoice_of_one_day_meet_in_any_order(invoice: ServiceUnderTest, order: tuple[int, ...]) -> None:
    """PAY-11: nothing that comes on the day itself decides."""
    await invoice.receive(a_customer("C-1", "GROUP"))
    await invoice.turn("US01", D2)
    facts = [an_invoice("INV-1"), a_memo("CM-1", "INV-1"), a_customer("C-1", "ANOTHER")]
    for place in order:
        await invoice.receive(facts[place])
    assert await stored(invoice) == {"INV-1": ("C-1", "GROUP"), "CM-1": ("C-1", "GROUP")}


@pytest.mark.db
async def test_what_this_service_makes_itself_goes_to_the_account_it_is_about(invoice: ServiceUnderTest) -> None:
    """PAY-11, INV-14, PAY-10: a schedule bills its customer's account of the day, a fee the account the money was on."""
    await invoice.receive(a_customer("C-1", "GROUP"), a_customer("C-2", "GROUP"), a_customer("GROUP", name="Group"))
    for n, customer in enumerate(("C-2", "GROUP", "C-1")):
        schedule = {
            "entity": "US01",
            "schedule_no": f"S-{n}",
            "customer": customer,
            "currency": "USD",
            "number_prefix": f"S-{n}-",
            "terms": "NET30",
            "total": "120.00",
            "every": "weekly",
            "starts_on": str(D2),
        }
        assert (await invoice.post("/v1/billing-schedules", schedule, key=f"{n}")).status_code == 201
    reversed_ = PaymentReversed(
        entity="US01",
        receipt="US01|B-6",
        currency="USD",
        amount="10.00",
        kind="nsf",
        value_on=D1,
        account="OLD",
        fee="35.00",
    )
    await invoice.receive(a_customer("OLD", "GROUP"), reversed_)
    await invoice.turn("US01", D4)

    told = invoice.published_envelopes()
    billed = [(one.data.customer, one.data.account, one.envelope.key) for one in told if isinstance(one.data, InvoiceIssued)]
    assert billed == [(customer, "GROUP", "US01|GROUP") for customer in ("C-1", "C-2", "GROUP")]
    fees = [(one.data.customer, one.data.account) for one in told if isinstance(one.data, DebitMemoIssued)]
    assert fees == [("OLD", "OLD")]


@pytest.mark.db
async def test_a_bill_for_a_child_is_one_of_its_account(invoice: ServiceUnderTest) -> None:
    """PAY-11, INV-12: what all children owe under it."""
    await invoice.receive(a_customer("C-1", "GROUP"), a_customer("C-2", "GROUP"), an_invoice("BEFORE"))
    await invoice.turn("US01", D2)
    await invoice.receive(an_invoice("INV-1"), an_invoice("INV-2", "C-2"))
    answer = await invoice.post("/v1/bills", {"entity": "US01", "customer": "C-1", "currency": "USD"})
    assert answer.status_code == 201, answer.text
    (bill,) = invoice.published(ConsolidatedBillIssued)
    assert (bill.customer, bill.account, bill.invoices) == ("C-1", "GROUP", ["US01|INV-1", "US01|INV-2"])
    refused = await invoice.post("/v1/bills", {"entity": "US01", "customer": "C-1", "currency": "USD", "invoices": ["BEFORE"]}, key="2")
    assert [one["code"] for one in refused.json()["reasons"]] == ["INVOICE_OF_ANOTHER_ACCOUNT"]
    assert invoice.published(CreditMemoIssued) == []
