"""HTTP of what was open on a day, as far as it was known on another."""

from datetime import date, timedelta
from typing import Annotated, Final

from chassis.http import Problem, ReaderDep
from fastapi import APIRouter, Query

from payment.queries import ledger_reads
from payment.queries.ledger_reads import Asked
from payment.routes.refusals import require_open_day
from payment.schemas.open_items import OpenItemOut, OpenItemsOut, TotalOut
from payment.schemas.values import Day

PAGE_MAX: Final = 1000

router = APIRouter()


@router.get("/v1/accounts/{account:path}/open-items")
async def read_open_items(
    account: str,
    entity: Annotated[str, Query(examples=["US01"])],
    db: ReaderDep,
    as_of: Annotated[Day | None, Query(description="Count what was effective on or before this day. Left out: all that is known.")] = None,
    known_at: Annotated[Day | None, Query(description="Count what was booked on or before this day. Left out: all that is known.")] = None,
    currency: Annotated[str | None, Query(examples=["USD"])] = None,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")] = "0",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 200,
) -> OpenItemsOut:
    """
    Read what an account owed on a day, item by item in the order they were due, and what money and credit of it was on no item.

    Items count from the date of their document, receipts from their value date.
    """
    open_on = await require_open_day(db, entity)
    account_id = await ledger_reads.find_account(db, entity, account)
    if account_id is None:
        raise Problem(404, "ACCOUNT_UNKNOWN", "Nothing of this account has come here.")
    asked = Asked(as_of or date.max, known_at or date.max, currency)
    found = await ledger_reads.list_open_items(db, account_id, asked, int(cursor), limit + 1)
    return OpenItemsOut(
        entity=entity,
        account=account,
        as_of=as_of,
        known_at=known_at,
        complete_up_to=open_on - timedelta(days=1),
        totals=[TotalOut.of(row) for row in await ledger_reads.read_totals(db, account_id, asked)],
        items=[OpenItemOut.of(row) for row in found[:limit]],
        next_cursor=str(found[limit - 1]["id"]) if len(found) > limit else None,
    )
