"""
How well money fits an item, in whole ten-thousandths (`_bps`): exact, and the same on every machine.

Likeness is 1 - edits / length (Levenshtein), and the score of a match the weighted sum of customer, transaction and amount: the
AutoMatch of PAY-06. Fractions are cut, never rounded up, so that a threshold is met only by what reaches it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

ONE_BPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Scoring:
    """
    How an entity scores matches; all `_bps` in ten-thousandths, the three weights add up to one.

    `recommended_bps`: names are alike enough to recommend a customer. `minimum_bps`: a match is good enough to be suggested; less than the
    other two. `auto_apply_bps`: good enough to be applied without a person; None where nothing is. `stripped` are characters that do not
    count in numbers of documents. Items that were settled up to `closed_days` ago are looked at too: they may have been paid twice.
    """

    version: str
    customer_weight_bps: int = 2_000
    transaction_weight_bps: int = 5_000
    amount_weight_bps: int = 3_000
    recommended_bps: int = 8_000
    minimum_bps: int = 6_000
    auto_apply_bps: int | None = None
    stripped: str = " -_/.,:#"
    closed_days: int = 90

    def bare(self, number: str) -> str:
        """Return a number of a document as it is compared."""
        return "".join(one for one in number.casefold() if one not in self.stripped)

    def combine(self, customer_bps: int, transaction_bps: int, amount_bps: int) -> int:
        """Return the score of a match from those of its three parts."""
        weighed = (
            self.customer_weight_bps * customer_bps + self.transaction_weight_bps * transaction_bps + self.amount_weight_bps * amount_bps
        )
        return weighed // ONE_BPS

    def of_exact_amount(self, customer_bps: int) -> int:
        """Return the score where the amount is exact and no document was named: what customer and amount say, weighed among themselves."""
        weight = self.customer_weight_bps + self.amount_weight_bps
        return (self.customer_weight_bps * customer_bps + self.amount_weight_bps * ONE_BPS) // weight


STANDARD_SCORING: Final = Scoring("standard-1")
"""What holds where an entity has published nothing: known payer and a number with one wrong character suggest, nothing applies itself."""


def similarity_bps(one: str, other: str) -> int:
    """Return how much two texts are alike: 1 - edits / length of the longer; nothing is like an empty text."""
    return likeness_bps(Levenshtein.distance(one, other), one, other)


def likeness_bps(edits: int, one: str, other: str) -> int:
    """Return how much two texts are alike that are so many edits apart."""
    length = max(len(one), len(other))
    return 0 if not one or not other else ONE_BPS * (length - edits) // length


def most_alike_bps(words: Sequence[str], numbers: Sequence[str]) -> list[int]:
    """Return for each number how much the word is like it that is most like it; both are stripped. Zero without words."""
    best = [0] * len(numbers)
    for word in words:
        for number, edits, place in process.extract(word, numbers, scorer=Levenshtein.distance, processor=None, limit=None):
            alike = likeness_bps(int(edits), word, number)
            if alike > best[place]:
                best[place] = alike
    return best


def closeness_bps(one_minor: int, other_minor: int) -> int:
    """
    Return how close two positive amounts are: the smaller as a part of the larger.

    Not by the edits between their digits: 99.99 is next to 100.00 and has no digit in common with it.
    """
    return ONE_BPS * min(one_minor, other_minor) // max(one_minor, other_minor)


def format_score(score_bps: int) -> str:
    """Write a score as the decimal string that facts carry: 8750 is "0.8750"."""
    return f"{score_bps // ONE_BPS}.{score_bps % ONE_BPS:04d}"
