"""Bills, payment references and orders stand for documents, whichever of them, the documents and the money comes first (PAY-04, INV-12)."""

import random
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import bank, invoice
from events.erp import References
from events.payment import PayerIdentified, PaymentApplied, PaymentReceived
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db

Services = Callable[[], Awaitable[ServiceUnderTest]]
D1 = FIRST_DAY
D2 = D1 + timedelta(days=1)
RF = "RF18539007547034"


def an_invoice(number: str, total: str, account: str = "C-1", due: int = 0, **references: Any) -> invoice.InvoiceIssued:
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
        instalments=[invoice.Instalment(n=1, due_on=D1 + timedelta(days=due), amount=total)],
        references=References(**references) if references else None,
    )


def a_bill(number: str, *invoices: str, payment_reference: str = RF, account: str = "C-1") -> invoice.ConsolidatedBillIssued:
    return invoice.ConsolidatedBillIssued(
        entity="US01",
        bill=f"US01|bill|{number}",
        bill_no=number,
        customer=account,
        account=account,
        currency="USD",
        issued_on=D1,
        through_on=D1,
        total="1.00",
        invoices=[f"US01|{one}" for one in invoices],
        payment_reference=payment_reference,
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, remittance=remittance, **fields)


async def applied(payment: ServiceUnderTest) -> dict[str, int]:
    """What stands applied, by receipt and item."""
    rows = await payment.db.pool.fetch("SELECT source, item, amount_minor FROM chk.application WHERE NOT reversed ORDER BY source, item")
    return {f"{row['source']}>{row['item']}".replace("US01|", "").removesuffix("|1"): row["amount_minor"] for row in rows}


@pytest.mark.parametrize("remittance", ["B-100", "bill B-100, thanks", RF, "RF18 5390 0754 7034", "Ref RF18 5390 0754 7034."])
async def test_money_that_names_a_bill_pays_its_documents_in_their_order(payment: ServiceUnderTest, remittance: str) -> None:
    """INV-12, PAY-04: by the bill's number or its payment reference."""
    await payment.receive(*[an_invoice(f"INV-{n}", "100.00") for n in (1, 2, 3)])
    await payment.receive(a_bill("B-100", "INV-3", "INV-2"))
    await payment.receive(an_entry("BR-1", "150.00", remittance))
    assert await applied(payment) == {"BR-1>INV-2": 50_00, "BR-1>INV-3": 100_00}
    assert [(one.account, one.references) for one in payment.published(PaymentReceived)] == [("C-1", ["INV-3", "INV-2"])]


async def test_a_bill_that_comes_after_its_money_gives_it_a_payer(payment: ServiceUnderTest) -> None:
    """PAY-11: as a document does that comes later."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "B-100"))
    payment.published()
    await payment.receive(a_bill("B-100", "INV-1"))
    assert [type(one) for one in payment.published()] == [PayerIdentified, PaymentApplied]


async def test_a_bill_that_nothing_names_changes_nothing(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "40.00", customer="C-1"))
    payment.published()
    await payment.receive(a_bill("B-100", "INV-1"))
    assert payment.published() == []
    assert await applied(payment) == {"BR-1>INV-1": 40_00}


async def test_the_earlier_bill_of_a_document_still_stands_for_it(payment: ServiceUnderTest) -> None:
    """INV-12: a payer may pay by the bill it has in hand, not by the one that carries its invoices forward."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "50.00"))
    await payment.receive(a_bill("B-1", "INV-1"), a_bill("B-2", "INV-1", "INV-2", payment_reference="RF471234567890"))
    await payment.receive(an_entry("BR-1", "60.00", "B-1"), an_entry("BR-2", "90.00", "RF47 1234 5678 90"))
    assert await applied(payment) == {"BR-1>INV-1": 60_00, "BR-2>INV-1": 40_00, "BR-2>INV-2": 50_00}


async def test_a_bill_of_a_document_that_is_not_here_is_parked(payment: ServiceUnderTest) -> None:
    await payment.receive(a_bill("B-1", "INV-404"))
    assert await payment.db.pool.fetchval("SELECT count(*) FROM chk.parked") == 1


