"""The first page: one entity, for people."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

from chassis.http import EntitiesDep, ReaderDep
from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from money import format_minor

from reporting import domain
from reporting.domain import Standing
from reporting.queries import customers, standings
from reporting.routes.asked import BusinessDate, resolve
from reporting.routes.cash import NO_CASH, Cash, cash_application, gained_by_rates
from reporting.routes.measured import KPI_DAYS, measure
from reporting.schemas.reports import AgingRow, KpiRow, grouped

TOP_OVERDUE: Final = 10

router = APIRouter()

_TEMPLATES: Final = Path(__file__).parents[1] / "templates"
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
    """Show one entity: figures, aging, who owes most overdue, what came of its money, and how fresh all that is."""
    asked, freshness = await resolve(db, entities, entity or next(iter(entities.by_id)), as_of or None, None)
    measured = await measure(db, asked, KPI_DAYS)
    overdue = await standings.standing_of_accounts(db, asked.entity, asked.as_of, None, order="-overdue", limit=TOP_OVERDUE)
    overdue = [standing for standing in overdue if standing.overdue_minor > 0]
    cash = await cash_application(db, asked, KPI_DAYS)
    names = await customers.names_of(db, asked.entity, [standing.account or "" for standing in overdue])
    html = _pages.get_template("page.html").render(
        style=_STYLE,
        asked=asked,
        entities=list(entities.by_id),
        freshness=freshness,
        kpi_days=KPI_DAYS,
        since=asked.as_of - timedelta(days=KPI_DAYS - 1),
        definitions=domain.DEFINITIONS,
        meant_of_cash=domain.CASH_DEFINITIONS,
        currencies=[_currency(one, overdue, names, cash.get(one.standing.currency, NO_CASH)) for one in measured],
        gained=await gained_by_rates(db, asked, KPI_DAYS),
    )
    return HTMLResponse(html, headers=PAGE_HEADERS)


def _currency(figures: domain.Kpis, overdue: list[Standing], names: Mapping[str, str], cash: Cash) -> dict[str, Any]:
    """Lay out one currency for the page: figures as text, bars as thousandths of the longest."""
    standing = figures.standing
    buckets = AgingRow.of(standing, by_customer=False).buckets
    debtors = [one for one in overdue if one.currency == standing.currency]
    return {
        "figures": KpiRow.of(figures),
        "cash": cash,
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
