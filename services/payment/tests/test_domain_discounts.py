"""What a payment may keep back of an item: discounts, charges, and what is too little to ask for. Days count from the issue."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment.domain import (
    ALLOWANCE,
    EARNED,
    MEMO,
    ON_ACCOUNT,
    RECEIPT,
    REFERENCE,
    TOLERANCE,
    UNEARNED,
    VOID,
    Adjustment,
    Books,
    EarlyPayment,
    Entry,
    Item,
    Memo,
    Money,
    Policy,
    Source,
    Standing,
    Stated,
    Tier,
    settle,
)

ISSUED_ON = date(2026, 3, 1)
PLAIN = Policy("never", "test", rules=())
TOLERANT = replace(PLAIN, tolerance_fixed={"USD": 5_00})


def day(n: int) -> date:
    """The n-th of March 2026."""
    return date(2026, 3, n)


def early(*tiers: tuple[int, int], billed: int = 1200_00, is_prorated: bool = True, unearned_allowed: bool = False) -> EarlyPayment:
    """Terms with tiers (last day in March, full amount)."""
    return EarlyPayment(tuple(Tier(day(n), minor, 0) for n, minor in tiers), billed, is_prorated, unearned_allowed)


TWO_TEN = early((11, 24_00))
"""2/10 net 30 of 1,200.00, tax included: 24.00 up to 11 March."""


def an_item(number: str = "INV-2", total: int = 1200_00, *, terms: EarlyPayment | None = TWO_TEN, n: int = 1) -> Item:
    return Item(f"US01|{number}|{n}", number, n, day(31), ISSUED_ON, total, early=terms)


def a_receipt(ref: str, minor: int, *, on: int, names: tuple[str, ...] = ("INV-2",), stated: tuple[Stated, ...] = ()) -> Money:
    """Money of a day in March that names something and came on that day."""
    return Money(f"US01|{ref}", ref, day(on), minor, 0, names, day(on), day(on), stated=stated)


def on_items(entries: dict[Entry, int]) -> dict[tuple[str, str], int]:
    """By item and rule, what was put on it."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for entry, minor in entries.items():
        if entry.item:
            found[entry.item.removeprefix("US01|").removesuffix("|1"), entry.rule] += minor
    return dict(found)


def booked(*money: Money, item: Item | None = None, policy: Policy = PLAIN, on: int = 31) -> tuple[dict[str, int], int]:
    """What stands on one item by rule, and what is open of it."""
    one = item or an_item()
    entries = on_items(settle(Books([one], [], list(money), currency="USD"), day(on), policy))
    return {rule: minor for (_, rule), minor in entries.items()}, one.open_minor - sum(entries.values())


def test_a2_a_the_whole_discount_is_granted_in_time() -> None:
    """A2 (a), INV-04: 1,176.00 on 10 March settle 1,200.00."""
    assert booked(a_receipt("R", 1176_00, on=10)) == ({REFERENCE: 1176_00, EARNED: 24_00}, 0)


def test_a2_b_the_discount_is_what_the_terms_say_whatever_the_tax() -> None:
    """A2 (b): 2 % of the net amount alone, 20.00; then 1,180.00 settle, and 1,176.00 leave a part."""
    excluded = an_item(terms=early((11, 20_00)))
    assert booked(a_receipt("R", 1180_00, on=10), item=excluded) == ({REFERENCE: 1180_00, EARNED: 20_00}, 0)
    assert booked(a_receipt("R", 1176_00, on=10), item=excluded) == ({REFERENCE: 1176_00, EARNED: 19_93}, 4_07)


def test_a2_c_what_is_late_by_more_than_the_grace_is_not_discounted() -> None:
    """A2 (c), INV-04: with two days of grace 13 March is in time and 15 March is not: 24.00 stay open, more than is tolerated."""
    with_grace = an_item(terms=early((13, 24_00)))
    assert booked(a_receipt("R", 1176_00, on=13), item=with_grace, policy=TOLERANT) == ({REFERENCE: 1176_00, EARNED: 24_00}, 0)
    assert booked(a_receipt("R", 1176_00, on=15), item=with_grace, policy=TOLERANT) == ({REFERENCE: 1176_00}, 24_00)


