"""
Who may decide about how much: approval limits and tolerances as data, and the one judgement made by them. Pure: values in, values out.

A request is first shown to the tolerances, which may approve it without a person; what they leave is decided by somebody who did not make
it and whose limit covers it (four eyes, INV-08, XC-05).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final, Literal, TypeAlias

from money import CurrencyUnknown, scale

from invoice.domain.faults import Fault, read_owed
from invoice.domain.policies import STANDARD

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
ANY: Final = "*"
EXPIRES_DAYS_MAX: Final = 3650
LIMITS_MAX: Final = 1000
PRINCIPAL_LENGTH_MAX: Final = 255  # As long as the subject of a token may be.

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

_MOST_DECIMALS: Final = "CLF"  # Four: reads every amount that some currency could have.


@dataclass(frozen=True, slots=True)
class ApprovalLimit:
    """
    What one principal, or everybody of one role, may approve: an amount from `least` through `most`, in units of the request's currency.

    `currency` and `activity` may be `*`. A limit in units that a currency cannot express is narrowed to what it can.
    """

    principal: str | None
    role: str | None
    currency: str
    activity: str
    least: Decimal
    most: Decimal

    def concerns(self, currency: str, activity: str, who: "Principal") -> bool:
        """Say whether it is about this person, currency and activity."""
        is_named = self.principal == who.sub if self.principal is not None else self.role in who.roles
        return is_named and self.currency in (ANY, currency) and self.activity in (ANY, activity)

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """How specific it is: the person before the role, then the currency, then the activity."""
        return (self.principal is not None, self.currency != ANY, self.activity != ANY)

    def range_minor(self, currency: str) -> tuple[int, int]:
        """Return the least and the most it covers, in minor units of `currency`."""
        return _minor(self.least, currency, ROUND_CEILING), _minor(self.most, currency, ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class ApprovalLimits:
    """A policy of kind `approval_limits`: the limits, and after how many days nobody may approve a request any more."""

    limits: tuple[ApprovalLimit, ...]
    expires_days: int


@dataclass(frozen=True, slots=True)
class Tolerances:
    """A policy of kind `tolerances`: by activity and currency (or `*`), the most in units that needs no person."""

    most: Mapping[str, Mapping[str, Decimal]]

    def most_minor(self, activity: str, currency: str) -> int | None:
        """Return what is tolerated, in minor units; None where nothing is said of this activity and currency."""
        by_currency = self.most.get(activity, {})
        units = by_currency.get(currency, by_currency.get(ANY))
        return None if units is None else _minor(units, currency, ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class Rules:
    """The two policies in force for a decision, and the versions it names."""

    limits: ApprovalLimits
    limits_version: str
    tolerances: Tolerances
    tolerances_version: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who decides: the subject of a token, by which makers and checkers are told apart, and its roles."""

    sub: str
    roles: frozenset[str]


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


