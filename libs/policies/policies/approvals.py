"""
Who may decide about how much: approval limits as data, and the judgement made by them (XC-05). Pure: values in, values out.

A policy of limits says what a principal or a role may approve, by currency and, where a service has several, by activity. Who made a
request does not decide about it, whatever the limits say.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final, Literal, TypeAlias

from policies.bodies import ANY, read_currency, read_units, units_minor, unknown_fields
from policies.faults import Fault

EXPIRES_DAYS_MAX: Final = 3650
LIMITS_MAX: Final = 1000
PRINCIPAL_LENGTH_MAX: Final = 255  # As long as the subject of a token may be.


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
        return units_minor(self.least, currency, ROUND_CEILING), units_minor(self.most, currency, ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class ApprovalLimits:
    """A policy of limits: the limits, and after how many days nobody may approve a request any more."""

    limits: tuple[ApprovalLimit, ...]
    expires_days: int


@dataclass(frozen=True, slots=True)
class Principal:
    """Who decides: the subject of a token, by which makers and checkers are told apart, and its roles."""

    sub: str
    roles: frozenset[str]


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


def judge_by_limits(
    limits: ApprovalLimits, version: str, amount_minor: int, currency: str, who: Principal, *, activity: str = ANY, maker: str | None = None
) -> Decision:
    """
    Decide whether a person may approve an amount of minor units, by a policy of limits and its version.

    Of the limits that concern a person the most specific count; of several equally specific ones (of several roles) each allows what it
    covers. `activity` is of those the policy tells apart. Who made the request (`maker`) may not; without a maker only limits decide.
    """
    if who.sub == maker:
        return Decision("MAKER_IS_CHECKER", version)
    concerning = [limit for limit in limits.limits if limit.concerns(currency, activity, who)]
    if not concerning:
        return Decision("LIMIT_MISSING", version)
    highest = max(limit.rank for limit in concerning)
    ranges = [limit.range_minor(currency) for limit in concerning if limit.rank == highest]
    covering = [most for least, most in ranges if least <= amount_minor <= most]
    if covering:
        return Decision("approved", version, max(covering))
    most = max(most for _, most in ranges)
    if amount_minor > most:
        return Decision("LIMIT_EXCEEDED", version, most)
    return Decision("AMOUNT_BELOW_LIMIT", version, min(least for least, _ in ranges if least > amount_minor))


class DecisionRefused(Exception):
    """This person may not decide so about this request, or not any more."""


class AlreadyDecided(DecisionRefused):
    """The request was decided already, and a decision is final: make another request."""


class NotTheMaker(DecisionRefused):
    """Only who made a request may withdraw it."""


class MakerIsChecker(DecisionRefused):
    """Who made a request does not decide about it; the maker may withdraw it."""


class LimitForbids(DecisionRefused):
    """No approval limit of this person covers the amount: `decision` says which is the nearest, in minor units of `currency`."""

    def __init__(self, decision: Decision, currency: str) -> None:
        super().__init__(decision.verdict)
        self.decision = decision
        self.currency = currency


def require_approved(decision: Decision, currency: str) -> None:
    """
    Let a judgement of a person pass that approves.

    :raises MakerIsChecker: the checker made the request.
    :raises LimitForbids: no limit of theirs covers the amount.
    """
    if decision.verdict == "MAKER_IS_CHECKER":
        raise MakerIsChecker
    if decision.verdict != "approved":
        raise LimitForbids(decision, currency)


def parse_limits(body: Mapping[str, Any], activities: Collection[str] = ()) -> ApprovalLimits | list[Fault]:
    """
    Read the body of a policy of limits, or return every fault it has.

    `{"limits": [{"principal" | "role", "currency", "activity", "min", "max"}], "expires_days"}`: a limit is a principal's or a role's, not
    both; `currency` and `activity` are `*` and `min` is zero where left out; amounts are decimal strings of units. `activity` is one of
    `activities`; where there are none to tell apart, nobody reads such a field.
    """
    faults = unknown_fields(body, ("limits", "expires_days"))
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
            limit = _limit(entry, activities, f"limits[{index}]", faults)
            if limit is None:
                continue
            scope = (limit.principal, limit.role, limit.currency, limit.activity)
            if scope in taken:
                faults.append(Fault("LIMIT_REPEATED", f"limits[{index}]"))
            taken.add(scope)
            limits.append(limit)
    return faults or ApprovalLimits(tuple(limits), expires_days)


def _limit(entry: object, activities: Collection[str], field: str, faults: list[Fault]) -> ApprovalLimit | None:
    if not isinstance(entry, Mapping):
        faults.append(Fault("WRONG_TYPE", field))
        return None
    before = len(faults)
    known = ("principal", "role", "currency", "min", "max", *(("activity",) if activities else ()))
    faults += unknown_fields(entry, known, f"{field}.")
    principal, role = (_name(entry.get(name), f"{field}.{name}", faults) for name in ("principal", "role"))
    if len(faults) == before and (principal is None) == (role is None):
        faults.append(Fault("PRINCIPAL_OR_ROLE", field))
    activity = entry.get("activity", ANY)
    if activities and activity not in (ANY, *activities):
        faults.append(Fault("ACTIVITY_UNKNOWN", f"{field}.activity"))
    currency = read_currency(entry.get("currency", ANY), f"{field}.currency", faults)
    least = read_units(entry.get("min", "0"), currency, f"{field}.min", faults)
    most = read_units(entry.get("max"), currency, f"{field}.max", faults)
    if least is not None and most is not None and least > most:
        faults.append(Fault("MIN_ABOVE_MAX", f"{field}.min"))
    if len(faults) > before or least is None or most is None:
        return None
    return ApprovalLimit(principal, role, entry.get("currency", ANY), activity, least, most)


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