def test_a2_d_parts_in_time_are_discounted_in_proportion_and_the_last_takes_the_rest() -> None:
    """A2 (d), INV-04: 500.00 credit 510.20; 676.00 more close it, with 13.80 of discount."""
    assert booked(a_receipt("R", 500_00, on=5)) == ({REFERENCE: 500_00, EARNED: 10_20}, 689_80)
    assert booked(a_receipt("R", 500_00, on=5), a_receipt("S", 676_00, on=9)) == ({REFERENCE: 1176_00, EARNED: 24_00}, 0)


def test_a2_d_the_second_part_on_a_later_day_has_what_is_left_of_the_discount() -> None:
    """A2 (d), INV-04: what was granted before is used up."""
    item = replace(an_item(), open_minor=689_80, early=replace(TWO_TEN, granted_minor=10_20))
    assert booked(a_receipt("S", 676_00, on=9), item=item) == ({REFERENCE: 676_00, EARNED: 13_80}, 0)


def test_a2_e_what_little_is_missing_behind_the_discount_is_written_off() -> None:
    """A2 (e), PAY-09: 1,172.50 + 24.00 + 5.00 reach 1,200.00."""
    assert booked(a_receipt("R", 1172_50, on=10), policy=TOLERANT) == ({REFERENCE: 1172_50, EARNED: 24_00, TOLERANCE: 3_50}, 0)
    assert booked(a_receipt("R", 1171_00, on=10), policy=TOLERANT)[1] == 0
    assert booked(a_receipt("R", 1170_99, on=10), policy=TOLERANT) == ({REFERENCE: 1170_99, EARNED: 23_90}, 5_11)


def test_a2_f_what_is_short_by_more_is_prorated_and_the_rest_is_open() -> None:
    """A2 (f), PAY-09: 1,150.00 leave 26.53; 26.00 more in time close it with 0.53."""
    assert booked(a_receipt("R", 1150_00, on=10), policy=TOLERANT) == ({REFERENCE: 1150_00, EARNED: 23_47}, 26_53)
    both = a_receipt("R", 1150_00, on=10), a_receipt("S", 26_00, on=11)
    assert booked(*both, policy=TOLERANT) == ({REFERENCE: 1176_00, EARNED: 24_00}, 0)


def test_money_that_was_here_in_time_is_discounted_whenever_it_is_applied() -> None:
    """INV-04: it is the value date of the receipt that counts."""
    held = replace(a_receipt("R", 1176_00, on=10), came_on=day(11))
    assert booked(held, on=20) == ({REFERENCE: 1176_00, EARNED: 24_00}, 0)


def test_who_sends_the_whole_amount_in_time_has_taken_no_discount() -> None:
    """INV-04: never more than open less cash."""
    assert booked(a_receipt("R", 1200_00, on=10)) == ({REFERENCE: 1200_00}, 0)
    assert booked(a_receipt("R", 1190_00, on=10)) == ({REFERENCE: 1190_00, EARNED: 10_00}, 0)


def test_di_09_one_receipt_for_two_invoices_has_both_discounts() -> None:
    """DI-09, INV-04: 2,700.00 clear 3,000.00."""
    items = [an_item(f"I{n}", n * 1000_00, terms=early((11, n * 100_00), billed=n * 1000_00)) for n in (1, 2)]
    entries = settle(Books(items, [], [a_receipt("R", 2700_00, on=1, names=("I1", "I2"))]), day(1), PLAIN)
    assert on_items(entries) == {("I1", REFERENCE): 900_00, ("I1", EARNED): 100_00, ("I2", REFERENCE): 1800_00, ("I2", EARNED): 200_00}


