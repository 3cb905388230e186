"""What a document says as a whole, shared among its instalments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise

from events.invoice import DiscountTerms
from money import parse_minor, round_half_up

from payment.domain.books import EarlyPayment, Tier


@dataclass(frozen=True, slots=True)
class Early:
    """The discount terms of an instalment as they are kept; `until_on` of a tier has the grace days in it."""

    tiers: tuple[Tier, ...]
    is_prorated: bool
    unearned_allowed: bool

    def of(self, billed_minor: int, granted_minor: int, relieved_minor: int) -> EarlyPayment:
        """Return the terms with what became of the instalment so far."""
        return EarlyPayment(self.tiers, billed_minor, self.is_prorated, self.unearned_allowed, granted_minor, relieved_minor)


def share(minor: int, among: Sequence[int]) -> list[int]:
    """Share an amount in proportion to others; the parts add up to it, the last takes the rounding. Of nothing everybody has nothing."""
    whole = sum(among)
    if not whole:
        return [0] * len(among)
    ends = [round_half_up(Fraction(minor * up_to, whole)) for up_to in accumulate(among, initial=0)]
    return [end - begin for begin, end in pairwise(ends)]


def early_payment(discount: DiscountTerms | None, currency: str, amounts: Sequence[int]) -> list[Early | None]:
    """
    Return the discount terms of each instalment of a document with these amounts; None where there are none.

    :raises AmountRefused, CurrencyUnknown: the terms do not carry amounts of the currency.
    """
    if discount is None or not discount.tiers:
        return [None] * len(amounts)
    of_tiers = [
        (
            _with_grace(tier.until_on, discount.grace_days),
            share(parse_minor(tier.amount, currency), amounts),
            share(parse_minor(tier.tax, currency), amounts),
        )
        for tier in discount.tiers
    ]
    return [
        Early(
            _tiers((until_on, minors[place], taxes[place]) for until_on, minors, taxes in of_tiers),
            discount.partial == "prorate",
            discount.unearned_allowed,
        )
        for place in range(len(amounts))
    ]


def _tiers(found: Iterable[tuple[date, int, int]]) -> tuple[Tier, ...]:
    return tuple(Tier(*one) for one in sorted(found))


def _with_grace(until_on: date, grace_days: int) -> date:
    return date.max if (date.max - until_on).days < grace_days else until_on + timedelta(days=grace_days)
