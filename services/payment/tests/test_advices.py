"""Remittance advices: whichever of advice, money and documents comes first on a day, the books are the same (PAY-04)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from events import bank, invoice
from events.payment import EntryRejected, PayerIdentified, PayerUnknown, PaymentApplied, PaymentReceived
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db

Services = Callable[[], Awaitable[ServiceUnderTest]]
D1 = FIRST_DAY
D2 = D1 + timedelta(days=1)
D3 = D1 + timedelta(days=2)


def an_invoice(number: str, total: str, account: str = "C-1") -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=D1,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=D1, amount=total)],
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, remittance=remittance, **fields)


def an_advice(number: str, payment_ref: str, *lines: tuple[str, str | None], **other: Any) -> bank.RemittanceAdvised:
    told = [bank.RemittanceLine(document_no=document_no, amount=amount) for document_no, amount in lines]
    return bank.RemittanceAdvised(
        **{"entity": "US01", "advice_no": number, "payment_ref": payment_ref, "currency": "USD", "lines": told, **other}
    )


async def applied(payment: ServiceUnderTest) -> dict[str, int]:
    """What stands applied of receipts, by receipt and item."""
    rows = await payment.db.pool.fetch("SELECT source, item, amount_minor FROM chk.application WHERE NOT reversed ORDER BY source, item")
    return {f"{row['source']}>{row['item']}".replace("US01|", "").removesuffix("|1"): row["amount_minor"] for row in rows}


async def books(payment: ServiceUnderTest) -> dict[str, list[tuple[Any, ...]]]:
    """All that must not hang on the order in which a day's facts came."""
    views = {
        "item": "SELECT * FROM chk.item ORDER BY item",
        "receipt": "SELECT * FROM chk.receipt ORDER BY receipt",
        "application": "SELECT application, item, amount_minor, booked_on, effective_on FROM chk.application WHERE NOT reversed ORDER BY 1",
        "stated": "SELECT bank_ref, stated, identified_by, advised_customer FROM receipt ORDER BY bank_ref",
        "clue": "SELECT bank_ref, place, digest FROM clue JOIN receipt ON id = receipt_id WHERE place <> 0 ORDER BY 1, 2",
        "advice": "SELECT advice_no, taken_on FROM advice ORDER BY advice_no",
    }
    return {name: [tuple(row) for row in await payment.db.pool.fetch(sql)] for name, sql in views.items()}


async def test_an_advice_that_comes_first_waits_for_its_money(payment: ServiceUnderTest) -> None:
    """PAY-04: found by the payer's reference; it says how much of each document is paid, and whose the money is."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "100.00"))
    await payment.receive(an_advice("ADV-1", "E2E-1", ("INV-2", "60.00"), ("inv-1", "30.00")))
    assert payment.published() == []
    await payment.receive(an_entry("BR-1", "90.00", payment_ref="E2E-1"))
    assert await applied(payment) == {"BR-1>INV-1": 30_00, "BR-1>INV-2": 60_00}
    assert [(one.account, one.references) for one in payment.published(PaymentReceived)] == [("C-1", ["INV-2", "INV-1"])]


async def test_an_advice_that_comes_later_that_day_changes_what_the_money_paid(payment: ServiceUnderTest) -> None:
    """PAY-04: by the bank's reference as well; what the money had paid is taken back as reordered."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "100.00"))
    await payment.receive(an_entry("BR-1", "90.00", customer="C-1"))
    assert await applied(payment) == {"BR-1>INV-1": 90_00}
    payment.published()
    await payment.receive(an_advice("ADV-1", "BR-1", ("INV-2", None)))
    assert await applied(payment) == {"BR-1>INV-2": 90_00}
    facts = payment.published_envelopes()
    assert [(type(one.data).__name__, one.envelope.causation_id) for one in facts] == [
        ("ApplicationReversed", "US01|ADV-1"),
        ("PaymentApplied", "US01|ADV-1"),
    ]


