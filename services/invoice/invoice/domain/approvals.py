"""
Who may decide about how much: approval limits and tolerances as data, and the one judgement made by them. Pure: values in, values out.

A request is first shown to the tolerances, which may approve it without a person; what they leave is decided by somebody who did not make
it and whose limit covers it (four eyes, INV-08, XC-05).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final, Literal, TypeAlias

from policies.approvals import ApprovalLimits, Decision, Principal, judge_by_limits, parse_limits
from policies.bodies import ANY, read_currency, read_units, units_minor
from policies.versions import STANDARD

from invoice.domain.faults import Fault

AdjustmentKind: TypeAlias = Literal["small_balance", "bad_debt", "rounding", "discount_exception", "fee_waiver", "settlement"]
Activity: TypeAlias = AdjustmentKind | Literal["credit_memo"]

ADJUSTMENT_KINDS: Final[tuple[AdjustmentKind, ...]] = (
    "small_balance",
    "bad_debt",
    "rounding",
    "discount_exception",
    "fee_waiver",
    "settlement",
)
ACTIVITIES: Final[tuple[Activity, ...]] = (*ADJUSTMENT_KINDS, "credit_memo")
"""What can be approved, each with limits of its own: the kinds of adjustment, and credit memos. Only adjustments are tolerated."""

STANDARD_APPROVAL_LIMITS: Final[Mapping[str, Any]] = {
    "limits": [{"principal": None, "role": "approver", "currency": ANY, "activity": ANY, "min": "0.00", "max": "5000.00"}],
    "expires_days": 30,
}
"""
In force where an entity has no policy of its own: approvers decide up to 5,000 units of any currency, nobody else does. Credit memos are
not asked about then: see `is_limited`.
"""
STANDARD_TOLERANCES: Final[Mapping[str, Any]] = {"small_balance": {ANY: "5.00"}, "rounding": {ANY: "0.05"}}
"""In force where an entity has no policy of its own: what needs no person."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """A policy of kind `tolerances`: by activity and currency (or `*`), the most in units that needs no person."""

    most: Mapping[str, Mapping[str, Decimal]]

    def most_minor(self, activity: str, currency: str) -> int | None:
        """Return what is tolerated, in minor units; None where nothing is said of this activity and currency."""
        by_currency = self.most.get(activity, {})
        units = by_currency.get(currency, by_currency.get(ANY))
        return None if units is None else units_minor(units, currency, ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class Rules:
    """The two policies in force for a decision, and the versions it names."""

    limits: ApprovalLimits
    limits_version: str
    tolerances: Tolerances
    tolerances_version: str


@dataclass(frozen=True, slots=True)
class Request:
    """
    What is to be approved, whoever asked for it; amounts in minor units of `currency`.

    `open_minor` is what is open of the item, `tolerated_minor` what tolerances have already taken off it: a tolerance is meant once.
    """

    activity: Activity
    currency: str
    amount_minor: int
    maker: str
    open_minor: int
    tolerated_minor: int = 0


def judge(request: Request, rules: Rules, principal: Principal | None) -> Decision:
    """
    Decide whether a request is approved: without a principal by the tolerances alone, else by that person (INV-08, XC-05).

    A small balance is tolerated only where all that is open is small; taking a little off a large debt is for a person to decide.
    """
    if principal is None:
        return _judge_by_policy(request, rules)
    return judge_alone(request, rules, principal, maker=request.maker)


def is_limited(rules: Rules, activity: Activity) -> bool:
    """
    Say whether what people may do at once is limited by amount: a policy of the entity itself speaks of this activity, or of any.

    Limits in some currencies limit all of them: nobody has said that the others are free.
    """
    return rules.limits_version != STANDARD and any(limit.activity in (ANY, activity) for limit in rules.limits.limits)


def judge_alone(request: Request, rules: Rules, principal: Principal, *, maker: str | None = None) -> Decision:
    """Decide by the limits of one person; whoever made the request, unless its maker is named, who is refused."""
    return judge_by_limits(
        *(rules.limits, rules.limits_version, request.amount_minor, request.currency, principal), activity=request.activity, maker=maker
    )


def _judge_by_policy(request: Request, rules: Rules) -> Decision:
    most = rules.tolerances.most_minor(request.activity, request.currency)
    measured = max(request.amount_minor, request.open_minor) if request.activity == "small_balance" else request.amount_minor
    is_tolerated = most is not None and measured + request.tolerated_minor <= most
    return Decision("approved" if is_tolerated else "pending", rules.tolerances_version, most if is_tolerated else None)


def parse_approval_limits(body: Mapping[str, Any]) -> ApprovalLimits | list[Fault]:
    """Read the body of a policy of kind `approval_limits`, whose activities are ours, or return every fault it has; see `parse_limits`."""
    return parse_limits(body, ACTIVITIES)


def parse_tolerances(body: Mapping[str, Any]) -> Tolerances | list[Fault]:
    """
    Read the body of a policy of kind `tolerances`, or return every fault it has.

    `{"<activity>": {"<currency>" | "*": "<most>"}}`: what is not named is not tolerated.
    """
    faults: list[Fault] = []
    most: dict[str, dict[str, Decimal]] = {}
    for activity, by_currency in body.items():
        if activity not in ADJUSTMENT_KINDS:
            faults.append(Fault("ACTIVITY_UNKNOWN", str(activity)))
        if not isinstance(by_currency, Mapping):
            faults.append(Fault("WRONG_TYPE", str(activity)))
            continue
        for currency, text in by_currency.items():
            field = f"{activity}.{currency}"
            units = read_units(text, read_currency(currency, field, faults), field, faults)
            if units is not None:
                most.setdefault(activity, {})[currency] = units
    return faults or Tolerances(most)
