"""Money that names nothing is placed by the first rule that fits, and by how an entity wants its rest and its credit used."""

from collections import defaultdict
from dataclasses import replace
from datetime import date

import pytest
from payment.domain import (
    EARNED,
    ON_ACCOUNT,
    REFERENCE,
    RULES,
    Books,
    EarlyPayment,
    Entry,
    Item,
    Memo,
    Money,
    Policy,
    Tier,
    settle,
)

TODAY = date(2026, 1, 25)
ALL_RULES = Policy("never", "test", rules=RULES)


def an_item(number: str, open_minor: int, *, due: date, terms: str = "NET30", n: int = 1, early: EarlyPayment | None = None) -> Item:
    return Item(f"US01|{number}|{n}", number, n, due, date(2025, 12, 1), open_minor, terms=terms, early=early)


def a_receipt(minor: int, *, ref: str = "R", on: date = TODAY, names: tuple[str, ...] = (), on_account: int = 0) -> Money:
    """Money of a day, which came on that day."""
    return Money(f"US01|{ref}", ref, on, minor, on_account, names, on, on)


def a_memo(number: str, minor: int, *, names: str | None = None) -> Memo:
    return Memo(f"US01|{number}", number, TODAY, minor, names, TODAY, TODAY)


def placed(entries: dict[Entry, int]) -> dict[tuple[str, str], int]:
    """By rule and document, and by disposition, what was put there."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for entry, minor in entries.items():
        found[entry.rule, entry.item.removeprefix("US01|").removesuffix("|1")] += minor
    return dict(found)


def by_rule(entries: dict[Entry, int]) -> dict[str, list[tuple[str, int]]]:
    """By rule, the documents it paid and how much of each."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for (rule, document), minor in sorted(placed(entries).items()):
        found[rule].append((document, minor))
    return dict(found)


A4 = [
    an_item("A", 500_00, due=date(2026, 1, 10), terms="NET10"),
    an_item("B", 300_00, due=date(2026, 1, 20), terms="NET30"),
    an_item("C", 200_00, due=date(2026, 2, 5), terms="NET30"),
]


@pytest.mark.parametrize(
    ("minor", "partials", "expected"),
    [
        pytest.param(600_00, True, {"oldest_first": [("A", 500_00), ("B", 100_00)]}, id="rule 5 with partials"),
        pytest.param(600_00, False, {"oldest_first": [("A", 500_00)]}, id="rule 5 without partials, 100.00 unapplied"),
        pytest.param(800_00, True, {"clear_past_due": [("A", 500_00), ("B", 300_00)]}, id="rule 3"),
        pytest.param(300_00, True, {"exact_item": [("B", 300_00)]}, id="rule 1"),
        pytest.param(1000_00, True, {"clear_account": [("A", 500_00), ("B", 300_00), ("C", 200_00)]}, id="rule 2"),
        pytest.param(200_00, True, {"exact_item": [("C", 200_00)]}, id="rule 1 for what is not due"),
        pytest.param(1100_00, True, {"oldest_first": [("A", 500_00), ("B", 300_00), ("C", 200_00)]}, id="more than all there is"),
        pytest.param(400_00, False, {}, id="without partials, less than the oldest"),
    ],
)
def test_a4_the_first_rule_that_fits_places_the_money(minor: int, partials: bool, expected: dict[str, list[tuple[str, int]]]) -> None:
    """A4, PAY-05: 500.00 (NET10) and 300.00 (NET30) are past due on 25 January, 200.00 are not; what is left is unapplied."""
    entries = settle(Books(A4, [], [a_receipt(minor)]), TODAY, replace(ALL_RULES, partials=partials))
    assert by_rule(entries) == expected


def test_a4_past_due_is_judged_on_the_booked_day_and_not_on_the_day_it_is_due() -> None:
    """A4: B is due on the 20th: past due on the 21st, and on no value date."""
    late = [a_receipt(800_00, on=date(2026, 1, 12))]
    for on, rule in ((date(2026, 1, 20), "oldest_first"), (date(2026, 1, 21), "clear_past_due")):
        assert set(by_rule(settle(Books(A4, [], late), on, replace(ALL_RULES, partials=False)))) == {rule}


