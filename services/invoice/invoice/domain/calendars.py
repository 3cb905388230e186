"""
Which days an entity works: the public holidays of its calendar, year by year replaced by what was published for it (XC-06).

Public holidays are those of the `holidays` library, under the code that the entities file names: a country (`US`), a part of one
(`DE-BY`) or a market (`NYSE`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal, TypeAlias, get_args

import holidays

from invoice.domain.faults import ISSUED_ON_MIN, Fault

Roll: TypeAlias = Literal["none", "following", "preceding", "modified_following"]
"""What becomes of a due date that is no working day; `modified_following` goes back rather than into the next month."""

ROLLS: Final[tuple[str, ...]] = get_args(Roll)
ROLL_DAYS_MAX: Final = 31
"""A date does not move further: where nobody works for a month, it stays."""
YEAR_MIN: Final = ISSUED_ON_MIN.year
YEAR_MAX: Final = 2999
HOLIDAYS_MAX: Final = 366
WEEKEND_MAX: Final = 14  # A weekday named twice is no fault, a list without an end is.
_ONE_DAY: Final = timedelta(days=1)
_WEEK: Final = frozenset(range(1, 8))
_SATURDAY_SUNDAY: Final = frozenset((6, 7))


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """
    The days of one year an entity does not work: single days, and ISO weekdays (1 is Monday).

    `worked` are days of a weekend that are worked all the same, as some countries have them.
    """

    year: int
    holidays: frozenset[date]
    weekend: frozenset[int]
    worked: frozenset[date] = frozenset()

    def is_worked(self, day: date) -> bool:
        """Say whether a day of this year is worked."""
        return day in self.worked or (day.isoweekday() not in self.weekend and day not in self.holidays)


@dataclass(frozen=True, slots=True)
class Calendar:
    """
    The working days of an entity.

    `code` names its public calendar; one that the library does not know has weekends only. `published` has the years that replace it.
    """

    code: str
    published: Mapping[int, CalendarYear] = field(default_factory=dict)

    def year(self, year: int) -> CalendarYear:
        """Return the days of a year that are not worked."""
        return self.published.get(year) or _public_year(self.code, year)

    def origin_of(self, year: int) -> Literal["published", "public", "none"]:
        """Say where the days of a year come from; `none`: nobody knows any, so weekends are all there is."""
        if year in self.published:
            return "published"
        return "none" if _public(self.code) is None else "public"

    def is_working_day(self, day: date) -> bool:
        """Say whether the entity works on a day."""
        return self.year(day.year).is_worked(day)

    def roll(self, day: date, convention: Roll) -> date:
        """Move a day that is not worked to one that is, by the convention; within `ROLL_DAYS_MAX` days, else it stays."""
        if convention == "none" or self.is_working_day(day):
            return day
        if convention == "preceding":
            return self._nearest(day, -_ONE_DAY)
        later = self._nearest(day, _ONE_DAY)
        if convention == "modified_following" and (later.year, later.month) != (day.year, day.month):
            return self._nearest(day, -_ONE_DAY)
        return later

    def _nearest(self, day: date, step: timedelta) -> date:
        moved = day
        for _ in range(ROLL_DAYS_MAX):
            if moved in (date.min, date.max):
                break
            moved += step
            if self.is_working_day(moved):
                return moved
        return day


@lru_cache(maxsize=100)
def public_calendar(code: str) -> Calendar:
    """Return the calendar of a code with nothing published."""
    return Calendar(code)


def merged(code: str, published: Iterable[CalendarYear]) -> Calendar:
    """Return the public calendar of a code with the published years in place of its own."""
    years = {one.year: one for one in published}
    return Calendar(code, years) if years else public_calendar(code)


def examine_calendar(year: int, days: Sequence[date], weekend: Sequence[int]) -> CalendarYear | list[Fault]:
    """Make a calendar year of what somebody published, or return every fault it has. A day or weekday named twice counts once."""
    faults = [] if YEAR_MIN <= year <= YEAR_MAX else [Fault("YEAR_OUT_OF_RANGE", "year")]
    if len(days) > HOLIDAYS_MAX:
        faults.append(Fault("TOO_MANY", "holidays"))
    else:
        faults += [Fault("HOLIDAY_OUTSIDE_YEAR", f"holidays[{index}]") for index, day in enumerate(days) if day.year != year]
    if len(weekend) > WEEKEND_MAX:
        faults.append(Fault("TOO_MANY", "weekend"))
    else:
        faults += [Fault("WEEKDAY_UNKNOWN", f"weekend[{index}]") for index, weekday in enumerate(weekend) if weekday not in _WEEK]
        if set(weekend) >= _WEEK:
            faults.append(Fault("NO_WORKING_DAY", "weekend"))
    return faults or CalendarYear(year, frozenset(days), frozenset(weekend))


@lru_cache(maxsize=1_000)
def _public_year(code: str, year: int) -> CalendarYear:
    """
    Take down a year of the library day by day: it knows weekends that changed and weekends that are worked, in ways of its own.

    The weekend is that of the year's last day; days off under an earlier one become holidays, days worked under it become `worked`.
    """
    public = _public(code, year)
    if public is None:
        return CalendarYear(year, frozenset(), _SATURDAY_SUNDAY)
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    days = [date.fromordinal(ordinal) for ordinal in range(first, last + 1)]
    weekend = frozenset(day.isoweekday() for day in days[-7:] if public.is_weekend(day))
    off = frozenset(day for day in days if not public.is_working_day(day))
    return CalendarYear(
        year,
        holidays=frozenset(day for day in days if day in public or (day in off and day.isoweekday() not in weekend)),
        weekend=weekend,
        worked=frozenset(day for day in days if day not in off and day.isoweekday() in weekend),
    )


def _public(code: str, year: int | None = None) -> holidays.HolidayBase | None:
    """Return the library's holidays of a code, or None where it has none."""
    country, _, part = code.partition("-")
    if not country.isupper():  # The library looks a country up among its own names, which are not all countries.
        return None
    try:
        return holidays.country_holidays(country, subdiv=part or None, years=year)
    except NotImplementedError:  # How the library says that it knows no such country or part.
        return None
