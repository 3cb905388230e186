"""When something is due, counted from the day it was issued."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal

NET_DAYS_MAX: Final = 365
MONTHS_MAX: Final = 36

_net = re.compile(r"NET(0|[1-9]\d{0,2})", re.ASCII).fullmatch
_month_end = re.compile(r"EOM(?:\+([1-9]\d{0,2}))?", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class DueRule:
    """
    A due date as a rule.

    `net`: `days` calendar days after the day of issue.
    `month_end`: the last day of the month of issue or of a later one (`months` on), and `days` calendar days after that.
    `day_of_month`: the `day`th of the month of issue or of a later one, its last day where it is shorter. A month later where it was issued
    after the `cut_off_day`, or where the day would lie before the day of issue.
    """

    kind: Literal["net", "month_end", "day_of_month"]
    days: int = 0
    months: int = 0
    day: int = 0
    cut_off_day: int | None = None


IMMEDIATE: Final = DueRule("net")


def due_on(rule: DueRule, issued_on: date) -> date:
    """
    Return the day that a rule makes of a day of issue, not yet moved to a working day.

    :raises OverflowError: there is no such day in the calendar.
    """
    if rule.kind == "net":
        return issued_on + timedelta(days=rule.days)
    if rule.kind == "month_end":
        return _in_month(issued_on, rule.months, 31) + timedelta(days=rule.days)
    months = rule.months
    if rule.cut_off_day is not None and issued_on.day > rule.cut_off_day:
        months += 1
    due = _in_month(issued_on, months, rule.day)
    return due if due >= issued_on else _in_month(issued_on, months + 1, rule.day)


def _in_month(start: date, months: int, day: int) -> date:
    """The day of the month that begins `months` after the one of `start`, or the last day of a shorter month."""
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    if year > date.max.year:
        raise OverflowError(f"{months} months after {start} there is no calendar")
    return date(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]))


@lru_cache(maxsize=1_000)
def rule_of_code(code: str) -> DueRule | None:
    """Read `NET<n>`, `IMMEDIATE`, `EOM`, `EOM+<n>` (n calendar days after the end of the month) or `EONM`, the end of the month after."""
    if code == "IMMEDIATE":
        return IMMEDIATE
    if code == "EONM":
        return DueRule("month_end", months=1)
    if match := _net(code):
        days = int(match[1])
        return DueRule("net", days) if days <= NET_DAYS_MAX else None
    if match := _month_end(code):
        days = int(match[1] or 0)
        return DueRule("month_end", days) if days <= NET_DAYS_MAX else None
    return None
