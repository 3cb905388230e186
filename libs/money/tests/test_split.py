"""Splitting by largest remainder (XC-01): the parts are fair and sum to the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from money import Money, WeightsUnusable, split, split_minor

wholes = st.builds(Money, st.integers(-(10**15), 10**15), st.sampled_from(["JPY", "USD", "KWD", "CLF"]))
weight_lists = st.lists(st.integers(0, 10**12), min_size=1, max_size=20).filter(any)


@given(wholes, weight_lists)
def test_the_parts_sum_to_the_whole(whole: Money, weights: list[int]) -> None:
    assert sum(split(whole, weights), start=Money(0, whole.currency)) == whole


@given(wholes, weight_lists)
def test_every_part_is_within_one_minor_unit_of_its_exact_share(whole: Money, weights: list[int]) -> None:
    total = sum(weights)
    for part, weight in zip(split(whole, weights), weights, strict=True):
        assert abs(part.minor * total - whole.minor * weight) < total


@given(wholes, weight_lists)
def test_a_credit_splits_like_its_debit(whole: Money, weights: list[int]) -> None:
    assert split(-whole, weights) == [-part for part in split(whole, weights)]


@given(st.integers(0, 10**15), weight_lists)
def test_a_larger_weight_never_gets_less(minor: int, weights: list[int]) -> None:
    parts = split_minor(minor, weights)
    by_weight = [part for _, part in sorted(zip(weights, parts, strict=True))]
    assert by_weight == sorted(parts)


def test_left_over_units_go_to_the_largest_remainders_and_the_first_of_equal_ones() -> None:
    assert split_minor(100, [1, 1, 1]) == [34, 33, 33]
    assert split_minor(-100, [1, 1, 1]) == [-34, -33, -33]
    assert split_minor(101, [1, 1, 1]) == [34, 34, 33]
    assert split_minor(10, [15, 15, 70]) == [2, 1, 7]
    assert split_minor(10, [16, 15, 69]) == [2, 1, 7]
    assert split_minor(7, [0, 3, 0, 1]) == [0, 5, 0, 2]
    assert split_minor(1, [1, 2, 3]) == [0, 0, 1]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1, 2], [1, -1], [-3]])
def test_unusable_weights_are_refused(weights: list[int]) -> None:
    with pytest.raises(WeightsUnusable):
        split_minor(100, weights)
