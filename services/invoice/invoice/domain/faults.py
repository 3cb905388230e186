"""What can be wrong with what was sent, and how amounts, percentages and rates are read out of text."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from policies.faults import FIRST_DAY, Fault, check_day, read_amount, read_owed, read_percent, read_rate

__all__ = [
    "ISSUED_ON_MIN",
    "Fault",
    "as_code",
    "check_day",
    "check_sum",
    "percent_text",
    "read_amount",
    "read_owed",
    "read_percent",
    "read_rate",
]

ISSUED_ON_MIN: Final = FIRST_DAY

_code = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII).fullmatch


def as_code(text: str | None) -> str | None:
    """Return a reason that is a code of at most 40 characters; None for another text, which is left with its sender: it may name people."""
    return text if text is not None and _code(text) else None


def check_sum(code: str, field: str, parts: Iterable[int | None], total_minor: int | None, faults: list[Fault]) -> None:
    """Say that the parts do not add up; where one of them could not be read, that has been said already."""
    read = list(parts)
    known = [minor for minor in read if minor is not None]
    if total_minor is not None and len(known) == len(read) and sum(known) != total_minor:
        faults.append(Fault(code, field))


def percent_text(percent: Decimal) -> str:
    """Write a percentage the shortest way: "2", "2.5"."""
    return format(percent.normalize(), "f")
