"""
What can be wrong with what was sent: a code and a field for each fault, all of them at once. And how amounts, percentages, rates and days
are read out of text.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from money import AmountRefused, parse_minor

FIRST_DAY: Final = date(1970, 1, 1)
"""Nothing is dated earlier: what is, is a slip of the pen."""

_rate = re.compile(r"(0|[1-9]\d{0,8})(\.\d{1,10})?", re.ASCII).fullmatch
_percent = re.compile(r"(0|[1-9]\d{0,2})(\.\d{1,4})?", re.ASCII).fullmatch


class Fault(NamedTuple):
    """One reason against something that was sent: a stable code and the field it is about, `instalments[1].amount` counted from 0."""

    code: str
    field: str


def read_amount(text: str, currency: str, field: str, faults: list[Fault]) -> int | None:
    """Read a decimal string as minor units; None, with the fault, where it is none of this currency."""
    try:
        return parse_minor(text, currency)
    except AmountRefused as error:
        faults.append(Fault(error.code, field))
        return None


def read_owed(text: str, currency: str, field: str, faults: list[Fault]) -> int | None:
    """Read an amount that is zero or more; one below is told and returned all the same, so that sums are still checked."""
    minor = read_amount(text, currency, field, faults)
    if minor is not None and minor < 0:
        faults.append(Fault("AMOUNT_NEGATIVE", field))
    return minor


def read_percent(text: object, field: str, faults: list[Fault]) -> Decimal | None:
    """Read a percentage, a plain decimal string above 0 and up to 100 with at most four decimals."""
    if not isinstance(text, str) or not _percent(text):
        faults.append(Fault("PERCENT_MALFORMED", field))
        return None
    percent = Decimal(text)
    if not 0 < percent <= 100:
        faults.append(Fault("PERCENT_OUT_OF_RANGE", field))
        return None
    return percent


def read_rate(text: str, field: str, faults: list[Fault]) -> Decimal | None:
    """Read a rate of exchange, a plain decimal string above 0 with at most ten decimals."""
    if not _rate(text) or not Decimal(text):
        faults.append(Fault("RATE_MALFORMED", field))
        return None
    return Decimal(text)


def check_day(day: date, field: str, faults: list[Fault]) -> None:
    """Say that a date lies before anything we keep books of."""
    if day < FIRST_DAY:
        faults.append(Fault("DATE_OUT_OF_RANGE", field))
