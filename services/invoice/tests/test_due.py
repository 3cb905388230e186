"""Instalments fall due when a day starts (INV-03)."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest
from events import erp
from events.invoice import InstalmentFellDue
from invoice.app import SERVICE
from invoice.handlers import day as days
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def an_invoice(document_no: str = "INV-1", **changes: Any) -> erp.InvoiceIssued:
    smallest = erp.InvoiceIssued(
        entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="1200.00", terms="NET1"
    )
    return msgspec.structs.replace(smallest, **changes)


def in_thirds(*due_on: date) -> list[erp.Instalment]:
    return [erp.Instalment(due_on=day, amount="400.00") for day in due_on]


def told(sut: ServiceUnderTest) -> list[tuple[str, date]]:
    """Item and due date of what was told to have fallen due since the last look."""
    return [(fact.item, fact.due_on) for fact in sut.published(InstalmentFellDue)]


async def test_an_instalment_falls_due_when_its_day_starts_and_once(invoice: ServiceUnderTest) -> None:
    """INV-03: each instalment on its own day, with the facts of that day."""
    await invoice.receive(an_invoice(terms=None, instalments=in_thirds(NEXT, NEXT + timedelta(days=1), date(2026, 3, 1))))
    invoice.published()

    await invoice.turn("US01", NEXT)

    (fell_due,) = invoice.published_envelopes(InstalmentFellDue)
    assert (fell_due.envelope.booked_on, fell_due.envelope.effective_on, fell_due.envelope.key) == (NEXT, NEXT, "US01|C-1")
    assert fell_due.data == InstalmentFellDue(
        entity="US01",
        invoice="US01|INV-1",
        item="US01|INV-1|1",
        n=1,
        customer="C-1",
        account="C-1",
        currency="USD",
        due_on=NEXT,
        amount="400.00",
    )
    await invoice.turn("US01", NEXT + timedelta(days=1))
    assert told(invoice) == [("US01|INV-1|2", NEXT + timedelta(days=1))]
    await invoice.turn("US01", NEXT + timedelta(days=5))
    assert told(invoice) == []


async def test_what_was_due_before_it_came_is_told_when_the_next_day_starts(invoice: ServiceUnderTest) -> None:
    """INV-03: late is told late, and effective on the day it was due."""
    await invoice.receive(an_invoice("OLD", issued_on=date(2025, 11, 1), terms="NET30"), an_invoice("NOW", terms="NET0"))
    invoice.published()

    await invoice.turn("US01", NEXT)

    assert told(invoice) == [("US01|OLD|1", date(2025, 12, 1)), ("US01|NOW|1", DAY)]


async def test_what_is_voided_by_then_does_not_fall_due(invoice: ServiceUnderTest) -> None:
    """INV-03, INV-07"""
    await invoice.receive(an_invoice("A"), an_invoice("B"))
    await invoice.receive(erp.InvoiceVoided(entity="US01", document_no="A", customer="C-1"))
    invoice.published()

    await invoice.turn("US01", NEXT)

    assert told(invoice) == [("US01|B|1", NEXT)]
    await invoice.turn("US01", NEXT + timedelta(days=1))
    assert told(invoice) == []


async def test_a_credit_memo_has_nothing_to_fall_due_and_a_debit_memo_has(invoice: ServiceUnderTest) -> None:
    """INV-02, INV-03"""
    common: dict[str, Any] = {"entity": "US01", "customer": "C-1", "currency": "USD", "issued_on": DAY, "total": "35.00"}
    debit_memo = erp.DebitMemoIssued(document_no="DM-1", terms="NET0", **common)
    await invoice.receive(erp.CreditMemoIssued(document_no="CM-1", **common), debit_memo)
    invoice.published()

    await invoice.turn("US01", NEXT)

    assert told(invoice) == [("US01|DM-1|1", DAY)]


async def test_the_order_in_which_documents_came_does_not_show(invoice: ServiceUnderTest) -> None:
    """INV-03, A14: the facts of a day are the same, in the same order, whatever order its documents came in."""
    for n, order in enumerate(permutations(range(3))):
        day = DAY + timedelta(days=n)
        documents = [
            an_invoice(f"A{n}", terms=None, total="800.00", instalments=in_thirds(day + timedelta(days=1), day)),
            an_invoice(f"B{n}", customer="C-2", issued_on=day, terms="NET0"),
            an_invoice(f"C{n}", issued_on=day),
        ]
        await invoice.receive(*(documents[place] for place in order))
        invoice.published()

        await invoice.turn("US01", day + timedelta(days=1))

        assert [item for item, _ in told(invoice)] == [f"US01|A{n}|2", f"US01|A{n}|1", f"US01|C{n}|1", f"US01|B{n}|1"]


async def test_accounts_are_judged_a_chunk_at_a_time(invoice: ServiceUnderTest) -> None:
    """INV-03: what a chunk has judged is not judged again by the next."""
    await invoice.receive(*(an_invoice(f"I-{n}", customer=f"C-{n}") for n in range(5)))

    async with invoice.db.transaction() as db:
        first = await days.find_accounts(db, "US01", NEXT, "", 3)
        after = await days.find_accounts(db, "US01", NEXT, first[-1], 3)
        early = await days.find_accounts(db, "US01", DAY, "", 3)

    assert (first, after, early) == (["C-0", "C-1", "C-2"], ["C-3", "C-4"], [])
