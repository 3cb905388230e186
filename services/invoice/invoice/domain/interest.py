"""
Interest on what is late, exact until it is rounded once (INV-09). Pure: values in, values out.

Simple interest on the declining principal: the sum over runs of days of principal x percent / 100 x days / basis. A run's days are the
difference of two serial numbers of days, the end of the one less the end of the other; so cutting a run anywhere changes nothing.

Sources: ISDA 2006 Definitions, section 4.16: (d) Actual/365 (Fixed), (e) Actual/360, (g) 30E/360 or Eurobond basis. The latter is what
"30/360" is here: every month has 30 days, and a 31st counts as the 30th. The American variant, whose 31st depends on the day a run began
on, would make a sum of runs differ from the whole.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from money import round_half_up, scale

DayCount: TypeAlias = Literal["ACT/365", "ACT/360", "30/360"]
DAY_COUNTS: Final[tuple[DayCount, ...]] = ("ACT/365", "ACT/360", "30/360")
ONE_DAY: Final = timedelta(days=1)
_BASIS: Final[dict[DayCount, int]] = {"ACT/365": 365, "ACT/360": 360, "30/360": 360}
_SHOWN_DECIMALS: Final = 10

Level = TypeVar("Level", int, Decimal)


class Step(NamedTuple, Generic[Level]):
    """From the start of `from_on` on, until the next step: a principal in minor units, or a rate in percent a year."""

    from_on: date
    level: Level


@dataclass(frozen=True, slots=True)
class Run:
    """Days with one principal and one rate, first and last included; `interest` is exact, in minor units."""

    from_on: date
    through_on: date
    days: int
    principal_minor: int
    percent: Decimal
    interest: Fraction


def days_between(after_on: date, through_on: date, day_count: DayCount) -> int:
    """Count the days after `after_on` up to and with `through_on`."""
    return _serial(through_on, day_count) - _serial(after_on, day_count)


def _serial(day: date, day_count: DayCount) -> int:
    if day_count == "30/360":
        return 360 * day.year + 30 * day.month + min(day.day, 30)
    return day.toordinal()


def level_on(steps: Sequence[Step[Level]], day: date, before: Level) -> Level:
    """Return the level in force on a day; `before` where no step has begun. Steps ascend by day."""
    place = bisect_right(steps, day, key=lambda step: step.from_on)
    return steps[place - 1].level if place else before


def accrue(
    principals: Sequence[Step[int]], rates: Sequence[Step[Decimal]], day_count: DayCount, from_on: date, through_on: date
) -> list[Run]:
    """
    Return the runs of days from `from_on` to `through_on`, both included, that bear interest. Steps ascend by day.

    A principal that is not positive bears none, and a rate below zero counts as zero: nobody is paid for being late.
    """
    if from_on > through_on:
        return []
    changes = {step.from_on for steps in (principals, rates) for step in steps if from_on < step.from_on <= through_on}
    starts = [from_on, *sorted(changes)]
    ends = [*(start - ONE_DAY for start in starts[1:]), through_on]
    runs: list[Run] = []
    for start, end in zip(starts, ends, strict=True):
        principal, percent = level_on(principals, start, 0), level_on(rates, start, Decimal())
        if principal <= 0 or percent <= 0:
            continue
        last = runs[-1] if runs else None
        if last is not None and (last.through_on + ONE_DAY, last.principal_minor, last.percent) == (start, principal, percent):
            runs[-1] = _run(last.from_on, end, principal, percent, day_count)
        else:
            runs.append(_run(start, end, principal, percent, day_count))
    return runs


def _run(from_on: date, through_on: date, principal_minor: int, percent: Decimal, day_count: DayCount) -> Run:
    days = days_between(from_on - ONE_DAY, through_on, day_count)
    numerator, denominator = percent.as_integer_ratio()
    interest = Fraction(principal_minor * days * numerator, 100 * _BASIS[day_count] * denominator)
    return Run(from_on, through_on, days, principal_minor, percent, interest)


def total_minor(runs: Sequence[Run]) -> int:
    """Round the sum of all runs, once, to minor units."""
    return round_half_up(sum((run.interest for run in runs), Fraction()))


def ten_decimals(minor: Fraction, currency: str) -> str:
    """Write exact minor units as units of the currency with ten decimals, the last one rounded."""
    shown = round_half_up(minor * 10 ** (_SHOWN_DECIMALS - scale(currency)))
    digits = str(abs(shown)).zfill(_SHOWN_DECIMALS + 1)
    return f"{'-' if shown < 0 else ''}{digits[:-_SHOWN_DECIMALS]}.{digits[-_SHOWN_DECIMALS:]}"
