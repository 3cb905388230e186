"""What people decide stands above every rule, is cut to what there is, and is dated as they say."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal

import pytest
from payment.domain import (
    ALLOWANCE,
    EARNED,
    MEMO,
    ON_ACCOUNT,
    PERSON,
    PINNED,
    RECEIPT,
    REFERENCE,
    REFUNDED,
    STANDARD,
    TOLERANCE,
    Books,
    Decision,
    EarlyPayment,
    Entry,
    Item,
    Memo,
    Money,
    Policy,
    Source,
    Standing,
    Tier,
    settle,
)

FIRST = date(2026, 4, 1)
NAMED_ONLY = Policy("never", "test", rules=())
R, M = Source(RECEIPT, "US01|R"), Source(MEMO, "US01|M")


def day(n: int) -> date:
    """The n-th day from the first."""
    return FIRST + timedelta(days=n)


def an_item(number: str, open_minor: int, *standing: Standing, due: int = 30, early: EarlyPayment | None = None) -> Item:
    return Item(f"US01|{number}|1", number, 1, day(due), FIRST, open_minor, standing, early=early)


def money(minor: int, *names: str, on_account: int = 0, pinned: int = 0, value: int = 0, came: int = 0, barred: str = "") -> Money:
    """The receipt R: its unapplied and on-account money."""
    bars = frozenset({f"US01|{barred}|1"} if barred else ())
    return Money("US01|R", "R", day(value), minor, on_account, names, day(came), day(value), pinned_minor=pinned, barred=bars)


def a_memo(minor: int, names: str | None = None, *, came: int = 0, pinned: int = 0, barred: str = "") -> Memo:
    bars = frozenset({f"US01|{barred}|1"} if barred else ())
    return Memo("US01|M", "M", FIRST, minor, names, day(came), FIRST, pinned_minor=pinned, barred=bars)


def stands(source: Source, minor: int, *, on: int = 0, rule: str = REFERENCE) -> Standing:
    return Standing(f"{rule}|{source.id}", source, rule, minor, day(on), day(on))


def decided(
    kind: Literal["apply", "unapply", "release", "refund"], number: str = "", minor: int = 0, *, of: Source = R, on: int = 0, id: str = "D"
) -> Decision:
    return Decision(id, kind, of, f"US01|{number}|1" if number else "", minor, day(on))


def moved(entries: dict[Entry, int]) -> dict[tuple[str, str], int]:
    """By rule and item, what was put there; by rule alone, what became of money or credit."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for entry, minor in entries.items():
        found[entry.rule.partition(":")[0], entry.item.removeprefix("US01|").removesuffix("|1")] += minor
    return {key: minor for key, minor in found.items() if minor}


def dates(entries: dict[Entry, int]) -> set[date]:
    return {entry.effective_on for entry in entries}


# --- apply ---


def test_a_person_pays_any_item_before_every_reference_and_rule() -> None:
    """PAY-07: the money names A and would pay it; a person puts it on B, and says how much."""
    books = Books([an_item("A", 100), an_item("B", 100)], [], [money(100, "A")], decisions=[decided("apply", "B", 70)])
    entries = settle(books, FIRST, STANDARD)
    assert moved(entries) == {(PERSON, "B"): 70, (REFERENCE, "A"): 30}
    assert {entry.application.rsplit("|", 1)[1] for entry in entries if entry.rule == PERSON} == {f"{PERSON}:D"}


@pytest.mark.parametrize(("wanted", "open_minor", "free"), [(80, 100, 70), (80, 70, 100), (70, 100, 100)])
def test_what_was_decided_is_cut_to_what_is_open_and_what_is_free(wanted: int, open_minor: int, free: int) -> None:
    books = Books([an_item("A", open_minor)], [], [money(free)], decisions=[decided("apply", "A", wanted)])
    assert moved(settle(books, FIRST, NAMED_ONLY)) == {(PERSON, "A"): 70}


@pytest.mark.parametrize(("decided_on", "value", "came", "expected"), [(0, 3, 5, 3), (4, 3, 5, 4), (4, 3, 2, 5), (7, 3, 2, 7)])
def test_a_decision_counts_from_its_own_date_where_that_is_later(decided_on: int, value: int, came: int, expected: int) -> None:
    """PAY-08: money of today from its value date, held money from the day of the act, on day 5."""
    books = Books([an_item("A", 10)], [], [money(10, value=value, came=came)], decisions=[decided("apply", "A", 10, on=decided_on)])
    assert dates(settle(books, day(5), NAMED_ONLY)) == {day(expected)}


