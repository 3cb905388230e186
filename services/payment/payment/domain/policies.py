"""
The kinds of policy there are of payments: how the body of each is read, and what holds where an entity has none (XC-07).

What a body leaves out is as in the standard of its kind. Pure: values in, values out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

from policies.approvals import ApprovalLimits, parse_limits
from policies.bodies import ANY, read_choice, read_currency, read_flag, unknown_fields
from policies.faults import Fault, read_owed, read_percent
from policies.kinds import Kinds, PolicyKind, by_name

from payment.domain.policy import OLDEST_FIRST, RULES, Policy

AutoApply: TypeAlias = Literal["oldest", "never", "same_reference"]
Discounts: TypeAlias = Literal["none", "earned"]
Rest: TypeAlias = Literal["unapplied", "on_account"]
Returns: TypeAlias = Literal["standard", "debit_memo"]
Period: TypeAlias = Literal["none", "month"]

AUTO_APPLY: Final[tuple[AutoApply, ...]] = ("oldest", "never", "same_reference")
DISCOUNTS: Final[tuple[Discounts, ...]] = ("none", "earned")
RESTS: Final[tuple[Rest, ...]] = ("unapplied", "on_account")
RETURNS: Final[tuple[Returns, ...]] = ("standard", "debit_memo")
PERIODS: Final[tuple[Period, ...]] = ("none", "month")
LET_GO_AS: Final = ("bank_charge", "withholding_tax")
"""As what a deduction may be let go without anybody deciding it: what the payer cannot help paying to somebody else."""
CODES_MAX: Final = 1000
ONE_BPS: Final = 10_000

STANDARD_CASH_APPLICATION: Final[Mapping[str, Any]] = {
    "rules": [OLDEST_FIRST],
    "partials": True,
    "discounts": "none",
    "auto_apply": "oldest",
    "rest": "unapplied",
    "suggestions": {"customer": "0.80", "minimum": "0.60", "auto_apply": None},
    "returns": "standard",
}
STANDARD_TOLERANCES: Final[Mapping[str, Any]] = {"fixed": {}, "percent": None, "codes": {}}
STANDARD_REFUND_LIMITS: Final[Mapping[str, Any]] = {
    "limits": [{"principal": None, "role": "approver", "currency": ANY, "min": "0.00", "max": "5000.00"}],
    "expires_days": 30,
}
STANDARD_REVALUATION: Final[Mapping[str, Any]] = {"period": "none"}

_share = re.compile(r"0(\.\d{1,4})?|1(\.0{1,4})?", re.ASCII).fullmatch
_code = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Thresholds:
    """
    What a suggestion has to score, in ten-thousandths (PAY-06).

    `recommended_bps`: a customer is recommended. `minimum_bps`, less than the others: a match is suggested. `auto_apply_bps`: it is applied
    without a person; None: never.
    """

    recommended_bps: int
    minimum_bps: int
    auto_apply_bps: int | None


@dataclass(frozen=True, slots=True)
class CashApplication:
    """A policy of kind `cash_application`; the fields are those of `Policy`, and what suggestions have to score."""

    rules: tuple[str, ...]
    partials: bool
    discounts: Discounts
    auto_apply: AutoApply
    rest: Rest
    suggestions: Thresholds
    returns: Returns


@dataclass(frozen=True, slots=True)
class Tolerances:
    """
    A policy of kind `tolerances`: what may be missing of an item (PAY-09), `fixed` in minor units by currency, `percent` of what is open.

    `codes` say as what a deduction of a code is let go, one of `LET_GO_AS`.
    """

    fixed: Mapping[str, int]
    percent: Fraction | None
    codes: Mapping[str, str]


def policy_of(applying: CashApplication, version: str, tolerances: Tolerances) -> Policy:
    """Put together what the settlement of a day follows; `version` is that of `applying`."""
    return Policy(
        auto_apply=applying.auto_apply,
        version=version,
        rules=applying.rules,
        partials=applying.partials,
        discounts=applying.discounts,
        rest=applying.rest,
        tolerance_fixed=tolerances.fixed,
        tolerance_percent=tolerances.percent,
        codes=tolerances.codes,
        returns=applying.returns,
    )


def parse_cash_application(body: Mapping[str, Any]) -> CashApplication | list[Fault]:
    """
    Read the body of a policy of kind `cash_application`, or return every fault it has (PAY-05, PAY-06, PAY-08, PAY-10).

    `rules` are some of `RULES`, once each, in the order they are tried; none: money that names nothing waits for a person. `suggestions`
    are decimal strings from 0 to 1, with `minimum` below the other two; `auto_apply` of them is null where nothing is surely enough.
    `returns` is what becomes of money that a bank takes back; see `Policy`.
    """
    faults = unknown_fields(body, STANDARD_CASH_APPLICATION)
    fields = {**STANDARD_CASH_APPLICATION, **body}
    applying = CashApplication(
        rules=_rules(fields["rules"], faults),
        partials=read_flag(fields["partials"], "partials", faults),
        discounts=read_choice(fields["discounts"], DISCOUNTS, "discounts", faults),
        auto_apply=read_choice(fields["auto_apply"], AUTO_APPLY, "auto_apply", faults),
        rest=read_choice(fields["rest"], RESTS, "rest", faults),
        suggestions=_thresholds(fields["suggestions"], faults),
        returns=read_choice(fields["returns"], RETURNS, "returns", faults),
    )
    return faults or applying


def parse_tolerances(body: Mapping[str, Any]) -> Tolerances | list[Fault]:
    """
    Read the body of a policy of kind `tolerances`, or return every fault it has (PAY-09).

    `{"fixed": {"USD": "5.00"}, "percent": "1.0", "codes": {"WHT": "withholding_tax"}}`: of a fixed amount and a percentage the smaller
    counts; a currency without a fixed amount has the percentage alone. `percent` is null or more than 0.
    """
    faults = unknown_fields(body, STANDARD_TOLERANCES)
    fields = {**STANDARD_TOLERANCES, **body}
    fixed = _fixed(fields["fixed"], faults)
    percent = None if fields["percent"] is None else read_percent(fields["percent"], "percent", faults)
    codes = _codes(fields["codes"], faults)
    return faults or Tolerances(fixed, None if percent is None else Fraction(percent), codes)


def parse_refund_limits(body: Mapping[str, Any]) -> ApprovalLimits | list[Fault]:
    """Read the body of a policy of kind `refund_limits`, or return every fault it has; see `parse_limits`, without activities."""
    return parse_limits(body)


def parse_revaluation(body: Mapping[str, Any]) -> Period | list[Fault]:
    """Read the body of a policy of kind `revaluation`, `{"period": "none" | "month"}`, or return every fault it has."""
    faults = unknown_fields(body, STANDARD_REVALUATION)
    period = read_choice(body.get("period", PERIODS[0]), PERIODS, "period", faults)
    return faults or period


def _rules(given: object, faults: list[Fault]) -> tuple[str, ...]:
    if not isinstance(given, list):
        faults.append(Fault("WRONG_TYPE", "rules"))
        return ()
    rules: list[str] = []
    for index, rule in enumerate(given[: len(RULES) + 1]):  # One more than there are is unknown or repeated already.
        if rule not in RULES:
            faults.append(Fault("RULE_UNKNOWN", f"rules[{index}]"))
        elif rule in rules:
            faults.append(Fault("RULE_REPEATED", f"rules[{index}]"))
        else:
            rules.append(rule)
    return tuple(rules)


def _thresholds(given: object, faults: list[Fault]) -> Thresholds:
    standard: Mapping[str, Any] = STANDARD_CASH_APPLICATION["suggestions"]
    if not isinstance(given, Mapping):
        faults.append(Fault("WRONG_TYPE", "suggestions"))
        given = standard
    before = len(faults)
    faults += unknown_fields(given, standard, "suggestions.")
    fields = {**standard, **given}
    recommended, minimum = (_bps(fields[name], f"suggestions.{name}", faults) for name in ("customer", "minimum"))
    auto_apply = None if fields["auto_apply"] is None else _bps(fields["auto_apply"], "suggestions.auto_apply", faults)
    if len(faults) == before and minimum >= min(recommended, ONE_BPS if auto_apply is None else auto_apply):
        faults.append(Fault("THRESHOLDS_ORDER", "suggestions.minimum"))
    return Thresholds(recommended, minimum, auto_apply)


def _bps(given: object, field: str, faults: list[Fault]) -> int:
    """Read a decimal string from 0 to 1 with at most four decimals as ten-thousandths; 0, with the fault, where it is none."""
    if not isinstance(given, str) or not _share(given):
        faults.append(Fault("SHARE_MALFORMED", field))
        return 0
    return int(Decimal(given) * ONE_BPS)


def _fixed(given: object, faults: list[Fault]) -> dict[str, int]:
    if not isinstance(given, Mapping):
        faults.append(Fault("WRONG_TYPE", "fixed"))
        return {}
    fixed: dict[str, int] = {}
    for currency, text in given.items():
        field, before = f"fixed.{currency}", len(faults)
        if currency == ANY:  # The same number of yen and of dinars is nobody's idea of a small difference.
            faults.append(Fault("CURRENCY_UNKNOWN", field))
        code = read_currency(currency, field, faults)
        minor = read_owed(text, code, field, faults)
        if minor is not None and len(faults) == before:
            fixed[code] = minor
    return fixed


def _codes(given: object, faults: list[Fault]) -> dict[str, str]:
    if not isinstance(given, Mapping):
        faults.append(Fault("WRONG_TYPE", "codes"))
        return {}
    if len(given) > CODES_MAX:
        faults.append(Fault("TOO_MANY", "codes"))
        return {}
    codes: dict[str, str] = {}
    for code, kind in given.items():
        field = f"codes.{code}"
        if not _code(code):
            faults.append(Fault("CODE_MALFORMED", field))
        codes[code] = read_choice(kind, LET_GO_AS, field, faults)
    return codes


CASH_APPLICATION: Final = PolicyKind(
    "cash_application",
    parse_cash_application,
    STANDARD_CASH_APPLICATION,
    "Money pays what it names, then the oldest items, in part as well; the rest waits unapplied. Nothing is applied by its score.",
)
TOLERANCES: Final = PolicyKind("tolerances", parse_tolerances, STANDARD_TOLERANCES, "What is missing stays open, whatever its reason.")
REFUND_LIMITS: Final = PolicyKind("refund_limits", parse_refund_limits, STANDARD_REFUND_LIMITS, "Approvers decide up to 5,000 units.")
REVALUATION: Final = PolicyKind("revaluation", parse_revaluation, STANDARD_REVALUATION, "Nothing is valued anew.")
KINDS: Final[Kinds] = by_name(CASH_APPLICATION, TOLERANCES, REFUND_LIMITS, REVALUATION)
