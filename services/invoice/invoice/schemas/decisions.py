"""HTTP bodies of deciding about any request, and how the history of one is shown."""

from datetime import date, datetime
from typing import Final

from money import format_minor
from pydantic import BaseModel, Field

from invoice.queries.steps import StoredStep
from invoice.schemas.values import Body

REASON: Final = "A code of at most 40 characters: letters, digits, `_`, `.` and `-`."


class RejectionBody(Body):
    """A rejection and its reason."""

    reason: str = Field(examples=["STILL_COLLECTIBLE"], description=REASON)


class WithdrawalBody(Body):
    """A withdrawal says nothing more."""


class StepOut(BaseModel):
    """
    One step of deciding. `by` is null where a policy decided, or the day that turned; `limit` is what allowed it, under `policy_version`.
    """

    action: str
    by: str | None
    amount: str
    policy_version: str | None
    limit: str | None
    reason: str | None
    booked_on: date
    recorded_at: datetime

    @classmethod
    def of(cls, stored: StoredStep, currency: str) -> "StepOut":
        """Show a step."""
        step = stored.step
        return cls(
            action=step.action,
            by=step.by,
            amount=format_minor(step.amount_minor, currency),
            policy_version=step.policy_version,
            limit=None if step.limit_minor is None else format_minor(step.limit_minor, currency),
            reason=step.reason,
            booked_on=stored.booked_on,
            recorded_at=stored.recorded_at,
        )
