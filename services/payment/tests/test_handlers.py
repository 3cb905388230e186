"""Facts in, facts out, on a real Postgres: the worked examples, days and payers, repeats, conflicts, shuffles."""

import random
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import bank, erp, invoice
from events.fact import Event
from events.payment import (
    ApplicationReversed,
    CreditApplied,
    OnAccountCredited,
    OverpaymentDetected,
    PayerIdentified,
    PayerUnknown,
    PaymentApplied,
    PaymentReceived,
    ReceiptUnapplied,
)
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
D1 = date(2026, 1, 5)
D2 = date(2026, 1, 6)


def an_invoice(
    number: str,
    total: str,
    *,
    account: str = "C-1",
    due: date = D1 + timedelta(days=30),
    issued: date = D1,
    currency: str = "USD",
    entity: str = "US01",
    instalments: list[invoice.Instalment] | None = None,
) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity=entity,
        invoice=f"{entity}|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency=currency,
        issued_on=issued,
        total=total,
        instalments=instalments or [invoice.Instalment(n=1, due_on=due, amount=total)],
    )


def instalment(n: int, due_on: date, amount: str) -> invoice.Instalment:
    return invoice.Instalment(n=n, due_on=due_on, amount=amount)


def a_memo(number: str, total: str, *, ref: str | None = None, account: str = "C-1", issued: date = D1) -> invoice.CreditMemoIssued:
    return invoice.CreditMemoIssued(
        entity="US01",
        memo=f"US01|{number}",
        document_no=number,
        type="381",
        customer=account,
        account=account,
        currency="USD",
        issued_on=issued,
        total=total,
        ref_invoice=f"US01|{ref}" if ref else None,
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, *, iban: str | None = None, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, remittance=remittance, debtor=bank.Debtor(iban=iban) if iban else None, **fields)


def a_customer(number: str, *bank_accounts: str) -> erp.CustomerUpserted:
    return erp.CustomerUpserted(entity="US01", customer=number, name="Somebody", bank_accounts=list(bank_accounts))


def facts_of(payment: ServiceUnderTest, kind: type[Event] | None = None) -> list[Any]:
    """What was published since the last look, with its envelopes."""
    return list(payment.published_envelopes(kind))


async def opens(payment: ServiceUnderTest) -> dict[str, int]:
    """What is open of every item, by number and instalment."""
    rows = await payment.db.pool.fetch("SELECT item, open_minor FROM chk.item ORDER BY item")
    return {row["item"].split("|", 1)[1]: row["open_minor"] for row in rows}


async def dispositions(payment: ServiceUnderTest, ref: str) -> dict[str, int]:
    """Where the money of a receipt is, without the empty places."""
    row = await payment.db.pool.fetchrow("SELECT * FROM chk.receipt WHERE receipt = $1", f"US01|{ref}")
    places = {name: row[f"{name}_minor"] for name in ("unidentified", "unapplied", "on_account", "applied")}
    assert sum(places.values()) == row["amount_minor"]
    return {name: minor for name, minor in places.items() if minor}


