"""Reports over HTTP, and the first page. Reads only: every balance answers for (`as_of`, `known_at`)."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from chassis.database import Connection
from chassis.entities import Entities, Entity
from chassis.http import EntitiesDep, Problem, ReaderDep
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from money import format_minor
from pydantic import Field

from reporting import domain
from reporting.domain import Standing
from reporting.queries import customers, figures, progress, standings
from reporting.schemas import (
    AgingOut,
    AgingRow,
    Asked,
    BalanceOut,
    ItemRow,
    ItemsOut,
    KpiRow,
    KpisOut,
    RollForwardOut,
    RollForwardRow,
    grouped,
)

KPI_DAYS: Final = 90
CUSTOMERS_MAX: Final = 1000
ITEMS_MAX: Final = 1000
TOP_OVERDUE: Final = 10

EntityId = Annotated[str, Query(description="A legal entity of the entities file.", max_length=20)]
BusinessDate = Annotated[date, Query(ge=date(1970, 1, 1), le=date(2999, 12, 31))]
AsOf = Annotated[BusinessDate | None, Query(description="What is effective on or before this day counts. Left out: the last closed day.")]
CustomerId = Annotated[str, Field(min_length=1, max_length=64)]
KnownAt = Annotated[BusinessDate | None, Query(description="What was booked on or before this day counts. Left out: everything known.")]

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
    asked, _ = await _asked(db, entities, entity, as_of, known_at)
    if by is None:
        found = await standings.standing_of_entity(db, entity, asked.as_of, known_at)
    else:
        found = await standings.standing_of_accounts(db, entity, asked.as_of, known_at, order=sort, limit=limit)
    answer = AgingOut.of(asked, [AgingRow.of(standing, by_customer=by is not None) for standing in found])
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
    asked, _ = await _asked(db, entities, entity, last, known_at)
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
    asked, _ = await _asked(db, entities, entity, as_of, known_at)
    found = await _kpis(db, asked, days)
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
    asked, _ = await _asked(db, entities, entity, as_of, known_at)
    await _known_customer(db, entity, customer)
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
    asked, _ = await _asked(db, entities, entity, None, None)
    await _known_customer(db, entity, customer)
    found = await customers.open_items(db, entity, customer, after=cursor, limit=limit + 1)
    page = found[:limit]
    return ItemsOut(
        entity=entity,
        customer=customer,
        complete_up_to=asked.complete_up_to,
        items=[ItemRow.of(item) for item in page],
        next_cursor=page[-1].item if len(found) > limit else None,
    )


async def _asked(
    db: Connection, entities: Entities, entity: str, as_of: date | None, known_at: date | None
) -> tuple[Asked, progress.Freshness]:
    """Resolve what is asked about; `as_of` falls back to the last closed day, before there is one to the day the books open on."""
    declared = _declared(entities, entity)
    freshness = await progress.freshness(db, entity)
    return Asked(entity, as_of or freshness.complete_up_to or declared.opens_on, known_at, freshness.complete_up_to), freshness


def _declared(entities: Entities, entity: str) -> Entity:
    found = entities.by_id.get(entity)
    if found is None:
        raise Problem(404, "ENTITY_UNKNOWN", "The entities file declares no such entity.")
    return found


async def _known_customer(db: Connection, entity: str, customer: str) -> None:
    if not await customers.has_heard_of(db, entity, customer):
        raise Problem(404, "CUSTOMER_UNKNOWN", "Nothing has been heard of such a customer of this entity.")


async def _kpis(db: Connection, asked: Asked, days: int) -> list[domain.Kpis]:
    periods = await figures.sold_and_written_off(db, asked.entity, asked.as_of, days, asked.known_at)
    found = await standings.standing_of_entity(db, asked.entity, asked.as_of, asked.known_at)
    return [domain.kpis(standing, *periods.get(standing.currency, figures.NOTHING), days) for standing in found]


_TEMPLATES: Final = Path(__file__).parent / "templates"
_STYLE: Final = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
_pages: Final = Environment(
    loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_pages.filters["grouped"] = grouped


@router.get("/", include_in_schema=False)
async def first_page(
    db: ReaderDep, entities: EntitiesDep, entity: str | None = None, as_of: BusinessDate | Literal[""] | None = None
) -> Response:
    """Show one entity: figures, aging, who owes most overdue, and how fresh all that is."""
    asked, freshness = await _asked(db, entities, entity or next(iter(entities.by_id)), as_of or None, None)
    measured = await _kpis(db, asked, KPI_DAYS)
    overdue = await standings.standing_of_accounts(db, asked.entity, asked.as_of, None, order="-overdue", limit=TOP_OVERDUE)
    overdue = [standing for standing in overdue if standing.overdue_minor > 0]
    names = await customers.names_of(db, asked.entity, [standing.account or "" for standing in overdue])
    html = _pages.get_template("page.html").render(
        style=_STYLE,
        asked=asked,
        entities=list(entities.by_id),
        freshness=freshness,
        kpi_days=KPI_DAYS,
        definitions=domain.DEFINITIONS,
        currencies=[_currency(one, overdue, names) for one in measured],
    )
    return HTMLResponse(html, headers=PAGE_HEADERS)


def _currency(figures: domain.Kpis, overdue: list[Standing], names: Mapping[str, str]) -> dict[str, Any]:
    """Lay out one currency for the page: figures as text, bars as thousandths of the longest."""
    standing = figures.standing
    buckets = AgingRow.of(standing, by_customer=False).buckets
    debtors = [one for one in overdue if one.currency == standing.currency]
    return {
        "figures": KpiRow.of(figures),
        "buckets": _bars([(name, None, str(amount)) for name, amount in buckets.items()], standing.buckets_minor),
        "debtors": _bars(
            [(one.account or "", names.get(one.account or ""), format_minor(one.overdue_minor, one.currency)) for one in debtors],
            [one.overdue_minor for one in debtors],
        ),
    }


def _bars(rows: Sequence[tuple[str, str | None, str]], minor: Sequence[int]) -> list[dict[str, Any]]:
    return [
        {"label": label, "name": name, "amount": amount, "length": length}
        for (label, name, amount), length in zip(rows, domain.per_mille(minor), strict=True)
    ]
