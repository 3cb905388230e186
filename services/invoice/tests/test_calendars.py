"""Which days an entity works, and where a due date moves that is none of them."""

from datetime import date, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.calendars import (
    HOLIDAYS_MAX,
    ROLL_DAYS_MAX,
    ROLLS,
    Calendar,
    CalendarYear,
    Roll,
    examine_calendar,
    merged,
    public_calendar,
)
from invoice.domain.faults import Fault

DAYS = st.dates(date(2000, 1, 1), date(2050, 12, 31))
CODES = st.sampled_from(["US", "DE", "DE-BY", "JP", "SA", "CN", "NYSE", "XX", ""])
CONVENTIONS = st.sampled_from(ROLLS)
ALL_WEEK = frozenset(range(1, 8))


@pytest.mark.parametrize("code", ["US", "DE", "DE-BY", "JP", "AE", "SA", "CN", "NYSE"])
@pytest.mark.parametrize("year", [1950, 2013, 2022, 2026])
def test_every_day_is_worked_or_not_as_the_library_says(code: str, year: int) -> None:
    """XC-06: weekends that changed in the middle of a year and weekends that are worked included (SA 2013, CN)."""
    country, _, part = code.partition("-")
    library = holidays.country_holidays(country, subdiv=part or None)
    calendar = public_calendar(code)
    first = date(year, 1, 1)
    days = [day for day in (first + timedelta(n) for n in range(366)) if day.year == year]
    assert [day for day in days if calendar.is_working_day(day) != library.is_working_day(day)] == []


@pytest.mark.parametrize("code", ["", "XX", "DE-ZZ", "date", "us"])
def test_a_code_nobody_knows_has_weekends_only(code: str) -> None:
    calendar = public_calendar(code)
    assert calendar.origin_of(2026) == "none"
    assert calendar.is_working_day(date(2026, 1, 1))
    assert not calendar.is_working_day(date(2026, 1, 3))


def test_a_published_year_replaces_the_public_one_and_no_other() -> None:
    """XC-06"""
    calendar = merged("US", [CalendarYear(2026, frozenset([date(2026, 3, 2)]), frozenset([5, 6]))])

    assert [calendar.origin_of(year) for year in (2025, 2026, 2027)] == ["public", "published", "public"]
    assert calendar.is_working_day(date(2026, 1, 1))  # A public holiday that was not published.
    assert not calendar.is_working_day(date(2026, 3, 2))
    assert (calendar.is_working_day(date(2026, 3, 6)), calendar.is_working_day(date(2026, 3, 8))) == (False, True)
    assert not calendar.is_working_day(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("day", "convention", "rolled"),
    [
        (date(2026, 7, 2), "following", date(2026, 7, 2)),
        (date(2026, 7, 4), "none", date(2026, 7, 4)),
        (date(2026, 7, 3), "following", date(2026, 7, 6)),  # Independence Day, observed on a Friday.
        (date(2026, 7, 3), "preceding", date(2026, 7, 2)),
        (date(2026, 5, 30), "following", date(2026, 6, 1)),
        (date(2026, 5, 30), "modified_following", date(2026, 5, 29)),
        (date(2026, 5, 9), "modified_following", date(2026, 5, 11)),
        (date(2027, 1, 1), "preceding", date(2026, 12, 31)),
        (date.max, "following", date.max),
        (date.min, "preceding", date.min),
    ],
)
def test_a_due_date_rolls_by_its_convention(day: date, convention: Roll, rolled: date) -> None:
    """INV-03"""
    assert public_calendar("US").roll(day, convention) == rolled


@given(CODES, DAYS, CONVENTIONS)
def test_a_rolled_day_is_worked_near_and_stays_where_it_is(code: str, day: date, convention: Roll) -> None:
    """INV-03: rolled once or twice is the same, and what is worked never moves."""
    calendar = public_calendar(code)
    rolled = calendar.roll(day, convention)
    assert calendar.roll(rolled, convention) == rolled
    assert abs(rolled - day).days <= ROLL_DAYS_MAX
    assert convention == "none" or calendar.is_working_day(rolled)
    assert rolled == day or not calendar.is_working_day(day)
    if convention == "modified_following":
        assert (rolled.year, rolled.month) == (day.year, day.month)


def test_where_nobody_works_a_due_date_stays() -> None:
    never = Calendar("US", {year: CalendarYear(year, frozenset(), ALL_WEEK) for year in (2025, 2026, 2027)})
    assert {never.roll(date(2026, 7, 3), "following"), never.roll(date(2026, 7, 3), "modified_following")} == {date(2026, 7, 3)}


def test_a_calendar_is_told_every_fault_at_once() -> None:
    """INV-01, XC-06"""
    assert examine_calendar(1900, [date(2026, 1, 1), date(1900, 1, 1)], [0, *range(1, 8)]) == [
        Fault("YEAR_OUT_OF_RANGE", "year"),
        Fault("HOLIDAY_OUTSIDE_YEAR", "holidays[0]"),
        Fault("WEEKDAY_UNKNOWN", "weekend[0]"),
        Fault("NO_WORKING_DAY", "weekend"),
    ]
    assert examine_calendar(2026, [date(2026, 1, 1)] * (HOLIDAYS_MAX + 1), [6] * 15) == [
        Fault("TOO_MANY", "holidays"),
        Fault("TOO_MANY", "weekend"),
    ]


def test_a_day_named_twice_counts_once() -> None:
    assert examine_calendar(2026, [date(2026, 1, 1)] * 2, [7, 7]) == CalendarYear(2026, frozenset([date(2026, 1, 1)]), frozenset([7]))
