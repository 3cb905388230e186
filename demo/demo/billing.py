"""What billing schedules bill, computed from the ledger alone: months by the calendar, nothing of the services."""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta

from demo.ledger import Invoice, Schedule

_ONE_DAY = timedelta(days=1)


def billed_on(schedules: Iterable[Schedule], day: date) -> list[Invoice]:
    """
    Return the invoices that are made when a business day begins: of that day, and of the day before where the schedule was made then.

    A schedule is made while its first day is open, so that its first invoice comes a day late, with its own date.
    """
    invoices = []
    for schedule in schedules:
        if day - _ONE_DAY == schedule.starts_on:
            invoices.append(_invoice(schedule, schedule.starts_on))
        if day > schedule.starts_on and day == _occurrence(schedule, day):
            invoices.append(_invoice(schedule, day))
    return invoices


def _occurrence(schedule: Schedule, month: date) -> date:
    """Return the day in a month on which a schedule bills: the one it began on, the last one of a shorter month."""
    last = calendar.monthrange(month.year, month.month)[1]
    return month.replace(day=min(schedule.starts_on.day, last))


def _invoice(schedule: Schedule, issued_on: date) -> Invoice:
    number = f"{schedule.schedule_no}-{issued_on:%Y%m%d}"
    due_on = issued_on + timedelta(days=schedule.net_days)
    return Invoice(number, schedule.customer, schedule.currency, issued_on, due_on, schedule.amount_minor)
