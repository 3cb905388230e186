"""
Payment terms as data: what a code stands for, one of the built-in grammar or one that a policy of the entity defines (INV-03, INV-04).

The grammar is `NET<n>`, `IMMEDIATE`, `EOM`, `EOM+<n>`, `EONM`, and any of them behind discount tiers: `2/10 NET30`, `3/7 2/10 EOM`.
A policy (kind `terms`) adds codes: `{"codes": {"<CODE>": {"due": <rule>}}}`, or `"instalments": [{"percent": "30", "due": <rule>}, …]` in
place of `due`; a rule is `{"net_days": 30}`, `{"end_of_month": 0, "plus_days": 45}` or `{"day": 15, "months": 1, "cut_off_day": 25}`.
Beside it may stand `discounts` (`[{"percent": "2", "days": 10}]`), `grace_days`, `discount_tax`, `discount_base`, `partial` and `roll`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from invoice.domain.calendars import Roll
from invoice.domain.due_rules import MONTHS_MAX, NET_DAYS_MAX, DueRule, rule_of_code
from invoice.domain.faults import Fault, read_percent

TaxChoice: TypeAlias = Literal["included", "excluded", "mixed"]
DiscountBase: TypeAlias = Literal["gross", "goods"]
Partial: TypeAlias = Literal["prorate", "full_payment_only"]

STANDARD_VERSION: Final = "standard-1"
"""The version a document names whose terms are of the grammar."""
TERMS_LENGTH_MAX: Final = 64
CODES_MAX: Final = 500
PARTS_MAX: Final = 60
TIERS_MAX: Final = 10
GRACE_DAYS_MAX: Final = 60

_tier = re.compile(r"([1-9]?\d(?:\.\d{1,4})?)/(0|[1-9]\d{0,2})", re.ASCII).fullmatch


class Tier(NamedTuple):
    """So many percent less when paid within so many days of issue."""

    percent: Decimal
    days: int


class Part(NamedTuple):
    """So many percent of the total, and when they are due."""

    percent: Decimal
    due: DueRule


@dataclass(frozen=True, slots=True)
class DiscountRules:
    """How an early-payment discount is figured and granted: see `DiscountTerms` in `discounts`."""

    grace_days: int = 0
    tax_choice: TaxChoice = "included"
    base: DiscountBase = "gross"
    partial: Partial = "prorate"


NO_CHOICES: Final = DiscountRules()


@dataclass(frozen=True, slots=True)
class TermsDefinition:
    """
    What a terms code stands for.

    `parts` come to 100 percent; `tiers` ascend by days with ever less discount. `roll` says what becomes of a due date that is no working
    day.
    """

    parts: tuple[Part, ...]
    tiers: tuple[Tier, ...] = ()
    discount: DiscountRules = NO_CHOICES
    roll: Roll = "none"


@dataclass(frozen=True, slots=True)
class TermsVersion:
    """An approved policy: its number, the first day it is for, and the codes it defines."""

    version: str
    valid_from: date
    codes: Mapping[str, TermsDefinition]


def find_terms(code: str, issued_on: date, versions: Sequence[TermsVersion]) -> tuple[TermsDefinition, str] | None:
    """
    Return what a code stands for on a day of issue, and the version that says so; None for a code that nobody has defined.

    The policy in force on that day goes before the grammar, which holds for every code it leaves alone. `versions` ascend.
    """
    in_force = next((one for one in reversed(versions) if one.valid_from <= issued_on), None)
    if in_force is not None and code in in_force.codes:
        return in_force.codes[code], in_force.version
    definition = terms_of_code(code)
    return None if definition is None else (definition, STANDARD_VERSION)


@lru_cache(maxsize=1_000)
def terms_of_code(code: str) -> TermsDefinition | None:
    """Read a code of the built-in grammar."""
    if len(code) > TERMS_LENGTH_MAX:
        return None
    *tiers_text, due_text = code.split(" ")
    rule = rule_of_code(due_text)
    tiers = _tiers_of_code(tiers_text)
    if rule is None or tiers is None or len(tiers) > TIERS_MAX:
        return None
    return TermsDefinition((Part(Decimal(100), rule),), tiers)


def _tiers_of_code(texts: Sequence[str]) -> tuple[Tier, ...] | None:
    tiers = []
    for text in texts:
        match = _tier(text)
        if match is None or not Decimal(match[1]) or int(match[2]) > NET_DAYS_MAX:
            return None
        tiers.append(Tier(Decimal(match[1]), int(match[2])))
    return tuple(tiers) if are_ordered(tiers) else None


def are_ordered(tiers: Sequence[Tier]) -> bool:
    """Say whether each tier gives more time and less discount than the one before."""
    return all(one.days < other.days and one.percent > other.percent for one, other in pairwise(tiers))


def parse_terms_policy(body: Mapping[str, Any]) -> dict[str, TermsDefinition] | list[Fault]:
    """Read the body of a `terms` policy, or return every fault it has, with its path: `codes.30-70.instalments[0].percent`."""
    faults = list(_unknown(body, ("codes",), ""))
    codes = body.get("codes")
    if not isinstance(codes, dict):
        return [*faults, Fault("MISSING" if codes is None else "WRONG_TYPE", "codes")]
    if len(codes) > CODES_MAX:
        return [*faults, Fault("TOO_MANY", "codes")]
    definitions = {}
    for code, content in codes.items():
        at = f"codes.{code}"
        if not code or code != code.strip() or not code.isprintable() or len(code) > TERMS_LENGTH_MAX:
            faults.append(Fault("CODE_MALFORMED", at[:TERMS_LENGTH_MAX]))
        elif not isinstance(content, dict):
            faults.append(Fault("WRONG_TYPE", at))
        else:
            definitions[code] = _definition(content, at, faults)
    return faults or {code: one for code, one in definitions.items() if one is not None}


_FIELDS: Final = ("due", "instalments", "discounts", "grace_days", "discount_tax", "discount_base", "partial", "roll")


def _definition(content: Mapping[str, Any], at: str, faults: list[Fault]) -> TermsDefinition | None:
    before = len(faults)
    faults += _unknown(content, _FIELDS, f"{at}.")
    parts = _parts(content, at, faults)
    tiers = _tiers(content.get("discounts", []), f"{at}.discounts", faults)
    grace_days = _number(content, "grace_days", at, GRACE_DAYS_MAX, faults, default=0)
    choices = {
        name: _choice(content, name, get_args(kind), at, faults)
        for name, kind in (("discount_tax", TaxChoice), ("discount_base", DiscountBase), ("partial", Partial), ("roll", Roll))
    }
    if len(faults) > before:
        return None
    discount = DiscountRules(grace_days, choices["discount_tax"], choices["discount_base"], choices["partial"])
    return TermsDefinition(parts, tiers, discount, choices["roll"])


def _parts(content: Mapping[str, Any], at: str, faults: list[Fault]) -> tuple[Part, ...]:
    if ("due" in content) == ("instalments" in content):
        faults.append(Fault("DUE_OR_INSTALMENTS", at))
        return ()
    if "due" in content:
        rule = _rule(content["due"], f"{at}.due", faults)
        return () if rule is None else (Part(Decimal(100), rule),)
    at = f"{at}.instalments"
    parts, percents = [], []
    for index, one in enumerate(_list(content["instalments"], at, PARTS_MAX, faults)):
        faults += _unknown(one, ("percent", "due"), f"{at}[{index}].")
        percent = read_percent(one.get("percent"), f"{at}[{index}].percent", faults)
        rule = _rule(one.get("due"), f"{at}[{index}].due", faults)
        percents.append(percent)
        if percent is not None and rule is not None:
            parts.append(Part(percent, rule))
    known = [percent for percent in percents if percent is not None]
    if len(known) == len(percents) and sum(known) != 100 and not any(fault.field == at for fault in faults):
        faults.append(Fault("PERCENT_SUM", at))
    return tuple(parts)


def _rule(content: Any, at: str, faults: list[Fault]) -> DueRule | None:
    """Read a due rule; which of the three it is, its first field says."""
    before = len(faults)
    if not isinstance(content, dict):
        faults.append(Fault("MISSING" if content is None else "WRONG_TYPE", at))
        return None
    rule = None
    if "net_days" in content:
        faults += _unknown(content, ("net_days",), f"{at}.")
        rule = DueRule("net", days=_number(content, "net_days", at, NET_DAYS_MAX, faults))
    elif "end_of_month" in content:
        faults += _unknown(content, ("end_of_month", "plus_days"), f"{at}.")
        months = _number(content, "end_of_month", at, MONTHS_MAX, faults)
        rule = DueRule("month_end", _number(content, "plus_days", at, NET_DAYS_MAX, faults, default=0), months)
    elif "day" in content:
        faults += _unknown(content, ("day", "months", "cut_off_day"), f"{at}.")
        day = _number(content, "day", at, 31, faults, least=1)
        months = _number(content, "months", at, MONTHS_MAX, faults, default=0)
        cut_off = None if content.get("cut_off_day") is None else _number(content, "cut_off_day", at, 31, faults, least=1)
        rule = DueRule("day_of_month", months=months, day=day, cut_off_day=cut_off)
    else:
        faults.append(Fault("RULE_UNKNOWN", at))
    return rule if len(faults) == before else None


def _tiers(content: Any, at: str, faults: list[Fault]) -> tuple[Tier, ...]:
    before, tiers = len(faults), []
    for index, one in enumerate(_list(content, at, TIERS_MAX, faults, least=0)):
        faults += _unknown(one, ("percent", "days"), f"{at}[{index}].")
        percent = read_percent(one.get("percent"), f"{at}[{index}].percent", faults)
        days = _number(one, "days", f"{at}[{index}]", NET_DAYS_MAX, faults)
        if percent is not None:
            tiers.append(Tier(percent, days))
    if len(faults) == before and not are_ordered(tiers):
        faults.append(Fault("DISCOUNTS_ORDER", at))
    return tuple(tiers)


def _list(content: Any, at: str, most: int, faults: list[Fault], *, least: int = 1) -> list[Mapping[str, Any]]:
    """Return a list of objects; empty, with the fault, where it is none or has too few or too many."""
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        faults.append(Fault("WRONG_TYPE", at))
        return []
    if not least <= len(content) <= most:
        faults.append(Fault("TOO_MANY" if content else "EMPTY", at))
        return []
    return content


def _number(
    content: Mapping[str, Any], name: str, at: str, most: int, faults: list[Fault], *, least: int = 0, default: int | None = None
) -> int:
    """Return a whole number from `least` through `most`, or the default where it is left out; 0, with the fault, where it is neither."""
    value = content.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        faults.append(Fault("MISSING" if value is None else "WRONG_TYPE", f"{at}.{name}"))
        return 0
    if not least <= value <= most:
        faults.append(Fault("OUT_OF_RANGE", f"{at}.{name}"))
    return value


def _choice(content: Mapping[str, Any], name: str, allowed: Sequence[str], at: str, faults: list[Fault]) -> Any:
    """Return one of the allowed words; the first is the default."""
    value = content.get(name, allowed[0])
    if value not in allowed:
        faults.append(Fault("CHOICE_UNKNOWN", f"{at}.{name}"))
    return value


def _unknown(content: Mapping[str, Any], known: Sequence[str], at: str) -> Iterator[Fault]:
    """What stands there that nobody reads: most likely a slip that would be missed."""
    return (Fault("FIELD_UNKNOWN", f"{at}{name}"[:200]) for name in content if name not in known)