Verdict: TypeAlias = Literal["approved", "pending", "MAKER_IS_CHECKER", "LIMIT_MISSING", "LIMIT_EXCEEDED", "AMOUNT_BELOW_LIMIT"]


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What a judgement came to, the version of the policy that it followed, and the limit in minor units that allowed or forbade it.

    `pending` waits for a person; a verdict in capitals says why this person may not approve.
    """

    verdict: Verdict
    policy_version: str
    limit_minor: int | None = None


def judge(request: Request, rules: Rules, principal: Principal | None) -> Decision:
    """
    Decide whether a request is approved: without a principal by the tolerances alone, else by that person (INV-08, XC-05).

    A small balance is tolerated only where all that is open is small; taking a little off a large debt is for a person to decide. Of the
    limits that concern a person the most specific count; of several equally specific ones (of several roles) each allows what it covers.
    """
    if principal is None:
        return _judge_by_policy(request, rules)
    if principal.sub == request.maker:
        return Decision("MAKER_IS_CHECKER", rules.limits_version)
    return judge_alone(request, rules, principal)


def is_limited(rules: Rules, activity: Activity) -> bool:
    """
    Say whether what people may do at once is limited by amount: a policy of the entity itself speaks of this activity, or of any.

    Limits in some currencies limit all of them: nobody has said that the others are free.
    """
    return rules.limits_version != STANDARD and any(limit.activity in (ANY, activity) for limit in rules.limits.limits)


def judge_alone(request: Request, rules: Rules, principal: Principal) -> Decision:
    """Decide by the limits of one person alone, whoever made the request; see `judge`."""
    concerning = [limit for limit in rules.limits.limits if limit.concerns(request.currency, request.activity, principal)]
    if not concerning:
        return Decision("LIMIT_MISSING", rules.limits_version)
    highest = max(limit.rank for limit in concerning)
    ranges = [limit.range_minor(request.currency) for limit in concerning if limit.rank == highest]
    covering = [most for least, most in ranges if least <= request.amount_minor <= most]
    if covering:
        return Decision("approved", rules.limits_version, max(covering))
    most = max(most for _, most in ranges)
    if request.amount_minor > most:
        return Decision("LIMIT_EXCEEDED", rules.limits_version, most)
    return Decision("AMOUNT_BELOW_LIMIT", rules.limits_version, min(least for least, _ in ranges if least > request.amount_minor))


def _judge_by_policy(request: Request, rules: Rules) -> Decision:
    most = rules.tolerances.most_minor(request.activity, request.currency)
    measured = max(request.amount_minor, request.open_minor) if request.activity == "small_balance" else request.amount_minor
    is_tolerated = most is not None and measured + request.tolerated_minor <= most
    return Decision("approved" if is_tolerated else "pending", rules.tolerances_version, most if is_tolerated else None)


def parse_approval_limits(body: Mapping[str, Any]) -> ApprovalLimits | list[Fault]:
    """
    Read the body of a policy of kind `approval_limits`, or return every fault it has.

    `{"limits": [{"principal" | "role", "currency", "activity", "min", "max"}], "expires_days"}`: a limit is a principal's or a role's, not
    both; `currency` and `activity` are `*` and `min` is zero where left out; amounts are decimal strings of units.
    """
    faults = _unknown_fields(body, ("limits", "expires_days"), "")
    expires_days = _days(body.get("expires_days"), faults)
    listed = body.get("limits")
    limits: list[ApprovalLimit] = []
    if not isinstance(listed, list):
        faults.append(Fault("MISSING" if listed is None else "WRONG_TYPE", "limits"))
    elif len(listed) > LIMITS_MAX:
        faults.append(Fault("LIMITS_TOO_MANY", "limits"))
    else:
        taken: set[tuple[str | None, ...]] = set()
        for index, entry in enumerate(listed):
            limit = _limit(entry, f"limits[{index}]", faults)
            if limit is None:
                continue
            scope = (limit.principal, limit.role, limit.currency, limit.activity)
            if scope in taken:
                faults.append(Fault("LIMIT_REPEATED", f"limits[{index}]"))
            taken.add(scope)
            limits.append(limit)
    return faults or ApprovalLimits(tuple(limits), expires_days)


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
            units = _units(text, _currency(currency, field, faults), field, faults)
            if units is not None:
                most.setdefault(activity, {})[currency] = units
    return faults or Tolerances(most)


def _limit(entry: object, field: str, faults: list[Fault]) -> ApprovalLimit | None:
    if not isinstance(entry, Mapping):
        faults.append(Fault("WRONG_TYPE", field))
        return None
    before = len(faults)
    faults += _unknown_fields(entry, ("principal", "role", "currency", "activity", "min", "max"), f"{field}.")
    principal, role = (_name(entry.get(name), f"{field}.{name}", faults) for name in ("principal", "role"))
    if len(faults) == before and (principal is None) == (role is None):
        faults.append(Fault("PRINCIPAL_OR_ROLE", field))
    activity = entry.get("activity", ANY)
    if activity not in (ANY, *ACTIVITIES):
        faults.append(Fault("ACTIVITY_UNKNOWN", f"{field}.activity"))
    currency = _currency(entry.get("currency", ANY), f"{field}.currency", faults)
    least = _units(entry.get("min", "0"), currency, f"{field}.min", faults)
    most = _units(entry.get("max"), currency, f"{field}.max", faults)
    if least is not None and most is not None and least > most:
        faults.append(Fault("MIN_ABOVE_MAX", f"{field}.min"))
    if len(faults) > before or least is None or most is None:
        return None
    return ApprovalLimit(principal, role, entry.get("currency", ANY), activity, least, most)


def _currency(given: object, field: str, faults: list[Fault]) -> str:
    """Return the currency to read amounts by; where any is meant, or none can be told, the one with the most decimals."""
    if given == ANY:
        return _MOST_DECIMALS
    try:
        scale(given if isinstance(given, str) else "")
    except CurrencyUnknown as error:
        faults.append(Fault(error.code, field))
        return _MOST_DECIMALS
    return str(given)


def _units(text: object, currency: str, field: str, faults: list[Fault]) -> Decimal | None:
    """Read an amount of units, zero or more."""
    if not isinstance(text, str):
        faults.append(Fault("MISSING" if text is None else "WRONG_TYPE", field))
        return None
    minor = read_owed(text, currency, field, faults)
    return None if minor is None or minor < 0 else Decimal(text)


def _minor(units: Decimal, currency: str, rounding: str) -> int:
    return int(units.scaleb(scale(currency)).to_integral_value(rounding))


def _name(given: object, field: str, faults: list[Fault]) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str):
        faults.append(Fault("WRONG_TYPE", field))
    elif not 1 <= len(given) <= PRINCIPAL_LENGTH_MAX or not given.isprintable():
        faults.append(Fault("NAME_INVALID", field))
    else:
        return given
    return None


def _days(given: object, faults: list[Fault]) -> int:
    """Read `expires_days`; what is returned beside a fault is of no use."""
    if type(given) is not int:  # A bool is an int to isinstance.
        faults.append(Fault("MISSING" if given is None else "WRONG_TYPE", "expires_days"))
        return 0
    if not 1 <= given <= EXPIRES_DAYS_MAX:
        faults.append(Fault("DAYS_OUT_OF_RANGE", "expires_days"))
    return given


def _unknown_fields(body: Mapping[str, Any], known: Collection[str], prefix: str) -> list[Fault]:
    unknown: Iterable[str] = sorted(str(name) for name in body if name not in known)
    return [Fault("FIELD_UNKNOWN", f"{prefix}{name}") for name in unknown]
