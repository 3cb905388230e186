"""HTTP of consolidated bills."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from chassis.database import Connection
from chassis.http import CommandDep, EntitiesDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from events.invoice import Reason
from fastapi import APIRouter, Query, Response

from invoice.domain.faults import as_code
from invoice.handlers import bills as handlers
from invoice.queries import bills as queries
from invoice.schemas.bills import BillBody, BillOut, BillsOut

MAY_BILL: Final = ("clerk", "service")
PAGE_MAX: Final = 200

router = APIRouter()
EntityQuery = Annotated[str, Query(examples=["US01"])]


@router.post("/v1/bills", status_code=201, responses={201: {"model": BillOut}})
async def issue_bill(body: BillBody, command: CommandDep) -> Response:
    """Put invoices of a customer under one payable reference. With a `bill_no` of your own it is safe to repeat under any key."""
    request = body.to_request()

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts, stored = await handlers.issue_bill(db, request, batch)
        except handlers.BillNumberTaken as taken:
            raise Problem(409, "CONFLICT", str(taken.__doc__), [Reason(code="CONFLICT", field="bill_no")]) from None
        except handlers.BillRefused as refused:
            raise Problem(422, "BILL_REFUSED", "These invoices cannot be billed together.", refused.reasons) from None
        return facts, BillOut.of(stored).model_dump(mode="json")

    return await command.run(request.entity, work, roles=MAY_BILL)


@router.get("/v1/bills")
async def list_bills(
    db: ReaderDep,
    entities: EntitiesDep,
    entity: EntityQuery,
    customer: Annotated[str | None, Query(examples=["C-1"])] = None,
    cursor: Annotated[str, Query(description="`next_cursor` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> BillsOut:
    """List the bills of an entity, or of one customer of it, by number."""
    if entity not in entities.by_id:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    if cursor and as_code(cursor) is None:
        raise Problem(400, "CURSOR_INVALID", "The cursor is not one that a page before this one gave.")
    found = await queries.list_bills(db, entity, customer, cursor, limit + 1)
    page = found[:limit]
    return BillsOut(bills=[BillOut.of(stored) for stored in page], next_cursor=page[-1].bill_no if len(found) > limit else None)


@router.get("/v1/bills/{bill_no}")
async def read_bill(bill_no: str, db: ReaderDep, entity: EntityQuery) -> BillOut:
    """Read a bill: its documents, and what is open of each now."""
    stored = await queries.find_bill(db, entity, bill_no)
    if stored is None:
        raise Problem(404, "BILL_UNKNOWN", "The entity has no bill of this number.")
    return BillOut.of(stored)
