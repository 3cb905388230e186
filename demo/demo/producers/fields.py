"""
Reading another system's JSON: a field as text, a day or minor units, or one sentence why not.

Numbers are `Decimal` and `int`, never `float`: read files with `systems.documents_of`, which parses them so.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from money import CurrencyUnknown, scale

Json = Mapping[str, Any]
_DAY_LENGTH: Final = len("2026-01-05")


class Unusable(Exception):
    """A document that cannot be told: it is not one of those we read, or something that is needed does not stand in it."""


def part(document: Json, name: str) -> Json:
    """
    Return an object within a document, an empty one where there is none.

    :raises Unusable: something else stands there.
    """
    value = document.get(name)
    if value is None or value is False:  # Odoo writes false for nothing.
        return {}
    if not isinstance(value, Mapping):
        raise Unusable(f"{name} is not an object")
    return value


def parts(document: Json, name: str) -> Sequence[Json]:
    """
    Return a list of objects within a document, an empty one where there is none.

    :raises Unusable: something else stands there.
    """
    value = document.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise Unusable(f"{name} is not a list of objects")
    return value


def text(document: Json, name: str) -> str:
    """
    Return a text or a number as text.

    :raises Unusable: there is none.
    """
    value = text_or_none(document, name)
    if value is None:
        raise Unusable(f"{name} is missing")
    return value


def text_or_none(document: Json, name: str) -> str | None:
    """Return a text without spaces around it, a whole number as text, None for anything empty or else."""
    value = document.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def day(document: Json, name: str) -> date:
    """
    Return the day of a date or an instant that begins with `YYYY-MM-DD`, as it is written.

    :raises Unusable: there is none.
    """
    written = text(document, name)
    try:
        return date.fromisoformat(written[:_DAY_LENGTH])
    except ValueError:
        raise Unusable(f"{name} is not a day written YYYY-MM-DD") from None


def day_of_instant(seconds: object, name: str, zone: ZoneInfo) -> date:
    """
    Return the day of an instant (seconds since 1970) where the books are kept.

    :raises Unusable: not a number of seconds.
    """
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise Unusable(f"{name} is not a number of seconds since 1970")
    try:
        return datetime.fromtimestamp(seconds, UTC).astimezone(zone).date()
    except (ValueError, OverflowError, OSError):
        raise Unusable(f"{name} is beyond the calendar") from None


def minor(document: Json, name: str, currency: str) -> int:
    """
    Return an amount written as a decimal number in minor units, exactly: 12.5 USD is 1250, and so is 12.500.

    :raises Unusable: missing, not a number, or more decimals than the currency has: we do not round what somebody else has billed.
    """
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise Unusable(f"{name} is not a number")
    in_minor = Decimal(value) * 10 ** decimals_of(currency)
    if in_minor != in_minor.to_integral_value():
        raise Unusable(f"{name} has more decimals than {currency}")
    return int(in_minor)


def minor_or_zero(document: Json, name: str, currency: str) -> int:
    """Return an amount like `minor`, zero where the field is left out or empty."""
    return 0 if document.get(name) is None else minor(document, name, currency)


def percent_or_none(document: Json, name: str) -> str | None:
    """
    Return a percentage above zero as a plain decimal string, None where there is none.

    :raises Unusable: not a number.
    """
    value = document.get(name)
    if not value:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
        raise Unusable(f"{name} is not a number")
    return format(Decimal(value).normalize(), "f") if value > 0 else None


def decimals_of(currency: str) -> int:
    """
    Return how many decimals a currency has.

    :raises Unusable: not a currency.
    """
    try:
        return scale(currency)
    except CurrencyUnknown as error:
        raise Unusable(str(error)) from None
