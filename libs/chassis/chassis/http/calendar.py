"""Business days: read anywhere, started at the service that owns the calendar."""

from datetime import date
from typing import Annotated, Any

from events.invoice import Reason
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis import audit, outbox
from chassis.business_day import ONE_DAY
from chassis.calendar import DayRefused, start_days
from chassis.http.commands import PrincipalDep
from chassis.http.edge import EdgeDep, ReaderDep
from chassis.http.problems import Problem

OPERATOR = "operator"

reading = APIRouter(tags=["business days"])
starting = APIRouter(tags=["business days"])


class DayBody(BaseModel):
    """The business day to start."""

    model_config = ConfigDict(extra="forbid")

    entity: Annotated[str, Field(min_length=1, max_length=20)]
    date: date


class DayState(BaseModel):
    """How far an entity is in this service; `complete_up_to` is its last closed day."""

    entity: str
    open_on: date
    complete_up_to: date
    turning_on: date | None
    held: int
    parked: int
    late: int


class DaysStarted(BaseModel):
    """What starting a day has done: how many days began, none when it had begun already."""

    entity: str
    date: date
    days_started: int


@reading.get("/v1/business-days")
async def show_business_day(entity: Annotated[str, Query(min_length=1, max_length=20)], db: ReaderDep) -> DayState:
    """Say which business day is open here, and what stands aside: held behind a day to come, parked, or come late."""
    row = await db.fetchrow(
        """
        SELECT entity, open_on, turning_on, late,
            (SELECT count(*) FROM chassis.held h WHERE h.entity = d.entity) AS held,
            (SELECT count(*) FROM chassis.parked p WHERE p.state = 'parked' AND split_part(p.key, '|', 1) = d.entity) AS parked
        FROM chassis.day d WHERE entity = $1
        """,
        entity,
    )
    if row is None:
        raise _unknown()
    return DayState(complete_up_to=row["open_on"] - ONE_DAY, **row)


@starting.post("/v1/business-days", status_code=201)
async def start_business_day(body: DayBody, edge: EdgeDep, principal: PrincipalDep) -> DaysStarted:
    """
    Start a business day, and those skipped before it.

    The day is its own idempotency key: started again, it starts nothing. Needs the role operator.
    """
    require_operator(principal.roles)
    if body.entity not in edge.entities.by_id:
        raise _unknown()
    now, partitions = edge.clock(), edge.settings.topic_partitions
    async with edge.database.transaction() as db:
        try:
            markers = await start_days(db, edge.entities, body.entity, body.date, now, partitions)
        except DayRefused as error:
            raise Problem(422, "DAY_REFUSED", str(error), [Reason(code="DAY_REFUSED", field="date")]) from error
        days = len({marker.day for marker in markers})
        detail: dict[str, Any] = {"days_started": days}
        await outbox.add_markers(db, markers, now)
        await audit.record(
            db,
            entity=body.entity,
            principal=principal.sub,
            action="POST /v1/business-days",
            subject=body.date.isoformat(),
            detail=detail,
            recorded_at=now,
        )
        await outbox.notify(db)
    edge.wake.set()
    return DaysStarted(entity=body.entity, date=body.date, days_started=days)


def require_operator(roles: frozenset[str]) -> None:
    """:raises Problem: 403 without the role operator."""
    if OPERATOR not in roles:
        raise Problem(403, "ROLE_MISSING", f"This needs the role {OPERATOR}.")


def _unknown() -> Problem:
    return Problem(404, "ENTITY_UNKNOWN", "No such entity is declared.", [Reason(code="ENTITY_UNKNOWN", field="entity")])
