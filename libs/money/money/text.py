"""Amounts as plain decimal strings: the only way money is written on a wire."""

import re
from typing import Final

from money.currency import scale

MINOR_MAX: Final = 10**15
"""No single amount on a wire is larger, in minor units, either way."""
PLAIN_DECIMAL: Final = r"-?(0|[1-9]\d{0,17})(\.\d{1,4})?"
"""What a decimal string looks like (to be matched in full, ASCII digits only): no exponent, no separators, no plus, no spaces."""

_match = re.compile(PLAIN_DECIMAL, re.ASCII).fullmatch
_UNITS: Final[tuple[int, ...]] = tuple(10**decimals for decimals in range(5))  # Minor units in one unit, by scale.


class AmountRefused(ValueError):
    """The text is not an amount of its currency. `code` is stable and fit for an answer; the message says what to change."""

    code = "AMOUNT_REFUSED"


class AmountNotPlain(AmountRefused):
    """Not a string of plain decimal digits, or a signed zero."""

    code = "AMOUNT_NOT_PLAIN"


class AmountTooPrecise(AmountRefused):
    """More decimals than the currency has."""

    code = "AMOUNT_TOO_PRECISE"


class AmountTooLarge(AmountRefused):
    """More than 10^15 minor units."""

    code = "AMOUNT_TOO_LARGE"


def parse_minor(text: str, currency: str) -> int:
    """
    Read a plain decimal string as minor units: "1234.5" USD is 123450.

    Fewer decimals than the currency has are fine, more are not, be they zeros.

    :raises CurrencyUnknown: see `money.scale`.
    :raises AmountNotPlain: not text, or anything but `PLAIN_DECIMAL`, or a zero with a sign.
    :raises AmountTooPrecise: more decimals than the currency has.
    :raises AmountTooLarge: more than `MINOR_MAX`.
    """
    decimals = scale(currency)
    match = _match(text) if isinstance(text, str) else None
    if match is None:
        raise AmountNotPlain(f'{_shown(text)} is not a plain decimal string such as "1234.50"')
    fraction = match[2]
    if fraction is None:
        minor = int(text) * _UNITS[decimals]
    else:
        given = len(fraction) - 1  # Without the point.
        if given > decimals:
            raise AmountTooPrecise(f"{_shown(text)} has {given} decimals, {currency} has {decimals}")
        minor = int(text[: -given - 1] + fraction[1:]) * _UNITS[decimals - given]
    if minor == 0 and text[0] == "-":
        raise AmountNotPlain(f"{_shown(text)}: zero has no sign")
    if not -MINOR_MAX <= minor <= MINOR_MAX:
        raise AmountTooLarge(f"{_shown(text)} is beyond {MINOR_MAX} minor units of {currency}")
    return minor


def format_minor(minor: int, currency: str) -> str:
    """
    Write minor units as a decimal string with all decimals of the currency: 123450 USD is "1234.50".

    :raises CurrencyUnknown: see `money.scale`.
    """
    decimals = scale(currency)
    if not decimals:
        return str(minor)
    if minor < 0:
        return "-" + format_minor(-minor, currency)
    digits = str(minor).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


def _shown(text: object) -> str:
    """Enough of a refused value to find it, never all of a hostile one."""
    return repr(text[:40]) if isinstance(text, str) else type(text).__name__