def test_past_due_items_are_cleared_by_payment_terms_the_group_with_the_oldest_item_first() -> None:
    """PAY-05, rule 4: 600.00 are both groups of two; all past due are 1,500.00."""
    items = [
        an_item("Z", 300_00, due=date(2026, 1, 5), terms="NET10"),
        an_item("A", 250_00, due=date(2026, 1, 6), terms="NET30"),
        an_item("B", 350_00, due=date(2026, 1, 7), terms="NET30"),
        an_item("Y", 300_00, due=date(2026, 1, 8), terms="NET10"),
        an_item("X", 300_00, due=date(2026, 2, 8), terms="NET10"),
    ]
    entries = settle(Books(items, [], [a_receipt(600_00)]), TODAY, ALL_RULES)
    assert by_rule(entries) == {"clear_past_due_by_terms": [("Y", 300_00), ("Z", 300_00)]}


def test_of_equal_items_the_one_due_first_is_paid_then_the_lowest_number_and_instalment() -> None:
    """A4, rule 1: of two items of 300.00 the earliest due; of the same due date the lowest (document number, instalment)."""
    first, second = date(2026, 1, 20), date(2026, 1, 21)
    earlier = [an_item("A", 300_00, due=second), an_item("B", 300_00, due=first)]
    assert by_rule(settle(Books(earlier, [], [a_receipt(300_00)]), TODAY, ALL_RULES)) == {"exact_item": [("B", 300_00)]}
    lower = [an_item("B", 300_00, due=first), an_item("A", 300_00, due=first, n=2), an_item("A", 300_00, due=first)]
    assert by_rule(settle(Books(lower, [], [a_receipt(300_00)]), TODAY, ALL_RULES)) == {"exact_item": [("A", 300_00)]}


def test_al_01_the_cascade_of_a_peer() -> None:
    """AL-01, PAY-05: 600.00 match no item and no balance; the oldest first has 300.00, 200.00 and 100.00, and no discount is in time."""
    items = [
        an_item("123", 200_00, due=date(2002, 12, 11), early=EarlyPayment((Tier(date(2002, 12, 1), 4_00, 0),), 200_00, True, False)),
        an_item("124", 300_00, due=date(2002, 12, 8), early=EarlyPayment((Tier(date(2002, 11, 30), 6_00, 0),), 300_00, True, False)),
        an_item("125", 150_00, due=date(2002, 12, 13), early=EarlyPayment((Tier(date(2002, 11, 28), 3_00, 0),), 150_00, True, False)),
    ]
    items = [replace(one, document_on=date(2002, 11, 1)) for one in items]
    on = date(2002, 12, 10)
    cascade = replace(ALL_RULES, rules=("exact_item", "clear_account", "oldest_first"), discounts="earned")
    entries = settle(Books(items, [], [a_receipt(600_00, on=on)]), on, cascade)
    assert by_rule(entries) == {"oldest_first": [("123", 200_00), ("124", 300_00), ("125", 100_00)]}


def test_rules_are_tried_in_the_order_of_the_entity() -> None:
    """PAY-05: 300.00 match B; an entity that pays the oldest first never asks."""
    oldest_first = replace(ALL_RULES, rules=("oldest_first", "exact_item"))
    assert by_rule(settle(Books(A4, [], [a_receipt(300_00)]), TODAY, oldest_first)) == {"oldest_first": [("A", 300_00)]}


def test_a_combination_is_all_that_is_open_less_all_open_credit() -> None:
    """PAY-05, rule 6: 900.00 and a credit of 100.00 settle 1,000.00; the credit pays the oldest."""
    policy = replace(ALL_RULES, partials=False)
    entries = settle(Books(A4, [a_memo("M", 100_00)], [a_receipt(900_00)]), TODAY, policy)
    assert by_rule(entries) == {"combination": [("A", 400_00), ("B", 300_00), ("C", 200_00)], "oldest_first": [("A", 100_00)]}


def test_credit_that_waits_for_its_invoice_is_no_part_of_a_combination() -> None:
    entries = settle(Books(A4, [a_memo("M", 100_00, names="D")], [a_receipt(900_00)]), TODAY, replace(ALL_RULES, partials=False))
    assert by_rule(entries) == {"oldest_first": [("A", 500_00), ("B", 300_00)]}


IN_TIME = EarlyPayment((Tier(date(2026, 1, 31), 10_00, 0),), 500_00, True, False)


