"""What is taken off an item without money: adjustments that people approved, discounts, and what a payment may keep back besides."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from torture.check.fold.posting import Folder, Posting
from torture.check.folded import DISCOUNTS, LET_GO, Folded, FoldedAllowance


def _adjustment_posted(folded: Folded, told: Posting) -> None:
    _adjust(folded, told, told.minor())


def _adjustment_reversed(folded: Folded, told: Posting) -> None:
    _adjust(folded, told, -told.minor())


def _adjust(folded: Folded, told: Posting, minor: int) -> None:
    """Write so much off an item, or take that back where `minor` is negative. Of some kinds nobody was asked."""
    data = told.fact.data
    name, due_on = data["item"], date.fromisoformat(data["due_on"])
    item = told.item(folded, name, due_on)
    if data["kind"] in LET_GO:
        item.let_go_minor += minor
        _allow(folded, told, data["adjustment"], minor)
    else:
        item.adjusted_minor += minor
        adjustment = folded.adjustments[data["adjustment"]]
        adjustment.posted_minor += minor
        adjustment.places.add(name)
    told.take_off(folded, name, "written_off", minor, due_on)


def _discount_granted(folded: Folded, told: Posting) -> None:
    _discount(folded, told, told.minor())


def _discount_revoked(folded: Folded, told: Posting) -> None:
    _discount(folded, told, -told.minor())


def _discount(folded: Folded, told: Posting, minor: int) -> None:
    data = told.fact.data
    if data["kind"] not in DISCOUNTS:
        raise ValueError(f"{data['kind']!r} is no kind of discount")
    due_on = date.fromisoformat(data["due_on"])
    told.item(folded, data["item"], due_on).discounted_minor += minor
    _allow(folded, told, data["discount"], minor)
    told.take_off(folded, data["item"], "discounted", minor, due_on)


def _allow(folded: Folded, told: Posting, name: str, minor: int) -> None:
    data = told.fact.data
    allowance = folded.allowances.setdefault((name, data["receipt"], data["item"]), FoldedAllowance(data["kind"], told.currency))
    allowance.amount_minor += minor


FOLDS: Final[Mapping[str, Folder]] = {
    "AdjustmentPosted": _adjustment_posted,
    "AdjustmentReversed": _adjustment_reversed,
    "DiscountGranted": _discount_granted,
    "DiscountRevoked": _discount_revoked,
}
"""Facts about allowances and adjustments that are folded."""
