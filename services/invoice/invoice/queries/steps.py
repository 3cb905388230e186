"""The history of requests that people decide about: one table of steps for each sort of request. Columns: `tables`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeAlias

from chassis.database import Connection

Sort: TypeAlias = Literal["adjustment", "credit_memo_request"]
"""The tables of requests; the steps of each stand in a table named after it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of deciding: who did what, about how much in minor units; `by` is None for a policy and for the day that turned."""

    request: str
    action: str
    by: str | None
    amount_minor: int
    policy_version: str | None = None
    limit_minor: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StoredStep:
    """A step with the day it was booked on and the instant it was written."""

    step: Step
    booked_on: date
    recorded_at: datetime


async def add_steps(db: Connection, sort: Sort, steps: Sequence[Step], booked_on: date, recorded_at: datetime) -> None:
    """Add one step to the history of each request named; none stands twice in `steps`."""
    await db.execute(
        f"""
        INSERT INTO {sort}_step ({sort}_id, n, action, by, amount_minor, policy_version, limit_minor, reason, booked_on, recorded_at)
        SELECT step.id, 1 + (SELECT count(*) FROM {sort}_step AS before WHERE before.{sort}_id = step.id),
               step.action, step.by, step.amount_minor, step.policy_version, step.limit_minor, step.reason, $8, $9
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[])
            AS step (id, action, by, amount_minor, policy_version, limit_minor, reason)
        """,
        [step.request for step in steps],
        [step.action for step in steps],
        [step.by for step in steps],
        [step.amount_minor for step in steps],
        [step.policy_version for step in steps],
        [step.limit_minor for step in steps],
        [step.reason for step in steps],
        booked_on,
        recorded_at,
    )


async def list_steps(db: Connection, sort: Sort, id_: str) -> list[StoredStep]:
    """Read the history of a request, first step first."""
    rows = await db.fetch(f"SELECT * FROM {sort}_step WHERE {sort}_id = $1 ORDER BY n", id_)
    return [
        StoredStep(
            Step(id_, row["action"], row["by"], row["amount_minor"], row["policy_version"], row["limit_minor"], row["reason"]),
            row["booked_on"],
            row["recorded_at"],
        )
        for row in rows
    ]
