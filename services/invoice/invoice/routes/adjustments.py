"""Adjustments and write-offs over HTTP: asked for by one person, decided by another (INV-08)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

from chassis.database import Connection
from chassis.http import Command, CommandDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from fastapi import APIRouter, Query, Response
from policies.approvals import DecisionRefused, Principal
from policies.refusals import decision_refused

from invoice.domain.adjustments import Status
from invoice.handlers import adjustments as handlers
from invoice.queries import adjustments as queries
from invoice.queries import days
from invoice.queries.steps import list_steps
from invoice.routes.cursors import read_place, write_place
from invoice.schemas.adjustments import (
    AdjustmentBody,
    AdjustmentDetailOut,
    AdjustmentOut,
    AdjustmentsOut,
    ApprovalBody,
    BadDebtsOut,
)
from invoice.schemas.decisions import RejectionBody, WithdrawalBody

MAY_ASK: Final = ("approver", "clerk", "service")
MAY_APPROVE: Final = ("approver", "clerk")
MAY_REJECT: Final = ("approver",)
PAGE_MAX: Final = 200

router = APIRouter()
EntityQuery = Annotated[str, Query(examples=["US01"])]
Decide: TypeAlias = Callable[[Connection, Batch], Awaitable[list[Fact]]]


@router.post("/v1/adjustments", status_code=201, responses={201: {"model": AdjustmentDetailOut}})
async def request_adjustment(body: AdjustmentBody, command: CommandDep) -> Response:
    """
    Ask for an amount to be taken off an item. What the tolerances in force cover is approved at once, the rest waits for a second person.

    Repeat it with the same Idempotency-Key only: under another one it is another request.
    """

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts, id_ = await handlers.request_adjustment(db, body.to_ask(), command.principal.sub, batch)
        except handlers.AdjustmentRefused as refused:
            raise _refused(refused) from None
        return facts, await _read(db, id_)

    return await command.run(body.entity, work, roles=MAY_ASK)


@router.post("/v1/adjustments/{adjustment:path}/approve", responses={200: {"model": AdjustmentDetailOut}})
async def approve_adjustment(adjustment: str, body: ApprovalBody, command: CommandDep) -> Response:
    """Approve a request that somebody else made, or a part of it; your approval limit has to cover the amount."""
    checker = Principal(command.principal.sub, command.principal.roles)

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        return await handlers.approve_adjustment(db, adjustment, body.amount, checker, batch)

    return await _decide(adjustment, command, decide, MAY_APPROVE)


@router.post("/v1/adjustments/{adjustment:path}/reject", responses={200: {"model": AdjustmentDetailOut}})
async def reject_adjustment(adjustment: str, body: RejectionBody, command: CommandDep) -> Response:
    """Reject a request that somebody else made."""

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        return await handlers.reject_adjustment(db, adjustment, body.reason, command.principal.sub, batch)

    return await _decide(adjustment, command, decide, MAY_REJECT)


@router.post("/v1/adjustments/{adjustment:path}/withdraw", responses={200: {"model": AdjustmentDetailOut}})
async def withdraw_adjustment(adjustment: str, _body: WithdrawalBody, command: CommandDep) -> Response:
    """Take back your own request before anybody has decided about it."""

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        return await handlers.withdraw_adjustment(db, adjustment, command.principal.sub, batch)

    return await _decide(adjustment, command, decide, MAY_ASK)


async def _decide(adjustment: str, command: Command, decide: Decide, roles: tuple[str, ...]) -> Response:
    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts = await decide(db, batch)
        except handlers.AdjustmentRefused as refused:
            raise _refused(refused) from None
        except handlers.AdjustmentUnknown:
            raise _unknown() from None
        except DecisionRefused as refused:
            raise decision_refused(refused) from None
        return facts, await _read(db, adjustment)

    return await command.run(adjustment.partition("|")[0], work, status=200, roles=roles)


def _refused(refused: handlers.AdjustmentRefused) -> Problem:
    return Problem(422, "ADJUSTMENT_REFUSED", "The adjustment is not possible as it was sent.", refused.reasons)


def _unknown() -> Problem:
    return Problem(404, "ADJUSTMENT_UNKNOWN", "There is no such adjustment.")


@router.get("/v1/adjustments")
async def list_adjustments(
    db: ReaderDep,
    entity: EntityQuery,
    status: Status | None = None,
    account: Annotated[str | None, Query(examples=["C-1"])] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> AdjustmentsOut:
    """List the adjustments of an entity in the order they were asked for: all, or those of one status, one account, or both."""
    await _check_entity(db, entity)
    found = await queries.list_adjustments(db, entity, status, account, 0 if cursor is None else read_place(cursor), limit + 1)
    page = found[:limit]
    return AdjustmentsOut(
        adjustments=[AdjustmentOut.of(stored) for stored in page],
        next_cursor=write_place(page[-1].number) if len(found) > limit else None,
    )


@router.get("/v1/adjustments/{adjustment:path}")  # A path, because the number of the document in it may hold slashes.
async def read_adjustment(adjustment: str, db: ReaderDep) -> AdjustmentDetailOut:
    """Read an adjustment with the history of its decisions: who, when, under which limit of which policy version."""
    return AdjustmentDetailOut.model_validate(await _read(db, adjustment))


@router.get("/v1/customers/{customer:path}/bad-debt")
async def read_bad_debt(customer: str, db: ReaderDep, entity: EntityQuery) -> BadDebtsOut:
    """Read what was written off of a customer's debts as bad, and what of it came in later, by currency."""
    await _check_entity(db, entity)
    return BadDebtsOut.of(entity, customer, await queries.list_bad_debts(db, entity, customer))


async def _read(db: Connection, adjustment: str) -> Mapping[str, Any]:
    stored = await queries.find_adjustment(db, adjustment)
    if stored is None:
        raise _unknown()
    return AdjustmentDetailOut.with_history(stored, await list_steps(db, "adjustment", adjustment)).model_dump(mode="json")


async def _check_entity(db: Connection, entity: str) -> None:
    if await days.find_open_day(db, entity) is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
