"""Settling in another currency than the entity's gains or loses what money and item are worth apart, to the cent in the end (PAY-13)."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from payment.domain import (
    EARNED,
    FX,
    MEMO,
    RECEIPT,
    REFERENCE,
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
    Worth,
    settle,
)
from payment.domain.exchange import worth_up_to

FIRST = date(2026, 3, 16)
NAMED_ONLY = Policy("never", "test", rules=())


def day(n: int) -> date:
    """The n-th day from the first."""
    return FIRST + timedelta(days=n)


def an_item(minor: int, base_minor: int | None, *, open_minor: int | None = None, number: str = "INV-10") -> Item:
    """An item in euros, what it is worth in the entity's dollars, and what is open of it."""
    worth = None if base_minor is None else Worth(minor, base_minor)
    left = minor if open_minor is None else open_minor
    return Item(f"US01|{number}|1", number, 1, day(30), FIRST, left, worth=worth)


def a_receipt(ref: str, minor: int, base_minor: int | None, *names: str, n: int = 0, settled: int = 0) -> Money:
    """Euros of a day, and what they are worth in dollars; `settled` of them were applied before."""
    worth = None if base_minor is None else Worth(minor, base_minor)
    names = names or ("INV-10",)
    return Money(f"US01|{ref}", ref, day(n), minor - settled, 0, names, day(n), day(n), worth=worth, settled_minor=settled)


def gains(entries: dict[Entry, int]) -> dict[str, int]:
    """By receipt or memo, what was gained; below zero, lost."""
    found: dict[str, int] = defaultdict(int)
    for entry, minor in entries.items():
        if entry.rule == FX:
            found[entry.source.id.removeprefix("US01|")] += minor
    return dict(found)


def gained(item: Item, *money: Money, memos: tuple[Memo, ...] = (), on: int = 0) -> dict[str, int]:
    return gains(settle(Books([item], list(memos), list(money), currency="EUR"), day(on), NAMED_ONLY))


def test_a10_each_part_gains_or_loses_by_its_own_rate() -> None:
    """A10: EUR 10,000.00 at 1.10; 4,000.00 at 1.14 gain 160.00, 6,000.00 at 1.06 lose 240.00: 4,560 + 6,360 = 11,000 + 160 - 240."""
    item = an_item(10_000_00, 11_000_00)
    assert gained(item, a_receipt("A", 4_000_00, 4_560_00)) == {"A": 160_00}
    second = replace(item, open_minor=6_000_00)
    assert gained(second, a_receipt("B", 6_000_00, 6_360_00, n=25), on=25) == {"B": -240_00}
    assert gained(item, a_receipt("A", 4_000_00, 4_560_00), a_receipt("B", 6_000_00, 6_360_00)) == {"A": 160_00, "B": -240_00}


def test_fx_01_a_part_at_a_lower_rate_loses() -> None:
    """FX-01: 20.00 of 100.00 at 50, credited as 900.00: a loss of 100.00."""
    assert gained(an_item(100_00, 5_000_00), a_receipt("R", 20_00, 900_00)) == {"R": -100_00}


def test_fx_03_only_what_is_applied_of_a_receipt_gains_or_loses() -> None:
    """FX-03: 100.00 at 85, received at 80: -500.00, also of a receipt of 200.00 whose other half is on-account."""
    item = an_item(100_00, 8_500_00)
    assert gained(item, a_receipt("P1", 100_00, 8_000_00)) == {"P1": -500_00}
    assert gained(item, a_receipt("P2", 200_00, 16_000_00)) == {"P2": -500_00}


def test_fx_06_the_carrying_amount_goes_in_proportion() -> None:
    """FX-06: 120.00 of a receipt of 240.00, worth 80.00, on an item worth 60.00: 40.00 less 60.00."""
    item = an_item(120_00, 60_00)
    assert gained(item, a_receipt("R", 240_00, 80_00)) == {"R": -20_00}


def test_fx_09_at_one_rate_nothing_is_gained() -> None:
    """FX-09: 400.00 at 0.5 euros for a dollar are 800.00, on both sides."""
    assert gained(an_item(400_00, 800_00), a_receipt("R", 400_00, 800_00)) == {}


def test_fx_10_no_residue_is_left_in_the_entity_s_currency() -> None:
    """FX-10: where a peer revalues zero balances by 500.00 later, the gain is booked with the application."""
    assert gained(an_item(100_00, 8_000_00), a_receipt("R", 100_00, 8_500_00)) == {"R": 500_00}


def test_the_last_part_takes_the_rounding() -> None:
    """PAY-13: 100 cents worth 33, in three parts received at the same rate: nothing is gained in the end, and a cent on the way."""
    item = an_item(100, 33)
    money = [a_receipt(f"R{n}", minor, base) for n, (minor, base) in enumerate([(50, 17), (49, 16), (1, 0)])]
    found = gained(item, *money)
    assert sum(found.values()) == 17 + 16 + 0 - 33 == 0


