"""Exchange differences (PAY-13, RPT-08)."""

from datetime import date
from typing import Annotated, Final

from chassis.http import EntitiesDep, Problem, ReaderDep
from fastapi import APIRouter, Query

from reporting.queries import exchange
from reporting.routes.asked import Cursor, CustomerId, EntityId, From, KnownAt, Until, require_order, resolve
from reporting.schemas.exchange import DifferenceRow, DifferencesOut, DifferenceTotal

ROWS_MAX: Final = 1000

router = APIRouter()


@router.get("/v1/exchange-differences", tags=["reports"])
async def exchange_differences(
    db: ReaderDep,
    entities: EntitiesDep,
    entity: EntityId,
    from_on: From,
    until: Until,
    known_at: KnownAt = None,
    customer: CustomerId | None = None,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=ROWS_MAX)] = 100,
) -> DifferencesOut:
    """Say what was gained and lost by rates, by day and customer: realised by settlement, unrealised when a period ended."""
    require_order(from_on, until)
    asked, _ = await resolve(db, entities, entity, None, known_at)
    after = _read(cursor) if cursor else (date.min, "")
    found = await exchange.differences(db, entity, from_on, until, known_at, customer, after=after, limit=limit + 1)
    page = found[:limit]
    return DifferencesOut(
        entity=entity,
        from_on=from_on,
        until=until,
        known_at=known_at,
        complete_up_to=asked.complete_up_to,
        totals=[DifferenceTotal.of(*one) for one in await exchange.totals(db, entity, from_on, until, known_at, customer)],
        rows=[DifferenceRow.of(one) for one in page],
        next_cursor=f"{page[-1].effective_on}|{page[-1].account}" if len(found) > limit else None,
    )


def _read(cursor: str) -> tuple[date, str]:
    day, _, account = cursor.partition("|")
    try:
        return date.fromisoformat(day), account
    except ValueError:
        raise Problem(400, "CURSOR_INVALID", "The cursor is not one that a page before this one gave.") from None
