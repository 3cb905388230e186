"""How a total is spread over due dates (INV-03)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

import msgspec
from money import round_half_up

from invoice.domain.calendars import Roll
from invoice.domain.due_rules import due_on
from invoice.domain.terms import TermsDefinition

INSTALMENTS_MAX: Final = 360  # Thirty years of months.

RollDay: TypeAlias = Callable[[date, Roll], date]
"""Moves a day that an entity does not work, by a convention: `Calendar.roll`."""


class Instalment(msgspec.Struct, frozen=True, gc=False):
    """One part of a document, numbered from 1; it is the item `entity|document_no|n`."""

    n: int
    due_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Retention:
    """A part of a total, in minor units, that is due later than the rest (INV-14)."""

    amount_minor: int
    due_on: date


def retained(total_minor: int, percent: Decimal) -> int:
    """Return what of a total is retained, in minor units."""
    return round_half_up(Fraction(percent) * total_minor / 100)


def instalments_by_terms(
    total_minor: int, issued_on: date, terms: TermsDefinition, roll: RollDay, retention: Retention | None = None
) -> tuple[Instalment, ...]:
    """
    Spread a total as its terms say; a retention is taken off first and becomes the last instalment.

    Due dates are moved to working days as the terms say, but never before the day of issue. The date of a retention was agreed and stays.

    :raises OverflowError: a due date lies beyond the calendar.
    """
    spread = total_minor - (retention.amount_minor if retention else 0)
    dates = [_moved(due_on(part.due, issued_on), issued_on, terms.roll, roll) for part in terms.parts]
    amounts = _amounts(spread, [part.percent for part in terms.parts])
    instalments = [Instalment(n, due, minor) for n, (due, minor) in enumerate(zip(dates, amounts, strict=True), start=1)]
    if retention is not None:
        instalments.append(Instalment(len(instalments) + 1, retention.due_on, retention.amount_minor))
    return tuple(instalments)


def _moved(due: date, issued_on: date, convention: Roll, roll: RollDay) -> date:
    if convention == "none":
        return due
    moved = roll(due, convention)
    return moved if moved >= issued_on else roll(due, "following")


def _amounts(total_minor: int, percents: Sequence[Decimal]) -> list[int]:
    """Round every part but the last, which takes the rest; none is more than what is left, so that the last is never negative."""
    left, amounts = total_minor, []
    for percent in percents[:-1]:
        amount = min(round_half_up(Fraction(percent) * total_minor / 100), left)
        amounts.append(amount)
        left -= amount
    return [*amounts, left]
