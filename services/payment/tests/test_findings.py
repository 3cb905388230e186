"""What is found when a day turns, on a real Postgres: short payments, discounts taken too late, money left over (PAY-08, PAY-09)."""

import random
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import bank, invoice
from events.fact import Event
from events.payment import OverpaymentDetected, ShortPaymentDetected, UnearnedDiscountTaken
from payment.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test, two_entities

pytestmark = pytest.mark.db

FIRST = date(2026, 3, 1)
ONE = timedelta(days=1)
FOUND = (ShortPaymentDetected, UnearnedDiscountTaken, OverpaymentDetected)
STANDARD_TERMS: dict[str, Any] = {"percent": "2", "until_on": date(2026, 3, 11), "amount": "24.00", "tax": "4.00"}


@pytest.fixture
async def payment(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("payment"), entities=two_entities(opens_on=FIRST)) as sut:
        yield sut


async def tolerate(sut: ServiceUnderTest, **body: Any) -> None:
    """Put a policy of tolerances in force from the next day on."""
    proposal = {"entity": "US01", "kind": "tolerances", "valid_from": "2026-01-01", "body": body}
    answer = await sut.post("/v1/policies", proposal, key="propose", roles=["policy_maker"], sub="maker")
    assert answer.status_code == 201, answer.text
    path = f"/v1/policies/{answer.json()['policy']}/approve"
    answer = await sut.post(path, {}, key="approve", roles=["policy_checker"], sub="checker")
    assert answer.status_code == 200, answer.text


def an_invoice(number: str, total: str = "1200.00", *, account: str = "C-1", **other: Any) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=FIRST,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=date(2026, 3, 31), amount=total)],
        **other,
    )


def discounted(number: str = "INV-2", *, grace: int = 0, partial: str = "prorate") -> invoice.InvoiceIssued:
    """1,200.00 of which 200.00 are tax, 2/10 net 30, tax included."""
    terms = invoice.DiscountTerms(
        tiers=[invoice.DiscountTier(**STANDARD_TERMS)], grace_days=grace, tax_choice="included", base="gross", partial=partial
    )
    return an_invoice(number, tax="200.00", discount=terms)


def an_entry(ref: str, amount: str, remittance: str | None = None, *, value_on: date = FIRST, **other: Any) -> bank.EntryBooked:
    return bank.EntryBooked(
        entity="US01", account_ref="OUR-1", bank_ref=ref, value_on=value_on, amount=amount, currency="USD", remittance=remittance, **other
    )


async def found(sut: ServiceUnderTest, day: date) -> list[Event]:
    """Turn days up to `day`; return what was found meanwhile."""
    sut.published()
    await sut.turn("US01", day)
    return [one.data for one in sut.published_envelopes() if isinstance(one.data, FOUND)]


def march(day: int) -> date:
    return date(2026, 3, day)


async def test_a1_each_part_payment_is_short(payment: ServiceUnderTest) -> None:
    """A1, PAY-09: without discount terms at the next turn, once for each receipt, with what was open then."""
    await payment.receive(an_invoice("INV-1", "12000.00"), an_entry("BR-1", "5000.00", "INV-1"))
    payment.published()
    await payment.turn("US01", march(2))
    (short,) = [one for one in payment.published_envelopes() if isinstance(one.data, FOUND)]
    assert (short.envelope.key, short.envelope.booked_on, short.envelope.effective_on) == ("US01|C-1", march(2), FIRST)
    assert short.data == ShortPaymentDetected(
        entity="US01",
        receipt="US01|BR-1",
        item="US01|INV-1|1",
        invoice="US01|INV-1",
        customer="C-1",
        account="C-1",
        currency="USD",
        due_on=march(31),
        amount="7000.00",
    )
    assert await found(payment, march(4)) == []
    await payment.receive(an_entry("BR-2", "3000.00", "INV-1"))
    (second,) = await found(payment, march(6))
    assert isinstance(second, ShortPaymentDetected)
    assert (second.receipt, second.amount) == ("US01|BR-2", "4000.00")


async def test_a1_of_several_receipts_of_a_day_the_latest_was_short(payment: ServiceUnderTest) -> None:
    """PAY-09: by value date, then bank reference; one finding for the item."""
    earlier = an_entry("BR-9", "100.00", "INV-1", value_on=FIRST - ONE)
    await payment.receive(an_entry("BR-2", "200.00", "INV-1"), earlier, an_entry("BR-1", "300.00", "INV-1"), an_invoice("INV-1", "1000.00"))
    (short,) = await found(payment, march(2))
    assert isinstance(short, ShortPaymentDetected)
    assert (short.receipt, short.amount) == ("US01|BR-2", "400.00")


