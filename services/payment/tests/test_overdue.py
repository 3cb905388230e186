"""Items become overdue when the day after their due date starts (INV-03)."""

from datetime import date, timedelta
from itertools import permutations

import pytest
from chassis.service import Batch, Fact
from events import bank, invoice
from events.payment import InstalmentOverdue
from payment.handlers.day import begin_day, find_accounts
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
ONE = timedelta(days=1)
NEXT = DAY + ONE


def an_invoice(number: str, total: str = "300.00", *, due: date = DAY, account: str = "C-1", parts: int = 1) -> invoice.InvoiceIssued:
    """An invoice in equal instalments, each due one day after the other."""
    amount = f"{int(total[:-3]) // parts}.00"
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=f"{account}-customer",
        account=account,
        currency="USD",
        issued_on=DAY,
        total=total,
        instalments=[invoice.Instalment(n=n + 1, due_on=due + n * ONE, amount=amount) for n in range(parts)],
    )


def an_entry(ref: str, amount: str, remittance: str, value_on: date = DAY) -> bank.EntryBooked:
    return bank.EntryBooked(
        entity="US01", account_ref="OUR-1", bank_ref=ref, value_on=value_on, amount=amount, currency="USD", remittance=remittance
    )


async def overdue(sut: ServiceUnderTest, day: date) -> list[tuple[str, str, int]]:
    """Turn days up to `day`; return item, open and days of what became overdue meanwhile."""
    sut.published()
    await sut.turn("US01", day)
    return [(one.item, one.open, one.days) for one in sut.published(InstalmentOverdue)]


async def test_an_instalment_is_overdue_on_the_day_after_it_was_due_and_once(payment: ServiceUnderTest) -> None:
    """INV-03: per instalment, with what is open of it."""
    await payment.receive(an_invoice("INV-1", "900.00", due=NEXT, parts=3), an_entry("BR-1", "100.00", "INV-1"))
    payment.published()
    await payment.turn("US01", NEXT)
    assert payment.published(InstalmentOverdue) == []

    await payment.turn("US01", NEXT + ONE)

    (told,) = payment.published_envelopes(InstalmentOverdue)
    assert (told.envelope.key, told.envelope.booked_on, told.envelope.effective_on) == ("US01|C-1", NEXT + ONE, NEXT + ONE)
    assert told.data == InstalmentOverdue(
        entity="US01",
        item="US01|INV-1|1",
        invoice="US01|INV-1",
        n=1,
        customer="C-1-customer",
        account="C-1",
        currency="USD",
        due_on=NEXT,
        open="200.00",
        days=1,
    )
    assert await overdue(payment, NEXT + 3 * ONE) == [("US01|INV-1|2", "300.00", 1), ("US01|INV-1|3", "300.00", 1)]
    assert await overdue(payment, NEXT + 9 * ONE) == []


async def test_what_is_settled_by_then_is_not_overdue(payment: ServiceUnderTest) -> None:
    """INV-03"""
    await payment.receive(an_invoice("INV-1"), an_entry("BR-1", "300.00", "INV-1"))
    assert await overdue(payment, NEXT + ONE) == []


async def test_what_came_late_is_overdue_on_the_day_it_is_booked(payment: ServiceUnderTest) -> None:
    """INV-03: due ten days before it came."""
    await payment.receive(an_invoice("INV-1", due=DAY - 10 * ONE))
    payment.published()
    await payment.turn("US01", NEXT)
    (told,) = payment.published_envelopes(InstalmentOverdue)
    assert isinstance(told.data, InstalmentOverdue)
    assert (told.data.days, told.envelope.effective_on) == (11, NEXT)


async def test_the_order_in_which_documents_came_does_not_show(payment: ServiceUnderTest) -> None:
    """INV-03, A14: the same facts in the same order, whatever order the documents came in."""
    for turn, order in enumerate(permutations(range(3))):
        day = DAY + turn * ONE
        documents = [
            an_invoice(f"A{turn}", "800.00", due=day - ONE, parts=2),
            an_invoice(f"B{turn}", due=day, account="C-2"),
            an_invoice(f"C{turn}", due=day),
        ]
        await payment.receive(*(documents[place] for place in order))
        items = [item for item, _, _ in await overdue(payment, day + ONE)]
        assert items == [f"US01|A{turn}|1", f"US01|A{turn}|2", f"US01|C{turn}|1", f"US01|B{turn}|1"]


async def test_a_chunk_that_crashed_is_judged_again_and_nothing_is_told_twice(payment: ServiceUnderTest) -> None:
    """INV-03, EVT: what was rolled back is told afresh, what was committed is not."""
    await payment.receive(*(an_invoice(f"I-{n}", account=f"C-{n}") for n in range(5)))
    batch = Batch("payment", payment.now, payment.entities, {"US01": NEXT})

    async def judged(*, crash: bool) -> tuple[list[str], list[Fact]]:
        async with payment.db.pool.acquire() as db:
            transaction = db.transaction()
            await transaction.start()
            accounts = await find_accounts(db, "US01", NEXT, "", 3)
            facts = await begin_day(db, "US01", NEXT, accounts, batch)
            await (transaction.rollback() if crash else transaction.commit())
        return accounts, facts

    crashed = await judged(crash=True)
    first = await judged(crash=False)
    second = await judged(crash=False)
    third = await judged(crash=False)

    assert crashed == first
    assert [accounts for accounts, _ in (first, second, third)] == [["C-0", "C-1", "C-2"], ["C-3", "C-4"], []]
    assert [len(facts) for _, facts in (first, second, third)] == [3, 2, 0]


async def test_overdue_items_are_listed_the_first_due_first_while_they_are_open(payment: ServiceUnderTest) -> None:
    """INV-03, over HTTP: by pages, of an entity or an account; what is settled since is gone."""
    await payment.receive(
        an_invoice("B", due=DAY),
        an_invoice("A", due=DAY - 3 * ONE, account="C-2"),
        an_invoice("C", due=DAY - ONE),
        an_invoice("D", due=NEXT),
    )
    assert (await payment.get("/v1/overdue", entity="US01")).json() == {"items": [], "next_cursor": None}
    await payment.turn("US01", NEXT)
    first = (await payment.get("/v1/overdue", entity="US01", limit=2)).json()
    assert [(one["item"], one["days"], one["open"], one["told_on"]) for one in first["items"]] == [
        ("US01|A|1", 4, "300.00", str(NEXT)),
        ("US01|C|1", 2, "300.00", str(NEXT)),
    ]
    rest = (await payment.get("/v1/overdue", entity="US01", limit=2, cursor=first["next_cursor"])).json()
    assert ([one["item"] for one in rest["items"]], rest["next_cursor"]) == (["US01|B|1"], None)

    await payment.receive(an_entry("BR-1", "300.00", "C"))
    mine = (await payment.get("/v1/overdue", entity="US01", account="C-1")).json()
    assert [one["item"] for one in mine["items"]] == ["US01|B|1"]
    assert (await payment.get("/v1/overdue", entity="US01", cursor="2026-13-01.4")).status_code == 400
    assert (await payment.get("/v1/overdue", entity="XX01")).status_code == 404
