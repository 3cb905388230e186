"""From one currency into another, at a rate that somebody else has stated."""

from decimal import Decimal
from fractions import Fraction

from money.currency import scale
from money.rounding import round_half_up


def convert_minor(minor: int, currency: str, into: str, rate: Decimal) -> int:
    """
    Convert minor units of one currency into minor units of another, rounded half up.

    `rate` is how many units of `into` one unit of `currency` is worth.

    :raises CurrencyUnknown: see `money.scale`.
    """
    scales = Fraction(10) ** (scale(into) - scale(currency))
    return round_half_up(minor * Fraction(rate) * scales)
