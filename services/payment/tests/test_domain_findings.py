"""What is said of a payment that leaves something open of an item it names, and of items valued anew: pure (PAY-09, PAY-13)."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment.domain.books import EarlyPayment, Tier, Worth
from payment.domain.findings import Early, Line, PartPaid, Short, Unearned, judge
from payment.domain.policy import STANDARD
from payment.domain.revaluation import period_ended, revalue

DUE_ON = date(2026, 3, 31)
UNTIL = date(2026, 3, 11)
LATE = date(2026, 3, 15)
TWO_PERCENT = EarlyPayment((Tier(UNTIL, 24_00, 4_00),), 1200_00, is_prorated=True, unearned_allowed=False)
TOLERANT = replace(STANDARD, tolerance_fixed={"USD": 5_00}, codes={"WHT": "withholding_tax"})


def left(open_minor: int, effective_on: date, early: EarlyPayment | None = TWO_PERCENT, *, lines: tuple[Line, ...] = ()) -> PartPaid:
    """An item of 1,200.00, alone on its document, of which a payment left so much open."""
    return PartPaid(1, "USD", open_minor, effective_on, early, 1200_00, 1200_00, lines)


def in_full(gross_minor: int, n: int | None = None, *codes: str) -> tuple[Line, ...]:
    return (Line(n, gross_minor, codes),)


def test_a_late_payment_that_keeps_the_discount_took_it_unearned() -> None:
    """A2 (c), PAY-09: 24.00 open of 1,200.00; the last day of the terms is told, grace counted in."""
    assert judge(left(24_00, LATE), LATE + timedelta(days=1), TOLERANT) == Unearned(UNTIL)


def test_what_is_more_than_the_discount_is_short() -> None:
    """PAY-09: one cent more than the discount was not kept back as the discount."""
    assert judge(left(24_01, LATE), LATE + timedelta(days=1), TOLERANT) == Short(None)


def test_a_part_paid_in_time_is_early_until_the_time_is_over() -> None:
    """A2: a partial in the window is no short payment until the window closes."""
    part = left(689_80, date(2026, 3, 5))
    assert judge(part, date(2026, 3, 6), TOLERANT) == Early(UNTIL)
    assert judge(part, UNTIL, TOLERANT) == Early(UNTIL)
    assert judge(part, UNTIL + timedelta(days=1), TOLERANT) == Short(None)


def test_what_was_sent_as_payment_in_full_is_short_at_once() -> None:
    """A2 (f): 1,150.00 with 23.47 discounted leaves 26.53; more than is left of the discount, so it is no unearned one either."""
    granted = replace(TWO_PERCENT, granted_minor=23_47)
    day = date(2026, 3, 11)
    assert judge(left(26_53, date(2026, 3, 10), granted, lines=in_full(1200_00)), day, TOLERANT) == Short(None)
    assert judge(left(26_53, date(2026, 3, 10), granted, lines=in_full(1199_99)), day, TOLERANT) == Early(UNTIL)
    assert judge(left(26_53, date(2026, 3, 10), granted), day, TOLERANT) == Early(UNTIL)


def test_payment_in_full_is_of_the_document_or_of_the_instalment_it_names() -> None:
    """A2 (f): of two instalments a line about one pays that one in full, a line about none the whole document."""
    part = PartPaid(1, "USD", 100_00, date(2026, 3, 10), TWO_PERCENT, 1200_00, 2400_00)
    assert not replace(part, lines=in_full(1200_00)).is_sent_in_full
    assert replace(part, lines=in_full(2400_00)).is_sent_in_full
    assert replace(part, lines=in_full(1200_00, 1)).is_sent_in_full
    assert not replace(part, lines=in_full(1200_00, 2)).is_sent_in_full
    assert not replace(part, lines=(Line(None, None, ()),)).is_sent_in_full


def test_what_was_granted_already_cannot_be_taken_again() -> None:
    """INV-04, PAY-09: of 24.00 20.00 are granted; 4.00 open are the rest of the discount, 4.01 are not."""
    granted = replace(TWO_PERCENT, granted_minor=20_00)
    assert judge(left(4_00, LATE, granted), LATE, STANDARD) == Unearned(UNTIL)
    assert judge(left(4_01, LATE, granted), LATE, STANDARD) == Short(None)


def test_a_memo_shrinks_the_discount_that_can_be_taken() -> None:
    """INV-04: of half of what was billed half of the discount is left."""
    relieved = replace(TWO_PERCENT, relieved_minor=600_00)
    assert judge(left(12_00, LATE, relieved), LATE, TOLERANT) == Unearned(UNTIL)
    assert judge(left(12_01, LATE, relieved), LATE, TOLERANT) == Short(None)


def test_of_several_tiers_the_last_that_covers_it_says_until_when() -> None:
    """PAY-09: 12.00 could be earned for ten days longer than 24.00."""
    later = UNTIL + timedelta(days=10)
    tiers = replace(TWO_PERCENT, tiers=(Tier(UNTIL, 24_00, 4_00), Tier(later, 12_00, 2_00)))
    day = later + timedelta(days=2)
    assert judge(left(24_00, day, tiers), day, TOLERANT) == Unearned(UNTIL)
    assert judge(left(12_00, day, tiers), day, TOLERANT) == Unearned(later)
    assert judge(left(24_00, LATE, tiers), LATE, TOLERANT) == Early(later)


def test_what_is_tolerated_is_not_told() -> None:
    """PAY-09: 5.00 and less is too little to ask for, 5.01 is not; early or late."""
    for effective_on in (UNTIL, LATE):
        assert judge(left(5_00, effective_on), effective_on, TOLERANT) is None
    assert judge(left(5_01, LATE, None), LATE, TOLERANT) == Short(None)


def test_the_reason_of_a_short_payment_is_the_first_deduction_that_is_not_let_go() -> None:
    """PAY-09: of the deductions of this item, in the order of the remittance."""
    lines = (Line(2, None, ("OTHER",)), Line(None, None, ("WHT", "DAMAGE", "LATE")))
    assert judge(left(100_00, LATE, None, lines=lines), LATE, TOLERANT) == Short("DAMAGE")
    assert judge(left(100_00, LATE, None, lines=(Line(1, None, ("WHT",)),)), LATE, TOLERANT) == Short(None)


@given(
    open_minor=st.integers(1, 1200_00),
    granted=st.integers(0, 24_00),
    relieved=st.integers(0, 1199_00),
    paid_after=st.integers(-20, 20),
    judged_after=st.integers(-20, 20),
)
def test_nothing_is_told_early_and_everything_late(
    open_minor: int, granted: int, relieved: int, paid_after: int, judged_after: int
) -> None:
    """A2: whatever is open, it is early only while its time runs, and a finding as soon as it is over."""
    early = replace(TWO_PERCENT, granted_minor=granted, relieved_minor=relieved)
    effective_on, day = UNTIL + timedelta(days=paid_after), UNTIL + timedelta(days=judged_after)
    verdict = judge(left(open_minor, effective_on, early), day, STANDARD)
    assert isinstance(verdict, Early) == (paid_after <= 0 and judged_after <= 0)
    if isinstance(verdict, Unearned):
        assert open_minor + granted <= 24_00


def test_an_item_is_valued_at_the_rate_of_the_period_s_end() -> None:
    """A10, PAY-13: of EUR 10,000.00 at 1.10 EUR 6,000.00 are open: 6,600.00, at 1.08 6,480.00."""
    valued = revalue(Worth(10_000_00, 11_000_00), 6_000_00, "EUR", "USD", "1.08")
    assert (valued.carrying_minor, valued.revalued_minor) == (6_600_00, 6_480_00)
    assert (valued.gain_minor, valued.loss_minor) == (0, 120_00)


@pytest.mark.parametrize(("rate", "gain", "loss"), [("1.2", 60_000, 0), ("1.1", 0, 0), ("1.0", 0, 60_000)])
def test_a_revaluation_gains_or_loses_or_neither(rate: str, gain: int, loss: int) -> None:
    """PAY-13"""
    valued = revalue(Worth(10_000_00, 11_000_00), 6_000_00, "EUR", "USD", rate)
    assert (valued.gain_minor, valued.loss_minor) == (gain, loss)


def test_currencies_of_other_scales_are_valued_in_their_own_minor_units() -> None:
    """PAY-13: yen have no minor units, dinars three; half up."""
    assert revalue(Worth(1_000, 7_00), 1_000, "JPY", "USD", "0.0068").revalued_minor == 6_80
    assert revalue(Worth(1_000, 3_26), 500, "KWD", "USD", "3.25").revalued_minor == 1_63
    assert revalue(Worth(100, 150), 100, "USD", "JPY", "150.5").revalued_minor == 151


@given(total=st.integers(1, 10**12), base=st.integers(0, 10**12), part=st.fractions(0, 1))
def test_what_is_carried_and_what_was_taken_off_are_the_whole_worth(total: int, base: int, part: Fraction) -> None:
    """PAY-13: revaluation and realised gains count from the same carrying amount."""
    open_minor = int(total * part)
    carried = revalue(Worth(total, base), open_minor, "EUR", "USD", "1").carrying_minor
    assert 0 <= carried <= base
    assert revalue(Worth(total, base), total, "EUR", "USD", "1").carrying_minor == base
    assert revalue(Worth(total, base), 0, "EUR", "USD", "1").carrying_minor == 0


def test_a_month_ends_with_the_day_before_its_first() -> None:
    """RPT-08"""
    assert period_ended("month", date(2026, 3, 1)) == date(2026, 2, 28)
    assert period_ended("month", date(2026, 3, 2)) is None
    assert period_ended("none", date(2026, 3, 1)) is None