def test_a_person_s_payment_in_time_has_its_discount_and_what_little_is_missing_is_tolerated() -> None:
    """PAY-09: as a payment of that amount has."""
    terms = EarlyPayment((Tier(day(10), 24_00, 0),), 1200_00, True, False)
    policy = replace(NAMED_ONLY, tolerance_fixed={"USD": 5_00})
    books = Books([an_item("A", 1200_00, early=terms)], [], [money(1172_50)], decisions=[decided("apply", "A", 1172_50)], currency="USD")
    assert moved(settle(books, FIRST, policy)) == {(PERSON, "A"): 1172_50, (EARNED, "A"): 24_00, (TOLERANCE, "A"): 3_50}


def test_a_person_spends_first_what_persons_kept() -> None:
    """PAY-08: of 100 unapplied and 50 kept on-account the kept 50 go first."""
    books = Books([an_item("A", 60)], [], [money(100, on_account=50, pinned=50)], decisions=[decided("apply", "A", 60)])
    assert moved(settle(books, FIRST, NAMED_ONLY)) == {(PERSON, "A"): 60, (PINNED, ""): -50, (ON_ACCOUNT, ""): -50}


def test_a5_a_person_applies_part_of_a_credit() -> None:
    """AL-03, A5: 80 of a credit of 100; the rest stays open where the policy does not apply credit."""
    books = Books([an_item("A", 100)], [a_memo(100)], [], decisions=[decided("apply", "A", 80, of=M)])
    assert moved(settle(books, FIRST, NAMED_ONLY)) == {(PERSON, "A"): 80}


# --- unapply ---


def test_a5_credit_that_a_person_takes_off_is_open_from_that_date_and_no_rule_uses_it_again() -> None:
    """A5, PAY-07, PAY-08: as of before, Y has 300.00 open; after, 400.00. The credit is kept, though the policy applies credit."""
    item = an_item("Y", 300_00, stands(M, 100_00, rule="oldest_first"))
    books = Books([item], [a_memo(0)], [], decisions=[decided("unapply", "Y", 100_00, of=M, on=4)])
    entries = settle(books, day(5), STANDARD)
    assert moved(entries) == {("oldest_first", "Y"): -100_00, (PINNED, ""): 100_00}
    assert dates(entries) == {day(4)}


def test_money_that_a_person_takes_off_is_on_account_and_kept() -> None:
    """PAY-07, PAY-08: 40 of 100, though the money names the item."""
    item = an_item("A", 0, stands(R, 100))
    books = Books([item], [], [money(0, "A")], decisions=[decided("unapply", "A", 40, on=3)])
    entries = settle(books, day(5), STANDARD)
    assert moved(entries) == {(REFERENCE, "A"): -40, (ON_ACCOUNT, ""): 40, (PINNED, ""): 40}
    assert dates(entries) == {day(3)}


def test_nothing_is_taken_off_before_it_was_put_there() -> None:
    item = an_item("A", 0, stands(R, 100, on=4))
    books = Books([item], [], [money(0, value=4)], decisions=[decided("unapply", "A", 100, on=2)])
    assert dates(settle(books, day(5), NAMED_ONLY)) == {day(4)}


def test_what_was_applied_last_is_taken_off_first() -> None:
    item = an_item("A", 0, replace(stands(R, 60), application="a"), replace(stands(R, 50, on=2), application="b"))
    books = Books([item], [], [money(0)], decisions=[decided("unapply", "A", 70, on=3)])
    taken = {entry.application: minor for entry, minor in settle(books, day(3), NAMED_ONLY).items() if entry.item}
    assert taken == {"b": -50, "a": -20}