async def test_an_advice_gives_unidentified_money_its_payer(payment: ServiceUnderTest) -> None:
    """PAY-11: by a document it names, else by the customer it gives."""
    await payment.receive(an_invoice("INV-7", "10.00", "C-7"))
    await payment.receive(an_entry("BR-1", "10.00"), an_entry("BR-2", "20.00"))
    await payment.receive(an_advice("ADV-1", "BR-1", ("INV-7", None)), an_advice("ADV-2", "BR-2", customer="C-8"))
    assert {(one.receipt, one.account, one.by) for one in payment.published(PayerIdentified)} == {
        ("US01|BR-1", "C-7", "reference"),
        ("US01|BR-2", "C-8", "advice"),
    }


async def test_money_moves_to_the_payer_an_advice_names_better_and_to_no_worse_one(payment: ServiceUnderTest) -> None:
    """PAY-11: a document displaces the number the entry gave, another customer's number does not."""
    await payment.receive(an_invoice("INV-7", "10.00", "C-7"))
    await payment.receive(an_entry("BR-1", "10.00", customer="C-1"), an_entry("BR-2", "20.00", customer="C-1"))
    payment.published()
    await payment.receive(an_advice("ADV-1", "BR-1", ("INV-7", None)), an_advice("ADV-2", "BR-2", customer="C-8"))
    facts = payment.published()
    assert [(type(one), one.account) for one in facts if isinstance(one, PayerIdentified | PayerUnknown)] == [
        (PayerUnknown, "C-1"),
        (PayerIdentified, "C-7"),
    ]
    assert [one.invoice for one in facts if isinstance(one, PaymentApplied)] == ["US01|INV-7"]


async def test_several_advices_of_one_payment_count_together_by_their_numbers(payment: ServiceUnderTest) -> None:
    await payment.receive(*[an_invoice(f"INV-{n}", "100.00") for n in (1, 2, 3)])
    await payment.receive(an_advice("ADV-2", "E2E-1", ("INV-1", "50.00")))
    await payment.receive(an_entry("BR-1", "120.00", "INV-3", payment_ref="E2E-1"))
    await payment.receive(an_advice("ADV-1", "BR-1", ("INV-2", "100.00")))
    assert await applied(payment) == {"BR-1>INV-2": 100_00, "BR-1>INV-1": 20_00}


async def test_what_was_placed_on_an_earlier_day_stays_and_what_is_left_follows_the_advice(payment: ServiceUnderTest) -> None:
    """PAY-04, PAY-08: 30.00 on-account since yesterday pay what today's advice names, 100.00 stay where they are."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "130.00", "INV-1", payment_ref="E2E-1"))
    await payment.turn("US01", D2)
    await payment.receive(an_invoice("INV-2", "100.00", "C-1"), an_invoice("INV-3", "100.00", "C-1"))
    assert await applied(payment) == {"BR-1>INV-1": 100_00, "BR-1>INV-2": 30_00}
    await payment.receive(an_advice("ADV-1", "E2E-1", ("INV-3", None)))
    assert await applied(payment) == {"BR-1>INV-1": 100_00, "BR-1>INV-3": 30_00}


async def test_an_advice_that_money_has_taken_says_nothing_of_money_of_a_later_day(payment: ServiceUnderTest) -> None:
    """Payers use a reference again: next month's payment is not this month's."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "100.00"))
    await payment.receive(an_advice("ADV-1", "E2E-1", ("INV-2", None)))
    await payment.turn("US01", D2)
    await payment.receive(an_entry("BR-1", "10.00", payment_ref="E2E-1"), an_entry("BR-2", "20.00", payment_ref="E2E-1"))
    assert await applied(payment) == {"BR-1>INV-2": 10_00, "BR-2>INV-2": 20_00}
    await payment.turn("US01", D3)
    await payment.receive(an_entry("BR-3", "30.00", payment_ref="E2E-1", customer="C-1"))
    assert await applied(payment) == {"BR-1>INV-2": 10_00, "BR-2>INV-2": 20_00, "BR-3>INV-1": 30_00}


async def test_an_advice_of_another_currency_is_about_other_money(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "100.00"))
    await payment.receive(an_advice("ADV-1", "BR-1", ("INV-2", None), currency="EUR"))
    await payment.receive(an_entry("BR-1", "10.00", customer="C-1"))
    await payment.receive(an_advice("ADV-2", "BR-1", ("INV-2", None), currency="JPY"))
    assert await applied(payment) == {"BR-1>INV-1": 10_00}