async def test_money_that_names_nothing_is_never_short(payment: ServiceUnderTest) -> None:
    """PAY-09: nor is what is settled in the end of the day, by whatever order."""
    await payment.receive(an_invoice("INV-1", "1000.00"), an_entry("BR-1", "300.00", customer="C-1"))
    await payment.receive(an_invoice("INV-2", "100.00"), an_entry("BR-2", "60.00", "INV-2"))
    await payment.receive(an_entry("BR-3", "40.00", "INV-2"))
    assert await found(payment, march(2)) == []


async def test_a2c_a_discount_taken_too_late(payment: ServiceUnderTest) -> None:
    """A2 (c), PAY-09: 1,176.00 of 03-15 with two days of grace leaves 24.00, that could be earned up to 03-13."""
    await tolerate(payment, fixed={"USD": "5.00"})
    await payment.receive(discounted(grace=2))
    await payment.turn("US01", march(15))
    await payment.receive(an_entry("BR-1", "1176.00", "INV-2", value_on=march(15)))
    payment.published()
    await payment.turn("US01", march(16))
    (unearned,) = [one for one in payment.published_envelopes() if isinstance(one.data, FOUND)]
    assert unearned.envelope.effective_on == march(15)
    assert unearned.data == UnearnedDiscountTaken(
        entity="US01",
        receipt="US01|BR-1",
        item="US01|INV-2|1",
        invoice="US01|INV-2",
        customer="C-1",
        account="C-1",
        currency="USD",
        due_on=march(31),
        amount="24.00",
        until_on=march(13),
    )
    assert await found(payment, march(20)) == []


async def test_a2c_in_grace_nothing_is_found(payment: ServiceUnderTest) -> None:
    """A2 (a), (c): the same payment of 03-13 earns the discount, also when it is booked later."""
    await payment.receive(discounted(grace=2))
    await payment.turn("US01", march(17))
    await payment.receive(an_entry("BR-1", "1176.00", "INV-2", value_on=march(13)))
    assert await found(payment, march(18)) == []


async def test_a2d_a_part_paid_in_time_is_short_when_the_time_is_over(payment: ServiceUnderTest) -> None:
    """A2 (d): 500.00 on 03-05 leave 689.80 open; that is told on 03-12, of the day that closed."""
    await payment.receive(discounted())
    await payment.turn("US01", march(5))
    await payment.receive(an_entry("BR-1", "500.00", "INV-2", value_on=march(5)))
    assert await found(payment, march(11)) == []
    payment.published()
    await payment.turn("US01", march(12))
    (short,) = [one for one in payment.published_envelopes() if isinstance(one.data, FOUND)]
    assert isinstance(short.data, ShortPaymentDetected)
    assert (short.data.receipt, short.data.amount, short.envelope.effective_on) == ("US01|BR-1", "689.80", march(11))
    assert await found(payment, march(20)) == []


async def test_a2d_what_is_paid_in_time_is_never_short(payment: ServiceUnderTest) -> None:
    """A2 (d): 676.00 more on 03-09 settle it."""
    await payment.receive(discounted())
    await payment.turn("US01", march(5))
    await payment.receive(an_entry("BR-1", "500.00", "INV-2", value_on=march(5)))
    await payment.turn("US01", march(9))
    await payment.receive(an_entry("BR-2", "676.00", "INV-2", value_on=march(9)))
    assert await found(payment, march(20)) == []
    assert await payment.db.pool.fetch("SELECT FROM discount_window") == []


async def test_a_part_paid_in_time_and_booked_when_it_is_over_is_short_at_once(payment: ServiceUnderTest) -> None:
    """A2 (d), PAY-09: the value date earns the discount; there is nothing left to wait for."""
    await payment.receive(discounted())
    await payment.turn("US01", march(20))
    await payment.receive(an_entry("BR-1", "500.00", "INV-2", value_on=march(5)))
    (short,) = await found(payment, march(21))
    assert isinstance(short, ShortPaymentDetected)
    assert short.amount == "689.80"


async def test_a2f_payment_in_full_is_short_at_once_and_once(payment: ServiceUnderTest) -> None:
    """A2 (f): 1,150.00 on 03-10 for 1,200.00 leave 26.53; 26.00 more by 03-11 settle it."""
    await tolerate(payment, fixed={"USD": "5.00"})
    await payment.receive(discounted(), discounted("INV-3"))
    await payment.turn("US01", march(10))
    for number in ("INV-2", "INV-3"):
        line = bank.RemittanceLine(document_no=number, gross="1200.00")
        await payment.receive(an_entry(f"BR-{number}", "1150.00", number, value_on=march(10), lines=[line]))
    first, second = await found(payment, march(11))
    assert isinstance(first, ShortPaymentDetected)
    assert isinstance(second, ShortPaymentDetected)
    assert (first.item, first.amount, second.item, second.amount) == ("US01|INV-2|1", "26.53", "US01|INV-3|1", "26.53")
    await payment.receive(an_entry("BR-3", "26.00", "INV-2", value_on=march(11)))
    assert await found(payment, march(20)) == []
    assert await payment.db.pool.fetchval("SELECT open_minor FROM chk.item WHERE item = 'US01|INV-2|1'") == 0


