"""Deciding about requests, whatever they ask for: the rules in force, and every reason why somebody may not decide (XC-05)."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from chassis.database import Connection

from invoice.domain.approvals import (
    STANDARD_APPROVAL_LIMITS,
    STANDARD_TOLERANCES,
    Decision,
    Rules,
    parse_approval_limits,
    parse_tolerances,
)
from invoice.domain.faults import Fault
from invoice.domain.policies import STANDARD, in_force
from invoice.queries import policies

PolicyT = TypeVar("PolicyT")


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


async def load_rules(db: Connection, entity: str, open_on: date) -> Rules:
    """Read the approval limits and tolerances in force for a decision on the open day: those approved before it, or the standard."""
    limits, limits_version = await _load(db, "approval_limits", entity, open_on, parse_approval_limits, STANDARD_APPROVAL_LIMITS)
    tolerances, tolerances_version = await _load(db, "tolerances", entity, open_on, parse_tolerances, STANDARD_TOLERANCES)
    return Rules(limits, limits_version, tolerances, tolerances_version)


async def _load(
    db: Connection,
    kind: str,
    entity: str,
    open_on: date,
    parse: Callable[[Mapping[str, Any]], PolicyT | list[Fault]],
    standard: Mapping[str, Any],
) -> tuple[PolicyT, str]:
    found = in_force((await policies.load_in_force(db, kind, [entity], {entity: open_on})).get(entity, []), open_on)
    policy = parse(standard if found is None else found.body)
    assert not isinstance(policy, list), f"a policy of kind {kind} was approved although it cannot be read"
    return policy, STANDARD if found is None else found.version