def test_a_discount_goes_with_the_money_it_was_granted_to_in_proportion() -> None:
    """PAY-07, INV-04: of 1,176.00 and 24.00 half is taken off; the rest of the discount goes with the rest."""
    allowed = stands(Source(ALLOWANCE, R.id), 24_00, rule=EARNED)
    terms = EarlyPayment((Tier(day(10), 24_00, 0),), 1200_00, True, False, granted_minor=24_00)
    item = an_item("A", 0, stands(R, 1176_00), allowed, early=terms)
    half = settle(Books([item], [], [money(0)], decisions=[decided("unapply", "A", 588_00, on=3)]), day(3), NAMED_ONLY)
    assert moved(half) == {(REFERENCE, "A"): -588_00, (EARNED, "A"): -12_00, (ON_ACCOUNT, ""): 588_00, (PINNED, ""): 588_00}
    all_of_it = settle(Books([item], [], [money(0)], decisions=[decided("unapply", "A", 1176_00, on=3)]), day(3), NAMED_ONLY)
    assert moved(all_of_it)[EARNED, "A"] == -24_00


def test_what_a_reference_would_put_there_today_is_kept_instead() -> None:
    """PAY-08: money of today that names A, which a person wants off it; B is paid by the rest."""
    books = Books([an_item("A", 100), an_item("B", 50)], [], [money(100, "A")], decisions=[decided("unapply", "A", 60)])
    assert moved(settle(books, FIRST, STANDARD)) == {("oldest_first", "B"): 40, (ON_ACCOUNT, ""): 60, (PINNED, ""): 60}


def test_what_a_person_put_there_today_a_person_can_take_off_today() -> None:
    """PAY-07: the application never was; the money is kept, from the later of the two dates."""
    decisions = [decided("apply", "A", 100, on=1, id="D"), decided("unapply", "A", 30, on=2, id="E")]
    entries = settle(Books([an_item("A", 100)], [], [money(100)], decisions=decisions), FIRST, NAMED_ONLY)
    assert moved(entries) == {(PERSON, "A"): 70, (ON_ACCOUNT, ""): 30, (PINNED, ""): 30}
    assert {entry.effective_on for entry in entries if not entry.item} == {day(2)}


def test_a_discount_of_today_goes_with_the_money_of_today() -> None:
    terms = EarlyPayment((Tier(day(10), 24_00, 0),), 1200_00, True, False)
    decisions = [decided("apply", "A", 1176_00, id="D"), decided("unapply", "A", 1176_00, id="E")]
    books = Books([an_item("A", 1200_00, early=terms)], [], [money(1176_00)], decisions=decisions)
    assert moved(settle(books, FIRST, NAMED_ONLY)) == {(ON_ACCOUNT, ""): 1176_00, (PINNED, ""): 1176_00}


def test_a_memo_that_a_person_took_off_its_invoice_does_not_reduce_it() -> None:
    """PAY-08, INV-06: today, and on later days while it is barred; also not after some of it was put back by hand."""
    books = Books([an_item("A", 100)], [a_memo(30, "A")], [], decisions=[decided("unapply", "A", 30, of=M)])
    assert moved(settle(books, FIRST, STANDARD)) == {(PINNED, ""): 30}
    barred = Books([an_item("A", 100)], [a_memo(30, "A", pinned=30, barred="A")], [])
    assert settle(barred, day(1), STANDARD) == {}
    decisions = [decided("unapply", "A", 30, of=M, id="D"), decided("apply", "A", 10, of=M, id="E")]
    again = Books([an_item("A", 100)], [a_memo(30, "A")], [], decisions=decisions)
    assert moved(settle(again, FIRST, STANDARD)) == {(PERSON, "A"): 10, (PINNED, ""): 20}


def test_another_memo_reduces_the_invoice_not_before_the_first_was_taken_off_it() -> None:
    """PAY-07: credit of a memo stood on A until day 3; one dated before counts from then, held or new."""
    taken_off = replace(stands(M, 0), later=((day(3), -100),))
    for came in (2, 4):
        other = Memo("US01|N", "N", day(1), 100, "A", day(came), day(1))
        item = replace(an_item("A", 100, taken_off), reopened_on=day(3))
        entries = settle(Books([item], [a_memo(0, "A", barred="A"), other], []), day(4), STANDARD)
        assert {entry.effective_on: minor for entry, minor in entries.items()} == {day(3): 100}