async def test_a_deduction_that_is_not_let_go_is_the_reason_of_a_short_payment(payment: ServiceUnderTest) -> None:
    """PAY-09: a bank charge is let go, damage is not."""
    await tolerate(payment, codes={"BANK": "bank_charge"})
    await payment.turn("US01", march(2))
    deductions = [bank.Deduction(code="BANK", amount="10.00"), bank.Deduction(code="DAMAGE", amount="90.00")]
    line = bank.RemittanceLine(document_no="inv-1", amount="900.00", deductions=deductions)
    await payment.receive(an_invoice("INV-1", "1000.00"), an_entry("BR-1", "900.00", lines=[line]))
    (short,) = await found(payment, march(3))
    assert isinstance(short, ShortPaymentDetected)
    assert (short.amount, short.deduction_code) == ("90.00", "DAMAGE")


async def test_what_is_tolerated_is_not_found(payment: ServiceUnderTest) -> None:
    """PAY-09, A7: 3.20 is let go, 5.01 is told."""
    await tolerate(payment, fixed={"USD": "5.00"})
    await payment.turn("US01", march(2))
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "100.00"))
    await payment.receive(an_entry("BR-1", "96.80", "INV-1"), an_entry("BR-2", "94.99", "INV-2"))
    (short,) = await found(payment, march(3))
    assert isinstance(short, ShortPaymentDetected)
    assert (short.item, short.amount) == ("US01|INV-2|1", "5.01")


async def test_a3_money_left_over_is_told_once(payment: ServiceUnderTest) -> None:
    """A3, PAY-08: 2,500.00 naming an invoice of 2,350.00."""
    await payment.receive(an_invoice("INV-3", "2350.00"), an_entry("BR-1", "2500.00", "INV-3 INV-4"))
    payment.published()
    await payment.turn("US01", march(2))
    (over,) = [one for one in payment.published_envelopes() if isinstance(one.data, FOUND)]
    assert (over.envelope.key, over.envelope.effective_on) == ("US01|C-1", FIRST)
    assert over.data == OverpaymentDetected(
        entity="US01", receipt="US01|BR-1", account="C-1", currency="USD", amount="150.00", references=["INV-3"]
    )
    assert await found(payment, march(9)) == []


async def test_money_that_a_memo_pushes_off_its_invoice_is_left_over(payment: ServiceUnderTest) -> None:
    """A5, PAY-08: the day on which the invoice became worth less; what was short of it before is not."""
    await payment.receive(an_invoice("INV-5", "1200.00"), an_entry("BR-1", "1200.00", "INV-5"))
    assert await found(payment, march(2)) == []
    memo = invoice.CreditMemoIssued(
        entity="US01",
        memo="US01|CM-1",
        document_no="CM-1",
        type="381",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=march(2),
        total="300.00",
        ref_invoice="US01|INV-5",
    )
    await payment.receive(memo)
    (over,) = await found(payment, march(3))
    assert isinstance(over, OverpaymentDetected)
    assert (over.receipt, over.amount, over.references) == ("US01|BR-1", "300.00", ["INV-5"])


async def test_what_a_person_keeps_of_money_is_not_left_over(payment: ServiceUnderTest) -> None:
    """PAY-07, PAY-08: it was taken off its invoice, not paid too much; what a person applies again may be short."""
    await payment.receive(an_invoice("INV-1", "1000.00"), an_entry("BR-1", "1000.00", "INV-1"))
    await payment.turn("US01", march(2))
    (application,) = (await payment.get("/v1/receipts/BR-1", entity="US01")).json()["applications"]
    body = {"entity": "US01", "effective_on": str(march(2)), "reason": "WRONG_INVOICE"}
    answer = await payment.post(f"/v1/applications/{application['application']}/unapply", body)
    assert answer.status_code == 200, answer.text
    assert await found(payment, march(3)) == []

    again = {"entity": "US01", "item": "US01|INV-1|1", "amount": "700.00", "reason": "AS_ASKED"}
    answer = await payment.post("/v1/receipts/BR-1/applications", again, key="again")
    assert answer.status_code == 201, answer.text
    (short,) = await found(payment, march(4))
    assert isinstance(short, ShortPaymentDetected)
    assert (short.receipt, short.amount) == ("US01|BR-1", "300.00")


