"""HTTP of reference data: calendars and exchange rates, given and read."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from chassis.database import Connection
from chassis.http import CommandDep, EntitiesDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from fastapi import APIRouter, Path, Query, Response

from invoice.domain.calendars import YEAR_MAX, YEAR_MIN, CalendarYear
from invoice.domain.rates import SPOT, ExchangeRate
from invoice.handlers import reference as handlers
from invoice.queries import days
from invoice.queries import reference as queries
from invoice.queries.reference import RateWanted
from invoice.schemas.reference import CalendarBody, CalendarOut, PublishedCalendarOut, PublishedRateOut, RateBody, RateOut, RatesOut
from invoice.schemas.values import Day

MAY_PUBLISH: Final = ("service", "operator")
PAGE_MAX: Final = 200
HISTORY_MAX: Final = 50

router = APIRouter(tags=["reference data"])
EntityQuery = Annotated[str, Query(examples=["US01"])]
CurrencyQuery = Annotated[str, Query(examples=["EUR"])]


@router.post("/v1/calendars", status_code=201, responses={201: {"model": PublishedCalendarOut}})
async def publish_calendar(body: CalendarBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """
    Give an entity the days of a year it does not work. Needs the role service or operator.

    In place of its public holidays from the next opening on; given again, the last one counts. The answer is what is kept of this day.
    """
    year = handlers.calendar_of(body.to_fact(), entities)
    if not isinstance(year, CalendarYear):
        raise Problem(422, "CALENDAR_REFUSED", "The calendar is not acceptable as it was sent.", year)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        await handlers.keep_calendar(db, body.entity, year, batch)
        kept = await queries.list_calendars(db, body.entity, body.year, 1)
        return [], PublishedCalendarOut.of(kept[0]).model_dump(mode="json")

    return await command.run(body.entity, work, roles=MAY_PUBLISH)


@router.get("/v1/calendars/{entity}/{year}")
async def read_calendar(
    entity: str, year: Annotated[int, Path(ge=YEAR_MIN, le=YEAR_MAX)], db: ReaderDep, entities: EntitiesDep
) -> CalendarOut:
    """Read the days of a year that an entity does not work, as they are in force, and what was published for it."""
    open_on = await _find_open_day(db, entity)
    calendars = await queries.load_calendars(db, {entity: entities.by_id[entity].calendar}, {entity: open_on})
    history = await queries.list_calendars(db, entity, year, HISTORY_MAX)
    return CalendarOut.of(entity, year, calendars[entity], history)


@router.post("/v1/fx-rates", status_code=201, responses={201: {"model": PublishedRateOut}})
async def publish_rate(body: RateBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """
    Give the rate of a currency for a day. Needs the role service or operator.

    It counts from the next opening on; given again for that day, the last one counts. The answer is what is kept of this business day.
    """
    rate = handlers.rate_of(body.to_fact(), entities)
    if not isinstance(rate, ExchangeRate):
        raise Problem(422, "RATE_REFUSED", "The rate is not acceptable as it was sent.", rate)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        await handlers.keep_rate(db, body.entity, rate, batch)
        kept = await queries.list_rates(db, body.entity, rate.currency, rate.type, (rate.rate_on, date.max), 1)
        return [], PublishedRateOut.of(kept[0]).model_dump(mode="json")

    return await command.run(body.entity, work, roles=MAY_PUBLISH)


@router.get("/v1/fx-rates")
async def list_rates(
    db: ReaderDep,
    entity: EntityQuery,
    currency: CurrencyQuery,
    type: str = SPOT,
    cursor: Annotated[
        str | None, Query(pattern=r"^\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d$", description="`next_cursor` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> RatesOut:
    """List the rates published for a currency, those replaced included, the latest first."""
    await _find_open_day(db, entity)
    found = await queries.list_rates(db, entity, currency, type, _read_cursor(cursor), limit + 1)
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return RatesOut(
        rates=[PublishedRateOut.of(one) for one in page],
        next_cursor=None if last is None else f"{last.rate.rate_on}_{last.origin.booked_on}",
    )


@router.get("/v1/fx-rates/in-force")
async def read_rate(
    db: ReaderDep,
    entity: EntityQuery,
    currency: CurrencyQuery,
    on: Annotated[Day | None, Query(description="The day something is valued for; the open business day when left out.")] = None,
    type: str = SPOT,
) -> RateOut:
    """Say which rate counts for a day, by what was published before the open day."""
    open_on = await _find_open_day(db, entity)
    wanted = RateWanted(entity, currency, on or open_on, type)
    found = await queries.load_rates(db, [wanted], {entity: open_on})
    if wanted not in found:
        raise Problem(404, "RATE_UNKNOWN", "No rate of this currency and type was published for this day or an earlier one.")
    return RateOut.of(entity, currency, wanted.on, found[wanted])


async def _find_open_day(db: Connection, entity: str) -> date:
    open_on = await days.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    return open_on


def _read_cursor(cursor: str | None) -> tuple[date, date]:
    """Read where a page begins: before which (rate_on, booked_on)."""
    if cursor is None:
        return date.max, date.max
    try:
        rate_on, booked_on = cursor.split("_")
        return date.fromisoformat(rate_on), date.fromisoformat(booked_on)
    except ValueError:
        raise Problem(400, "CURSOR_INVALID", "The cursor is not one that a page before this one gave.") from None