@pytest.mark.parametrize(
    ("minor", "discounts", "expected"),
    [
        (490_00, "earned", {("exact_item", "A"): 490_00, (EARNED, "A"): 10_00}),
        (500_00, "earned", {("oldest_first", "A"): 490_00, (EARNED, "A"): 10_00, ("oldest_first", "B"): 10_00}),
        (490_00, "none", {("oldest_first", "A"): 490_00}),
        (500_00, "none", {("exact_item", "A"): 500_00}),
        (790_00, "earned", {("clear_past_due", "A"): 490_00, (EARNED, "A"): 10_00, ("clear_past_due", "B"): 300_00}),
        (245_00, "earned", {("oldest_first", "A"): 245_00, (EARNED, "A"): 5_00}),
    ],
)
def test_items_count_less_their_earned_discount_where_the_policy_says_so(
    minor: int, discounts: str, expected: dict[tuple[str, str], int]
) -> None:
    """PAY-05: discounts earned, or none."""
    items = [replace(A4[0], early=IN_TIME), *A4[1:]]
    policy = replace(ALL_RULES, discounts=discounts)  # type: ignore[arg-type]
    assert placed(settle(Books(items, [], [a_receipt(minor)]), TODAY, policy)) == expected


def test_what_names_nothing_is_not_tolerated_to_be_short() -> None:
    """PAY-09: without a reference 4.00 less than an item are less than the item."""
    policy = replace(ALL_RULES, tolerance_fixed={"USD": 5_00})
    assert by_rule(settle(Books(A4, [], [a_receipt(496_00)], currency="USD"), TODAY, policy)) == {"oldest_first": [("A", 496_00)]}


# --- what is left ---


@pytest.mark.parametrize(("rest", "expected"), [("unapplied", {}), ("on_account", {(ON_ACCOUNT, ""): 100_00})])
def test_what_the_rules_leave_is_unapplied_or_on_account(rest: str, expected: dict[tuple[str, str], int]) -> None:
    """PAY-05, PAY-08"""
    policy = replace(ALL_RULES, rest=rest)  # type: ignore[arg-type]
    entries = settle(Books(A4, [], [a_receipt(1100_00)]), TODAY, policy)
    assert {key: minor for key, minor in placed(entries).items() if not key[1]} == expected


def test_without_rules_money_that_names_nothing_waits_for_a_person() -> None:
    """PAY-08: also where the rest would be on-account: nothing has looked at it."""
    nothing = replace(ALL_RULES, rules=(), rest="on_account", auto_apply="oldest")
    assert settle(Books(A4, [], [a_receipt(300_00)]), TODAY, nothing) == {}


def test_named_money_is_on_account_behind_what_it_names_and_pays_on_only_by_the_policy_of_credit() -> None:
    """PAY-08: `oldest` pays the oldest item with it, `never` and `same_reference` leave it, whatever the rules are."""
    books = Books(A4, [], [a_receipt(350_00, names=("B",))])
    left = {(REFERENCE, "B"): 300_00, (ON_ACCOUNT, ""): 50_00}
    assert placed(settle(books, TODAY, ALL_RULES)) == left
    assert placed(settle(books, TODAY, replace(ALL_RULES, auto_apply="same_reference"))) == left
    paid_on = {(REFERENCE, "B"): 300_00, ("oldest_first", "A"): 50_00}
    assert placed(settle(books, TODAY, replace(ALL_RULES, auto_apply="oldest", partials=False))) == paid_on


def test_credit_on_account_pays_an_invoice_it_names_that_comes_later_under_every_policy() -> None:
    """PAY-08: same reference."""
    held = replace(a_receipt(0, names=("C",), on_account=200_00), came_on=date(2026, 1, 2))
    for auto_apply in ("never", "same_reference", "oldest"):
        policy = replace(ALL_RULES, auto_apply=auto_apply)  # type: ignore[arg-type]
        assert placed(settle(Books(A4, [], [held]), TODAY, policy)) == {(REFERENCE, "C"): 200_00, (ON_ACCOUNT, ""): -200_00}


def test_the_money_held_when_the_day_opened_is_placed_first_then_by_value_date() -> None:
    """PAY-08: 300.00 of an earlier day take B; those of today find nothing of their size."""
    before, today = replace(a_receipt(300_00, ref="Z"), came_on=date(2026, 1, 2)), a_receipt(300_00, ref="A")
    entries = settle(Books(A4, [], [today, before]), TODAY, replace(ALL_RULES, rules=("exact_item",)))
    assert [(entry.source.id, entry.item) for entry in entries] == [("US01|Z", "US01|B|1")]


def test_memo_credit_pays_the_oldest_items_only_where_the_policy_applies_credit() -> None:
    """A5, A11, PAY-08"""
    books = Books(A4, [a_memo("M", 600_00)], [])
    assert placed(settle(books, TODAY, ALL_RULES)) == {}
    assert placed(settle(books, TODAY, replace(ALL_RULES, auto_apply="oldest"))) == {
        ("oldest_first", "A"): 500_00,
        ("oldest_first", "B"): 100_00,
    }