async def snapshot(payment: ServiceUnderTest) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that must not depend on order: balances, dispositions, and the live applications with their dates."""
    views = {
        "item": "SELECT * FROM chk.item ORDER BY 1",
        "receipt": "SELECT * FROM chk.receipt ORDER BY 1",
        "memo": "SELECT * FROM chk.memo ORDER BY 1",
        "application": "SELECT application, item, amount_minor, booked_on, effective_on FROM chk.application WHERE NOT reversed ORDER BY 1",
    }
    return {name: [tuple(row) for row in await payment.db.pool.fetch(sql)] for name, sql in views.items()}


async def test_a1_part_payments_leave_the_rest_open(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """A1, PAY-02, PAY-07: 12,000.00 less 5,000.00 and 3,000.00."""
    await payment.receive(an_invoice("INV-1", "12000.00"))
    await payment.receive(an_entry("BR-1", "5000.00", "INV-1"))
    assert await opens(payment) == {"INV-1|1": 7000_00}
    await payment.turn("US01", D2)
    await payment.receive(an_entry("BR-2", "3000.00", "Payment for inv-1", value_on=D2))

    assert await opens(payment) == {"INV-1|1": 4000_00}
    first, second = payment.published(PaymentApplied)
    assert (first.receipt, first.amount, first.rule, first.account) == ("US01|BR-1", "5000.00", "reference", "C-1")
    assert (second.receipt, second.amount, second.item) == ("US01|BR-2", "3000.00", "US01|INV-1|1")
    await assert_books_balance(payment)


async def test_a3_an_overpayment_is_on_account_and_pays_the_next_invoice(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """A3, PAY-08: 150.00 left over; the next invoice of 400.00 has 250.00 open, effective on the day of the act."""
    await payment.receive(an_invoice("INV-3", "2350.00"))
    await payment.receive(an_entry("BR-1", "2500.00", "INV-3"))
    assert [type(fact) for fact in payment.published()] == [PaymentReceived, PaymentApplied, OnAccountCredited]
    assert await dispositions(payment, "BR-1") == {"applied": 2350_00, "on_account": 150_00}

    await payment.turn("US01", D2)
    assert [type(fact) for fact in payment.published()] == [OverpaymentDetected]
    await payment.receive(an_invoice("INV-4", "400.00"))
    unapplied, applied = facts_of(payment)
    assert (type(unapplied.data), type(applied.data)) == (ReceiptUnapplied, PaymentApplied)
    assert applied.envelope.effective_on == applied.envelope.booked_on == unapplied.envelope.effective_on == D2
    assert await opens(payment) == {"INV-3|1": 0, "INV-4|1": 250_00}
    await assert_books_balance(payment)


async def test_a4_money_that_names_nothing_pays_the_oldest_first(payment: ServiceUnderTest) -> None:
    """A4, rule 5 with partials: A 500.00, B 300.00, C 200.00 and a receipt of 600.00."""
    await payment.receive(
        an_invoice("C", "200.00", due=D1 + timedelta(days=3)),
        an_invoice("A", "500.00", due=D1 + timedelta(days=1)),
        an_invoice("B", "300.00", due=D1 + timedelta(days=2)),
    )
    await payment.receive(an_entry("BR-1", "600.00", customer="C-1"))
    assert await opens(payment) == {"A|1": 0, "B|1": 200_00, "C|1": 200_00}
    assert {one.rule for one in payment.published(PaymentApplied)} == {"oldest_first"}


async def test_a4_money_from_an_unknown_bank_account_is_identified_the_next_day(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """A4, PAY-02, PAY-11: unidentified; then PayerIdentified and applied with the original value date."""
    await payment.receive(an_invoice("B", "300.00"))
    await payment.receive(an_entry("BR-1", "300.00", "thank you", iban="DE02 1203 0000 0000 2020 51"))
    received = facts_of(payment, PaymentReceived)[0]
    assert (received.data.account, received.envelope.key) == (None, "US01|receipt:BR-1")
    assert await dispositions(payment, "BR-1") == {"unidentified": 300_00}

    await payment.receive(a_customer("C-1", "de02120300000000202051"))
    assert payment.published() == []
    await payment.turn("US01", D2)
    identified, applied = facts_of(payment)
    assert (type(identified.data), identified.data.by, identified.envelope.key) == (PayerIdentified, "bank_account", "US01|C-1")
    assert (applied.envelope.booked_on, applied.envelope.effective_on) == (D2, D1)
    assert await dispositions(payment, "BR-1") == {"applied": 300_00}
    await assert_books_balance(payment)


async def test_a5_a_memo_reduces_the_invoice_it_names_and_the_excess_payment_is_on_account(payment: ServiceUnderTest) -> None:
    """A5: 1,200.00 less 300.00; the customer pays 1,200.00."""
    await payment.receive(a_memo("CM-1", "300.00", ref="INV-5"))
    await payment.receive(an_invoice("INV-5", "1200.00"))
    assert await opens(payment) == {"INV-5|1": 900_00}
    await payment.receive(an_entry("BR-1", "1200.00", "INV-5"))
    assert await dispositions(payment, "BR-1") == {"applied": 900_00, "on_account": 300_00}


async def test_a5_an_on_account_memo_pays_the_oldest_first(payment: ServiceUnderTest) -> None:
    """A5: 300.00 over X 200.00 and Y 400.00."""
    await payment.receive(a_memo("CM-1", "300.00"))
    await payment.receive(an_invoice("Y", "400.00", due=D1 + timedelta(days=40)), an_invoice("X", "200.00"))
    assert await opens(payment) == {"X|1": 0, "Y|1": 300_00}
    assert [(one.memo, one.item, one.amount) for one in payment.published(CreditApplied)] == [
        ("US01|CM-1", "US01|X|1", "200.00"),
        ("US01|CM-1", "US01|Y|1", "100.00"),
    ]


async def test_a_memo_after_the_payment_gives_money_back_to_the_account(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-07: the item is worth less than was applied; the latest application is taken back by rule and the money is on-account."""
    await payment.receive(an_invoice("INV-5", "1200.00"))
    await payment.receive(an_entry("BR-1", "1200.00", "INV-5"))
    await payment.turn("US01", D2)
    payment.published()
    await payment.receive(a_memo("CM-1", "300.00", ref="INV-5", issued=D2))

    reversed_, credit, on_account = facts_of(payment)
    assert (type(reversed_.data), reversed_.data.reason, reversed_.data.amount) == (ApplicationReversed, "worth_less", "300.00")
    assert (reversed_.data.receipt, reversed_.data.memo, reversed_.envelope.effective_on) == ("US01|BR-1", None, D2)
    assert (type(credit.data), credit.data.amount) == (CreditApplied, "300.00")
    assert (type(on_account.data), on_account.data.amount) == (OnAccountCredited, "300.00")
    assert await dispositions(payment, "BR-1") == {"applied": 900_00, "on_account": 300_00}
    await assert_books_balance(payment)


