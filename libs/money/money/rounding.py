"""The one rounding of the house, always asked for by name."""

from decimal import Decimal
from fractions import Fraction


def round_half_up(minor: Fraction | Decimal | int) -> int:
    """
    Round an exact number of minor units to whole ones; a half goes away from zero (2.5 -> 3, -2.5 -> -3).

    :raises TypeError: a float, which is not exact.
    :raises ValueError: not a finite number.
    """
    if not isinstance(minor, Fraction | Decimal | int):
        raise TypeError(f"only exact numbers are rounded, not {type(minor).__name__}")
    if isinstance(minor, Decimal) and not minor.is_finite():
        raise ValueError(f"{minor} is not a finite number")
    exact = Fraction(minor)
    whole = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return whole if exact >= 0 else -whole
