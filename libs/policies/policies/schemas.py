"""HTTP bodies of policies."""

from datetime import date, timedelta
from typing import Any

from chassis.http.bodies import Body, Day
from pydantic import BaseModel, Field

from policies.kinds import Kinds, PolicyKind
from policies.queries import StoredPolicy
from policies.versions import STANDARD, PolicyVersion, Status

_NEXT_DAY = timedelta(days=1)


class PolicyBody(Body):
    """A policy to propose: of which kind, for what is dated from which day, and what it says. Its numbers are whole or decimal strings."""

    entity: str = Field(examples=["US01"])
    kind: str = Field(examples=["tolerances"])
    valid_from: Day
    body: dict[str, Any] = Field(examples=[{"small_balance": {"*": "5.00"}}])


class RejectionBody(Body):
    """Why a proposal is rejected: a code of at most 40 characters."""

    reason: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$", examples=["TOO_GENEROUS"])


class PolicyOut(BaseModel):
    """
    A policy as it stands; `status` is proposed, approved, rejected or expired.

    `version` counts the approved ones of an entity and kind. `in_force_from` is the day from whose opening an approved one counts, for what
    is dated `valid_from` or later; `expires_on` the last day to decide about a proposal.
    """

    policy: int
    entity: str
    kind: str
    status: Status
    version: str | None
    valid_from: date
    body: dict[str, Any]
    proposed_by: str
    proposed_on: date
    expires_on: date
    decided_by: str | None
    decided_on: date | None
    reason: str | None
    in_force_from: date | None

    @classmethod
    def of(cls, stored: StoredPolicy, open_on: date) -> "PolicyOut":
        """Show a policy as it is on the open day."""
        approved_on = stored.decided_on if stored.version is not None else None
        return cls(
            policy=stored.id,
            entity=stored.entity,
            kind=stored.kind,
            status=stored.proposal.status_on(open_on),
            version=None if stored.version is None else str(stored.version),
            valid_from=stored.valid_from,
            body=stored.body,
            proposed_by=stored.proposal.proposed_by,
            proposed_on=stored.proposal.proposed_on,
            expires_on=stored.proposal.expires_on,
            decided_by=stored.decided_by,
            decided_on=stored.decided_on,
            reason=stored.reason,
            in_force_from=None if approved_on is None else approved_on + _NEXT_DAY,
        )


class StandardOut(BaseModel):
    """What holds where an entity has no policy of a kind, and what that means."""

    kind: str
    version: str
    body: dict[str, Any]
    says: str


class PoliciesOut(BaseModel):
    """A page of policies in the order they were proposed, and the standard of every kind asked for; `next_cursor` is null on the last."""

    policies: list[PolicyOut]
    standards: list[StandardOut]
    next_cursor: str | None


class InForceOut(BaseModel):
    """The policy of a kind that is in force; `valid_from` is null for a standard."""

    kind: str
    version: str
    valid_from: date | None
    body: dict[str, Any]

    @classmethod
    def of(cls, kind: PolicyKind[Any], found: PolicyVersion | None) -> "InForceOut":
        """Show a policy, or the standard of its kind where there is none."""
        if found is None:
            return cls(kind=kind.name, version=STANDARD, valid_from=None, body=dict(kind.standard))
        return cls(kind=kind.name, version=found.version, valid_from=found.valid_from, body=found.body)


class AllInForceOut(BaseModel):
    """What is in force for what is dated `on`, by what was approved before the open day."""

    entity: str
    on: date
    policies: list[InForceOut]


def standards(kinds: Kinds) -> list[StandardOut]:
    """Show the standards of kinds."""
    return [StandardOut(kind=name, version=STANDARD, body=dict(kind.standard), says=kind.says) for name, kind in kinds.items()]
