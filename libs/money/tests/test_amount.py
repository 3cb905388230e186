"""Money (XC-01): arithmetic within one currency, and nothing else."""

import dataclasses
import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from money import CurrencyMismatch, CurrencyUnknown, Money, scale

amounts = st.integers(-(10**15), 10**15).map(lambda minor: Money(minor, "EUR"))


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge])
def test_different_currencies_never_add_or_compare(operation: Callable[[Money, Money], Any]) -> None:
    with pytest.raises(CurrencyMismatch, match="EUR and USD"):
        operation(Money(1, "EUR"), Money(1, "USD"))


def test_the_same_number_in_another_currency_is_not_equal() -> None:
    assert Money(1, "EUR") != Money(1, "USD")
    assert len({Money(1, "EUR"), Money(1, "USD"), Money(1, "EUR")}) == 2


@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.lt, operator.ge])
@pytest.mark.parametrize("other", [1, 0, 1.5, "1"])
def test_money_and_a_bare_number_do_not_mix(operation: Callable[[Any, Any], Any], other: object) -> None:
    with pytest.raises(TypeError):
        operation(Money(1, "EUR"), other)


@pytest.mark.parametrize("minor", [1.0, True, "1", None])
def test_minor_units_are_whole_numbers(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")  # type: ignore[arg-type]


def test_money_of_an_unknown_currency_cannot_be() -> None:
    with pytest.raises(CurrencyUnknown):
        Money(1, "EURO")


def test_money_never_changes() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Money(1, "EUR").minor = 2  # type: ignore[misc]


@given(amounts, amounts)
def test_what_is_added_can_be_taken_away(one: Money, other: Money) -> None:
    assert one + other - other == one
    assert one - other == -(other - one)
    assert abs(one) == max(one, -one)
    assert bool(one) == (one != Money(0, "EUR"))


@given(amounts, amounts)
def test_order_is_the_order_of_the_amounts(one: Money, other: Money) -> None:
    assert (one < other) == (one.minor < other.minor) == (other > one)
    assert (one <= other) == (one.minor <= other.minor) == (other >= one)


def test_a_sum_starts_from_money() -> None:
    assert sum([Money(1, "EUR"), Money(2, "EUR")], start=Money(0, "EUR")) == Money(3, "EUR")


ISO_4217 = {
    0: "JPY KRW ISK CLP XAF",
    2: "USD EUR HUF RSD AFN MGA BGN XCD",
    3: "BHD KWD TND IQD",
    4: "CLF UYW",
}


@pytest.mark.parametrize(("decimals", "codes"), ISO_4217.items())
def test_scales_are_those_of_iso_4217_where_custom_differs(decimals: int, codes: str) -> None:
    assert {code: scale(code) for code in codes.split()} == dict.fromkeys(codes.split(), decimals)
