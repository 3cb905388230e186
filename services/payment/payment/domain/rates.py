"""Exchange rates as they are published, and what money is worth in the entity's currency (PAY-13)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from money import MINOR_MAX, CurrencyUnknown, convert_minor, round_half_up, scale
from policies.faults import Fault, check_day, read_rate

SPOT: Final = "spot"
BANK: Final = "bank"
"""The type of a rate at which a bank has exchanged, or says that it has."""
_RATE_DECIMALS: Final = 10


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """Units of the entity's currency for one unit of `currency` on a day; `rate` has neither sign nor exponent nor idle zeros."""

    currency: str
    rate: str
    rate_on: date
    type: str = SPOT


class Cash(NamedTuple):
    """Money of a currency, in minor units."""

    currency: str
    minor: int


class Valued(NamedTuple):
    """What a receipt is worth in the entity's currency: in minor units, by a rate for one unit of what the receipt settles in."""

    base_minor: int
    rate: str
    rate_on: date
    type: str


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
    return ExchangeRate(published.currency, _written(rate), published.rate_on, published.type)


def value_cash(booked: Cash, settles: Cash, own_currency: str, value_on: date, rate: ExchangeRate | None) -> Valued | None:
    """
    Say what a receipt is worth that settles in another currency than the entity's.

    Where the bank booked the entity's own currency that is what it booked, to the cent; else what it booked at `rate`, which is of the
    booked currency. None where neither is known, or where it would be more than any amount we write.
    """
    if booked.currency == own_currency:
        base_minor, rate_on, type_ = booked.minor, value_on, BANK
    elif rate is not None:
        base_minor, rate_on, type_ = convert_minor(booked.minor, booked.currency, own_currency, Decimal(rate.rate)), rate.rate_on, rate.type
    else:
        return None
    if base_minor > MINOR_MAX:
        return None
    if rate is not None and rate.currency == settles.currency:
        return Valued(base_minor, rate.rate, rate_on, type_)
    return Valued(base_minor, _implied(base_minor, own_currency, settles), rate_on, type_)


def _implied(base_minor: int, own_currency: str, settles: Cash) -> str:
    """Return the rate at which so much of one currency is so much of another, to ten decimals."""
    exact = Fraction(base_minor, settles.minor) * Fraction(10) ** (scale(settles.currency) - scale(own_currency))
    return _written(Decimal(round_half_up(exact * 10**_RATE_DECIMALS)).scaleb(-_RATE_DECIMALS))


def _written(rate: Decimal) -> str:
    return f"{rate.normalize():f}"
