"""Credit memos above their maker's limit over HTTP: somebody else approves or rejects them (INV-06, XC-05)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias
from urllib.parse import quote

from chassis.database import Connection
from chassis.http import Command, CommandDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from fastapi import APIRouter, Query, Response
from policies.approvals import DecisionRefused, Principal
from policies.refusals import decision_refused

from invoice.domain.memo_requests import Status
from invoice.handlers import DocumentNumberTaken, DocumentRefused
from invoice.handlers import memo_requests as handlers
from invoice.queries import days
from invoice.queries import memo_requests as queries
from invoice.queries.steps import list_steps
from invoice.routes.cursors import read_place, write_place
from invoice.routes.refusals import document_refused, number_taken
from invoice.schemas.decisions import RejectionBody, WithdrawalBody
from invoice.schemas.memo_requests import CreditMemoRequestDetailOut, CreditMemoRequestOut, CreditMemoRequestsOut
from invoice.schemas.values import Body

MAY_APPROVE: Final = ("approver", "clerk")
MAY_REJECT: Final = ("approver",)
MAY_WITHDRAW: Final = ("clerk",)
PAGE_MAX: Final = 200

router = APIRouter()
Decide: TypeAlias = Callable[[Connection, Batch], Awaitable[list[Fact]]]


class MemoApprovalBody(Body):
    """An approval of a credit memo, which is all of it or nothing."""


@router.post("/v1/credit-memo-requests/{request:path}/approve", responses={200: {"model": CreditMemoRequestDetailOut}})
async def approve_credit_memo(request: str, _body: MemoApprovalBody, command: CommandDep) -> Response:
    """Approve a credit memo that somebody else asked for, which issues it; your approval limit has to cover its total."""
    checker = Principal(command.principal.sub, command.principal.roles)

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        return await handlers.approve_memo(db, request, checker, batch)

    return await _decide(request, command, decide, MAY_APPROVE)


@router.post("/v1/credit-memo-requests/{request:path}/reject", responses={200: {"model": CreditMemoRequestDetailOut}})
async def reject_credit_memo(request: str, body: RejectionBody, command: CommandDep) -> Response:
    """Reject a credit memo that somebody else asked for; its number is free again."""

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        await handlers.reject_memo(db, request, body.reason, command.principal.sub, batch)
        return []

    return await _decide(request, command, decide, MAY_REJECT)


@router.post("/v1/credit-memo-requests/{request:path}/withdraw", responses={200: {"model": CreditMemoRequestDetailOut}})
async def withdraw_credit_memo(request: str, _body: WithdrawalBody, command: CommandDep) -> Response:
    """Take back your own request before anybody has decided about it; its number is free again."""

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        await handlers.withdraw_memo(db, request, command.principal.sub, batch)
        return []

    return await _decide(request, command, decide, MAY_WITHDRAW)


async def _decide(request: str, command: Command, decide: Decide, roles: tuple[str, ...]) -> Response:
    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts = await decide(db, batch)
        except handlers.MemoRequestUnknown:
            raise _unknown() from None
        except DecisionRefused as refused:
            raise decision_refused(refused) from None
        except DocumentRefused as refused:
            raise document_refused(refused.reasons) from None
        except DocumentNumberTaken as taken:
            raise number_taken(taken) from None
        return facts, await shown(db, request)

    return await command.run(request.partition("|")[0], work, status=200, roles=roles)


@router.get("/v1/credit-memo-requests")
async def list_credit_memo_requests(
    db: ReaderDep,
    entity: Annotated[str, Query(examples=["US01"])],
    status: Status | None = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> CreditMemoRequestsOut:
    """List the requests of an entity in the order they were made: all, or those of one status."""
    if await days.find_open_day(db, entity) is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    found = await queries.list_requests(db, entity, status, 0 if cursor is None else read_place(cursor), limit + 1)
    page = found[:limit]
    return CreditMemoRequestsOut(
        credit_memo_requests=[CreditMemoRequestOut.of(stored) for stored in page],
        next_cursor=write_place(page[-1].number) if len(found) > limit else None,
    )


@router.get("/v1/credit-memo-requests/{request:path}")  # A path, because the number of the document in it may hold slashes.
async def read_credit_memo_request(request: str, db: ReaderDep) -> CreditMemoRequestDetailOut:
    """Read a request with the history of its decisions: who, when, under which limit of which policy version."""
    return CreditMemoRequestDetailOut.model_validate(await shown(db, request))


async def shown(db: Connection, request: str) -> Mapping[str, Any]:
    """
    Show a request with its history.

    :raises Problem: 404 where there is none of this id.
    """
    stored = await queries.find_request(db, request)
    if stored is None:
        raise _unknown()
    return CreditMemoRequestDetailOut.with_history(stored, await list_steps(db, "credit_memo_request", request)).model_dump(mode="json")


def location_of(request: str) -> str:
    """Return where a request is read."""
    return f"/v1/credit-memo-requests/{quote(request)}"


def _unknown() -> Problem:
    return Problem(404, "CREDIT_MEMO_REQUEST_UNKNOWN", "There is no such request for a credit memo.")
