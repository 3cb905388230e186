"""Reports: aging, roll-forward, key figures, balances and the items behind them."""

from typing import Annotated, Final, Literal

from chassis.http import EntitiesDep, ReaderDep
from fastapi import APIRouter, Query, Response

from reporting import domain
from reporting.queries import customers, exchange, figures, standings
from reporting.routes.asked import AsOf, CustomerId, EntityId, KnownAt, require_customer, resolve
from reporting.routes.measured import KPI_DAYS, measure
from reporting.schemas.reports import (
    AgingOut,
    AgingRow,
    BalanceOut,
    ItemRow,
    ItemsOut,
    KpiRow,
    KpisOut,
    RollForwardOut,
    RollForwardRow,
)

CUSTOMERS_MAX: Final = 1000
ITEMS_MAX: Final = 1000

router = APIRouter()


@router.get("/v1/aging", tags=["reports"], response_model=AgingOut)
async def aging(
    db: ReaderDep,
    entities: EntitiesDep,
    entity: EntityId,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    by: Literal["customer"] | None = None,
    sort: Annotated[Literal["customer", "-open", "-overdue"], Query(description="Of customers, inside a currency.")] = "customer",
    limit: Annotated[int | None, Query(ge=1, le=CUSTOMERS_MAX, description="Customers a currency. Left out: all.")] = None,
) -> Response:
    """Age open items by due date: totals of the entity, or customers that are not all zero (RPT-01, RPT-02)."""
    asked, _ = await resolve(db, entities, entity, as_of, known_at)
    if by is None:
        found = await standings.standing_of_entity(db, entity, asked.as_of, known_at)
    else:
        found = await standings.standing_of_accounts(db, entity, asked.as_of, known_at, order=sort, limit=limit)
    valued = await exchange.valued(db, entity, asked.as_of, known_at, by_account=by is not None)
    rows = [AgingRow.of(one, by_customer=by is not None, valued=valued.get((one.currency, one.account))) for one in found]
    answer = AgingOut.of(asked, rows)
    # Written here, because FastAPI would check each of what may be fifty thousand rows once more.
    return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")


@router.get("/v1/roll-forward", tags=["reports"])
async def roll_forward(
    db: ReaderDep,
    entities: EntitiesDep,
    entity: EntityId,
    month: Annotated[str, Query(pattern=r"^(19[7-9]\d|2\d\d\d)-(0[1-9]|1[0-2])$", examples=["2026-01"])],
    known_at: KnownAt = None,
) -> RollForwardOut:
    """Show how open items came from one month's end to the next (RPT-08)."""
    first, last = domain.month_bounds(month)
    asked, _ = await resolve(db, entities, entity, last, known_at)
    rows = await figures.roll_forward(db, entity, first, last, known_at)
    return RollForwardOut(
        entity=entity,
        month=month,
        known_at=known_at,
        complete_up_to=asked.complete_up_to,
        rows=[RollForwardRow.of(row) for row in rows],
    )


@router.get("/v1/kpis", tags=["reports"])
async def kpis(
    db: ReaderDep,
    entities: EntitiesDep,
    entity: EntityId,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    days: Annotated[int, Query(ge=1, le=3660, description="The window of net credit sales, ending with as_of.")] = KPI_DAYS,
) -> KpisOut:
    """Measure how long money takes to come in, each figure with its definition (RPT-03)."""
    asked, _ = await resolve(db, entities, entity, as_of, known_at)
    found = await measure(db, asked, days)
    return KpisOut(
        entity=entity,
        as_of=asked.as_of,
        known_at=known_at,
        complete_up_to=asked.complete_up_to,
        days=days,
        rows=[KpiRow.of(one) for one in found],
    )


@router.get("/v1/customers/{customer}/balance", tags=["reports"])
async def balance(
    db: ReaderDep, entities: EntitiesDep, customer: CustomerId, entity: EntityId, as_of: AsOf = None, known_at: KnownAt = None
) -> BalanceOut:
    """Say what one customer owes: the account it settles under, per currency."""
    asked, _ = await resolve(db, entities, entity, as_of, known_at)
    await require_customer(db, entity, customer)
    found = await standings.standing_of_account(db, entity, customer, asked.as_of, known_at)
    noticed = await customers.noticed(db, entity, customer, asked.as_of, known_at)
    return BalanceOut.of(asked, customer, found, noticed)


@router.get("/v1/items", tags=["reports"])
async def items(
    db: ReaderDep,
    entities: EntitiesDep,
    entity: EntityId,
    customer: CustomerId,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=ITEMS_MAX)] = 100,
) -> ItemsOut:
    """List the open items behind a customer's balance as they stand now, over everything folded."""
    asked, _ = await resolve(db, entities, entity, None, None)
    await require_customer(db, entity, customer)
    found = await customers.open_items(db, entity, customer, after=cursor, limit=limit + 1)
    page = found[:limit]
    return ItemsOut(
        entity=entity,
        customer=customer,
        complete_up_to=asked.complete_up_to,
        items=[ItemRow.of(item) for item in page],
        next_cursor=page[-1].item if len(found) > limit else None,
    )
