"""The tax in an adjustment."""

from fractions import Fraction

from money import round_half_up


def tax_part(standing_minor: int, amount_minor: int, tax_minor: int) -> int:
    """
    Return how much of what stands of an adjustment is tax, in proportion to what was approved, half up.

    What a posting or a recovery moves is the difference before and after it, so the last one takes the rest: of 480.00 with 80.00 of tax
    240.00 recovered have 40.00, and all of it has 80.00, in whatever parts.
    """
    return round_half_up(Fraction(standing_minor * tax_minor, amount_minor))
