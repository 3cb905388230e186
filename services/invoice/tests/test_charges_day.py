"""Late charges as days turn: computed from what was known two days before, corrected by what comes later, posted where so wanted."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from chassis.service import Batch
from events import erp
from events.invoice import ChargeRange, CreditMemoIssued, DebitMemoIssued, LateChargeAssessed
from events.payment import AdjustmentPosted, ApplicationReversed, PaymentApplied
from invoice.app import SERVICE
from invoice.handlers.charges import assess_late_charges
from testkit.service import ServiceUnderTest, service_under_test, two_entities

pytestmark = pytest.mark.db

NINE: dict[str, Any] = {"rates": [{"from": "2026-01-01", "percent": "9"}], "cycle": "monthly"}
OPENS_ON, ISSUED_ON = date(2026, 2, 20), date(2026, 1, 5)
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice"), entities=two_entities(opens_on=OPENS_ON)) as sut:
        yield sut


async def under(sut: ServiceUnderTest, body: dict[str, Any]) -> None:
    """Put a policy in force from the next day on, for all days."""
    proposal = {"entity": "US01", "kind": "late_charges", "valid_from": "2026-01-01", "body": body}
    answer = await sut.post("/v1/policies", proposal, key="propose", roles=["policy_maker"], sub="maker")
    assert answer.status_code == 201, answer.text
    path = f"/v1/policies/{answer.json()['policy']}/approve"
    answer = await sut.post(path, {}, key="approve", roles=["policy_checker"], sub="checker")
    assert answer.status_code in (200, 201), answer.text


async def issue(sut: ServiceUnderTest, document_no: str = "INV-1", customer: str = "C-1", total: str = "12000.00") -> None:
    """Take in an invoice of 2026-01-05, due on 2026-02-04."""
    await sut.receive(
        erp.InvoiceIssued(
            entity="US01", document_no=document_no, customer=customer, currency="USD", issued_on=ISSUED_ON, total=total, terms="NET30"
        )
    )


def paid(amount: str, document_no: str = "INV-1", account: str = "C-1", application: str = "A-1") -> PaymentApplied:
    return PaymentApplied(application=application, receipt="US01|R-1", rule="reference", **_moved(amount, document_no, account))


def taken_back(amount: str, application: str = "A-1") -> ApplicationReversed:
    return ApplicationReversed(application=application, receipt="US01|R-1", reason="worth_less", **_moved(amount, "INV-1", "C-1"))


def _moved(amount: str, document_no: str, account: str) -> dict[str, Any]:
    of = {"entity": "US01", "customer": account, "account": account, "currency": "USD", "due_on": date(2026, 2, 4)}
    return {**of, "amount": amount, "invoice": f"US01|{document_no}", "item": f"US01|{document_no}|1"}


async def charges_of(sut: ServiceUnderTest, day: date) -> list[LateChargeAssessed]:
    """Turn days up to `day` and return what was charged meanwhile."""
    sut.published()
    await sut.meet("US01", day)
    return sut.published(LateChargeAssessed)


async def test_a_month_is_charged_on_the_first_of_the_next_and_only_what_is_new(invoice: ServiceUnderTest) -> None:
    """INV-09, A1: 61.15 through 02-28, then the rest of 99.12 through 03-31, each with the days it was computed from."""
    await under(invoice, NINE)
    await issue(invoice)
    await invoice.receive(paid("5000.00"))
    (first,) = await charges_of(invoice, MARCH)
    await invoice.meet("US01", date(2026, 3, 10))
    await invoice.receive(paid("3000.00", application="A-2"))
    await invoice.meet("US01", date(2026, 3, 31))
    assert invoice.published(LateChargeAssessed) == []
    await invoice.meet("US01", APRIL)
    (second,) = invoice.published_envelopes(LateChargeAssessed)

    assert (first.amount, first.charged_before, first.through_on) == ("61.15", "0.00", date(2026, 2, 28))
    assert (second.envelope.key, second.envelope.booked_on, second.envelope.effective_on) == ("US01|C-1", APRIL, APRIL)
    assert second.data == LateChargeAssessed(
        entity="US01",
        charge="US01|LC-INV-1-1-20260401",
        item="US01|INV-1|1",
        invoice="US01|INV-1",
        customer="C-1",
        account="C-1",
        currency="USD",
        amount="37.97",
        accrued="99.12",
        charged_before="61.15",
        fixed="0.00",
        through_on=date(2026, 3, 31),
        day_count="ACT/365",
        ranges=[
            _range("2026-02-05", "2026-02-20", 16, "12000.00", "47.3424657534"),
            _range("2026-02-21", "2026-03-10", 18, "7000.00", "31.0684931507"),
            _range("2026-03-11", "2026-03-31", 21, "4000.00", "20.7123287671"),
        ],
        posting="memo_only",
        policy_version="1",
    )


def _range(from_on: str, through_on: str, days: int, principal: str, interest: str) -> ChargeRange:
    first, last = date.fromisoformat(from_on), date.fromisoformat(through_on)
    return ChargeRange(from_on=first, through_on=last, days=days, principal=principal, rate_percent="9", interest=interest)


async def test_without_a_policy_nothing_is_charged(invoice: ServiceUnderTest) -> None:
    """INV-09: nor under one whose cycle is none."""
    await issue(invoice)
    assert await charges_of(invoice, MARCH) == []
    await under(invoice, {**NINE, "cycle": "none"})
    assert await charges_of(invoice, APRIL) == []


async def test_a_daily_cycle_charges_each_day(invoice: ServiceUnderTest) -> None:
    """INV-09: cents add up to what the days come to, for each day is what is new of the whole."""
    await under(invoice, {**NINE, "cycle": "daily"})
    await issue(invoice, total="100.00")
    charges = await charges_of(invoice, date(2026, 2, 25))
    assert [one.amount for one in charges] == ["0.39", "0.03", "0.02", "0.03", "0.02"]
    assert [one.accrued for one in charges] == ["0.39", "0.42", "0.44", "0.47", "0.49"]


async def test_a_payment_that_is_booked_late_corrects_the_next_charge(invoice: ServiceUnderTest) -> None:
    """INV-09: below zero, where more was charged than is owed, and although the item is settled by then."""
    await under(invoice, NINE)
    await issue(invoice)
    (first,) = await charges_of(invoice, MARCH)
    await invoice.meet("US01", date(2026, 3, 5))
    await invoice.receive(paid("12000.00"), effective_on=date(2026, 2, 10))
    (second,) = await charges_of(invoice, APRIL)
    assert (first.amount, second.accrued, second.amount, second.posting) == ("71.01", "17.75", "-53.26", "memo_only")


async def test_a_charge_is_the_account_s_whose_the_late_item_is(invoice: ServiceUnderTest) -> None:
    """INV-09, PAY-11: its memo too, whatever parent the customer has got since."""
    await under(invoice, {**NINE, "posting": "debit_memo", "memo_due_days": 10})
    await issue(invoice)
    await invoice.receive(erp.CustomerUpserted(entity="US01", customer="C-1", name="Example", parent="GROUP"))
    await invoice.meet("US01", date(2026, 2, 21))
    await issue(invoice, "INV-2")
    await invoice.meet("US01", MARCH)
    told = [one for one in invoice.published_envelopes() if isinstance(one.data, LateChargeAssessed | DebitMemoIssued)]
    assert {(type(one.data), one.data.customer, one.envelope.key) for one in told} == {
        (kind, "C-1", f"US01|{account}") for kind in (LateChargeAssessed, DebitMemoIssued) for account in ("C-1", "GROUP")
    }


async def test_what_is_known_of_the_last_day_makes_no_difference(invoice: ServiceUnderTest) -> None:
    """INV-09: a charge of day D uses what was booked up to D-2, whether what was booked on D-1 has been heard by then or not."""
    await under(invoice, NINE)
    for account in ("C-1", "C-2"):
        await issue(invoice, f"INV-{account}", account)
        await invoice.receive(paid("2000.00", f"INV-{account}", account), day=date(2026, 2, 27), effective_on=date(2026, 2, 4))
    await invoice.meet("US01", date(2026, 2, 28))
    await invoice.receive(paid("10000.00", "INV-C-1", "C-1", "A-2"), effective_on=date(2026, 2, 10))
    charges = await charges_of(invoice, MARCH)
    await invoice.receive(paid("10000.00", "INV-C-2", "C-2", "A-2"), day=date(2026, 2, 28), effective_on=date(2026, 2, 10))
    corrections = await charges_of(invoice, APRIL)
    assert [(one.account, one.amount) for one in charges] == [("C-1", "59.18"), ("C-2", "59.18")]
    assert [(one.account, one.amount) for one in corrections] == [("C-1", "-44.39"), ("C-2", "-44.39")]


async def test_a_reversal_never_counts_before_what_it_takes_back(invoice: ServiceUnderTest) -> None:
    """INV-09: applied on 02-20 and taken back with an earlier date, it was never applied."""
    await under(invoice, NINE)
    await issue(invoice)
    await invoice.meet("US01", date(2026, 2, 22))
    await invoice.receive(paid("5000.00"), effective_on=date(2026, 2, 20))
    await invoice.receive(taken_back("5000.00"), effective_on=date(2026, 2, 10))
    (charge,) = await charges_of(invoice, MARCH)
    assert [(one.principal, one.days) for one in charge.ranges] == [("12000.00", 24)]


async def test_the_work_of_a_day_done_twice_charges_once(invoice: ServiceUnderTest) -> None:
    """INV-09, A14"""
    await under(invoice, NINE)
    await issue(invoice)
    assert len(await charges_of(invoice, MARCH)) == 1
    batch = Batch("invoice", datetime(2026, 3, 1, 12, tzinfo=UTC), invoice.entities, {"US01": MARCH})
    async with invoice.db.transaction() as db:
        assert await assess_late_charges(db, "US01", MARCH, ["C-1"], batch) == []
    await invoice.meet("US01", MARCH)
    assert invoice.published(LateChargeAssessed) == []


async def test_a_posted_charge_is_a_debit_memo_that_bears_no_interest(invoice: ServiceUnderTest) -> None:
    """INV-02, INV-09: about the invoice, due when the policy says, and never late in this sense itself."""
    await under(invoice, {**NINE, "posting": "debit_memo", "memo_due_days": 10, "from_kinds": ["invoice", "debit_memo"]})
    await issue(invoice)
    await invoice.meet("US01", MARCH)
    published = invoice.published()
    (charge,) = [fact for fact in published if isinstance(fact, LateChargeAssessed)]
    (memo,) = [fact for fact in published if isinstance(fact, DebitMemoIssued)]
    assert (charge.posting, charge.document) == ("debit_memo", memo.invoice)
    assert (memo.type, memo.total, memo.ref_invoice, memo.issued_on) == ("383", "71.01", "US01|INV-1", MARCH)
    assert (memo.origin, memo.origin_id, memo.instalments[0].due_on) == ("late_charge", charge.charge, date(2026, 3, 11))
    assert [one.item for one in await charges_of(invoice, APRIL)] == ["US01|INV-1|1"]


async def test_a_posted_charge_that_was_too_much_is_given_back_by_a_credit_memo(invoice: ServiceUnderTest) -> None:
    """INV-06, INV-09: carried to a next charge it might wait for ever."""
    await under(invoice, {**NINE, "posting": "debit_memo"})
    await issue(invoice)
    await invoice.meet("US01", date(2026, 3, 5))
    await invoice.receive(paid("12000.00"), effective_on=date(2026, 2, 10))
    invoice.published()
    await invoice.meet("US01", APRIL)
    published = invoice.published()
    (charge,) = [fact for fact in published if isinstance(fact, LateChargeAssessed)]
    (memo,) = [fact for fact in published if isinstance(fact, CreditMemoIssued)]
    assert (charge.amount, charge.posting, charge.document) == ("-53.26", "credit_memo", memo.memo)
    assert (memo.total, memo.ref_invoice, memo.origin) == ("53.26", "US01|LC-INV-1-1-20260301", "late_charge")


async def test_what_was_waived_of_a_posted_charge_is_not_given_back_as_well(invoice: ServiceUnderTest) -> None:
    """INV-08, INV-09: 71.01 posted, 30.00 of it waived: of 53.26 too much the credit memo is 41.01, and the rest was never owed."""
    await under(invoice, {**NINE, "posting": "debit_memo"})
    await issue(invoice)
    await invoice.meet("US01", date(2026, 3, 5))
    waived = {**_moved("30.00", "LC-INV-1-1-20260301", "C-1"), "adjustment": "US01|adj|1", "tax": "0.00", "kind": "fee_waiver"}
    await invoice.receive(AdjustmentPosted(**waived), paid("12000.00"), effective_on=date(2026, 2, 10))
    (charge,) = await charges_of(invoice, APRIL)
    shown = (await invoice.get("/v1/late-charges/LC-INV-1-1-20260401?entity=US01")).json()
    assert (charge.amount, shown["amount"], shown["posted"]) == ("-53.26", "-53.26", "-41.01")


async def test_what_a_voided_invoice_was_charged_is_given_back(invoice: ServiceUnderTest) -> None:
    """INV-07, INV-09"""
    await under(invoice, NINE)
    await issue(invoice)
    await invoice.meet("US01", MARCH)
    await invoice.receive(erp.InvoiceVoided(entity="US01", document_no="INV-1", customer="C-1"))
    (back,) = await charges_of(invoice, APRIL)
    assert (back.amount, back.accrued, back.ranges) == ("-71.01", "0.00", [])
    assert await charges_of(invoice, date(2026, 5, 1)) == []


async def test_what_was_late_in_other_books_is_charged_from_the_day_it_was_taken_over(invoice: ServiceUnderTest) -> None:
    """INV-09"""
    await under(invoice, NINE)
    opening = erp.OpeningBalanceLoaded(
        entity="US01",
        document_no="OLD-1",
        customer="C-1",
        currency="USD",
        issued_on=date(2025, 6, 1),
        as_of=date(2026, 1, 31),
        open="1000.00",
        due_on=date(2025, 7, 1),
    )
    await invoice.receive(opening)
    (charge,) = await charges_of(invoice, MARCH)
    assert [(one.from_on, one.days) for one in charge.ranges] == [(date(2026, 2, 1), 28)]


async def test_a_fixed_sum_is_charged_once_for_a_claim(invoice: ServiceUnderTest) -> None:
    """INV-09, IN-03"""
    fixed = [{"below": "1000.00", "amount": "40.00"}, {"amount": "100.00"}]
    reference = [{"from": "2025-07-01", "percent": "2"}]
    await under(
        invoice, {"cycle": "monthly", "statutory": {"reference_rates": reference, "points": "8", "currency": "USD", "fixed": fixed}}
    )
    await issue(invoice)
    charges = await charges_of(invoice, APRIL)
    assert [(one.fixed, one.charged_before) for one in charges] == [("100.00", "0.00"), ("0.00", "78.90")]
    assert [(one.amount, one.ranges[0].rate_percent) for one in charges] == [("178.90", "10"), ("101.92", "10")]


async def test_what_is_below_the_minimum_waits(invoice: ServiceUnderTest) -> None:
    """INV-09"""
    await under(invoice, {**NINE, "minimum": {"USD": "1.00"}})
    await issue(invoice, total="100.00")
    charges = await charges_of(invoice, APRIL)
    assert [(one.amount, one.through_on) for one in charges] == [("1.36", date(2026, 3, 31))]


async def test_charges_are_listed_and_shown_with_their_ranges(invoice: ServiceUnderTest) -> None:
    """INV-09"""
    await under(invoice, NINE)
    for document_no, account in (("2026/1", "C-1"), ("INV-2", "C-1"), ("INV-3", "C-2")):
        await issue(invoice, document_no, account)
    await invoice.meet("US01", MARCH)

    first = (await invoice.get("/v1/late-charges?entity=US01&account=C-1&limit=1")).json()
    second = (await invoice.get(f"/v1/late-charges?entity=US01&account=C-1&cursor={first['next_cursor']}")).json()
    (of_document,) = (await invoice.get("/v1/late-charges?entity=US01&document_no=INV-3")).json()["late_charges"]
    shown = (await invoice.get("/v1/late-charges/LC-2026/1-1-20260301?entity=US01")).json()

    assert [one["document_no"] for page in (first, second) for one in page["late_charges"]] == ["2026/1", "INV-2"]
    assert second["next_cursor"] is None
    assert of_document["charge"] == "US01|LC-INV-3-1-20260301"
    assert shown == first["late_charges"][0]
    assert (shown["amount"], shown["posting"], shown["posted"], shown["document"]) == ("71.01", "memo_only", "0.00", None)
    assert [(one["days"], one["principal"], one["interest"]) for one in shown["ranges"]] == [(24, "12000.00", "71.0136986301")]


async def test_a_preview_says_what_is_owed_as_of_any_day_and_charges_nothing(invoice: ServiceUnderTest) -> None:
    """INV-09, RPT-02, A1: 99.12 as of 03-31; what was booked after `known_at` was not known then."""
    await under(invoice, NINE)
    await issue(invoice)
    await invoice.meet("US01", date(2026, 2, 21))
    await invoice.receive(paid("5000.00"), effective_on=OPENS_ON)
    await invoice.meet("US01", date(2026, 3, 10))
    await invoice.receive(paid("3000.00", application="A-2"))
    invoice.published()

    async def preview(**asked: str) -> dict[str, Any]:
        answer = await invoice.get("/v1/late-charges/preview", entity="US01", document_no="INV-1", **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    whole = await preview(as_of="2026-03-31")
    (item,) = whole["items"]
    assert (whole["interest"], whole["known_at"], item["to_charge"], item["charged"]) == ("99.12", "2026-03-10", "37.97", "61.15")
    assert [(one["days"], one["principal"]) for one in item["ranges"]] == [(16, "12000.00"), (18, "7000.00"), (21, "4000.00")]
    assert (await preview(as_of="2026-02-28"))["interest"] == "61.15"
    assert (await preview(as_of="2026-03-31", known_at="2026-02-20"))["interest"] == "162.74"
    assert (await preview())["as_of"] == "2026-03-09"
    assert invoice.published() == []


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/late-charges?entity=XX99", 404, "ENTITY_UNKNOWN"),
        ("/v1/late-charges?entity=US01&cursor=nonsense", 400, "CURSOR_INVALID"),
        ("/v1/late-charges/LC-1?entity=US01", 404, "LATE_CHARGE_UNKNOWN"),
        ("/v1/late-charges/preview?entity=US01&document_no=NONE", 404, "DOCUMENT_UNKNOWN"),
        ("/v1/late-charges/preview?entity=XX99&document_no=NONE", 404, "ENTITY_UNKNOWN"),
    ],
)
async def test_what_is_not_there_is_a_problem(invoice: ServiceUnderTest, path: str, status: int, code: str) -> None:
    answer = await invoice.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_policy_with_faults_is_refused_with_all_of_them(invoice: ServiceUnderTest) -> None:
    """INV-09, XC-05"""
    body = {"rates": [{"from": "2026-01-01", "percent": "nine"}], "day_count": "ACT/ACT"}
    proposal = {"entity": "US01", "kind": "late_charges", "valid_from": "2026-01-01", "body": body}
    answer = await invoice.post("/v1/policies", proposal, roles=["policy_maker"])
    assert answer.status_code == 422
    assert [(one["code"], one["field"]) for one in answer.json()["reasons"]] == [
        ("PERCENT_MALFORMED", "body.rates[0].percent"),
        ("CHOICE_UNKNOWN", "body.day_count"),
    ]
