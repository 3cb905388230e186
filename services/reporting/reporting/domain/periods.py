"""A month of open items, and the ends of months."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class RollForward:
    """
    How open items came from one month's end to the next, in one currency, by effective date and net of reversals.

    `charged_minor` is what late charges and fees billed, less those voided. `credited_minor` is memo credit applied, `settled_minor` money
    applied, `discounted_minor` discounts granted, `written_off_minor` what was adjusted or written off less what was recovered; these and
    `voided_minor` are positive when they reduce what is open. `reversed_minor`, `refunded_minor` and `transferred_minor` are money that
    left its account in the month: taken back by banks, paid back to payers, gone to other accounts.
    """

    currency: str
    opening_minor: int
    invoiced_minor: int
    charged_minor: int
    credited_minor: int
    settled_minor: int
    discounted_minor: int
    written_off_minor: int
    voided_minor: int
    unapplied_minor: int
    credit_minor: int
    reversed_minor: int
    refunded_minor: int
    transferred_minor: int

    @property
    def closing_minor(self) -> int:
        """Opening + invoiced + charged - credited - settled - discounted - written off - voided."""
        billed_minor = self.invoiced_minor + self.charged_minor - self.voided_minor
        given_up_minor = self.discounted_minor + self.written_off_minor
        return self.opening_minor + billed_minor - self.credited_minor - self.settled_minor - given_up_minor


def month_bounds(month: str) -> tuple[date, date]:
    """Return the first and the last day of a month written `YYYY-MM`; ValueError when it is no month."""
    first = date.fromisoformat(f"{month}-01")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def next_month_end(day: date) -> date:
    """Return the last day of the month after that of a month's end."""
    return month_end(day + timedelta(days=1))


def is_month_end(day: date) -> bool:
    """Say whether a day is the last of its month."""
    return day == month_end(day)
