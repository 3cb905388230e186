"""
Amounts with more decimals than their currency has, as converted amounts have: made whole minor units without losing the sum.

Rounding each amount by itself moves a total by half a unit an amount. Here what rounding an amount leaves over is carried to the next one,
so that a run of amounts comes to its exact sum, rounded once HALF_UP. An amount that is whole already stays as it is, any other becomes
one of the two whole ones beside it.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import floor

from money import scale

_HALF = Fraction(1, 2)


def exact_minor(amount: Decimal, currency: str) -> Fraction:
    """Return an amount in minor units, exactly: 0.125 USD is 12 1/2."""
    unit: int = 10 ** scale(currency)
    return Fraction(amount) * unit


def carried(exact: Iterable[Fraction]) -> list[int]:
    """
    Round amounts of one sign, in minor units, to whole ones whose sum is the exact sum rounded HALF_UP.

    The k-th is what the first k come to, rounded, less what the first k-1 come to, rounded.
    """
    rounded: list[int] = []
    sum_exact, sum_rounded = Fraction(), 0
    for one in exact:
        sum_exact += one
        now = floor(abs(sum_exact) + _HALF) * (-1 if sum_exact < 0 else 1)
        rounded.append(now - sum_rounded)
        sum_rounded = now
    return rounded
