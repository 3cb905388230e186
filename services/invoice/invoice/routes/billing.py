"""HTTP of billing schedules."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final

from chassis.database import Connection
from chassis.http import CommandDep, EntitiesDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from events.invoice import Reason
from fastapi import APIRouter, Query, Response

from invoice.domain import billing
from invoice.handlers import billing as handlers
from invoice.queries import billing as queries
from invoice.queries.billing import StoredSchedule
from invoice.schemas.billing import ScheduleActBody, ScheduleBody, ScheduleChangeBody, ScheduleDetailOut, ScheduleOut, SchedulesOut

MAY_BILL: Final = ("clerk", "service")
PAGE_MAX: Final = 200
OUTCOMES_SHOWN: Final = 100
UPCOMING_SHOWN: Final = 3

router = APIRouter()
EntityQuery = Annotated[str, Query(examples=["US01"])]
Done = Callable[[Connection, Batch], Awaitable[tuple[list[Fact], StoredSchedule]]]


@router.post("/v1/billing-schedules", status_code=201, responses={201: {"model": ScheduleDetailOut}})
async def define_schedule(body: ScheduleBody, command: CommandDep) -> Response:
    """Make a schedule. Safe to repeat: the same number with the same content is one schedule, with other content it is refused (409)."""
    schedule = body.to_schedule()
    _refuse_misplaced(body)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], StoredSchedule]:
        return [], await handlers.define_schedule(db, schedule, command.principal.sub, batch)

    return await command.run(body.entity, _answered(work), roles=MAY_BILL)


@router.put("/v1/billing-schedules/{schedule_no}", responses={200: {"model": ScheduleDetailOut}})
async def change_schedule(schedule_no: str, body: ScheduleChangeBody, command: CommandDep) -> Response:
    """Change what a schedule bills from the next business day on. Its days stay: for others, stop it and make another one."""
    _refuse_misplaced(body)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], StoredSchedule]:
        stored = await queries.find_schedule(db, body.entity, schedule_no)
        if stored is None:
            raise handlers.ScheduleUnknown
        days = stored.schedule.plan.recurrence
        plan = body.plan_with(None if days is None else replace(days, ends_on=body.ends_on, occurrences=body.count))
        return [], await handlers.change_schedule(db, body.entity, schedule_no, plan, command.principal.sub, batch)

    return await command.run(body.entity, _answered(work), status=200, roles=MAY_BILL)


@router.post("/v1/billing-schedules/{schedule_no}/stop", responses={200: {"model": ScheduleDetailOut}})
async def stop_schedule(schedule_no: str, body: ScheduleActBody, command: CommandDep) -> Response:
    """Bill nothing more by a schedule."""

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], StoredSchedule]:
        return [], await handlers.stop_schedule(db, body.entity, schedule_no, batch)

    return await command.run(body.entity, _answered(work), status=200, roles=MAY_BILL)


@router.post("/v1/billing-schedules/{schedule_no}/milestones/{milestone}/release", responses={200: {"model": ScheduleDetailOut}})
async def release_milestone(schedule_no: str, milestone: str, body: ScheduleActBody, command: CommandDep) -> Response:
    """Bill a milestone on the open day. Safe to repeat: a milestone is billed once."""

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], StoredSchedule]:
        return await handlers.release_milestone(db, body.entity, schedule_no, milestone, batch)

    return await command.run(body.entity, _answered(work), status=200, roles=MAY_BILL)


@router.get("/v1/billing-schedules")
async def list_schedules(
    db: ReaderDep,
    entities: EntitiesDep,
    entity: EntityQuery,
    customer: Annotated[str | None, Query(examples=["C-1"])] = None,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> SchedulesOut:
    """List the schedules of an entity, or of one customer of it, by number."""
    if entity not in entities.by_id:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    if cursor and not billing.is_code(cursor):
        raise Problem(400, "CURSOR_INVALID", "The cursor is not one that a page before this one gave.")
    found = await queries.list_schedules(db, entity, customer, cursor, limit + 1)
    page = found[:limit]
    return SchedulesOut(
        schedules=[ScheduleOut.of(stored) for stored in page],
        next_cursor=page[-1].schedule.schedule_no if len(found) > limit else None,
    )


@router.get("/v1/billing-schedules/{schedule_no}")
async def read_schedule(schedule_no: str, db: ReaderDep, entity: EntityQuery) -> ScheduleDetailOut:
    """Read a schedule: what it billed lately, and what comes next."""
    stored = await queries.find_schedule(db, entity, schedule_no)
    if stored is None:
        raise _unknown()
    return await _detail(db, stored)


def _answered(done: Done) -> Callable[[Connection, Batch], Awaitable[tuple[list[Fact], Mapping[str, Any]]]]:
    """Answer with the schedule as a command has left it, or with the problem it met."""

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts, stored = await done(db, batch)
        except handlers.ScheduleUnknown:
            raise _unknown() from None
        except handlers.ScheduleRefused as refused:
            raise _refused(refused.reasons) from None
        except handlers.ScheduleNumberTaken as taken:
            raise Problem(409, "CONFLICT", str(taken.__doc__), [Reason(code="CONFLICT", field="schedule_no")]) from None
        return facts, (await _detail(db, stored)).model_dump(mode="json")

    return work


async def _detail(db: Connection, stored: StoredSchedule) -> ScheduleDetailOut:
    outcomes = await queries.list_outcomes(db, stored.row_id, OUTCOMES_SHOWN)
    return ScheduleDetailOut.with_occurrences(stored, outcomes, billing.upcoming(stored.schedule, UPCOMING_SHOWN))


def _refuse_misplaced(body: ScheduleChangeBody) -> None:
    if misplaced := body.misplaced():
        raise _refused([Reason(code=fault.code, field=fault.field) for fault in misplaced])


def _refused(reasons: list[Reason]) -> Problem:
    return Problem(422, "SCHEDULE_REFUSED", "The schedule is not acceptable as it was sent.", reasons)


def _unknown() -> Problem:
    return Problem(404, "SCHEDULE_UNKNOWN", "The entity has no billing schedule of this number.")