@pytest.mark.parametrize(
    ("reference", "remittance"),
    [
        (RF, "RF18 5390 0754 7034"),
        ("RF18 5390 0754 7034", "rf18539007547034"),
        ("210000000003139471430009017", "21 00000 00003 13947 14300 09017"),
        ("00 00000 00000 00000 00018 78583", "18 78583"),
        ("12345674", "1234567 4"),
        ("+++090/9337/55493+++", "+++090/9337/55493+++"),
    ],
)
async def test_a_payment_reference_is_as_good_as_a_number(payment: ServiceUnderTest, reference: str, remittance: str) -> None:
    """PAY-04: RF, QR, ESR and OCR however they are printed; another one as it is written."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "100.00", "C-2", payment=reference))
    await payment.receive(an_entry("BR-1", "60.00", remittance))
    assert await applied(payment) == {"BR-1>INV-2": 60_00}


@pytest.mark.parametrize("field", ["order_no", "purchase_order_no", "delivery_no", "customer_reference"])
async def test_an_order_number_names_its_invoices_in_due_order(payment: ServiceUnderTest, field: str) -> None:
    """PAY-04: of an account that is known; the oldest item of the account is not asked for."""
    await payment.receive(
        an_invoice("INV-1", "100.00", due=0),
        an_invoice("INV-2", "100.00", due=20, **{field: "PO-4711"}),
        an_invoice("INV-3", "100.00", due=10, **{field: "po-4711"}),
    )
    await payment.receive(an_entry("BR-1", "150.00", "order PO-4711", customer="C-1"))
    assert await applied(payment) == {"BR-1>INV-2": 50_00, "BR-1>INV-3": 100_00}
    assert [one.references for one in payment.published(PaymentReceived)] == [["INV-3", "INV-2"]]


async def test_an_order_number_counts_only_where_no_number_stands(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00", due=5), an_invoice("INV-2", "100.00", order_no="PO-4711"))
    await payment.receive(an_entry("BR-1", "60.00", "PO-4711 INV-1"))
    assert await applied(payment) == {"BR-1>INV-1": 60_00}


async def test_a_short_order_number_or_one_without_digits_names_nothing(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00", due=5, order_no="123", purchase_order_no="BY PHONE"), an_invoice("INV-2", "50.00"))
    await payment.receive(an_entry("BR-1", "10.00", "123", customer="C-1"), an_entry("BR-2", "10.00", "by phone", customer="C-1"))
    assert await applied(payment) == {"BR-1>INV-2": 10_00, "BR-2>INV-2": 10_00}


async def test_whose_money_an_order_number_brings_is_known_when_the_day_turns(payment: ServiceUnderTest) -> None:
    """PAY-11: while the day is open another customer's invoice may still bear it."""
    await payment.receive(an_invoice("INV-1", "100.00", order_no="PO-4711"), an_entry("BR-1", "60.00", "PO-4711"))
    assert [one.account for one in payment.published(PaymentReceived)] == [None]
    await payment.turn("US01", D2)
    (identified,) = payment.published(PayerIdentified)
    assert (identified.account, identified.by, identified.references, identified.value_on) == ("C-1", "reference", ["INV-1"], D1)
    assert await applied(payment) == {"BR-1>INV-1": 60_00}


async def test_money_that_names_the_orders_of_two_customers_waits_for_a_person(payment: ServiceUnderTest) -> None:
    """PAY-11: ambiguous money is never guessed."""
    await payment.receive(an_invoice("INV-1", "100.00", order_no="PO-4711"), an_entry("BR-1", "60.00", "PO-4711"))
    await payment.receive(an_invoice("INV-2", "100.00", "C-2", order_no="PO-4711"))
    await payment.turn("US01", D2)
    assert payment.published(PayerIdentified) == []
    await payment.receive(an_entry("BR-2", "60.00", "PO-4711", customer="C-2"))
    assert await applied(payment) == {"BR-2>INV-2": 60_00}


A_DAY = (
    an_invoice("INV-1", "100.00", due=9, order_no="PO-4711"),
    an_invoice("INV-2", "80.00", due=8, purchase_order_no="PO-4711", payment="RF471234567890"),
    an_invoice("INV-3", "70.00", "C-3", due=7, order_no="PO-4711"),
    an_invoice("INV-4", "60.00", due=6),
    a_bill("B-1", "INV-1", "INV-4"),
    an_entry("BR-1", "120.00", "PO-4711", customer="C-1"),
    an_entry("BR-2", "90.00", "B-1 PO-4711"),
    an_entry("BR-3", "50.00", "RF47 1234 5678 90"),
    an_entry("BR-4", "40.00", "PO-4711 INV-3", customer="C-1"),
    an_entry("BR-5", "30.00", "PO-4711"),
    an_entry("BR-6", "60.00", "INV-4"),
    an_entry("BR-7", "5.00", RF, value_on=date(2026, 1, 2)),
)


async def test_the_same_facts_of_a_day_in_any_order_end_in_the_same_books(services: Services) -> None:
    """PAY-04: only that a bill follows its documents, as it does under one key; each fact twice."""
    seen = []
    for seed in range(8):
        payment = await services()
        order = random.Random(seed)
        facts = list(A_DAY)
        order.shuffle(facts)
        at = max(facts.index(A_DAY[0]), facts.index(A_DAY[3]))
        if facts.index(A_DAY[4]) < at:
            facts.remove(A_DAY[4])
            facts.insert(at, A_DAY[4])
        while facts:
            batch, facts = facts[: (size := order.randint(1, 5))], facts[size:]
            await payment.receive(*batch)
            await payment.receive_again()
        await payment.turn("US01", D2)
        views = (
            "SELECT * FROM chk.receipt ORDER BY receipt",
            "SELECT application, amount_minor FROM chk.application WHERE NOT reversed ORDER BY 1",
        )
        seen.append([[tuple(row) for row in await payment.db.pool.fetch(view)] for view in views])
    assert seen[0][1]
    assert all(one == seen[0] for one in seen)
