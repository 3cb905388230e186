"""Which items add up to an amount (PAY-18): a bounded search that tells one answer from several."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PIECES_MAX: Final = 30
"""As many pieces are looked at: the search meets in the middle and makes at most 2 x 2^15 sums."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What was found: the places of the pieces that add up, or nothing, because there is no answer or `is_ambiguous`: there are several."""

    places: tuple[int, ...] = ()
    is_ambiguous: bool = False


def find_cover(target_minor: int, pieces: Sequence[int]) -> Cover:
    """
    Find the one set of pieces whose sum is the target; pieces may be negative (credit), the target is positive.

    Sums of one half of the pieces are looked up in those of the other half.

    :raises ValueError: the target is not positive, or there are more than `PIECES_MAX` pieces.
    """
    if target_minor <= 0:
        raise ValueError("only a positive amount is covered")
    if len(pieces) > PIECES_MAX:
        raise ValueError(f"at most {PIECES_MAX} pieces are searched")
    if sum(piece for piece in pieces if piece > 0) < target_minor:
        return Cover()
    middle = len(pieces) // 2
    left, right = _sums(pieces[:middle]), _sums(pieces[middle:])
    times = Counter(left)
    hits = [(place, times[target_minor - minor]) for place, minor in enumerate(right) if target_minor - minor in times]
    answers = sum(count for _, count in hits)
    if answers != 1:
        return Cover(is_ambiguous=answers > 1)
    chosen_right = hits[0][0]
    chosen = left.index(target_minor - right[chosen_right]) | chosen_right << middle
    return Cover(tuple(place for place in range(len(pieces)) if chosen >> place & 1))


def _sums(pieces: Sequence[int]) -> list[int]:
    """Return the sum of every subset: that of the pieces whose bits are set in a number stands at the place of that number."""
    sums = [0]
    for piece in pieces:
        sums += [minor + piece for minor in sums]
    return sums
