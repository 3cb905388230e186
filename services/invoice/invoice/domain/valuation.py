"""A document in the currency of its entity (INV-13)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from money import MINOR_MAX, convert_minor

from invoice.domain.faults import Fault, check_day, read_rate


class Rate(NamedTuple):
    """Units of the entity's currency for one unit of another, as a decimal string, on a day; `type` is `spot` or what its source says."""

    rate: str
    rate_on: date
    type: str = "spot"


@dataclass(frozen=True, slots=True)
class Valuation:
    """A total in the entity's currency, and the rate that made it so."""

    currency: str
    rate: Rate
    total_minor: int


def check_rate(stated: Rate, faults: list[Fault]) -> None:
    """Check a rate that came with a document."""
    read_rate(stated.rate, "fx.rate", faults)
    check_day(stated.rate_on, "fx.rate_on", faults)


def valuation_of(
    total_minor: int, currency: str, own_currency: str, stated: Rate | None, published: Rate | None, faults: list[Fault]
) -> Valuation | None:
    """
    Value a total at the rate its sender stated, which was checked, else at the published one; None in the entity's own currency, and
    without any rate.

    A document without a rate is accepted: what it is worth can be said later, what is owed cannot wait.
    """
    if stated is not None and currency == own_currency and Decimal(stated.rate) != 1:
        faults.append(Fault("RATE_OF_OWN_CURRENCY", "fx.rate"))
    rate = stated or published
    if rate is None or currency == own_currency:
        return None
    valued = convert_minor(total_minor, currency, own_currency, Decimal(rate.rate))
    if valued > MINOR_MAX:
        faults.append(Fault("AMOUNT_TOO_LARGE", "fx.rate"))
    return Valuation(own_currency, rate, valued)
