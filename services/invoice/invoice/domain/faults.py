"""What can be wrong with what was sent, and how amounts, percentages and rates are read out of text."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from money import AmountRefused, parse_minor

ISSUED_ON_MIN: Final = date(1970, 1, 1)
"""Nothing is dated earlier: what is, is a slip of the pen."""

_percent = re.compile(r"(0|[1-9]\d{0,2})(\.\d{1,4})?", re.ASCII).fullmatch
_rate = re.compile(r"(0|[1-9]\d{0,8})(\.\d{1,10})?", re.ASCII).fullmatch
_code = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII).fullmatch


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


def as_code(text: str | None) -> str | None:
    """Return a reason that is a code of at most 40 characters; None for another text, which is left with its sender: it may name people."""
    return text if text is not None and _code(text) else None


def check_sum(code: str, field: str, parts: Iterable[int | None], total_minor: int | None, faults: list[Fault]) -> None:
    """Say that the parts do not add up; where one of them could not be read, that has been said already."""
    read = list(parts)
    known = [minor for minor in read if minor is not None]
    if total_minor is not None and len(known) == len(read) and sum(known) != total_minor:
        faults.append(Fault(code, field))


def check_day(day: date, field: str, faults: list[Fault]) -> None:
    """Say that a date lies before anything we keep books of."""
    if day < ISSUED_ON_MIN:
        faults.append(Fault("DATE_OUT_OF_RANGE", field))


def percent_text(percent: Decimal) -> str:
    """Write a percentage the shortest way: "2", "2.5"."""
    return format(percent.normalize(), "f")
