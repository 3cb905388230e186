"""Interest by day counts, runs and rates: exact, additive, rounded once."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.interest import DAY_COUNTS, DayCount, Run, Step, accrue, days_between, ten_decimals, total_minor

NINE = [Step(date(2026, 1, 1), Decimal("9"))]
FIRST_LATE, MARCH_END = date(2026, 2, 5), date(2026, 3, 31)

days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
principal_steps = st.lists(st.builds(Step, days, st.integers(-(10**4), 10**12)), max_size=6, unique_by=lambda s: s.from_on).map(sorted)
rate_steps = st.lists(st.builds(Step, days, st.decimals(-1, 30, places=2)), max_size=6, unique_by=lambda step: step.from_on).map(sorted)
day_counts = st.sampled_from(DAY_COUNTS)


def exact(runs: list[Run]) -> Fraction:
    return sum((run.interest for run in runs), Fraction())


def test_a_declining_principal_bears_interest_by_day() -> None:
    """INV-09, A1: 12,000.00 for 16 days, 7,000.00 for 18, 4,000.00 for 21 at 9 % make 99.12."""
    principals = [Step(date(2026, 1, 1), 12_000_00), Step(date(2026, 2, 21), 7_000_00), Step(date(2026, 3, 11), 4_000_00)]

    runs = accrue(principals, NINE, "ACT/365", FIRST_LATE, MARCH_END)

    assert [(run.principal_minor, run.days) for run in runs] == [(12_000_00, 16), (7_000_00, 18), (4_000_00, 21)]
    assert [total_minor([run]) for run in runs] == [47_34, 31_07, 20_71]
    assert total_minor(runs) == 99_12
    assert [ten_decimals(run.interest, "USD") for run in runs] == ["47.3424657534", "31.0684931507", "20.7123287671"]


@pytest.mark.parametrize(("principal_minor", "interest_minor"), [(12_000_00, 162_74), (4_000_00, 54_25)])
def test_a_full_or_a_current_balance_would_say_something_else(principal_minor: int, interest_minor: int) -> None:
    """INV-09, A1, for contrast: on the original balance 162.74, on the current one only 54.25."""
    assert total_minor(accrue([Step(date.min, principal_minor)], NINE, "ACT/365", FIRST_LATE, MARCH_END)) == interest_minor


@pytest.mark.parametrize(("through_on", "interest_minor"), [(date(2026, 12, 31), 85_00), (date(2026, 1, 1), 23)])
def test_a_year_and_a_day_of_statutory_interest(through_on: date, interest_minor: int) -> None:
    """INV-09, IN-01: 1,000.00 at 8.5 % is 85.00 a year and 0.23 a day."""
    rates = [Step(date(2026, 1, 1), Decimal("8.5"))]
    assert total_minor(accrue([Step(date.min, 1000_00)], rates, "ACT/365", date(2026, 1, 1), through_on)) == interest_minor


@pytest.mark.parametrize(
    ("after_on", "through_on", "actual", "thirties"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), 28, 28),  # The 31st counts as the 30th, the end of February as the 28th it is.
        (date(2026, 1, 30), date(2026, 1, 31), 1, 0),
        (date(2026, 2, 28), date(2026, 3, 1), 1, 3),
        (date(2024, 2, 28), date(2024, 2, 29), 1, 1),
        (date(2026, 1, 15), date(2027, 1, 15), 365, 360),
        (date(2024, 1, 15), date(2025, 1, 15), 366, 360),
    ],
)
def test_days_are_counted_by_the_convention(after_on: date, through_on: date, actual: int, thirties: int) -> None:
    """INV-09: ISDA 2006 section 4.16 (d), (e) and (g)."""
    assert days_between(after_on, through_on, "ACT/365") == days_between(after_on, through_on, "ACT/360") == actual
    assert days_between(after_on, through_on, "30/360") == thirties


def test_a_rate_counts_from_its_day_on() -> None:
    """INV-09: two rates make two runs, and a rate of nothing makes none."""
    rates = [Step(date(2026, 2, 10), Decimal("10")), Step(date(2026, 2, 20), Decimal("0")), Step(date(2026, 3, 1), Decimal("7.25"))]

    runs = accrue([Step(date.min, 365_00)], rates, "ACT/365", FIRST_LATE, MARCH_END)

    assert [(run.from_on, run.through_on, run.percent) for run in runs] == [
        (date(2026, 2, 10), date(2026, 2, 19), Decimal("10")),
        (date(2026, 3, 1), date(2026, 3, 31), Decimal("7.25")),
    ]


def test_equal_neighbours_are_one_run() -> None:
    principals = [Step(date.min, 100), Step(date(2026, 2, 7), 50), Step(date(2026, 2, 8), 50)]
    runs = accrue(principals, [*NINE, Step(date(2026, 2, 10), Decimal("9.0"))], "ACT/360", FIRST_LATE, MARCH_END)
    assert [(run.from_on, run.principal_minor) for run in runs] == [(FIRST_LATE, 100), (date(2026, 2, 7), 50)]


@given(principal_steps, rate_steps, day_counts, days, days, days)
def test_cutting_a_run_of_days_changes_nothing(
    principals: list[Step[int]], rates: list[Step[Decimal]], day_count: DayCount, one: date, cut: date, other: date
) -> None:
    """INV-09: for every convention, whatever changes within."""
    from_on, cut, through_on = sorted((one, cut, other))
    whole = accrue(principals, rates, day_count, from_on, through_on)
    first, second = accrue(principals, rates, day_count, from_on, cut), accrue(principals, rates, day_count, cut + timedelta(1), through_on)
    assert exact(first) + exact(second) == exact(whole)


@given(principal_steps, rate_steps, day_counts, days, days)
def test_runs_are_apart_ascend_and_sum_to_the_total(
    principals: list[Step[int]], rates: list[Step[Decimal]], day_count: DayCount, one: date, other: date
) -> None:
    """INV-09: what is shown range by range is the charge, up to the one rounding."""
    from_on, through_on = sorted((one, other))
    runs = accrue(principals, rates, day_count, from_on, through_on)
    assert all(run.from_on <= run.through_on and run.interest >= 0 for run in runs)
    assert all(one.through_on < other.from_on for one, other in pairwise(runs))
    assert abs(total_minor(runs) - exact(runs)) <= Fraction(1, 2)


@given(principal_steps, rate_steps, day_counts, days, days)
def test_another_day_never_takes_interest_away(
    principals: list[Step[int]], rates: list[Step[Decimal]], day_count: DayCount, one: date, other: date
) -> None:
    """INV-09: what has accrued only grows with the days."""
    from_on, through_on = sorted((one, other))
    earlier = accrue(principals, rates, day_count, from_on, through_on)
    assert exact(accrue(principals, rates, day_count, from_on, through_on + timedelta(1))) >= exact(earlier)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(Fraction(-1, 3), "USD", "-0.0033333333"), (Fraction(5), "JPY", "5.0000000000"), (Fraction(12345), "BHD", "12.3450000000")],
)
def test_exact_interest_is_shown_to_ten_decimals(minor: Fraction, currency: str, text: str) -> None:
    assert ten_decimals(minor, currency) == text
