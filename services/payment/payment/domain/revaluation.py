"""Open items in another currency than the entity's, valued anew when a period ends (PAY-13, RPT-08)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from money import convert_minor

from payment.domain.books import Worth
from payment.domain.exchange import worth_up_to


class Revalued(NamedTuple):
    """What is open of an item in the entity's currency: at what it was billed, and at the rate of the period's end."""

    carrying_minor: int
    revalued_minor: int

    @property
    def gain_minor(self) -> int:
        """What it is worth more."""
        return max(0, self.revalued_minor - self.carrying_minor)

    @property
    def loss_minor(self) -> int:
        """What it is worth less."""
        return max(0, self.carrying_minor - self.revalued_minor)


def period_ended(period: str, day: date) -> date | None:
    """Return the last day of the period that ends with the day before `day`, of the policy `revaluation`; None where none does."""
    return day - timedelta(days=1) if period == "month" and day.day == 1 else None


def revalue(worth: Worth, open_minor: int, currency: str, own_currency: str, rate: str) -> Revalued:
    """
    Value what is open of an item; `rate` is units of the entity's currency for one unit of the item's, as a decimal string.

    The carrying amount is what was not taken off it yet, as `exchange.realised` counts it: with the gains and losses that are realised
    later it adds up exactly. The value is rounded half up.
    """
    carrying_minor = worth.base_minor - worth_up_to(worth, worth.minor - open_minor)
    return Revalued(carrying_minor, convert_minor(open_minor, currency, own_currency, Decimal(rate)))
