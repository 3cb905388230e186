"""
What a policy is, whatever it is about: proposed by one person, approved by another, numbered, dated, one of them in force on a day (XC-07).

What a body of each kind must say, and what holds where nobody has published one, is for the service to list: see `kinds`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal, TypeAlias

Status: TypeAlias = Literal["proposed", "approved", "rejected", "expired"]
Objection: TypeAlias = Literal["PROPOSAL_DECIDED", "PROPOSAL_EXPIRED", "MAKER_IS_CHECKER"]

STANDARD: Final = "standard-1"
"""The version a decision names when no policy of the entity was in force."""
EXPIRES_DAYS: Final = 30
"""So many days after it was made a proposal may still be decided about."""


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """An approved policy: its number within entity and kind ("1", "2", …), the first day it is for, and what it says."""

    version: str
    valid_from: date
    body: dict[str, Any]


def in_force(versions: Sequence[PolicyVersion], on: date) -> PolicyVersion | None:
    """
    Return the policy for what is dated `on`: the one that begins last on or before that day. None: the standard of the kind holds.

    `versions` ascend by (valid_from, number), as `queries.load_in_force` gives them. So of two that begin on one day the one
    approved later holds, and one that is approved later but begins earlier fills the time before those that begin after it.
    """
    found = None
    for one in versions:
        if one.valid_from > on:
            break
        found = one
    return found


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy as it was proposed, on which business day, and what was decided about it, if anything was."""

    decided: Literal["approved", "rejected"] | None
    proposed_by: str
    proposed_on: date

    @property
    def expires_on(self) -> date:
        """The last business day on which it may be decided about."""
        return self.proposed_on + timedelta(days=EXPIRES_DAYS)

    def status_on(self, day: date) -> Status:
        """Return what it is on a business day: it expires when the day after its last one opens, whoever looks or does not."""
        return self.decided or ("expired" if day > self.expires_on else "proposed")

    def objection_to(self, checker: str, day: date) -> Objection | None:
        """Return why somebody may not decide about it on a business day, or None: whoever proposed it never does (XC-05)."""
        status = self.status_on(day)
        if status == "expired":
            return "PROPOSAL_EXPIRED"
        if status != "proposed":
            return "PROPOSAL_DECIDED"
        return "MAKER_IS_CHECKER" if checker == self.proposed_by else None
