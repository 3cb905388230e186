"""Money in integer minor units: currency scales, parsing, splitting, rounding."""

from money.amount import CurrencyMismatch, Money, parse
from money.currency import CurrencyUnknown, scale
from money.exchange import convert_minor
from money.rounding import round_half_up
from money.split import WeightsUnusable, split, split_minor
from money.text import (
    MINOR_MAX,
    PLAIN_DECIMAL,
    AmountNotPlain,
    AmountRefused,
    AmountTooLarge,
    AmountTooPrecise,
    format_minor,
    parse_minor,
)

__all__ = [
    "MINOR_MAX",
    "PLAIN_DECIMAL",
    "AmountNotPlain",
    "AmountRefused",
    "AmountTooLarge",
    "AmountTooPrecise",
    "CurrencyMismatch",
    "CurrencyUnknown",
    "Money",
    "WeightsUnusable",
    "convert_minor",
    "format_minor",
    "parse",
    "parse_minor",
    "round_half_up",
    "scale",
    "split",
    "split_minor",
]
