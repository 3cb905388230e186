"""How a decision that somebody may not take is answered over HTTP."""

from collections.abc import Mapping
from typing import Final

from chassis.http import Problem
from money import format_minor

from policies.approvals import AlreadyDecided, DecisionRefused, LimitForbids, MakerIsChecker

_LIMIT_DETAILS: Final[Mapping[str, str]] = {
    "LIMIT_MISSING": "Nobody has given you an approval limit for this kind and currency (policy version {version}).",
    "LIMIT_EXCEEDED": "Your approval limit is {limit} (policy version {version}).",
    "AMOUNT_BELOW_LIMIT": "Your approval limit begins at {limit} (policy version {version}).",
}


def decision_refused(refused: DecisionRefused) -> Problem:
    """Say why not: 409 where it is too late, 403 where it is not for this person to decide."""
    if isinstance(refused, LimitForbids):
        decision, currency = refused.decision, refused.currency
        limit = "" if decision.limit_minor is None else f"{format_minor(decision.limit_minor, currency)} {currency}"
        return Problem(403, decision.verdict, _LIMIT_DETAILS[decision.verdict].format(limit=limit, version=decision.policy_version))
    if isinstance(refused, AlreadyDecided):
        return Problem(409, "ALREADY_DECIDED", str(refused.__doc__))
    code = "MAKER_IS_CHECKER" if isinstance(refused, MakerIsChecker) else "NOT_THE_MAKER"
    return Problem(403, code, str(refused.__doc__))
