"""Voids, debit memos, write-offs and their recovery, on a real Postgres: the worked examples and generated histories."""

import random
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from events import bank, invoice
from events.fact import Event
from events.payment import (
    AdjustmentPosted,
    AdjustmentReversed,
    CreditApplied,
    OnAccountCredited,
    PaymentApplied,
    PaymentReceived,
)
from money import format_minor, parse_minor
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
D1, D2, D3 = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)


def _billed(number: str, amounts: tuple[str, ...], account: str, issued: date) -> dict[str, Any]:
    return {
        "entity": "US01",
        "invoice": f"US01|{number}",
        "document_no": number,
        "customer": account,
        "account": account,
        "currency": "USD",
        "issued_on": issued,
        "total": format_minor(sum(parse_minor(one, "USD") for one in amounts), "USD"),
        "instalments": [invoice.Instalment(n=n, due_on=issued + timedelta(days=30), amount=one) for n, one in enumerate(amounts, 1)],
    }


def an_invoice(number: str, *amounts: str, account: str = "C-1", issued: date = D1) -> invoice.InvoiceIssued:
    """An invoice in as many instalments as there are amounts."""
    return invoice.InvoiceIssued(type="380", **_billed(number, amounts, account, issued))


def a_debit_memo(number: str, *amounts: str) -> invoice.DebitMemoIssued:
    return invoice.DebitMemoIssued(type="383", **_billed(number, amounts, "C-1", D1))


def a_void(of: invoice.Billed) -> invoice.InvoiceVoided:
    return invoice.InvoiceVoided(
        entity=of.entity,
        invoice=of.invoice,
        document_no=of.document_no,
        customer=of.customer,
        account=of.account,
        currency=of.currency,
        total=of.total,
        instalments=of.instalments,
    )


def a_memo(number: str, total: str, *, ref: str | None = None, account: str = "C-1") -> invoice.CreditMemoIssued:
    return invoice.CreditMemoIssued(
        entity="US01",
        memo=f"US01|{number}",
        document_no=number,
        type="381",
        customer=account,
        account=account,
        currency="USD",
        issued_on=D1,
        total=total,
        ref_invoice=f"US01|{ref}" if ref else None,
    )


def approved(
    request: str, of: str, amount: str, *, tax: str = "0.00", kind: str = "bad_debt", n: int = 1, account: str = "C-1"
) -> invoice.WriteOffApproved:
    return invoice.WriteOffApproved(
        entity="US01",
        request=request,
        item=f"US01|{of}|{n}",
        invoice=f"US01|{of}",
        customer=account,
        account=account,
        currency="USD",
        amount=amount,
        tax=tax,
        kind=kind,
        requested_by="clerk-1",
        approved_by="manager-1",
        policy_version="approval_limits-1",
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, remittance=remittance, **fields)


def facts_of(payment: ServiceUnderTest) -> list[Any]:
    """What was published since the last look, with its envelopes."""
    return list(payment.published_envelopes())


async def item(payment: ServiceUnderTest, name: str) -> dict[str, int]:
    """What an item's total is made of, without what is nothing."""
    row = await payment.db.pool.fetchrow("SELECT * FROM chk.item WHERE item = $1", f"US01|{name}")
    parts = {part: row[f"{part}_minor"] for part in ("open", "settled", "credited", "adjusted", "voided")}
    assert sum(parts.values()) == row["total_minor"]
    return {part: minor for part, minor in parts.items() if minor}


async def on_account(payment: ServiceUnderTest, ref: str) -> int:
    minor: int = await payment.db.pool.fetchval("SELECT on_account_minor FROM chk.receipt WHERE receipt = $1", f"US01|{ref}")
    return minor


