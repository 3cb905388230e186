"""What paying early is worth, in money, as it is decided when a document is issued (INV-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from money import round_half_up

from invoice.domain.components import Components
from invoice.domain.faults import percent_text
from invoice.domain.terms import DiscountBase, DiscountRules, Partial, TaxChoice, Tier


@dataclass(frozen=True, slots=True)
class DiscountTier:
    """The full discount for a value date up to `until_on`, and what of it is tax, in minor units; grace days are not counted in."""

    percent: str
    until_on: date
    amount_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class DiscountTerms:
    """
    Under which terms a document may be paid early for less.

    `tax_choice`: `included` discounts base and tax, `excluded` the base only, and `mixed` says that the tax was computed on the discounted
    base from the start, so that only the base is left to discount (the three of Odoo 16). `base` is `gross`, all net amounts, or `goods`,
    without freight and charges.
    """

    tiers: tuple[DiscountTier, ...]
    grace_days: int
    tax_choice: TaxChoice
    base: DiscountBase
    partial: Partial


def discount_terms(tiers: Sequence[Tier], rules: DiscountRules, components: Components, issued_on: date) -> DiscountTerms | None:
    """
    State the discount of each tier in money; None where there is nothing to discount.

    The amount is rounded once, percent x (base + its tax), and the tax part for itself.

    :raises OverflowError: a tier lasts beyond the calendar.
    """
    base_minor = components.goods_minor if rules.base == "goods" else components.net_minor
    tax = components.goods_tax if rules.base == "goods" else components.tax_minor
    if rules.tax_choice != "included":
        tax = 0
    if not tiers or not base_minor + tax:
        return None
    stated = []
    for tier in tiers:
        share = Fraction(tier.percent) / 100
        stated.append(
            DiscountTier(
                percent_text(tier.percent),
                issued_on + timedelta(days=tier.days),
                round_half_up((base_minor + tax) * share),
                round_half_up(tax * share),
            )
        )
    return DiscountTerms(tuple(stated), rules.grace_days, rules.tax_choice, rules.base, rules.partial)
