"""Splitting without losing a cent: the method of the largest remainder."""

from collections.abc import Sequence

from money.amount import Money


class WeightsUnusable(ValueError):
    """Nothing can be split by these weights: none, a negative one, or all zero."""

    code = "WEIGHTS_UNUSABLE"


def split_minor(minor: int, weights: Sequence[int]) -> list[int]:
    """
    Split minor units in proportion to integer weights, in the order of the weights; the parts sum to the whole.

    Every part is its exact share rounded towards zero; what is left goes, one unit each, to the largest remainders, first come first
    served among equal ones.
    A negative amount splits like its opposite; a weight of zero gets nothing.

    :raises WeightsUnusable: no weights, a negative weight, or a sum of zero.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise WeightsUnusable(f"cannot split by {len(weights)} weights that sum to {total}: all must be >= 0, one > 0")
    sign = -1 if minor < 0 else 1
    shares = [divmod(abs(minor) * weight, total) for weight in weights]
    parts = [whole for whole, _ in shares]
    left = abs(minor) - sum(parts)
    by_remainder = sorted(range(len(shares)), key=lambda place: -shares[place][1])  # Stable: the first of equals comes first.
    for place in by_remainder[:left]:
        parts[place] += 1
    return [sign * part for part in parts]


def split(whole: Money, weights: Sequence[int]) -> list[Money]:
    """Split money like `split_minor`."""
    return [Money(part, whole.currency) for part in split_minor(whole.minor, weights)]