async def test_an_advice_is_one_advice_however_often_it_comes_and_another_content_is_refused(payment: ServiceUnderTest) -> None:
    advice = an_advice("ADV-1", "BR-1", ("INV-1", "1.0"))
    await payment.receive(advice)
    await payment.receive_again()
    await payment.receive(an_advice("ADV-1", "BR-1", ("INV-1", "1.00")), an_advice("ADV-1", "BR-2", ("INV-1", "1.00")))
    rejected = payment.published(EntryRejected)
    assert [[(reason.field, reason.code) for reason in one.reasons] for one in rejected] == [[("advice_no", "CONFLICT")]]
    assert await payment.db.pool.fetchval("SELECT count(*) FROM advice") == 1


async def test_an_advice_is_refused_for_every_reason_at_once(payment: ServiceUnderTest) -> None:
    await payment.receive(
        an_advice("", "NOTPROVIDED", ("", "x"), customer="C|1"), an_advice("ADV-2", "BR-1", ("", "x"), customer="", currency="XXX")
    )
    assert [{(reason.field, reason.code) for reason in one.reasons} for one in payment.published(EntryRejected)] == [
        {
            ("advice_no", "BAD_IDENTIFIER"),
            ("payment_ref", "NOT_PROVIDED"),
            ("customer", "BAD_IDENTIFIER"),
            ("lines[0].document_no", "BAD_IDENTIFIER"),
            ("lines[0].amount", "AMOUNT_NOT_PLAIN"),
        },
        {("customer", "BAD_IDENTIFIER"), ("currency", "CURRENCY_UNKNOWN")},
    ]


async def test_an_advice_and_its_money_that_come_at_once_meet(payment: ServiceUnderTest) -> None:
    """PAY-04: what the payment is called is locked by whoever brings either; so one of the two sees the other."""
    await payment.receive(*[an_invoice(f"INV-{n}", "10.00", "C-1" if n % 2 else "C-2") for n in range(20)])
    for n in range(20):
        body = {"entity": "US01", "bank_ref": f"BR-{n}", "value_on": "2026-01-05", "amount": "10.00", "currency": "USD"}
        await asyncio.gather(
            payment.post("/v1/receipts", {**body, "payment_ref": f"E2E-{n}"}, key=f"k{n}"),
            payment.receive(an_advice(f"ADV-{n}", f"E2E-{n}", (f"INV-{n}", "10.00"))),
        )
    assert await applied(payment) == {f"BR-{n}>INV-{n}": 10_00 for n in range(20)}


A_DAY = (
    an_invoice("INV-1", "100.00"),
    an_invoice("INV-2", "80.00"),
    an_invoice("INV-3", "70.00", "C-3"),
    an_entry("BR-1", "120.00", "INV-1", payment_ref="E2E-1"),
    an_entry("BR-2", "60.00", payment_ref="E2E-2"),
    an_entry("BR-3", "50.00", customer="C-1"),
    an_advice("ADV-1", "E2E-1", ("INV-2", "40.00")),
    an_advice("ADV-2", "BR-1", ("INV-1", "30.00"), customer="C-9"),
    an_advice("ADV-3", "E2E-2", customer="C-1"),
    an_advice("ADV-4", "E2E-2", customer="C-3"),
    an_advice("ADV-5", "BR-3", ("INV-3", None)),
)


async def test_the_same_facts_of_a_day_in_any_order_end_in_the_same_books(services: Services) -> None:
    """PAY-04: advices before and after money and documents, in batches of any size, each of them twice."""
    seen = []
    for seed in range(8):
        payment = await services()
        order = random.Random(seed)
        facts = list(A_DAY)
        order.shuffle(facts)
        while facts:
            batch, facts = facts[: (size := order.randint(1, 5))], facts[size:]
            await payment.receive(*batch)
            await payment.receive_again()
        seen.append(await books(payment))
    assert seen[0]["application"]
    assert all(one == seen[0] for one in seen)
