"""How commands that are refused are answered, where more than one route does."""

from collections.abc import Mapping, Sequence
from typing import Final

from chassis.http import Problem
from events.invoice import Reason
from money import format_minor

from invoice.handlers import CONFLICT, DocumentNumberTaken
from invoice.handlers.approvals import AlreadyDecided, DecisionRefused, LimitForbids, MakerIsChecker

_LIMIT_DETAILS: Final[Mapping[str, str]] = {
    "LIMIT_MISSING": "Nobody has given you an approval limit for this kind and currency (policy version {version}).",
    "LIMIT_EXCEEDED": "Your approval limit is {limit} (policy version {version}).",
    "AMOUNT_BELOW_LIMIT": "Your approval limit begins at {limit} (policy version {version}).",
}


def document_refused(reasons: Sequence[Reason]) -> Problem:
    """Say every reason why something is no document."""
    return Problem(422, "DOCUMENT_REFUSED", "The document is not acceptable as it was sent.", reasons)


def number_taken(taken: DocumentNumberTaken) -> Problem:
    """Say that its number stands for something else."""
    return Problem(409, CONFLICT.code, str(taken.__doc__), [CONFLICT])


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
