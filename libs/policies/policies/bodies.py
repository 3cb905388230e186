"""How the fields of a policy's body are read: each reader tells the fault and returns something its caller can go on with."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from money import CurrencyUnknown, scale

from policies.faults import Fault, read_owed

ANY: Final = "*"
"""Every currency, or every activity."""

_MOST_DECIMALS: Final = "CLF"  # Four: reads every amount that some currency could have.

TextT = TypeVar("TextT", bound=str)


def unknown_fields(body: Mapping[str, Any], known: Collection[str], prefix: str = "") -> list[Fault]:
    """What stands there that nobody reads, sorted: most likely a slip that would be missed."""
    return [Fault("FIELD_UNKNOWN", f"{prefix}{name}") for name in sorted(str(name) for name in body if name not in known)]


def read_choice(given: object, choices: Sequence[TextT], field: str, faults: list[Fault]) -> TextT:
    """Read one of a few words; the first of them where it is none."""
    for choice in choices:
        if given == choice:
            return choice
    faults.append(Fault("CHOICE_UNKNOWN", field))
    return choices[0]


def read_flag(given: object, field: str, faults: list[Fault]) -> bool:
    """Read true or false."""
    if not isinstance(given, bool):
        faults.append(Fault("WRONG_TYPE", field))
    return given is True


def read_currency(given: object, field: str, faults: list[Fault]) -> str:
    """Return the currency to read amounts by; where any is meant, or none can be told, the one with the most decimals."""
    if given == ANY:
        return _MOST_DECIMALS
    try:
        scale(given if isinstance(given, str) else "")
    except CurrencyUnknown as error:
        faults.append(Fault(error.code, field))
        return _MOST_DECIMALS
    return str(given)


def read_units(text: object, currency: str, field: str, faults: list[Fault]) -> Decimal | None:
    """Read an amount of units, zero or more."""
    if not isinstance(text, str):
        faults.append(Fault("MISSING" if text is None else "WRONG_TYPE", field))
        return None
    minor = read_owed(text, currency, field, faults)
    return None if minor is None or minor < 0 else Decimal(text)


def units_minor(units: Decimal, currency: str, rounding: str) -> int:
    """Return units as minor units of a currency, rounded (`decimal.ROUND_…`) where it cannot express them."""
    return int(units.scaleb(scale(currency)).to_integral_value(rounding))
