"""Amounts of the rig's world: minor units inside, decimal strings on the wire, in the three scales there are."""

from collections.abc import Mapping
from typing import Final

SCALES: Final[Mapping[str, int]] = {"JPY": 0, "USD": 2, "EUR": 2, "KWD": 3}
"""Decimals of the currencies the rig bills in. Source: ISO 4217 list one."""


def written(minor: int, currency: str, *, short: bool = False) -> str:
    """Write minor units as a decimal string; `short` leaves out zeros at the end, which is the same amount spelled otherwise."""
    decimals = SCALES[currency]
    if not decimals:
        return str(minor)
    sign, digits = "-" * (minor < 0), str(abs(minor)).zfill(decimals + 1)
    whole, fraction = digits[:-decimals], digits[-decimals:]
    if short:
        fraction = fraction.rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def read_minor(text: str, currency: str) -> int:
    """
    Read a decimal string that the rig itself has written.

    :raises ValueError: it has more decimals than the currency.
    """
    whole, _, fraction = text.partition(".")
    if len(fraction) > SCALES[currency]:
        raise ValueError(f"{text} has more decimals than {currency}")
    return int(whole + fraction.ljust(SCALES[currency], "0"))
