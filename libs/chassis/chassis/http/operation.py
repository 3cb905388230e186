"""What stands aside in a service, and how an operator brings it back: parked facts and refused records, by identity and reason only."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Annotated, Any, TypeAlias

import structlog
from fastapi import APIRouter, Path
from pydantic import BaseModel

from chassis import audit, business_day, outbox, parking
from chassis.business_day import DayTurning
from chassis.database import TRANSIENT, Connection
from chassis.delivery import Delivery
from chassis.http.auth import Principal
from chassis.http.calendar import require_operator
from chassis.http.commands import CONFLICTS, RETRIES_MAX, PrincipalDep
from chassis.http.edge import TURN_WAIT_SECONDS_MAX, Edge, EdgeDep, ReaderDep
from chassis.http.problems import Problem

router = APIRouter(tags=["operation"])
_log = structlog.get_logger()

Redrive: TypeAlias = Callable[[Connection, Delivery, Mapping[str, date]], Awaitable[int]]
"""Brings something back in the transaction given, booked on the open days given; returns how many records it handled."""


RowId: TypeAlias = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Redriven(BaseModel):
    """How many records were handled: of a parked fact, all of its key up to one that must still wait."""

    records: int


@router.get("/v1/parked")
async def show_parked(db: ReaderDep, principal: PrincipalDep) -> list[dict[str, Any]]:
    """List the oldest 200 parked facts. Needs the role operator."""
    require_operator(principal.roles)
    return await parking.list_parked(db)


@router.get("/v1/refused")
async def show_refused(db: ReaderDep, principal: PrincipalDep) -> list[dict[str, Any]]:
    """List the newest 200 refused ingress records. Needs the role operator."""
    require_operator(principal.roles)
    return await parking.list_refused(db)


@router.post("/v1/parked/{id}/redrive")
async def redrive_parked(id: int, edge: EdgeDep, principal: PrincipalDep) -> Redriven:
    """
    Handle a parked fact and everything parked behind it under its key, in order, booked on the open day.

    Safe to repeat: what has been handled is no longer parked. Needs the role operator.
    """

    async def redrive(db: Connection, delivery: Delivery, open_on: Mapping[str, date]) -> int:
        row = await db.fetchrow("SELECT topic, key FROM chassis.parked WHERE id = $1 AND state = 'parked'", id)
        if row is None:
            raise Problem(404, "NOT_FOUND", "Nothing is parked under this id.")
        return await delivery.redrive_stream(db, row["topic"], row["key"], open_on)

    return await _redrive(edge, principal, f"parked/{id}", redrive)


@router.post("/v1/refused/{id}/redrive")
async def redrive_refused(id: int, edge: EdgeDep, principal: PrincipalDep) -> Redriven:
    """
    Handle a refused ingress record again, booked on the open day; it may be refused again, under a new id.

    Safe to repeat. Needs the role operator.
    """

    async def redrive(db: Connection, delivery: Delivery, _open_on: Mapping[str, date]) -> int:
        if not await delivery.redrive_refused(db, id):
            raise Problem(404, "NOT_FOUND", "No refused record waits under this id.")
        return 1

    return await _redrive(edge, principal, f"refused/{id}", redrive)


async def _redrive(edge: Edge, principal: Principal, subject: str, redrive: Redrive) -> Redriven:
    require_operator(principal.roles)
    """Begin again while the day turns (5 s) and after conflicts (three times): a redrive locks what the worker locks, in its own order."""
    deadline = asyncio.get_running_loop().time() + TURN_WAIT_SECONDS_MAX
    turns = conflicts = 0
    while True:
        try:
            return await _redrive_once(edge, principal, subject, redrive)
        except DayTurning:
            await edge.turns.wait(subject, turns, deadline)
            turns += 1
        except CONFLICTS as error:
            conflicts += 1
            if conflicts > RETRIES_MAX:
                detail = "The worker is busy with the same records; nothing was changed. Send the request again."
                raise Problem(503, "BUSY", detail, headers={"Retry-After": "1"}) from error


async def _redrive_once(edge: Edge, principal: Principal, subject: str, redrive: Redrive) -> Redriven:
    delivery = Delivery(edge.service, edge.database, edge.entities, edge.clock, edge.wake)
    async with edge.database.transaction() as db:
        days = await business_day.share(db, list(edge.entities.by_id))
        if any(day.turning_on is not None for day in days.values()):
            raise DayTurning(subject)
        records = await _or_still_fails(redrive(db, delivery, {entity: day.open_on for entity, day in days.items()}))
        await audit.record(
            db,
            entity="",  # A record may speak of any entity, or of none.
            principal=principal.sub,
            action="redrive",
            subject=subject,
            detail={"records": records},
            recorded_at=edge.clock(),
        )
        await outbox.notify(db)
    edge.wake.set()
    return Redriven(records=records)


async def _or_still_fails(redriving: Awaitable[int]) -> int:
    try:
        return await redriving
    except (Problem, DayTurning, *TRANSIENT):
        raise
    except Exception as error:  # Whatever a handler raises: what made the record stand aside is still there.
        _log.warning("http.redrive_failed", exc_info=error)
        raise Problem(409, "STILL_FAILS", f"It still fails, with {type(error).__name__}; nothing was changed.") from error
