"""HTTP of refunds: asked for by one person, decided about by another (PAY-08, XC-05)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final, TypeAlias

from chassis.database import Connection
from chassis.http import Command, CommandDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from fastapi import APIRouter, Query, Response
from policies.approvals import DecisionRefused, Principal
from policies.refusals import decision_refused

from payment.domain import RECEIPT
from payment.domain.hand import Asked
from payment.handlers import refunds as handlers
from payment.handlers.decisions import DecisionUnfit, SourceUnknown
from payment.queries import refunds as queries
from payment.queries.refunds import Status
from payment.routes.refusals import require_open_day, source_unknown, unfit
from payment.schemas.refunds import RefundApprovalBody, RefundBody, RefundOut, RefundRejectionBody, RefundsOut, RefundWithdrawalBody

MAY_ASK: Final = ("approver", "clerk", "service")
MAY_APPROVE: Final = ("approver", "clerk")
MAY_REJECT: Final = ("approver",)
PAGE_MAX: Final = 200

router = APIRouter()
Decide: TypeAlias = Callable[[Connection, Batch], Awaitable[list[Fact]]]


@router.post("/v1/refunds", status_code=201, responses={201: {"model": RefundOut}})
async def request_refund(body: RefundBody, command: CommandDep) -> Response:
    """Ask for money of a receipt that is on no item to be paid back. Nothing is reserved until somebody else has approved it."""

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            asked = Asked(batch.open_on[body.entity], body.reason, command.principal.sub, body.amount)
            facts, refund = await handlers.request_refund(db, body.entity, body.receipt, asked, batch)
        except SourceUnknown:
            raise source_unknown(RECEIPT) from None
        except DecisionUnfit as refused:
            raise unfit(refused, "REFUND_REFUSED") from None
        return facts, await _shown(db, refund)

    return await command.run(body.entity, work, roles=MAY_ASK)


@router.post("/v1/refunds/{refund:path}/approve", responses={200: {"model": RefundOut}})
async def approve_refund(refund: str, _body: RefundApprovalBody, command: CommandDep) -> Response:
    """Approve a refund that somebody else asked for; your limit has to cover it, and so much has to be free still."""
    checker = Principal(command.principal.sub, command.principal.roles)

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        return await handlers.approve_refund(db, refund, checker, batch)

    return await _decide(refund, command, decide, MAY_APPROVE)


@router.post("/v1/refunds/{refund:path}/reject", responses={200: {"model": RefundOut}})
async def reject_refund(refund: str, body: RefundRejectionBody, command: CommandDep) -> Response:
    """Reject a refund that somebody else asked for."""

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        return await handlers.reject_refund(db, refund, body.reason, command.principal.sub, batch)

    return await _decide(refund, command, decide, MAY_REJECT)


@router.post("/v1/refunds/{refund:path}/withdraw", responses={200: {"model": RefundOut}})
async def withdraw_refund(refund: str, _body: RefundWithdrawalBody, command: CommandDep) -> Response:
    """Take back your own request before anybody has decided about it."""

    async def decide(db: Connection, batch: Batch) -> list[Fact]:
        return await handlers.withdraw_refund(db, refund, command.principal.sub, batch)

    return await _decide(refund, command, decide, MAY_ASK)


async def _decide(refund: str, command: Command, decide: Decide, roles: tuple[str, ...]) -> Response:
    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts = await decide(db, batch)
        except handlers.RefundUnknown:
            raise _unknown() from None
        except DecisionRefused as refused:
            raise decision_refused(refused) from None
        except DecisionUnfit as unfitting:
            raise unfit(unfitting, "REFUND_REFUSED") from None
        return facts, await _shown(db, refund)

    return await command.run(refund.partition("|")[0], work, status=200, roles=roles)


@router.get("/v1/refunds")
async def list_refunds(
    db: ReaderDep,
    entity: Annotated[str, Query(examples=["US01"])],
    status: Status | None = None,
    account: Annotated[str | None, Query(examples=["C-1"])] = None,
    receipt: Annotated[str | None, Query(description="A bank reference.", examples=["BR-1"])] = None,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")] = "0",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> RefundsOut:
    """List the refunds of an entity in the order they were asked for."""
    await require_open_day(db, entity)
    found = await queries.list_refunds(db, entity, status, account, receipt, int(cursor), limit + 1)
    page = found[:limit]
    return RefundsOut(refunds=[RefundOut.of(one) for one in page], next_cursor=str(page[-1].number) if len(found) > limit else None)


@router.get("/v1/refunds/{refund:path}")  # A path, because the bank reference in it may hold slashes.
async def read_refund(refund: str, db: ReaderDep) -> RefundOut:
    """Read a refund: who asked for it, who decided, under which limit of which policy version."""
    return RefundOut.model_validate(await _shown(db, refund))


async def _shown(db: Connection, refund: str) -> Mapping[str, Any]:
    stored = await queries.find_refund(db, refund)
    if stored is None:
        raise _unknown()
    return RefundOut.of(stored).model_dump(mode="json")


def _unknown() -> Problem:
    return Problem(404, "REFUND_UNKNOWN", "There is no such refund.")