@pytest.mark.parametrize(
    ("cash", "expected"),
    [
        (2900_00, {("I1", REFERENCE): 900_00, ("I1", EARNED): 100_00, ("I2", REFERENCE): 2000_00}),
        (1000_00, {("I1", REFERENCE): 900_00, ("I1", EARNED): 100_00, ("I2", REFERENCE): 100_00, ("I2", EARNED): 11_11}),
        (450_00, {("I1", REFERENCE): 450_00, ("I1", EARNED): 50_00}),
    ],
)
def test_of_several_invoices_the_first_ones_are_discounted_as_far_as_something_is_missing(
    cash: int, expected: dict[tuple[str, str], int]
) -> None:
    items = [an_item(f"I{n}", n * 1000_00, terms=early((11, n * 100_00), billed=n * 1000_00)) for n in (1, 2)]
    assert on_items(settle(Books(items, [], [a_receipt("R", cash, on=1, names=("I1", "I2"))]), day(1), PLAIN)) == expected


def test_of_several_tiers_the_best_that_is_in_time_counts() -> None:
    """INV-03, INV-04: 3 % within five days, 1 % within ten."""
    tiers = an_item(total=1000_00, terms=early((6, 30_00), (11, 10_00), billed=1000_00))
    assert booked(a_receipt("R", 970_00, on=6), item=tiers) == ({REFERENCE: 970_00, EARNED: 30_00}, 0)
    assert booked(a_receipt("R", 990_00, on=7), item=tiers) == ({REFERENCE: 990_00, EARNED: 10_00}, 0)
    assert booked(a_receipt("R", 970_00, on=7), item=tiers) == ({REFERENCE: 970_00, EARNED: 9_80}, 20_20)
    assert booked(a_receipt("R", 990_00, on=12), item=tiers) == ({REFERENCE: 990_00}, 10_00)


def test_where_only_payment_in_full_is_discounted_a_part_has_none() -> None:
    """INV-04: full-payment-only; what closes the item in time is payment in full."""
    in_full = an_item(terms=replace(TWO_TEN, is_prorated=False))
    assert booked(a_receipt("R", 1150_00, on=10), item=in_full, policy=TOLERANT) == ({REFERENCE: 1150_00}, 50_00)
    assert booked(a_receipt("R", 1176_00, on=10), item=in_full) == ({REFERENCE: 1176_00, EARNED: 24_00}, 0)


def test_a_late_discount_is_left_to_the_payer_only_where_the_terms_allow_it() -> None:
    """INV-04: earned only is the rule; an unearned discount is called so, at the best rate."""
    allowed = early((6, 30_00), (11, 10_00), billed=1000_00, unearned_allowed=True)
    assert booked(a_receipt("R", 970_00, on=20), item=an_item(total=1000_00, terms=allowed)) == ({REFERENCE: 970_00, UNEARNED: 30_00}, 0)


# --- documents that are worth less ---


def test_a_memo_of_the_same_day_shrinks_the_discount_with_what_there_is_to_pay() -> None:
    """INV-04, INV-06: of 900.00 the discount is 18.00."""
    memo = Memo("US01|CM", "CM", day(5), 300_00, "INV-2", day(5), day(5))
    entries = on_items(settle(Books([an_item()], [memo], [a_receipt("R", 882_00, on=5)]), day(5), PLAIN))
    assert entries == {("INV-2", REFERENCE): 1182_00, ("INV-2", EARNED): 18_00}


def paid_in_time(terms: EarlyPayment = TWO_TEN) -> tuple[Item, Money]:
    """An item settled by 1,176.00 and 24.00 of discount on 5 March, and the money, which is spent."""
    standing = (
        Standing("a", Source(RECEIPT, "US01|R"), REFERENCE, 1176_00, day(5), day(5)),
        Standing("d", Source(ALLOWANCE, "US01|R"), EARNED, 24_00, day(5), day(5)),
    )
    item = replace(an_item(terms=replace(terms, granted_minor=24_00)), open_minor=0, standing=standing)
    return item, replace(a_receipt("R", 0, on=5), settled_minor=1176_00)


