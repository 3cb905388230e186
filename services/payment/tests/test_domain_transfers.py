"""Money for another account: what leaves, from when on, what it is worth, and how a remittance divides what is left (PAY-02, PAY-11)."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

import pytest
from events.ingress import check_identifier
from hypothesis import given
from hypothesis import strategies as st
from payment.domain import (
    ON_ACCOUNT,
    PINNED,
    RECEIPT,
    REFERENCE,
    RETURNED,
    STANDARD,
    TRANSFERRED,
    Books,
    Decision,
    Entry,
    Item,
    Money,
    Policy,
    Source,
    Standing,
    Stated,
    Worth,
    settle,
)
from payment.domain.exchange import worth_of_part
from payment.domain.transfers import Owed, Share, reference_of, spread, stated_for

FIRST = date(2026, 4, 1)
NAMED_ONLY = Policy("never", "test", rules=())
R = Source(RECEIPT, "US01|R")


def day(n: int) -> date:
    """The n-th day from the first."""
    return FIRST + timedelta(days=n)


def money(minor: int, *names: str, on_account: int = 0, pinned: int = 0, came: int = 0, free: int = 0) -> Money:
    """The receipt R, valued on the first day."""
    return Money("US01|R", "R", FIRST, minor, on_account, names, day(came), day(free), pinned_minor=pinned)


def an_item(number: str, open_minor: int, *standing: Standing) -> Item:
    return Item(f"US01|{number}|1", number, 1, day(30), FIRST, open_minor, standing)


def stands(minor: int) -> Standing:
    return Standing("reference|R", R, REFERENCE, minor, FIRST, FIRST)


def transfer(minor: int, *, on: int = 0, id: str = "T") -> Decision:
    return Decision(id, "transfer", R, "", minor, day(on))


def refund(minor: int) -> Decision:
    return Decision("D", "refund", R, "", minor, FIRST)


def unapply(number: str, minor: int, *, on: int = 0) -> Decision:
    return Decision("U", "unapply", R, f"US01|{number}|1", minor, day(on))


def moved(entries: dict[Entry, int]) -> dict[tuple[str, date], int]:
    """By rule and effective date, what became of the receipt."""
    found: dict[tuple[str, date], int] = defaultdict(int)
    for entry, minor in entries.items():
        found[entry.rule.partition(":")[0], entry.effective_on] += minor
    return {key: minor for key, minor in found.items() if minor}


def test_what_is_unapplied_is_transferred_first_then_what_is_on_account_and_pinned_money_last() -> None:
    """PAY-02."""
    books = Books([], [], [money(40, on_account=60, pinned=20)], decisions=[transfer(90)])
    assert moved(settle(books, day(1), NAMED_ONLY)) == {(TRANSFERRED, FIRST): 90, (ON_ACCOUNT, FIRST): -50, (PINNED, FIRST): -10}


def test_it_counts_from_its_own_date_also_where_the_money_was_held_since_an_earlier_day() -> None:
    """PAY-08: unlike an application it is dated back to when the money was free; what is left is applied as of today."""
    books = Books([an_item("A", 30)], [], [money(0, "A", on_account=50)], decisions=[transfer(20)])
    entries = settle(books, day(5), NAMED_ONLY)
    assert moved(entries) == {(TRANSFERRED, FIRST): 20, (ON_ACCOUNT, FIRST): -20, (ON_ACCOUNT, day(5)): -30, (REFERENCE, day(5)): 30}
    assert moved(settle(replace(books, money=[money(0, "A", on_account=50, free=3)]), day(5), NAMED_ONLY))[TRANSFERRED, day(3)] == 20


def test_a_transfer_stands_above_what_the_remittance_names() -> None:
    """PAY-07: like every decision; what comes later that day changes nothing of it."""
    books = Books([an_item("A", 50)], [], [money(50, "A")], decisions=[transfer(20)])
    assert moved(settle(books, FIRST, NAMED_ONLY)) == {(TRANSFERRED, FIRST): 20, (REFERENCE, FIRST): 30}


@pytest.mark.parametrize(("is_for_others", "left"), [(True, {(REFERENCE, FIRST): 30, (ON_ACCOUNT, FIRST): 20}), (False, None)])
def test_money_that_names_documents_of_others_too_pays_by_name_only(is_for_others: bool, left: dict[tuple[str, date], int] | None) -> None:
    """PAY-04, PAY-11: by the standard rules money that is left over pays the oldest."""
    books = Books([an_item("A", 30), an_item("B", 20)], [], [replace(money(50, "A"), is_for_others=is_for_others)])
    assert moved(settle(books, FIRST, STANDARD)) == (left or {(REFERENCE, FIRST): 30, ("oldest_first", FIRST): 20})


def test_what_was_taken_off_an_item_today_is_transferred_from_then_on() -> None:
    books = Books([an_item("A", 0, stands(50))], [], [money(0, "A")], decisions=[unapply("A", 50, on=2), transfer(50)])
    assert moved(settle(books, day(2), NAMED_ONLY))[TRANSFERRED, day(2)] == 50


def test_what_was_taken_off_as_of_an_earlier_day_is_transferred_from_that_day_on() -> None:
    """Torture, seed 2387: both sides of a transfer have one date; where all of it came off the item nothing else is kept as of today."""
    books = Books([an_item("A", 0, stands(50))], [], [money(0, "A")], decisions=[unapply("A", 50, on=2), transfer(50)])
    assert moved(settle(books, day(5), NAMED_ONLY))[TRANSFERRED, day(2)] == 50


def test_a_bank_that_takes_the_receipt_back_finds_less_by_what_was_transferred_today() -> None:
    """PAY-10: the rest comes back from where it went."""
    gone = replace(money(100), returned_on=day(1))
    entries = settle(Books([], [], [gone], decisions=[transfer(30), refund(20)]), day(1), NAMED_ONLY)
    assert {rule: minor for (rule, _), minor in moved(entries).items()} == {TRANSFERRED: 30, "refunded": 20, RETURNED: 50}


def test_transferred_money_pays_as_of_its_arrival_and_is_not_taken_back_before() -> None:
    """PAY-08, PAY-10: its value date stays that of the receipt it came from."""
    arrived = replace(money(50, "A"), arrived_on=day(3), came_on=day(4), free_on=day(3))
    entries = settle(Books([an_item("A", 30)], [], [arrived]), day(4), NAMED_ONLY)
    assert moved(entries) == {(REFERENCE, day(3)): 30, (ON_ACCOUNT, day(3)): 20}
    taken_back = replace(arrived, returned_on=day(1))
    assert moved(settle(Books([], [], [taken_back]), day(4), NAMED_ONLY)) == {(RETURNED, day(3)): 50}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 999))
def test_the_parts_of_a_receipt_are_worth_together_what_it_was(parts: list[int], base: int) -> None:
    """PAY-13: whatever is applied between the transfers, the last part takes the rounding."""
    worth, before, found = Worth(sum(parts), base), 0, 0
    for part in parts:
        found += worth_of_part(worth, before, part)
        before += part
    assert found == base


def test_the_worth_of_what_was_transferred_is_no_gain_of_what_is_left() -> None:
    """PAY-13: 3 units worth 10; a third leaves with 3 of it, the rest pays with 7."""
    item = replace(an_item("A", 2), worth=Worth(2, 4))
    books = Books([item], [], [replace(money(3, "A"), worth=Worth(3, 10))], decisions=[transfer(1)])
    assert moved(settle(books, FIRST, NAMED_ONLY)) == {(TRANSFERRED, FIRST): 1, (REFERENCE, FIRST): 2, ("fx", FIRST): 3}


def test_what_is_left_goes_to_the_documents_of_others_in_the_order_of_the_remittance() -> None:
    """PAY-11."""
    named = [Owed("B1", "B", 30), Owed("C1", "C", 50, 20), Owed("B2", "B", 40), Owed("D1", "D", 10)]
    assert spread(100, named) == [Share("B", 70, ("B1", "B2")), Share("C", 20, ("C1",)), Share("D", 10, ("D1",))]
    assert spread(40, named) == [Share("B", 30, ("B1",)), Share("C", 10, ("C1",))]
    assert spread(0, named) == []


def test_no_document_takes_more_than_is_open_of_it_whatever_the_remittance_states() -> None:
    assert spread(100, [Owed("B1", "B", 30, 80)]) == [Share("B", 30, ("B1",))]


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ((), None),
        ((Stated("b1", None, 20),), 20),
        ((Stated("b1", 1, 20), Stated("b1", 2, 5), Stated("c1", None, 9)), 25),
        ((Stated("b1", 1, 20), Stated("b1", 2, None)), None),
    ],
)
def test_a_remittance_states_an_amount_for_a_document_when_every_line_of_it_has_one(stated: tuple[Stated, ...], found: int | None) -> None:
    assert stated_for("B1", stated) == found


@pytest.mark.parametrize(("bank_ref", "account"), [("BR-1", "C-2"), ("B" * 64, "C-2"), ("BR-1", "C" * 64), ("B" * 64, "C" * 64)])
def test_the_reference_of_transferred_money_is_an_identifier_of_its_own(bank_ref: str, account: str) -> None:
    references = {reference_of(bank_ref, account, n) for n in (1, 2, 1_000_000)}
    assert len(references) == 3
    assert all(check_identifier("bank_ref", one) is None for one in references)
