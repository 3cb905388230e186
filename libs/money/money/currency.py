"""How many decimals a currency has: ISO 4217, over the currencies that CLDR (babel) knows."""

from typing import Final

from babel.core import get_global

# CLDR gives the digits people write today, ISO 4217 those that banks and ERPs exchange. Where they differ, ISO counts.
# Source: ISO 4217 list one, published 2026; every other currency of that list agrees with CLDR.
_ISO_INSTEAD_OF_CLDR: Final = {
    **dict.fromkeys(("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"), 2),
    "IQD": 3,
}
# Metals, baskets, funds without a minor unit, the test code and "no currency": nobody is billed in them.
_WITHOUT_MINOR_UNIT: Final = frozenset(
    ("XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XEU", "XFO", "XFU", "XPD", "XPT", "XRE", "XSU", "XTS", "XUA", "XXX")
)


class CurrencyUnknown(ValueError):
    """Not an ISO 4217 currency with a minor unit. Currencies of the past are known: ledgers reach back."""

    code = "CURRENCY_UNKNOWN"

    def __init__(self, currency: object) -> None:
        super().__init__(f"unknown currency {str(currency)[:10]!r}: three capital letters of ISO 4217 are expected")


def _scales() -> dict[str, int]:
    digits = get_global("currency_fractions")
    cldr = {code: digits.get(code, digits["DEFAULT"])[0] for code in get_global("all_currencies")}
    return {code: decimals for code, decimals in {**cldr, **_ISO_INSTEAD_OF_CLDR}.items() if code not in _WITHOUT_MINOR_UNIT}


_SCALES: Final = _scales()


def scale(currency: str) -> int:
    """
    Return the number of decimals of a currency: 0, 2, 3 or 4.

    :raises CurrencyUnknown: not a currency we know, by its exact ISO 4217 code.
    """
    try:
        return _SCALES[currency]
    except (KeyError, TypeError):  # TypeError: something unhashable that came from the outside.
        raise CurrencyUnknown(currency) from None