def test_a_memo_after_payment_revokes_its_part_of_the_discount_and_gives_back_the_rest() -> None:
    """INV-04, INV-06: a memo of 300.00 gives back 294.00 in money; 6.00 had not been paid."""
    item, money = paid_in_time()
    memo = Memo("US01|CM", "CM", day(20), 300_00, "INV-2", day(20), day(20))
    entries = settle(Books([item], [memo], [money]), day(20), PLAIN)

    assert {(entry.source.kind, entry.rule): minor for entry, minor in entries.items()} == {
        (MEMO, REFERENCE): 300_00,
        (ALLOWANCE, EARNED): -6_00,
        (RECEIPT, REFERENCE): -294_00,
        (RECEIPT, ON_ACCOUNT): 294_00,
    }


def test_a_void_revokes_the_whole_discount() -> None:
    """INV-04, INV-07: what was paid is on-account, what was discounted is nobody's."""
    item, money = paid_in_time()
    entries = settle(Books([replace(item, void_on=day(20))], [], [money]), day(20), PLAIN)
    assert {(entry.source.kind, entry.rule): minor for entry, minor in entries.items()} == {
        (VOID, VOID): 1200_00,
        (ALLOWANCE, EARNED): -24_00,
        (RECEIPT, REFERENCE): -1176_00,
        (RECEIPT, ON_ACCOUNT): 1176_00,
    }


def test_what_was_written_off_is_not_discounted() -> None:
    """INV-04, INV-08: of 600.00 left to pay the discount is 12.00."""
    adjustment = Adjustment("W", "US01|INV-2|1", "settlement", 600_00, day(5))
    books = Books([an_item()], [], [a_receipt("R", 588_00, on=5)], adjustments=[adjustment])
    assert on_items(settle(books, day(5), PLAIN)) == {
        ("INV-2", "settlement"): 600_00,
        ("INV-2", REFERENCE): 588_00,
        ("INV-2", EARNED): 12_00,
    }


# --- tolerance and charges ---


@pytest.mark.parametrize(
    ("fixed", "percent", "missing_max"),
    [
        ({"USD": 5_00}, None, 5_00),
        ({}, Fraction(1), 12_00),
        ({"USD": 5_00}, Fraction(1), 5_00),
        ({"USD": 50_00}, Fraction(1, 2), 6_00),
        ({"EUR": 5_00}, None, 0),
        ({}, None, 0),
    ],
)
def test_what_may_be_missing_is_a_fixed_amount_a_share_or_the_smaller_of_both(
    fixed: dict[str, int], percent: Fraction | None, missing_max: int
) -> None:
    """PAY-09: of 1,200.00, by the currency of the item."""
    policy, item = replace(PLAIN, tolerance_fixed=fixed, tolerance_percent=percent), an_item(terms=None)
    assert booked(a_receipt("R", 1200_00 - missing_max, on=10), item=item, policy=policy)[1] == 0
    assert booked(a_receipt("R", 1200_00 - missing_max - 1, on=10), item=item, policy=policy) == (
        {REFERENCE: 1200_00 - missing_max - 1},
        missing_max + 1,
    )


def test_more_than_is_open_is_no_matter_of_tolerance() -> None:
    """PAY-09: 2.00 too much are on-account."""
    entries = settle(Books([an_item(terms=None)], [], [a_receipt("R", 1202_00, on=10)], currency="USD"), day(10), TOLERANT)
    assert {entry.rule: minor for entry, minor in entries.items()} == {REFERENCE: 1200_00, ON_ACCOUNT: 2_00}


def a_line(minor: int | None, *deductions: tuple[str, int], number: str = "INV-2", n: int | None = None) -> Stated:
    return Stated(number, n, minor, deductions)


CHARGED = replace(PLAIN, codes={"BANK": "bank_charge", "WHT": "withholding_tax"})


def test_deductions_are_let_go_by_the_codes_of_the_policy_and_others_stay_open() -> None:
    """PAY-09: 10.00 of bank charges and 60.00 of tax withheld are let go, 30.00 for damage are not."""
    line = a_line(1100_00, ("DAMAGE", 30_00), ("BANK", 10_00), ("WHT", 60_00))
    assert booked(a_receipt("R", 1100_00, on=10, stated=(line,)), item=an_item(terms=None), policy=CHARGED) == (
        {REFERENCE: 1100_00, "bank_charge": 10_00, "withholding_tax": 60_00},
        30_00,
    )


