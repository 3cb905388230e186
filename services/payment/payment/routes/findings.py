"""HTTP of what days that turned have found, and of what is overdue."""

from datetime import date
from typing import Annotated, Final, Literal

from chassis.database import Connection
from chassis.http import Problem, ReaderDep
from fastapi import APIRouter, Query

from payment.queries import findings, overdue, reads
from payment.schemas.findings import FindingOut, FindingsOut, OverdueOut, OverduesOut

PAGE_MAX: Final = 1000

router = APIRouter(tags=["findings"])
EntityQuery = Annotated[str, Query(examples=["US01"])]
AccountQuery = Annotated[str | None, Query(examples=["C-1"])]
LimitQuery = Annotated[int, Query(ge=1, le=PAGE_MAX)]
KindQuery = Annotated[Literal["short_payment", "unearned_discount", "overpayment", "rate_missing"] | None, Query()]


@router.get("/v1/findings")
async def list_findings(
    entity: EntityQuery,
    db: ReaderDep,
    kind: KindQuery = None,
    account: AccountQuery = None,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")] = None,
    limit: LimitQuery = 100,
) -> FindingsOut:
    """List what was found when days turned, the newest first: short payments, discounts taken too late, money left over, rates missing."""
    await _find_open_day(db, entity)
    before = None if cursor is None else int(cursor)
    found = await findings.list_findings(db, entity, kind=kind, account=account, before=before, limit=limit + 1)
    page = found[:limit]
    return FindingsOut(findings=[FindingOut.of(row) for row in page], next_cursor=str(page[-1]["id"]) if len(found) > limit else None)


@router.get("/v1/overdue")
async def list_overdue(
    entity: EntityQuery,
    db: ReaderDep,
    account: AccountQuery = None,
    cursor: Annotated[
        str, Query(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,18}$", description="The `next_cursor` of the page before.")
    ] = f"{date.min}.0",
    limit: LimitQuery = 100,
) -> OverduesOut:
    """List the open items of an entity, or of one account of it, that are overdue, the first due first."""
    open_on = await _find_open_day(db, entity)
    found = await overdue.list_overdue(db, entity, account, _place(cursor), limit + 1)
    page = found[:limit]
    place = f"{page[-1]['due_on']}.{page[-1]['id']}" if len(found) > limit else None
    return OverduesOut(items=[OverdueOut.of(row, open_on) for row in page], next_cursor=place)


def _place(cursor: str) -> tuple[date, int]:
    due_on, _, number = cursor.partition(".")
    try:
        return date.fromisoformat(due_on), int(number)
    except ValueError:
        raise Problem(400, "CURSOR_INVALID", "The cursor is not one that a page before this one gave.") from None


async def _find_open_day(db: Connection, entity: str) -> date:
    open_on = await reads.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    return open_on
