"""Facts in, notices out: what the turn of a day decides and tells."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from dunning import handlers
from dunning.domain import STANDARD
from dunning.handlers import items_moved
from events import invoice, payment
from events.dunning import DunningNoticeSent, NoticedItem
from events.fact import Event
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from testkit.service import ServiceUnderTest

DUE_ON = date(2026, 1, 6)
LEVEL_1_ON = date(2026, 1, 11)
LEVEL_2_ON = date(2026, 1, 26)
ONE_DAY = timedelta(days=1)


def an_invoice(
    amount: str = "600.00", *, document_no: str = "INV-6", account: str = "C-1", currency: str = "USD", entity: str = "US01"
) -> Event:
    return invoice.InvoiceIssued(
        entity=entity,
        invoice=f"{entity}|{document_no}",
        document_no=document_no,
        type="380",
        customer=account,
        account=account,
        currency=currency,
        issued_on=date(2026, 1, 5),
        total=amount,
        instalments=[invoice.Instalment(n=1, due_on=DUE_ON, amount=amount)],
    )


def _settlement(amount: str, document_no: str, account: str) -> dict[str, Any]:
    return {
        "entity": "US01",
        "item": f"US01|{document_no}|1",
        "invoice": f"US01|{document_no}",
        "customer": account,
        "account": account,
        "currency": "USD",
        "due_on": DUE_ON,
        "amount": amount,
    }


def a_payment_applied(amount: str, document_no: str = "INV-6", account: str = "C-1") -> Event:
    return payment.PaymentApplied(application="A-1", receipt="US01|R-1", rule="reference", **_settlement(amount, document_no, account))


def a_credit_applied(amount: str, document_no: str = "INV-6", account: str = "C-1") -> Event:
    return payment.CreditApplied(application="A-2", memo="US01|CM-1", rule="reference", **_settlement(amount, document_no, account))


def an_application_reversed(amount: str, document_no: str = "INV-6", account: str = "C-1") -> Event:
    return payment.ApplicationReversed(
        application="A-1", receipt="US01|R-1", reason="worth_less", **_settlement(amount, document_no, account)
    )


def a_debit_memo(amount: str, document_no: str) -> Event:
    return invoice.DebitMemoIssued(
        entity="US01",
        invoice=f"US01|{document_no}",
        document_no=document_no,
        type="383",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=date(2026, 1, 5),
        total=amount,
        instalments=[invoice.Instalment(n=1, due_on=DUE_ON, amount=amount)],
    )


def a_void(amount: str, document_no: str) -> Event:
    return invoice.InvoiceVoided(
        entity="US01",
        invoice=f"US01|{document_no}",
        document_no=document_no,
        customer="C-1",
        account="C-1",
        currency="USD",
        total=amount,
        instalments=[invoice.Instalment(n=1, due_on=DUE_ON, amount=amount)],
    )


def a_write_off(amount: str, document_no: str) -> Event:
    return payment.AdjustmentPosted(adjustment="US01|WO-1", kind="bad_debt", tax="0.00", **_settlement(amount, document_no, "C-1"))


def a_recovery(amount: str, document_no: str) -> Event:
    return payment.AdjustmentReversed(
        adjustment="US01|WO-1", kind="bad_debt", tax="0.00", reason="recovered", **_settlement(amount, document_no, "C-1")
    )


def a_discount(amount: str, document_no: str) -> Event:
    return payment.DiscountGranted(discount="D-1", receipt="US01|R-1", tax="0.00", kind="earned", **_settlement(amount, document_no, "C-1"))


def a_discount_revoked(amount: str, document_no: str) -> Event:
    return payment.DiscountRevoked(
        discount="D-1", receipt="US01|R-1", tax="0.00", kind="earned", reason="returned", **_settlement(amount, document_no, "C-1")
    )


A_DAY: Sequence[Event] = (
    an_invoice("600.00"),
    a_credit_applied("100.00"),
    a_payment_applied("500.00"),
    an_application_reversed("300.00"),
    an_invoice("400.00", document_no="INV-7"),
    a_payment_applied("400.00", document_no="INV-7"),
    an_invoice("80.00", document_no="INV-8", account="C-2"),
    a_debit_memo("40.00", "DM-1"),
    a_void("40.00", "DM-1"),
    a_debit_memo("70.00", "DM-2"),
    a_write_off("70.00", "DM-2"),
    a_recovery("20.00", "DM-2"),
    a_discount("60.00", "INV-6"),
    a_discount_revoked("60.00", "INV-6"),
)


async def levels(dunning: ServiceUnderTest) -> dict[str, tuple[int, int, date | None]]:
    rows = await dunning.db.pool.fetch("SELECT item, open_minor, level, last_noticed_on FROM chk.item")
    return {row["item"]: (row["open_minor"], row["level"], row["last_noticed_on"]) for row in rows}


@given(st.permutations(A_DAY))
def test_the_facts_of_a_day_open_the_same_in_any_order(day: list[Event]) -> None:
    """A14."""
    open_minor: dict[str, int] = {}
    for fact in day:
        for move in items_moved(fact):  # type: ignore[arg-type]
            open_minor[move.item] = open_minor.get(move.item, 0) + move.open_minor
    assert {name: minor for name, minor in open_minor.items() if minor} == {
        "US01|INV-6|1": 300_00,
        "US01|INV-8|1": 80_00,
        "US01|DM-2|1": 20_00,
    }


@pytest.mark.db
async def test_a_notice_is_sent_when_the_day_it_is_due_has_closed(dunning: ServiceUnderTest) -> None:
    """COL-01, COL-02: due 01-06, level 1 over the facts booked up to 01-11, booked on 01-12."""
    await dunning.receive(an_invoice("600.00"), an_invoice("400.00", document_no="INV-7"))
    await dunning.turn("US01", LEVEL_1_ON)
    assert dunning.published(DunningNoticeSent) == []

    await dunning.turn("US01", LEVEL_1_ON + ONE_DAY)

    (fact,) = dunning.published_envelopes(DunningNoticeSent)
    envelope = fact.envelope
    assert (envelope.key, envelope.effective_on, envelope.booked_on) == ("US01|C-1", LEVEL_1_ON, LEVEL_1_ON + ONE_DAY)


@pytest.mark.db
async def test_the_fact_carries_every_item_with_its_level_and_what_was_open(dunning: ServiceUnderTest) -> None:
    """COL-02."""
    await dunning.receive(an_invoice("600.00"), an_invoice("400.00", document_no="INV-7"))
    await dunning.turn("US01", LEVEL_1_ON + ONE_DAY)

    assert dunning.published(DunningNoticeSent) == [
        DunningNoticeSent(
            entity="US01",
            notice=f"US01|C-1|USD|{LEVEL_1_ON}",
            account="C-1",
            currency="USD",
            noticed_on=LEVEL_1_ON,
            level=1,
            total="1000.00",
            items=[
                NoticedItem(item="US01|INV-6|1", level=1, due_on=DUE_ON, open="600.00"),
                NoticedItem(item="US01|INV-7|1", level=1, due_on=DUE_ON, open="400.00"),
            ],
            channel="log",
        )
    ]


@pytest.mark.db
async def test_the_log_line_of_a_notice_has_ids_and_amounts_only(dunning: ServiceUnderTest) -> None:
    await dunning.receive(an_invoice("600.00"))
    with capture_logs() as lines:
        await dunning.turn("US01", LEVEL_1_ON + ONE_DAY)

    assert [line for line in lines if line["event"] == "dunning notice"] == [
        {
            "event": "dunning notice",
            "log_level": "info",
            "notice": f"US01|C-1|USD|{LEVEL_1_ON}",
            "account": "C-1",
            "level": 1,
            "total": "600.00",
            "currency": "USD",
            "items": ["US01|INV-6|1"],
        }
    ]


@pytest.mark.db
async def test_what_facts_of_the_noticed_day_have_paid_is_on_no_notice(dunning: ServiceUnderTest) -> None:
    """COL-03: paid in full and in part on the very day of the notice."""
    await dunning.receive(an_invoice("600.00"), an_invoice("400.00", document_no="INV-7"))
    await dunning.turn("US01", LEVEL_1_ON)
    await dunning.receive(a_payment_applied("600.00"), a_credit_applied("150.00", "INV-7"))

    await dunning.turn("US01", LEVEL_1_ON + ONE_DAY)

    (notice,) = dunning.published(DunningNoticeSent)
    assert [(one.item, one.open) for one in notice.items] == [("US01|INV-7|1", "250.00")]
    assert (await levels(dunning))["US01|INV-6|1"] == (0, 0, None)


@pytest.mark.db
async def test_a_reversed_payment_puts_the_item_back_at_its_level(dunning: ServiceUnderTest) -> None:
    """COL-02, A6: level 1, paid, returned: still level 1, and level 2 not before 20 days after the due date."""
    await dunning.receive(an_invoice("600.00"))
    await dunning.turn("US01", LEVEL_1_ON + ONE_DAY)
    await dunning.receive(a_payment_applied("600.00"))
    await dunning.turn("US01", date(2026, 1, 15))
    assert await levels(dunning) == {"US01|INV-6|1": (0, 1, LEVEL_1_ON)}
    await dunning.receive(an_application_reversed("600.00"))
    assert await levels(dunning) == {"US01|INV-6|1": (600_00, 1, LEVEL_1_ON)}
    dunning.published(None)

    await dunning.turn("US01", LEVEL_2_ON)
    assert dunning.published(DunningNoticeSent) == []
    await dunning.turn("US01", LEVEL_2_ON + ONE_DAY)

    (notice,) = dunning.published(DunningNoticeSent)
    assert (notice.noticed_on, notice.level) == (LEVEL_2_ON, 2)


@pytest.mark.db
async def test_a_returned_payment_puts_its_discounted_items_back_at_level_1(dunning: ServiceUnderTest) -> None:
    """
    COL-02, PAY-10, A6: due on 01-06, level 1 sent, paid with a discount, returned 13 days after they were due.

    Back at level 1, not 0, and no level 2 before 20 days; that it is delivered twice changes nothing.
    """
    await dunning.receive(an_invoice("600.00"), an_invoice("400.00", document_no="INV-7"))
    await dunning.turn("US01", LEVEL_1_ON + ONE_DAY)
    await dunning.receive(
        a_payment_applied("590.00"), a_discount("10.00", "INV-6"), a_payment_applied("392.00", "INV-7"), a_discount("8.00", "INV-7")
    )
    await dunning.turn("US01", date(2026, 1, 19))
    assert await levels(dunning) == {"US01|INV-6|1": (0, 1, LEVEL_1_ON), "US01|INV-7|1": (0, 1, LEVEL_1_ON)}
    dunning.published(None)

    await dunning.receive(
        an_application_reversed("590.00"),
        a_discount_revoked("10.00", "INV-6"),
        an_application_reversed("392.00", "INV-7"),
        a_discount_revoked("8.00", "INV-7"),
    )
    await dunning.receive_again()
    assert await levels(dunning) == {"US01|INV-6|1": (600_00, 1, LEVEL_1_ON), "US01|INV-7|1": (400_00, 1, LEVEL_1_ON)}

    await dunning.turn("US01", LEVEL_2_ON)
    assert dunning.published(DunningNoticeSent) == []
    await dunning.turn("US01", LEVEL_2_ON + ONE_DAY)
    (notice,) = dunning.published(DunningNoticeSent)
    assert (notice.noticed_on, notice.level, notice.total) == (LEVEL_2_ON, 2, "1000.00")


@pytest.mark.db
async def test_under_the_minimum_nothing_is_sent_and_levels_stay(dunning: ServiceUnderTest) -> None:
    """COL-01: 24.99 waits; with 0.01 more of another item the letter goes, both at level 1."""
    await dunning.receive(an_invoice("24.99"))
    await dunning.turn("US01", LEVEL_1_ON + 2 * ONE_DAY)
    assert dunning.published(DunningNoticeSent) == []
    assert await levels(dunning) == {"US01|INV-6|1": (24_99, 0, None)}

    await dunning.receive(an_invoice("0.01", document_no="INV-7"))
    await dunning.turn("US01", LEVEL_1_ON + 3 * ONE_DAY)

    (notice,) = dunning.published(DunningNoticeSent)
    assert (notice.total, notice.level, len(notice.items)) == ("25.00", 1, 2)


@pytest.mark.db
async def test_the_day_of_one_entity_sends_nothing_of_another(dunning: ServiceUnderTest) -> None:
    await dunning.receive(an_invoice("600.00"))
    await dunning.receive(an_invoice("2500", currency="JPY", entity="JP01"), entity="JP01")

    await dunning.turn("JP01", LEVEL_1_ON + ONE_DAY)

    assert [(notice.entity, notice.total) for notice in dunning.published(DunningNoticeSent)] == [("JP01", "2500")]


@pytest.mark.db
@pytest.mark.parametrize("seed", range(3))
async def test_a_day_in_any_order_and_delivered_twice_ends_in_the_same_notices(dunning: ServiceUnderTest, seed: int) -> None:
    """COL-02, A14: payments come before their items, a reversal before what it reverses."""
    shuffled = list(A_DAY)
    Random(seed).shuffle(shuffled)
    for fact in shuffled:
        await dunning.receive(fact)
        await dunning.receive_again()
    await dunning.turn("US01", LEVEL_1_ON + ONE_DAY)

    letters = [(notice.account, notice.total, [one.item for one in notice.items]) for notice in dunning.published(DunningNoticeSent)]
    assert letters == [("C-1", "320.00", ["US01|DM-2|1", "US01|INV-6|1"]), ("C-2", "80.00", ["US01|INV-8|1"])]


@pytest.mark.db
async def test_every_account_that_is_due_is_in_one_chunk(dunning: ServiceUnderTest) -> None:
    """COL-02: none is left out and none comes twice, whatever the size of a chunk."""
    await dunning.receive(*(an_invoice("600.00", document_no=f"INV-{n}", account=f"C-{n}") for n in range(7)))
    day = LEVEL_1_ON + ONE_DAY
    chunks, after = [], ""
    async with dunning.db.reading() as db:
        while accounts := await handlers.find_accounts_due(STANDARD, db, "US01", day, after, 3):
            chunks.append(accounts)
            after = accounts[-1]

    assert chunks == [["C-0", "C-1", "C-2"], ["C-3", "C-4", "C-5"], ["C-6"]]


@pytest.mark.db
async def test_a_fact_with_a_broken_amount_stands_aside_and_the_rest_counts(dunning: ServiceUnderTest) -> None:
    await dunning.receive(an_invoice("600.00"), an_invoice("many", document_no="INV-7", account="C-2"))

    assert await levels(dunning) == {"US01|INV-6|1": (600_00, 0, None)}
    assert await dunning.db.pool.fetchval("SELECT count(*) FROM chk.parked") == 1