def test_credit_that_a_void_gives_back_reduces_the_invoice_it_names_not_before_it_was_free() -> None:
    """PAY-08, INV-07: on an item that is void as of day 3 until then."""
    void = replace(an_item("B", 0, stands(M, 100, rule=PERSON)), void_on=day(3))
    entries = settle(Books([void, an_item("A", 100)], [a_memo(0, "A")], []), day(4), STANDARD)
    assert {entry.effective_on: minor for entry, minor in entries.items() if entry.rule == REFERENCE} == {day(3): 100}


# --- what is kept stays kept ---


def test_kept_money_is_left_alone_by_references_rules_and_auto_application() -> None:
    """PAY-08: 60 of 100 on-account are kept: 40 pay what they name, though not the item they were taken off."""
    items = [an_item("A", 100), an_item("B", 100)]
    held = money(0, "A", "B", on_account=100, pinned=60, barred="A")
    assert moved(settle(Books(items, [], [held]), day(1), STANDARD)) == {(REFERENCE, "B"): 40, (ON_ACCOUNT, ""): -40}


def test_the_item_money_was_taken_off_is_barred_to_all_of_it_until_a_person_says_otherwise() -> None:
    """PAY-08: nor does it pay it as the oldest."""
    barred = money(100, barred="A")
    assert settle(Books([an_item("A", 100)], [], [barred]), day(1), STANDARD) == {}
    by_hand = Books([an_item("A", 100)], [], [barred], decisions=[decided("apply", "A", 40)])
    assert moved(settle(by_hand, day(1), STANDARD)) == {(PERSON, "A"): 40, ("oldest_first", "A"): 60}


def test_what_is_released_is_for_the_rules_again() -> None:
    """PAY-08: all of it, and no item is barred to it."""
    held = money(0, "A", on_account=100, pinned=60, barred="A")
    books = Books([an_item("A", 100)], [], [held], decisions=[decided("release")])
    assert moved(settle(books, day(1), STANDARD)) == {(REFERENCE, "A"): 100, (ON_ACCOUNT, ""): -100, (PINNED, ""): -60}


# --- refund ---


def test_a3_a_refund_takes_unapplied_money_first_and_kept_money_last() -> None:
    """A3, PAY-08: of 30 unapplied, 40 on-account and 50 kept."""
    held = money(30, on_account=90, pinned=50)

    def refund(minor: int) -> dict[tuple[str, str], int]:
        return moved(settle(Books([], [], [held], decisions=[decided("refund", minor=minor, on=1)]), day(1), NAMED_ONLY))

    assert refund(20) == {(REFUNDED, ""): 20}
    assert refund(60) == {(REFUNDED, ""): 60, (ON_ACCOUNT, ""): -30}
    assert refund(100) == {(REFUNDED, ""): 100, (ON_ACCOUNT, ""): -70, (PINNED, ""): -30}
    assert refund(500) == {(REFUNDED, ""): 120, (ON_ACCOUNT, ""): -90, (PINNED, ""): -50}


def test_a3_money_that_is_on_an_item_cannot_be_paid_back() -> None:
    """A3: on a later day all of it has paid something."""
    books = Books([an_item("A", 250, stands(R, 150))], [], [money(0, "A")], decisions=[decided("refund", minor=10, on=1)])
    assert settle(books, day(1), STANDARD) == {}


def test_a_refund_comes_before_what_an_invoice_of_the_day_would_take() -> None:
    """PAY-08: 150 on-account, 100 of it is paid back; an invoice of 400 that comes the same day has the rest, whichever came first."""
    held = money(0, on_account=150)
    books = Books([an_item("NEW", 400)], [], [held], decisions=[decided("refund", minor=100, on=1)])
    assert moved(settle(books, day(1), STANDARD)) == {(REFUNDED, ""): 100, ("oldest_first", "NEW"): 50, (ON_ACCOUNT, ""): -150}


def test_decisions_are_carried_out_in_the_order_in_which_they_were_recorded() -> None:
    """Messaging 11: not in the order of their ids or dates."""
    decisions = [decided("apply", "A", 70, id="Z", on=3), decided("apply", "B", 70, id="A", on=1)]
    books = Books([an_item("A", 100), an_item("B", 100)], [], [money(100)], decisions=decisions)
    assert moved(settle(books, FIRST, NAMED_ONLY)) == {(PERSON, "A"): 70, (PERSON, "B"): 30}
