"""Exchange rates as they are published: exact decimal strings, for a day and of a type."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from money import CurrencyUnknown, scale

from invoice.domain.faults import Fault, check_day, read_rate

SPOT: Final = "spot"


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """Units of the entity's currency for one unit of `currency` on a day; `rate` has neither sign nor exponent nor idle zeros."""

    currency: str
    rate: str
    rate_on: date
    type: str = SPOT


def examine_rate(published: ExchangeRate, own_currency: str | None) -> ExchangeRate | list[Fault]:
    """
    Make what somebody published a rate with one spelling, or return every fault it has.

    `own_currency` is the entity's, None where the entity is not known. Whether `type` is an identifier is the caller's to check.
    """
    faults: list[Fault] = []
    try:
        scale(published.currency)
    except CurrencyUnknown as error:
        faults.append(Fault(error.code, "currency"))
    if published.currency == own_currency:
        faults.append(Fault("CURRENCY_OF_THE_ENTITY", "currency"))
    rate = read_rate(published.rate, "rate", faults)
    check_day(published.rate_on, "rate_on", faults)
    if faults or rate is None:
        return faults
    return ExchangeRate(published.currency, f"{rate.normalize():f}", published.rate_on, published.type)
