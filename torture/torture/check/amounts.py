"""Amounts as the wire writes them, in minor units. The checker's own reading: it shares none with what it checks."""

import re
from collections.abc import Mapping
from typing import Final

_PLAIN: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_NONE: Final = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF")
_THREE: Final = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DECIMALS: Final[Mapping[str, int]] = {**dict.fromkeys(_NONE, 0), **dict.fromkeys(_THREE, 3)}
"""Currencies that do not have two decimals (ISO 4217)."""


class AmountUnreadable(ValueError):
    """A text is no amount of its currency."""


def decimals_of(currency: str) -> int:
    """Return how many decimals a currency has."""
    return _DECIMALS.get(currency, 2)


def minor_of(text: str, currency: str) -> int:
    """
    Read a plain decimal as minor units: "1.5" is 150 of USD and 1500 of KWD.

    :raises AmountUnreadable: it is none, or has more decimals than the currency.
    """
    found = _PLAIN.fullmatch(text)
    decimals = decimals_of(currency)
    if found is None or len(found[3] or "") > decimals:
        raise AmountUnreadable(f"{text!r} is no amount of {currency}")
    minor = int(found[2] + (found[3] or "").ljust(decimals, "0"))
    return -minor if found[1] else minor