def test_a_charge_and_a_discount_are_both_kept_back() -> None:
    """PAY-09: 1,166.00 in time, with 10.00 of charges and 24.00 of discount."""
    receipt = a_receipt("R", 1166_00, on=10, stated=(a_line(1166_00, ("BANK", 10_00)),))
    assert booked(receipt, policy=CHARGED) == ({REFERENCE: 1166_00, "bank_charge": 10_00, EARNED: 24_00}, 0)


def test_charges_never_settle_an_item_without_money() -> None:
    """PAY-09: what is open less one cent at most, and nothing at all where no money comes to the item."""
    much, item = a_line(None, ("BANK", 2000_00)), an_item(terms=None)
    assert booked(a_receipt("R", 50_00, on=10, stated=(much,)), item=item, policy=CHARGED) == ({REFERENCE: 1, "bank_charge": 1199_99}, 0)
    assert booked(a_receipt("R", 50_00, on=10, stated=(a_line(0, ("BANK", 10_00)),)), item=item, policy=CHARGED) == ({}, 1200_00)


def test_a_remittance_pays_no_more_of_a_document_than_it_states() -> None:
    """PAY-04: 100.00 of the first, 50.00 of the second instalment; what is left of the money is on-account."""
    items = [an_item(terms=None), an_item(terms=None, n=2)]
    receipt = a_receipt("R", 200_00, on=10, stated=(a_line(100_00, n=1), a_line(50_00, n=2)))
    entries = settle(Books(items, [], [receipt]), day(10), PLAIN)
    assert {entry.item or entry.rule: minor for entry, minor in entries.items()} == {
        "US01|INV-2|1": 100_00,
        "US01|INV-2|2": 50_00,
        ON_ACCOUNT: 50_00,
    }


# --- any sequence of payments ---

cents = st.integers(1, 2_000)


@given(
    billed=cents, percent=st.integers(1, 60), parts=st.lists(st.tuples(cents, st.integers(1, 20)), max_size=6), is_prorated=st.booleans()
)
def test_no_sequence_of_payments_is_granted_more_than_the_terms_say(
    billed: int, percent: int, parts: list[tuple[int, int]], is_prorated: bool
) -> None:
    """INV-04: never more than the discount, nor than was in time, nor than open less cash; nothing is discounted without money."""
    full = max(1, billed * percent // 100)
    item = an_item(total=billed, terms=early((11, full), billed=billed, is_prorated=is_prorated))
    money = [a_receipt(f"R{n}", minor, on=on) for n, (minor, on) in enumerate(parts)]
    stands, open_minor = booked(*money, item=item)
    granted, cash = stands.get(EARNED, 0), stands.get(REFERENCE, 0)

    assert 0 <= open_minor == billed - cash - granted
    assert granted <= full
    assert cash or not granted
    assert granted == 0 or any(on <= 11 for _, on in parts)
    assert cash == billed - granted or cash == sum(minor for minor, _ in parts)


@given(billed=st.integers(100, 2_000), percent=st.integers(1, 30), cuts=st.lists(st.integers(1, 500), max_size=6))
def test_in_whatever_parts_the_discounted_amount_is_paid_in_time_it_settles_the_item(billed: int, percent: int, cuts: list[int]) -> None:
    """A2 (d): the cash is the same in the end, to the cent."""
    full, left, parts = max(1, billed * percent // 100), billed, []
    for cut in [*cuts, billed]:
        part = min(cut, billed - full - sum(parts))
        parts += [part] if part else []
    left, item = billed, an_item(total=billed, terms=early((11, full), billed=billed))
    money = [a_receipt(f"R{n}", minor, on=5) for n, minor in enumerate(parts)]
    stands, left = booked(*money, item=item)
    assert (stands, left) == ({REFERENCE: billed - full, EARNED: full}, 0)
