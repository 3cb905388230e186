"""Converting between currencies of different scales, rounded half up (PAY-13, XC-01)."""

from decimal import Decimal

import pytest
from money import convert_minor


@pytest.mark.parametrize(
    ("minor", "currency", "into", "rate", "converted"),
    [
        (4_000_00, "EUR", "USD", "1.14", 4_560_00),
        (1_000, "JPY", "USD", "0.0067", 6_70),
        (1_00, "USD", "JPY", "148.5", 149),
        (1, "USD", "BHD", "0.376", 4),
        (-1_00, "USD", "JPY", "148.5", -149),
        (0, "EUR", "USD", "1.14", 0),
    ],
)
def test_minor_units_are_converted_at_a_rate_for_one_unit(minor: int, currency: str, into: str, rate: str, converted: int) -> None:
    assert convert_minor(minor, currency, into, Decimal(rate)) == converted