async def test_money_that_went_back_to_the_bank_was_not_the_short_payment(payment: ServiceUnderTest) -> None:
    """A2, PAY-10: of two part payments in time the one that still stands is short when the time is over; without any none is."""
    await payment.receive(discounted(), discounted("INV-3"))
    for ref, number, day in (("BR-1", "INV-2", 2), ("BR-2", "INV-2", 3), ("BR-3", "INV-3", 3)):
        await payment.receive(an_entry(ref, "300.00", number, value_on=march(day)))
    await payment.turn("US01", march(5))
    for ref in ("BR-2", "BR-3"):
        back = bank.EntryReturned(
            entity="US01",
            account_ref="OUR-1",
            bank_ref=f"{ref}-BACK",
            returned_bank_ref=ref,
            value_on=march(5),
            amount="300.00",
            currency="USD",
            kind="nsf",
        )
        await payment.receive(back)
    (short,) = await found(payment, march(13))
    assert isinstance(short, ShortPaymentDetected)
    assert (short.receipt, short.amount) == ("US01|BR-1", "893.88")


async def test_money_that_names_nothing_or_is_used_on_the_day_is_not_left_over(payment: ServiceUnderTest) -> None:
    """PAY-08: unapplied money named nothing; what a later invoice of the day took is not left over."""
    await payment.receive(an_entry("BR-1", "500.00", customer="C-1"))
    await payment.receive(an_invoice("INV-3", "100.00", account="C-2"), an_entry("BR-2", "150.00", "INV-3"))
    await payment.receive(an_invoice("INV-4", "50.00", account="C-2"))
    assert await found(payment, march(2)) == []


def _day_of_facts() -> list[Event]:
    facts: list[Event] = [discounted(), an_invoice("INV-3", "2350.00", account="C-3"), an_invoice("INV-4", "700.00")]
    facts += [an_entry("BR-1", "2500.00", "INV-3"), an_entry("BR-2", "100.00", "INV-4"), an_entry("BR-3", "200.00", "INV-4 INV-2")]
    facts += [an_entry("BR-4", "400.00", "INV-2"), an_invoice("INV-5", "60.00", account="C-3")]
    return facts


async def test_the_order_in_which_facts_came_does_not_show(database_url: Callable[[str], str]) -> None:
    """A14: the same facts of a day, entries doubled and in any order, have the same findings in the same order."""
    seen: list[list[Event]] = []
    for seed in range(4):
        facts = _day_of_facts()
        facts += [fact for fact in facts if isinstance(fact, bank.EntryBooked)]
        random.Random(seed).shuffle(facts)
        async with service_under_test(SERVICE, database_url("payment"), entities=two_entities(opens_on=FIRST)) as sut:
            for fact in facts:
                await sut.receive(fact)
            seen.append(await found(sut, march(12)))
    assert len(seen[0]) >= 3
    assert all(one == seen[0] for one in seen)


async def test_findings_are_listed_the_newest_first(payment: ServiceUnderTest) -> None:
    """PAY-09, over HTTP: by kind, by account, by pages; with what is open now."""
    await payment.receive(an_invoice("INV-1", "1000.00"), an_entry("BR-1", "400.00", "INV-1"))
    await payment.turn("US01", march(2))
    await payment.receive(an_invoice("INV-3", "2350.00", account="C-3"), an_entry("BR-2", "2500.00", "INV-3"))
    await payment.turn("US01", march(3))
    await payment.receive(an_entry("BR-3", "100.00", "INV-1"))
    page = (await payment.get("/v1/findings", entity="US01", limit=1)).json()
    (over,) = page["findings"]
    assert (over["kind"], over["amount"], over["references"], over["item"]) == ("overpayment", "150.00", ["INV-3"], None)
    page = (await payment.get("/v1/findings", entity="US01", limit=1, cursor=page["next_cursor"])).json()
    (short,) = page["findings"]
    assert (short["kind"], short["amount"], short["open"], short["found_on"]) == ("short_payment", "600.00", "500.00", str(FIRST))
    assert page["next_cursor"] is None
    by_kind = (await payment.get("/v1/findings", entity="US01", kind="short_payment")).json()["findings"]
    by_account = (await payment.get("/v1/findings", entity="US01", account="C-3")).json()["findings"]
    assert ([one["account"] for one in by_kind], [one["account"] for one in by_account]) == (["C-1"], ["C-3"])
    assert (await payment.get("/v1/findings", entity="US01", kind="other")).status_code == 422
    assert (await payment.get("/v1/findings", entity="XX01")).status_code == 404
