"""Which customers may have paid, by how much their names are like the debtor's (PAY-06, PAY-11)."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from payment.domain.names import NAME_LENGTH_MAX, NamedCustomer
from payment.domain.scores import ONE_BPS, likeness_bps

RECOMMENDED_MAX: Final = 5
"""As many customers are recommended for one name."""


class Recommended(NamedTuple):
    """A customer who may have paid, and how much the names are alike in ten-thousandths."""

    customer: str
    score_bps: int


def lengths_alike(name: str, score_bps: int) -> tuple[int, int]:
    """Return how long a name is at least and at most that can be alike to this one by as much: every missing character is an edit."""
    length = len(name)
    return -(-length * score_bps // ONE_BPS), NAME_LENGTH_MAX if score_bps == 0 else length * ONE_BPS // score_bps


def recommend(name: str, customers: Sequence[NamedCustomer], score_bps: int) -> list[Recommended]:
    """
    Return the customers whose names are alike to a name by at least `score_bps`, the most alike first, then by number.

    Both sides are written by `normalise_name`. Nobody is recommended for an empty name.
    """
    if not name:
        return []
    longest = lengths_alike(name, score_bps)[1]
    edits_max = longest * (ONE_BPS - score_bps) // ONE_BPS
    names = [one.name for one in customers]
    found = process.extract(name, names, scorer=Levenshtein.distance, processor=None, score_cutoff=edits_max, limit=None)
    alike = [Recommended(customers[place].customer, likeness_bps(int(edits), name, other)) for other, edits, place in found]
    return sorted((one for one in alike if one.score_bps >= score_bps), key=lambda one: (-one.score_bps, one.customer))[:RECOMMENDED_MAX]