async def test_a7_a_bad_debt_is_written_off_and_money_that_names_it_recovers_it(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """A7, INV-08: 480.00 (80.00 of it tax) written off; 240.00 that names the invoice recovers 240.00 (40.00) and pays it."""
    await payment.receive(an_invoice("INV-8", "480.00"))
    await payment.turn("US01", D2)
    await payment.receive(approved("US01|WO-1", "INV-8", "480.00", tax="80.00"))
    (posted,) = payment.published(AdjustmentPosted)
    assert (posted.adjustment, posted.amount, posted.tax) == ("US01|WO-1", "480.00", "80.00")
    assert await item(payment, "INV-8|1") == {"adjusted": 480_00}

    await payment.turn("US01", D3)
    await payment.receive(an_entry("BR-1", "240.00", "INV-8", value_on=D3))
    recovered, received, applied = facts_of(payment)
    assert (type(recovered.data), recovered.data.reason, recovered.data.amount) == (AdjustmentReversed, "recovered", "240.00")
    assert (recovered.data.tax, recovered.data.kind, recovered.envelope.effective_on) == ("40.00", "bad_debt", D3)
    assert (type(received.data), type(applied.data)) == (PaymentReceived, PaymentApplied)
    assert (applied.data.amount, applied.data.item, applied.envelope.effective_on) == ("240.00", "US01|INV-8|1", D3)
    assert await item(payment, "INV-8|1") == {"settled": 240_00, "adjusted": 240_00}
    await assert_books_balance(payment)

    await payment.receive(an_entry("BR-2", "300.00", "INV-8", value_on=D3))
    (last,) = payment.published(AdjustmentReversed)
    assert (last.amount, last.tax) == ("240.00", "40.00")
    assert await item(payment, "INV-8|1") == {"settled": 480_00}
    assert await on_account(payment, "BR-2") == 60_00
    await assert_books_balance(payment)


async def test_money_without_a_name_recovers_nothing_and_a_fee_waiver_is_not_recovered(payment: ServiceUnderTest) -> None:
    """INV-08: only money that names the invoice, and only bad debts and settlements."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "50.00"))
    await payment.receive(approved("WO-1", "INV-1", "100.00"), approved("WO-2", "INV-2", "50.00", kind="fee_waiver"))
    await payment.receive(an_entry("BR-1", "100.00", customer="C-1"), an_entry("BR-2", "50.00", "INV-2"))
    assert (await item(payment, "INV-1|1"), await item(payment, "INV-2|1")) == ({"adjusted": 100_00}, {"adjusted": 50_00})
    assert await on_account(payment, "BR-2") == 50_00


async def test_no_more_is_written_off_than_is_open_and_what_was_not_is_not_posted_on_a_later_day(payment: ServiceUnderTest) -> None:
    """INV-08: part of it was paid before, so 70.00 of the 100.00 approved are posted, with that part of the tax."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "30.00", "INV-1"))
    await payment.turn("US01", D2)
    await payment.receive(approved("WO-1", "INV-1", "100.00", tax="10.00"), approved("WO-2", "INV-1", "5.00"))
    (posted,) = payment.published(AdjustmentPosted)
    assert (posted.adjustment, posted.amount, posted.tax) == ("WO-1", "70.00", "7.00")
    await payment.turn("US01", D3)
    payment.published()
    await payment.receive(an_invoice("INV-2", "1.00"))
    assert payment.published() == []


async def test_a_void_gives_money_memos_and_write_offs_back(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """A5, INV-06: all that stood on the voided invoice is free again; a later receipt that names it is on-account."""
    voided = an_invoice("INV-1", "100.00", "50.00")
    await payment.receive(voided, a_memo("CM-1", "20.00", ref="INV-1"), an_entry("BR-1", "60.00", "INV-1"))
    await payment.receive(approved("WO-1", "INV-1", "30.00", tax="3.00", n=2))
    await payment.turn("US01", D2)
    payment.published()
    await payment.receive(a_void(voided))

    facts: list[Any] = [*payment.published()]
    assert [type(one) for one in facts[:3]].count(AdjustmentReversed) == 1
    assert {(getattr(one, "receipt", None), getattr(one, "memo", None), one.amount, one.reason) for one in facts[:3]} == {
        ("US01|BR-1", None, "60.00", "worth_less"),
        (None, "US01|CM-1", "20.00", "worth_less"),
        (None, None, "30.00", "worth_less"),
    }
    assert [(type(one), one.amount) for one in facts[3:]] == [(OnAccountCredited, "60.00")]
    assert (await item(payment, "INV-1|1"), await item(payment, "INV-1|2")) == ({"voided": 100_00}, {"voided": 50_00})
    await assert_books_balance(payment)

    await payment.receive(an_invoice("INV-2", "70.00", issued=D2), an_entry("BR-2", "9.00", "INV-1", value_on=D2))
    assert await on_account(payment, "BR-1") + await on_account(payment, "BR-2") == 0
    assert await item(payment, "INV-2|1") == {"settled": 69_00, "credited": 1_00}
    await assert_books_balance(payment)


async def test_a_memo_that_names_a_voided_invoice_is_free_for_others(payment: ServiceUnderTest) -> None:
    """INV-06: whether it comes before the void, on its day, or later."""
    voided = an_invoice("INV-1", "100.00")
    await payment.receive(voided, a_void(voided), an_invoice("INV-2", "100.00"), a_memo("CM-1", "20.00", ref="INV-1"))
    await payment.turn("US01", D2)
    await payment.receive(a_memo("CM-2", "30.00", ref="INV-1"))
    assert {one.item for one in payment.published(CreditApplied)} == {"US01|INV-2|1"}
    assert await item(payment, "INV-2|1") == {"open": 50_00, "credited": 50_00}


async def test_a_debit_memo_is_paid_by_name_credited_by_name_and_voided_like_an_invoice(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """INV-05, PAY-04: its instalments are items."""
    memo = a_debit_memo("DM-1", "40.00")
    await payment.receive(an_entry("BR-1", "30.00", "DM-1"), a_memo("CM-1", "10.00", ref="DM-1"), memo)
    assert await item(payment, "DM-1|1") == {"settled": 30_00, "credited": 10_00}
    await payment.receive(a_void(memo))
    assert await item(payment, "DM-1|1") == {"voided": 40_00}
    await assert_books_balance(payment)


async def test_instalments_and_memos_of_nothing_are_settled_from_the_start(payment: ServiceUnderTest) -> None:
    """INV-01: a total of zero is accepted; voiding it changes nothing."""
    nothing = an_invoice("INV-0", "0.00")
    await payment.receive(nothing, a_memo("CM-0", "0.00"), a_void(nothing), an_entry("BR-1", "5.00", "INV-0"))
    assert await item(payment, "INV-0|1") == {}
    assert await on_account(payment, "BR-1") == 5_00


async def test_what_is_about_nothing_we_know_is_parked(payment: ServiceUnderTest) -> None:
    """A void or an approval stands behind its document under the same key, and there is one void: anything else is a fault."""
    once = an_invoice("INV-7", "1.00", account="C-7")
    await payment.receive(once, a_void(once))
    for wrong in (a_void(once), a_void(an_invoice("INV-8", "1.00", account="C-8")), approved("WO-9", "INV-9", "1.00", account="C-9")):
        await payment.receive(wrong)
    parked = await payment.db.pool.fetch("SELECT key, reason FROM chk.parked ORDER BY key")
    assert [tuple(row) for row in parked] == [(f"US01|C-{n}", "failed") for n in (7, 8, 9)]


async def test_the_database_refuses_an_item_half_voided_and_an_entry_of_two_sources(payment: ServiceUnderTest) -> None:
    """M1, M2: even a rule gone wrong cannot book them."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "10.00", "INV-1"))
    for wrong in (
        "UPDATE item SET voided_minor = 50",
        "UPDATE item SET adjusted_minor = -1",
        "UPDATE entry SET void_id = (SELECT document_id FROM item)",
        "UPDATE document SET voided_on = '2026-01-05'",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await payment.db.pool.execute(wrong)


def a_history(seed: int, side: str) -> list[list[Event]]:
    """Three days of an account with invoices, memos, receipts, voids and write-offs that meet each other on all days."""
    rnd = random.Random(seed)
    mark = f"{seed:03}{side}"
    account, amounts = f"{mark}-C1", ["10.00", "20.00", "7.00"]
    known: list[invoice.InvoiceIssued] = []
    days: list[list[Event]] = []
    for n in range(3):
        on = D1 + timedelta(days=n)
        numbers = [f"{mark}-{n}-{i}" for i in range(rnd.randint(2, 3))]
        fresh = [an_invoice(one, *rnd.choices(amounts, k=rnd.choice([1, 2])), account=account, issued=on) for one in numbers]
        known += fresh
        facts: list[Event] = [*fresh]
        for i in range(rnd.choice([0, 1, 2, 3])):
            of, kind = rnd.choice(known), rnd.choice(["bad_debt", "bad_debt", "small_balance"])
            part = rnd.randint(1, len(of.instalments))
            facts.append(approved(f"{mark}-{n}-W{i}", of.document_no, rnd.choice(amounts), tax="1.00", kind=kind, n=part, account=account))
        for i in range(rnd.choice([0, 0, 1])):
            facts.append(a_memo(f"{mark}-{n}-M{i}", rnd.choice(amounts), ref=rnd.choice(known).document_no, account=account))
        for i in range(rnd.randint(1, 3)):
            named = " ".join(one.document_no for one in rnd.sample(known, rnd.choice([0, 1, 1, 2])))
            value_on = on - timedelta(days=rnd.randint(0, 2))
            facts.append(an_entry(f"{mark}-{n}-R{i}", rnd.choice(amounts), named, customer=account, value_on=value_on))
        if rnd.random() < 0.5:
            facts.append(a_void(known.pop(rnd.randrange(len(known)))))
        days.append(facts)
    return days


def cut(facts: list[Event], rnd: random.Random) -> list[list[Event]]:
    """Facts in pieces of any size and in any order in which voids and write-offs stand behind the day's invoices."""
    order = [one for one in facts if isinstance(one, invoice.InvoiceIssued)]
    rnd.shuffle(order)
    last = order[-1]
    for one in facts:
        if not isinstance(one, invoice.InvoiceIssued):
            is_bound = isinstance(one, invoice.InvoiceVoided | invoice.WriteOffApproved)
            order.insert(rnd.randint(order.index(last) + 1 if is_bound else 0, len(order)), one)  # type: ignore[arg-type]
    pieces: list[list[Event]] = []
    while order:
        size = rnd.randint(1, 3)
        pieces.append([*order[:size]])
        order = order[size:]
    return pieces


async def test_generated_histories_with_corrections_end_the_same_whole_and_in_pieces(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """A14, INV-08: balances, applications and adjustments, whatever the order of a day's facts."""
    seeds = range(12)
    for n in range(3):
        for seed in seeds:
            await payment.receive(*a_history(seed, "x")[n])
            for piece in cut(a_history(seed, "y")[n], random.Random(seed + n)):
                await payment.receive(*piece)
        await payment.turn("US01", D2 + timedelta(days=n))
    await assert_books_balance(payment)
    views = {
        "item": "SELECT * FROM chk.item",
        "receipt": "SELECT * FROM chk.receipt",
        "memo": "SELECT * FROM chk.memo",
        "application": "SELECT application, item, amount_minor, booked_on, effective_on FROM chk.application WHERE NOT reversed",
        "adjustment": "SELECT adjustment, item, posted_minor FROM chk.adjustment",
    }
    sides: dict[str, set[Any]] = {"x": set(), "y": set()}
    for view, sql in views.items():
        for row in await payment.db.pool.fetch(sql):
            side = next(side for side in sides if any(f"{seed:03}{side}-" in str(row[0]) for seed in seeds))
            sides[side].add((view, *[str(value).replace(f"{side}-", "-") for value in row]))
    assert sides["x"] == sides["y"]
    # Or the histories have become too tame to show anything.
    assert await payment.db.pool.fetchval("SELECT count(*) FROM entry WHERE rule = 'recovered'") > 5
    assert await payment.db.pool.fetchval("SELECT count(*) FROM entry WHERE void_id IS NOT NULL") > 5
