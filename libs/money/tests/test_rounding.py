"""Rounding half up, away from zero (XC-01)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from money import round_half_up


@pytest.mark.parametrize(
    ("exact", "minor"),
    [
        ("0.5", 1),
        ("-0.5", -1),
        ("1.5", 2),
        ("2.5", 3),
        ("-2.5", -3),
        ("2.4999999999999999999999", 2),
        ("-2.4", -2),
        ("0", 0),
        ("7", 7),
        ("1E+3", 1000),
    ],
)
def test_a_half_goes_away_from_zero(exact: str, minor: int) -> None:
    assert round_half_up(Decimal(exact)) == minor
    assert round_half_up(Fraction(exact)) == minor


@given(st.fractions())
def test_the_nearest_whole_is_at_most_a_half_away(exact: Fraction) -> None:
    rounded = round_half_up(exact)
    assert abs(rounded - exact) <= Fraction(1, 2)
    assert round_half_up(-exact) == -rounded
    if abs(rounded - exact) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)


def test_a_third_of_a_cent_is_exact_until_it_is_rounded() -> None:
    assert round_half_up(Fraction(1, 3) + Fraction(1, 6)) == 1


def test_inexact_numbers_are_refused() -> None:
    with pytest.raises(TypeError):
        round_half_up(0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        round_half_up(Decimal(value))
