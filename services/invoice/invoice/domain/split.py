"""
What a part payment pays of a document: its goods, its tax, its freight, its charges (INV-11, PAY-12). Pure: values in, values out.

Rule sets as in Oracle Receivables (application rule sets), where overapplication comes last in each, and that of § 367 BGB. The split
follows from the sum of all that was settled so far, so that part payments add up to each part exactly and taking one back undoes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from money import round_half_up

from invoice.domain.faults import Fault


class RuleSet(StrEnum):
    """
    What is paid first of a document.

    `line_first_tax_after`: goods, then tax, freight, charges. `line_and_tax_prorate`: goods and tax in proportion, then freight, charges.
    `prorate_all`: all of them in proportion. `costs_interest_principal`: charges, which are the costs and interest of a document, then the
    principal, its parts in proportion (§ 367 (1) BGB).
    """

    LINE_FIRST_TAX_AFTER = "line_first_tax_after"
    LINE_AND_TAX_PRORATE = "line_and_tax_prorate"
    PRORATE_ALL = "prorate_all"
    COSTS_INTEREST_PRINCIPAL = "costs_interest_principal"


STANDARD_SPLIT: Final[Mapping[str, Any]] = {"rule_set": RuleSet.PRORATE_ALL.value}
"""The body of the policy `split` where an entity has none."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Minor units by part of a document; `over` is what was applied beyond its total."""

    goods_minor: int
    tax_minor: int = 0
    freight_minor: int = 0
    charges_minor: int = 0
    over_minor: int = 0

    def __sub__(self, other: "Parts") -> "Parts":
        return Parts(
            self.goods_minor - other.goods_minor,
            self.tax_minor - other.tax_minor,
            self.freight_minor - other.freight_minor,
            self.charges_minor - other.charges_minor,
            self.over_minor - other.over_minor,
        )

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.tax_minor + self.freight_minor + self.charges_minor + self.over_minor


def parse_split(body: Mapping[str, Any]) -> RuleSet | list[Fault]:
    """Read the body of a policy of kind `split`, `{"rule_set": …}`, or return every fault it has."""
    faults = [Fault("FIELD_UNKNOWN", field) for field in sorted(body.keys() - STANDARD_SPLIT.keys())]
    try:
        rule_set = RuleSet(body.get("rule_set", ""))
    except ValueError:
        return [*faults, Fault("RULE_SET_UNKNOWN" if "rule_set" in body else "MISSING", "rule_set")]
    return faults or rule_set


def split_settled(settled_minor: int, document: Parts, rule_set: RuleSet) -> Parts:
    """
    Split all that was settled of a document so far over what it is made of; the parts sum to `settled_minor`.

    More settled is never less of any part, and all settled is all of every part. No part of `document` is negative.
    """
    total_minor = document.total_minor
    if settled_minor < 0 or total_minor <= 0:  # Given back before it was seen to be taken, or nothing to pay: no part of the document.
        return Parts(0, over_minor=settled_minor)
    paid = min(settled_minor, total_minor)
    goods, tax, freight, charges = document.goods_minor, document.tax_minor, document.freight_minor, document.charges_minor
    match rule_set:
        case RuleSet.LINE_FIRST_TAX_AFTER:
            goods, tax, freight, charges = _in_turn(paid, (goods, tax, freight, charges))
        case RuleSet.LINE_AND_TAX_PRORATE:
            line_and_tax, freight, charges = _in_turn(paid, (goods + tax, freight, charges))
            tax, goods = _prorate(line_and_tax, (tax, goods))
        case RuleSet.PRORATE_ALL:
            tax, charges, freight, goods = _prorate(paid, (tax, charges, freight, goods))
        case RuleSet.COSTS_INTEREST_PRINCIPAL:
            charges, principal = _in_turn(paid, (charges, goods + tax + freight))
            tax, freight, goods = _prorate(principal, (tax, freight, goods))
    return Parts(goods, tax, freight, charges, settled_minor - paid)


def split_movements(amounts_minor: Iterable[int], document: Parts, rule_set: RuleSet) -> list[Parts]:
    """Split what was taken off a document, and given back, one after the other: each by what it changes."""
    splits, settled_minor, before = [], 0, Parts(0)
    for amount_minor in amounts_minor:
        settled_minor += amount_minor
        after = split_settled(settled_minor, document, rule_set)
        splits.append(after - before)
        before = after
    return splits


def _in_turn(minor: int, parts: Iterable[int]) -> list[int]:
    """Fill the parts one after the other."""
    filled = []
    for part in parts:
        filled.append(min(minor, part))
        minor -= filled[-1]
    return filled


def _prorate(minor: int, parts: Iterable[int]) -> list[int]:
    """
    Split in proportion to the parts, none of them negative: the first is rounded against all others, the second against what is left, …

    Each step splits in two, which the largest remainder does without ever taking from one for more of the whole; over more than two at
    once it may (the Alabama paradox), and a payment would then take back some of a part.
    """
    weights = list(parts)
    shares = []
    left, weight_left = minor, sum(weights)
    for weight in weights:
        share = round_half_up(Fraction(left * weight, weight_left)) if weight_left else 0
        shares.append(share)
        left, weight_left = left - share, weight_left - weight
    return shares