async def test_a_receipt_without_a_payer_is_identified_by_a_later_document_of_any_day(payment: ServiceUnderTest) -> None:
    """PAY-02, PAY-04, PAY-08: on identification the value date counts."""
    await payment.receive(an_entry("BR-1", "100.00", "INV-1 INV-2"))
    await payment.turn("US01", D2)
    await payment.receive(an_invoice("INV-2", "60.00", issued=D2))
    received, identified, applied, kept = facts_of(payment)
    assert (received.data.references, identified.data.by, identified.data.references) == ([], "reference", ["INV-2"])
    assert identified.envelope.effective_on == D1
    assert (applied.data.amount, applied.envelope.effective_on) == ("60.00", D2)
    assert (kept.data.amount, kept.envelope.effective_on) == ("40.00", D1)


async def test_a_receipt_moves_to_a_better_reference_on_its_own_day_and_never_later(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-04: the first document named decides, whatever came first."""
    await payment.receive(an_invoice("INV-2", "100.00", account="C-2"), an_entry("BR-1", "100.00", "INV-1 INV-2"))
    payment.published()
    await payment.receive(an_invoice("INV-1", "100.00", account="C-1"))
    facts = facts_of(payment)
    assert [(type(one.data), one.envelope.key) for one in facts] == [
        (PayerIdentified, "US01|C-1"),
        (PaymentApplied, "US01|C-1"),
        (ApplicationReversed, "US01|C-2"),
        (PayerUnknown, "US01|C-2"),
    ]
    assert facts[2].data.reason == "reordered"
    assert await opens(payment) == {"INV-1|1": 0, "INV-2|1": 100_00}

    await payment.receive(an_entry("BR-2", "50.00", "INV-0 INV-2"))
    await payment.turn("US01", D2)
    payment.published()
    await payment.receive(an_invoice("INV-0", "50.00", account="C-0"))
    assert payment.published() == []
    await assert_books_balance(payment)


async def test_memos_dated_the_other_way_round_overdraw_the_invoice_at_no_date(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-07, M2 as of every date: each gives money back as of its own date, whatever was given back before."""
    await payment.receive(an_invoice("INV-1", "10.00"), an_entry("BR-1", "10.00", "INV-1"))
    await payment.turn("US01", D2)
    await payment.receive(a_memo("CM-1", "1.00", ref="INV-1", issued=D1 + timedelta(days=3)))
    await payment.turn("US01", D2 + timedelta(days=1))
    await payment.receive(a_memo("CM-2", "9.00", ref="INV-1", issued=D1 + timedelta(days=2)))
    assert await dispositions(payment, "BR-1") == {"on_account": 10_00}
    await assert_books_balance(payment)


async def is_finished(payment: ServiceUnderTest) -> bool:
    return bool(await payment.db.pool.fetchval("SELECT bool_and(is_finished) FROM entry"))


async def test_a_finished_part_of_the_day_is_taken_up_again_by_money_that_names_it(payment: ServiceUnderTest) -> None:
    """PAY-07: the earlier value date pays, though it came when the invoice was settled."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1", value_on=D2))
    assert await is_finished(payment)
    await payment.receive(an_entry("BR-2", "100.00", "INV-1", value_on=D1))
    assert await dispositions(payment, "BR-2") == {"applied": 100_00}
    assert await dispositions(payment, "BR-1") == {"on_account": 100_00}


async def test_a_finished_part_of_the_day_is_taken_up_again_by_an_invoice_its_receipt_names(payment: ServiceUnderTest) -> None:
    """PAY-04: the invoice named first is paid first, though it came last."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-2 INV-1"))
    assert await is_finished(payment)
    await payment.receive(an_invoice("INV-2", "70.00"))
    assert await opens(payment) == {"INV-1|1": 70_00, "INV-2|1": 0}


