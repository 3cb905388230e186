"""The arithmetic of the read model, with nothing running."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reporting.domain import (
    BUCKETS,
    SETTLED,
    UNAPPLIED,
    Deltas,
    Posting,
    RollForward,
    Standing,
    bucket_of,
    bucket_starts,
    kpis,
    month_bounds,
    per_mille,
    written_tenths,
)
from reporting.schemas.reports import KpiRow, grouped


def a_standing(*buckets_minor: int, unapplied: int = 0, on_account: int = 0, memo: int = 0) -> Standing:
    padded = (*buckets_minor, *[0] * (len(BUCKETS) - len(buckets_minor)))
    return Standing("USD", "C-1", padded, unapplied, on_account, memo)


@pytest.mark.parametrize(
    ("days_past_due", "bucket"),
    [(-400, "current"), (0, "current"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (90, "61-90"), (91, "90+")],
)
def test_an_item_due_on_the_day_is_current_and_each_bucket_ends_where_its_name_says(days_past_due: int, bucket: str) -> None:
    """RPT-01"""
    assert bucket_of(days_past_due) == bucket


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(-5000, 5000))
def test_counting_the_starts_that_a_due_date_has_reached_names_the_same_bucket_as_counting_days(as_of: date, days_past_due: int) -> None:
    """RPT-01"""
    due_on = as_of - timedelta(days=days_past_due)
    reached = sum(start <= due_on for start in bucket_starts(as_of))
    assert BUCKETS[len(BUCKETS) - 1 - reached] == bucket_of(days_past_due)


def test_the_figures_of_april_give_35_days_of_which_25_at_best_and_10_delinquent() -> None:
    """RPT-03, A13"""
    april = kpis(a_standing(250_000_00, 100_000_00), 300_000_00, 0, days=30)

    row = KpiRow.of(april)

    assert (row.dso, row.best_possible_dso, row.average_days_delinquent) == ("35.0", "25.0", "10.0")
    assert row.not_defined == {}


@pytest.mark.parametrize("sales_minor", [0, -1])
def test_without_sales_the_days_are_not_defined_and_the_reason_is_given(sales_minor: int) -> None:
    """RPT-03, A13"""
    row = KpiRow.of(kpis(a_standing(1_000, 500), sales_minor, 0, days=30))

    assert (row.dso, row.best_possible_dso, row.average_days_delinquent) == (None, None, None)
    assert set(row.not_defined) == {"dso", "best_possible_dso", "average_days_delinquent"}


def test_half_a_tenth_of_a_day_is_rounded_up() -> None:
    assert written_tenths(kpis(a_standing(1_00), 20_00, 0, days=1).dso_tenths or 0) == "0.1"  # 0.05 days.
    assert (written_tenths(-5), written_tenths(0), written_tenths(12345)) == ("-0.5", "0.0", "1234.5")


def test_the_balance_is_open_less_unapplied_less_every_kind_of_credit() -> None:
    """RPT-01"""
    standing = a_standing(100, 20, 3, 0, 7, unapplied=10, on_account=5, memo=1)

    assert (standing.open_minor, standing.current_minor, standing.overdue_minor) == (130, 100, 30)
    assert (standing.credit_minor, standing.balance_minor) == (6, 114)


def test_a_month_closes_at_what_it_opened_with_and_what_moved() -> None:
    """RPT-08"""
    assert RollForward("USD", 1000, 500, 7, 50, 300, 5, 40, 20, 0, 0, 9, 9, 9).closing_minor == 1092


def test_a_month_ends_on_its_last_day() -> None:
    assert month_bounds("2024-02") == (date(2024, 2, 1), date(2024, 2, 29))
    with pytest.raises(ValueError):
        month_bounds("2024-13")


def test_deltas_of_one_key_are_summed_and_a_key_that_cancels_out_is_left_out() -> None:
    deltas, day = Deltas(), date(2026, 1, 5)
    to = Posting("US01", "C-1", "USD", day, day)

    deltas.post(to, UNAPPLIED, 500)
    deltas.settle(to, SETTLED, "US01|INV-1|1", "C-1", day, 300)
    deltas.post(to, UNAPPLIED, -500)

    assert list(deltas.cube.values()) == [-300]
    assert deltas.items["US01|INV-1|1"].open_minor == -300


def test_a_bar_is_measured_against_the_longest() -> None:
    assert per_mille([50, 100, 0, -10]) == [500, 1000, 0, 0]
    assert per_mille([0, -5]) == [0, 0]


@pytest.mark.parametrize(
    ("amount", "shown"), [("0.00", "0.00"), ("1234567.80", "1,234,567.80"), ("-1234", "-1,234"), ("-0.50", "-0.50"), ("999", "999")]
)
def test_amounts_on_the_page_have_their_thousands_apart(amount: str, shown: str) -> None:
    assert grouped(amount) == shown
