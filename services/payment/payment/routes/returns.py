"""HTTP of money that banks took back, or that was never there (PAY-10)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from chassis.database import Connection
from chassis.http import CommandDep, EntitiesDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from events.invoice import Reason
from fastapi import APIRouter, Query, Response
from money import format_minor

from payment.domain import RECEIPT
from payment.domain.hand import as_code
from payment.domain.returns import Returned
from payment.handlers import returns as handlers
from payment.queries import returns as queries
from payment.routes import ledger
from payment.routes.refusals import require_open_day, source_unknown
from payment.schemas.applications import ReverseBody
from payment.schemas.ledger import ReceiptOut
from payment.schemas.refunds import ReturnOut, ReturnsOut

MAY_REVERSE: Final = ("approver", "clerk")
PAGE_MAX: Final = 200

router = APIRouter()


@router.post("/v1/receipts/{bank_ref:path}/reverse", responses={200: {"model": ReceiptOut}})
async def reverse_receipt(bank_ref: str, body: ReverseBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """
    Take a receipt back, whole, as if its bank had said so: what it paid is open again, with its own due dates, from `value_on` on, or, as
    `debit_memo`, stays paid while the amount is billed anew.

    That day is not ahead of the open one. What the bank says of it afterwards is refused: a receipt is taken back once.
    """

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        name = (body.entity, bank_ref)
        receipt = (await queries.find_returnable(db, {name})).get(name)
        if receipt is None:
            raise source_unknown(RECEIPT)
        amount = format_minor(receipt.booked_minor, receipt.booked_currency)
        told = body.to_return(bank_ref, bank_ref, amount, receipt.booked_currency)
        returned = handlers.read_return(told, entities, None)
        reasons = [] if as_code(body.reason) is not None else [Reason(code="REASON_INVALID", field="reason")]
        if body.value_on > batch.open_on[body.entity]:
            reasons.append(Reason(code="DATE_AHEAD", field="value_on"))
        if not isinstance(returned, Returned) or reasons:
            reasons += [] if isinstance(returned, Returned) else returned
            raise Problem(422, "REVERSAL_REFUSED", "The receipt cannot be taken back as it was sent.", reasons)
        own = replace(
            returned, bank_ref=f"{handlers.REVERSAL}{bank_ref}", reason=body.reason, reversed_by=command.principal.sub, way=body.way
        )
        try:
            facts = await handlers.reverse_receipt(db, own, batch)
        except handlers.ReturnRefused as refused:
            raise _refused(refused.reasons) from None
        return facts, (await ledger.shown(db, body.entity, bank_ref)).model_dump(mode="json")

    return await command.run(body.entity, work, status=200, roles=MAY_REVERSE)


def _refused(reasons: Sequence[Reason]) -> Problem:
    if any(reason.code in ("ALREADY_RETURNED", "CONFLICT") for reason in reasons):  # A conflict: by another reversal of ours.
        return Problem(409, "ALREADY_RETURNED", "The receipt was taken back already.", reasons)
    return Problem(409, "REVERSAL_REFUSED", "The receipt cannot be taken back like this, as its money stands.", reasons)


@router.get("/v1/returns")
async def list_returns(
    db: ReaderDep,
    entity: Annotated[str, Query(examples=["US01"])],
    is_matched: Annotated[bool | None, Query(alias="matched", description="Only those that undid a receipt, or only the others.")] = None,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")] = "0",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> ReturnsOut:
    """List what banks took back of an entity, in the order they said so."""
    await require_open_day(db, entity)
    found = await queries.list_returns(db, entity, is_matched, int(cursor), limit + 1)
    page = found[:limit]
    return ReturnsOut(returns=[ReturnOut.of(row) for row in page], next_cursor=str(page[-1]["id"]) if len(found) > limit else None)
