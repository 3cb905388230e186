"""Notices that were sent, and the dunning level of every open item."""

from itertools import groupby
from typing import Annotated

from chassis.http import EntitiesDep, Problem, ReaderDep
from fastapi import APIRouter, Depends, Query

from dunning import queries
from dunning.domain import STANDARD
from dunning.schemas import AccountOut, ItemOut, NoticeOut, NoticesOut

PAGE_MAX = 1000

router = APIRouter()


def _declared(entity: Annotated[str, Query(examples=["US01"])], entities: EntitiesDep) -> str:
    if entity not in entities.by_id:
        raise Problem(404, "ENTITY_UNKNOWN", "No such entity is declared.")
    return entity


EntityQuery = Annotated[str, Depends(_declared)]
CursorQuery = Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The next_cursor of the page before.")]
LimitQuery = Annotated[int, Query(ge=1, le=PAGE_MAX)]


@router.get("/v1/notices")
async def read_notices(
    entity: EntityQuery, db: ReaderDep, account: str | None = None, cursor: CursorQuery = "0", limit: LimitQuery = 100
) -> NoticesOut:
    """Read the notices of an entity, or of one account, in the order they were sent."""
    found = await queries.read_notices(db, entity, account, int(cursor), limit + 1)
    notices = found[:limit]
    items = await queries.read_noticed_items(db, [notice["id"] for notice in notices])
    by_notice = {notice_id: list(group) for notice_id, group in groupby(items, key=lambda one: one["notice_id"])}
    return NoticesOut(
        notices=[NoticeOut.of(notice, by_notice[notice["id"]]) for notice in notices],
        next_cursor=str(notices[-1]["id"]) if len(found) > limit else None,
    )


@router.get("/v1/accounts/{account}")
async def read_account(
    account: str, entity: EntityQuery, db: ReaderDep, cursor: CursorQuery = "0", limit: LimitQuery = PAGE_MAX
) -> AccountOut:
    """Read the open items of an account with their dunning levels."""
    found = await queries.read_open_items(db, entity, account, int(cursor), limit + 1)
    items = found[:limit]
    return AccountOut(
        entity=entity,
        account=account,
        complete_up_to=await queries.read_complete_up_to(db, entity),
        procedure=STANDARD.version,
        items=[ItemOut.of(row, STANDARD) for row in items],
        next_cursor=str(items[-1]["id"]) if len(found) > limit else None,
    )