async def test_a_finished_part_of_the_day_is_taken_up_again_by_a_memo(payment: ServiceUnderTest) -> None:
    """PAY-07: a memo of the same day comes before the money, so nothing is worth less: the day is reordered."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    assert await is_finished(payment)
    payment.published()
    await payment.receive(a_memo("CM-1", "40.00", ref="INV-1"))
    assert {one.reason for one in payment.published(ApplicationReversed)} == {"reordered"}
    assert await dispositions(payment, "BR-1") == {"applied": 60_00, "on_account": 40_00}


async def test_money_given_back_as_of_a_later_date_is_not_used_before_it(payment: ServiceUnderTest) -> None:
    """PAY-08 and PAY-02 as of every date: a memo dated ahead frees the money on its own date."""
    ahead = D1 + timedelta(days=9)
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    await payment.turn("US01", D2)
    await payment.receive(a_memo("CM-1", "40.00", ref="INV-1", issued=ahead))
    await payment.turn("US01", D2 + timedelta(days=1))
    payment.published()
    await payment.receive(an_invoice("INV-2", "40.00", issued=D2))
    assert {one.envelope.effective_on for one in facts_of(payment)} == {ahead}
    assert await opens(payment) == {"INV-1|1": 0, "INV-2|1": 0}


A_DAY_BEFORE: list[Event] = [
    a_customer("C-1", "IBAN-1"),
    an_invoice("INV-1", "500.00", due=D1),
    an_invoice("INV-2", "300.00", due=D2),
    an_entry("BR-0", "550.00", "INV-1"),
    an_entry("BR-00", "80.00", "INV-9"),
]
A_DAY: list[Event] = [
    an_invoice("INV-3", "200.00", due=D1),
    an_invoice("INV-9", "70.00", account="C-9"),
    an_invoice(
        "INV-4",
        "100.00",
        instalments=[invoice.Instalment(n=1, due_on=D2, amount="40.00"), invoice.Instalment(n=2, due_on=D1, amount="60.00")],
    ),
    an_invoice("INV-8", "90.00", account="C-8"),
    a_memo("CM-1", "120.00", ref="INV-1"),
    a_memo("CM-2", "30.00"),
    a_memo("CM-3", "400.00", ref="INV-1", issued=D2),
    an_entry("BR-1", "200.00", "INV-8 INV-3", iban="IBAN-1", value_on=D2),
    an_entry("BR-2", "150.00", iban="IBAN-1"),
    an_entry("BR-3", "45.00", "INV-4"),
    an_entry("BR-4", "33.00", customer="C-9"),
]


async def test_a14_the_order_of_a_days_facts_means_nothing(services: Callable[[], Any], assert_books_balance: Balance) -> None:
    """A14, PAY-04, PAY-07: unidentified money, a moving payer, memos after payments, overpayments; the books end the same."""
    ends = []
    for seed in range(6):
        payment, rnd = await services(), random.Random(seed)
        for n, facts in enumerate((A_DAY_BEFORE, A_DAY)):
            shuffled = rnd.sample(facts, len(facts)) if seed else facts
            while shuffled:
                size = rnd.randint(1, len(shuffled)) if seed else len(shuffled)
                await payment.receive(*shuffled[:size])
                shuffled = shuffled[size:]
            await payment.turn("US01", D2 + timedelta(days=n))
            await assert_books_balance(payment)
        ends.append(await snapshot(payment))
    assert all(end == ends[0] for end in ends)


def a_history(seed: int, side: str) -> list[list[Event]]:
    """Three days of two accounts; names meet documents of this day, an earlier, a later or no day, of this account or the other."""
    rnd = random.Random(seed)
    mark = f"{seed:03}{side}"
    accounts, amounts = [f"{mark}-C1", f"{mark}-C1", f"{mark}-C2"], ["10.00", "10.00", "20.00", "7.00"]
    numbers = [[f"{mark}-{n}-{letter}" for letter in "ABC"] for n in range(3)]
    days: list[list[Event]] = []
    for n in range(3):
        on = D1 + timedelta(days=n)
        likely = [*numbers[n] * 3, *numbers[n - 1], *numbers[(n + 1) % 3]]
        facts: list[Event] = []
        for number in rnd.sample(numbers[n], rnd.randint(1, 3)):
            parts = [instalment(i + 1, on + timedelta(days=rnd.randint(0, 9)), rnd.choice(amounts)) for i in range(rnd.choice([1, 1, 2]))]
            facts.append(an_invoice(number, "20.00", account=rnd.choice(accounts), issued=on, instalments=parts))
        for i in range(rnd.choice([0, 0, 1, 2])):
            ref, ahead = rnd.choice([None, *likely]), timedelta(days=rnd.choice([0, 0, 4]))
            facts.append(a_memo(f"{mark}-{n}-M{i}", rnd.choice(amounts), ref=ref, account=rnd.choice(accounts), issued=on + ahead))
        for i in range(rnd.randint(1, 5)):
            named = " ".join(rnd.sample(likely, rnd.choice([0, 1, 1, 2])))
            value_on = on - timedelta(days=rnd.randint(0, 2))
            customer = rnd.choice([None, *accounts])
            facts.append(an_entry(f"{mark}-{n}-R{i}", rnd.choice(amounts), named, customer=customer, value_on=value_on))
        days.append(facts)
    return days


async def test_generated_histories_end_the_same_whole_and_in_pieces(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """A14 over many histories at once: one side gets each day as one batch, the other shuffled and in pieces."""
    seeds = range(15)
    for n in range(3):
        for seed in seeds:
            await payment.receive(*a_history(seed, "x")[n])
            pieces, rnd = a_history(seed, "y")[n], random.Random(seed + n)
            rnd.shuffle(pieces)
            while pieces:
                size = rnd.randint(1, 3)
                await payment.receive(*pieces[:size])
                pieces = pieces[size:]
        await payment.turn("US01", D2 + timedelta(days=n))
    await assert_books_balance(payment)
    sides: dict[str, list[Any]] = {"x": [], "y": []}
    for view, rows in (await snapshot(payment)).items():
        for row in rows:
            side = next(side for side in sides if any(f"{seed:03}{side}-" in str(row[0]) for seed in seeds))
            sides[side].append((view, *[str(value).replace(f"{side}-", "-") for value in row]))
    assert sides["x"] == sides["y"]
    assert len(sides["x"]) > 200  # Or the histories have become too tame to show anything.