def test_what_a_memo_or_a_discount_takes_gains_nothing_but_takes_its_part_of_the_carrying_amount() -> None:
    """DI-03, PAY-13: of 100.00 worth 5,000.00 10.00 are discounted; 90.00 at 51 gain 90.00."""
    terms = EarlyPayment((Tier(day(10), 10_00, 0),), 100_00, True, False)
    entries = settle(Books([replace(an_item(100_00, 5_000_00), early=terms)], [], [a_receipt("R", 90_00, 4_590_00)]), FIRST, NAMED_ONLY)
    assert {entry.rule: minor for entry, minor in entries.items()} == {REFERENCE: 90_00, EARNED: 10_00, FX: 90_00}
    memo = Memo("US01|M", "M", FIRST, 40_00, "INV-10", FIRST, FIRST)
    assert gained(an_item(100_00, 5_000_00), a_receipt("R", 60_00, 3_060_00), memos=(memo,)) == {"R": 60_00}


def test_what_is_taken_back_takes_its_gain_back() -> None:
    """PAY-07, PAY-10, PAY-13: of a gain of 160.00 half with half the money, all with all of it."""
    item = replace(an_item(10_000_00, 11_000_00, open_minor=6_000_00), standing=(stands("A", 4_000_00),))
    spent = a_receipt("A", 4_000_00, 4_560_00, settled=4_000_00)
    half = Decision("D", "unapply", Source(RECEIPT, spent.id), item.id, 2_000_00, day(3))
    assert gains(settle(Books([item], [], [spent], decisions=[half]), day(3), NAMED_ONLY)) == {"A": -80_00}
    assert gained(item, replace(spent, returned_on=day(3)), on=3) == {"A": -160_00}


def stands(ref: str, minor: int) -> Standing:
    return Standing(f"receipt|{ref}", Source(RECEIPT, f"US01|{ref}"), REFERENCE, minor, FIRST, FIRST)


def test_without_a_rate_nothing_is_said_and_the_money_spent_is_counted_all_the_same() -> None:
    """PAY-13: an item without a value gains nothing; what is left of the money is worth what is left of its value."""
    items = [an_item(50, None, number="A"), an_item(50, 100, number="B")]
    money = a_receipt("R", 100, 203, "A", "B")
    assert gains(settle(Books(items, [], [money]), FIRST, NAMED_ONLY)) == {"R": 203 - 102 - 100}
    assert gained(an_item(100, 110), a_receipt("R", 100, None)) == {}


def test_credit_of_a_memo_gains_nothing() -> None:
    memo = Memo("US01|M", "M", FIRST, 100, None, FIRST, FIRST)
    apply = Decision("D", "apply", Source(MEMO, memo.id), "US01|INV-10|1", 100, FIRST)
    entries = settle(Books([an_item(100, 110)], [memo], [], decisions=[apply]), FIRST, NAMED_ONLY)
    assert FX not in {entry.rule for entry in entries}


parts = st.tuples(st.integers(1, 500), st.integers(0, 900))


@given(st.integers(1, 2_000), st.integers(0, 4_000), st.lists(st.lists(parts, max_size=3), min_size=1, max_size=4))
def test_over_any_sequence_of_parts_gains_less_losses_are_what_the_money_was_worth_less_what_the_item_was(
    minor: int, base_minor: int, days: list[list[tuple[int, int]]]
) -> None:
    """PAY-13: exact, whatever the roundings on the way."""
    item, total, on_item, worth = an_item(minor, base_minor), 0, 0, 0
    for n, came in enumerate(days):
        money = [a_receipt(f"R{n}{place}", part, base, n=n) for place, (part, base) in enumerate(came)]
        entries = settle(Books([replace(item, open_minor=minor - on_item)], [], money), day(n), NAMED_ONLY)
        for one in money:
            applied = sum(part for entry, part in entries.items() if entry.source.id == one.id and entry.rule == REFERENCE)
            assert one.worth is not None
            worth += worth_up_to(one.worth, applied)
            on_item += applied
        total += sum(gains(entries).values())
    assert total == worth - worth_up_to(Worth(minor, base_minor), on_item)


@given(st.integers(1, 500), parts, st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=6))
def test_over_any_sequence_of_putting_on_and_taking_off_too(item_base: int, part: tuple[int, int], steps: list[tuple[bool, int]]) -> None:
    """PAY-07, PAY-13: in the end it is what stands that counts."""
    (money_minor, money_base), on_item, total = part, 0, 0
    standing: tuple[Standing, ...] = ()
    for n, (is_put_on, minor) in enumerate(steps):
        item = replace(an_item(400, item_base, open_minor=400 - on_item), standing=standing)
        money = replace(a_receipt("R", money_minor, money_base, "OTHER", settled=on_item), came_on=day(-1))
        decision = Decision("D", "apply" if is_put_on else "unapply", Source(RECEIPT, money.id), item.id, minor, day(n))
        entries = settle(Books([item], [], [money], decisions=[decision]), day(n), NAMED_ONLY)
        on_item += sum(minor for entry, minor in entries.items() if entry.item and entry.rule != FX)
        standing = (stands("R", on_item),) if on_item else ()
        total += sum(gains(entries).values())
    assert total == worth_up_to(Worth(money_minor, money_base), on_item) - worth_up_to(Worth(400, item_base), on_item)
