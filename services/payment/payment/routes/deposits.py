"""HTTP of deposits: what is left of them, by order or contract (PAY-16)."""

from typing import Annotated, Final

from chassis.http import ReaderDep
from fastapi import APIRouter, Query

from payment.queries import deposits as queries
from payment.routes.refusals import require_open_day
from payment.schemas.deposits import DepositOut, DepositsOut

PAGE_MAX: Final = 1000

router = APIRouter()


@router.get("/v1/deposits")
async def list_deposits(
    entity: Annotated[str, Query(examples=["US01"])],
    db: ReaderDep,
    account: Annotated[str | None, Query(examples=["C-1"])] = None,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")] = "0",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
) -> DepositsOut:
    """List the deposits of an entity, or of one account of it, that are bound and not drawn down yet, in the order they came."""
    await require_open_day(db, entity)
    found = await queries.list_open(db, entity, account, int(cursor), limit + 1)
    page = found[:limit]
    return DepositsOut(deposits=[DepositOut.of(row) for row in page], next_cursor=str(page[-1]["id"]) if len(found) > limit else None)
