"""Which items add up to an amount (PAY-18)."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment.domain.covers import PIECES_MAX, Cover, find_cover


@pytest.mark.parametrize(
    ("target_minor", "pieces", "found"),
    [
        (475, [100, 250, 400, 75], Cover((2, 3))),
        (300, [100, 200, 300], Cover(is_ambiguous=True)),  # 300, or 100 and 200.
        (500, [500, 500], Cover(is_ambiguous=True)),
        (250, [500, 300, -50], Cover((1, 2))),  # Credit is netted.
        (99, [100, 200], Cover()),
        (1_000, [100, 200], Cover()),
        (100, [], Cover()),
    ],
)
def test_one_answer_is_told_from_none_and_from_several(target_minor: int, pieces: list[int], found: Cover) -> None:
    """PAY-18, by hand."""
    assert find_cover(target_minor, pieces) == found


@given(st.integers(1, 40), st.lists(st.integers(-10, 20).filter(bool), max_size=9))
def test_what_is_found_is_what_trying_all_sets_finds(target_minor: int, pieces: list[int]) -> None:
    """PAY-18: the sum of a cover is the amount, and it is the only set of pieces of that sum."""
    places = range(len(pieces))
    answers = [
        chosen
        for size in range(1, len(pieces) + 1)
        for chosen in combinations(places, size)
        if sum(pieces[one] for one in chosen) == target_minor
    ]
    found = find_cover(target_minor, pieces)
    assert found.is_ambiguous == (len(answers) > 1)
    assert found.places == (answers[0] if len(answers) == 1 else ())


def test_the_work_is_bounded() -> None:
    """PAY-18: thirty pieces are searched in two halves of 2^15 sums; more are refused, and so is nothing to be covered."""
    assert find_cover(2**30 - 1, [2**n for n in range(PIECES_MAX)]) == Cover(tuple(range(PIECES_MAX)))
    with pytest.raises(ValueError, match="at most 30"):
        find_cover(1, [1] * (PIECES_MAX + 1))
    with pytest.raises(ValueError, match="positive"):
        find_cover(0, [1])
