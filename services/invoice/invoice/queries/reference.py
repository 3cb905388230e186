"""
Calendars and exchange rates as they were published. Columns: `tables.policies`; nothing here commits.

What is booked on a day counts from the next opening. Of several for one year, or for one rate, on one booked day only the one said last is
kept, and of those said at one time the greatest, so that their order and number change nothing. One without a time was said before all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from chassis.database import Connection

from invoice.domain.calendars import Calendar, CalendarYear, merged
from invoice.domain.rates import SPOT, ExchangeRate

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Origin:
    """For whom something was published, the day it is booked on, the time its sender gave it, and the fact it came in (none over HTTP)."""

    entity: str
    booked_on: date
    said_at: datetime | None = None
    source: str | None = None
    source_id: str | None = None

    @property
    def said(self) -> datetime:
        """When it was said, to compare by."""
        return self.said_at or _NEVER


@dataclass(frozen=True, slots=True)
class PublishedCalendar:
    """A year of an entity's calendar, as somebody has published it."""

    origin: Origin
    year: CalendarYear

    @property
    def days(self) -> tuple[list[date], list[int]]:
        """Holidays and weekend in one order."""
        return sorted(self.year.holidays), sorted(self.year.weekend)


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """An exchange rate, as somebody has published it for an entity."""

    origin: Origin
    rate: ExchangeRate


class RateWanted(NamedTuple):
    """Asks for the rate of a currency for a day: the latest one of a type that is for that day or an earlier one."""

    entity: str
    currency: str
    on: date
    type: str = SPOT


class RateFound(NamedTuple):
    """A published rate: units of the entity's currency for one unit of the other, as a decimal string, and the day it is for."""

    rate: str
    rate_on: date
    type: str


async def load_calendars(db: Connection, codes: Mapping[str, str], before: Mapping[str, date]) -> dict[str, Calendar]:
    """
    Return the calendar of each entity: the public one of its code (`codes`, by entity), replaced in the years that were published.

    Published means booked before the entity's day in `before`.
    Of a year published more than once the one booked last counts.
    """
    entities = sorted(codes)
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (calendar.entity, calendar.year) calendar.entity, calendar.year, calendar.holidays, calendar.weekend
        FROM unnest($1::text[], $2::date[]) AS asked (entity, before)
        JOIN calendar ON calendar.entity = asked.entity AND calendar.booked_on < asked.before
        ORDER BY calendar.entity, calendar.year, calendar.booked_on DESC
        """,
        entities,
        [before[entity] for entity in entities],
    )
    years: dict[str, list[CalendarYear]] = {}
    for row in rows:
        years.setdefault(row["entity"], []).append(CalendarYear(row["year"], frozenset(row["holidays"]), frozenset(row["weekend"])))
    return {entity: merged(codes[entity], years.get(entity, ())) for entity in entities}


async def load_rates(db: Connection, wanted: Collection[RateWanted], before: Mapping[str, date]) -> dict[RateWanted, RateFound]:
    """
    Return the rates asked for, of what was published before the entity's day in `before`; one that there is none for has no entry.

    Of a rate published more than once for one day the one booked last counts.
    """
    asked = sorted(set(wanted))
    if not asked:
        return {}
    rows = await db.fetch(
        """
        SELECT asked.place, found.rate, found.rate_on
        FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::date[])
            WITH ORDINALITY AS asked (entity, currency, day, type, before, place)
        CROSS JOIN LATERAL (
            SELECT rate, rate_on FROM fx_rate
            WHERE fx_rate.entity = asked.entity AND fx_rate.currency = asked.currency AND fx_rate.type = asked.type
                AND fx_rate.rate_on <= asked.day AND fx_rate.booked_on < asked.before
            ORDER BY rate_on DESC, booked_on DESC
            LIMIT 1
        ) AS found
        """,
        [one.entity for one in asked],
        [one.currency for one in asked],
        [one.on for one in asked],
        [one.type for one in asked],
        [before[one.entity] for one in asked],
    )
    return {asked[row["place"] - 1]: RateFound(row["rate"], row["rate_on"], asked[row["place"] - 1].type) for row in rows}


async def keep_calendars(db: Connection, published: Sequence[PublishedCalendar], now: datetime) -> None:
    """Keep years of calendars, each for its entity, year and booked day unless one said later is there."""
    last = {
        (one.origin.entity, one.year.year, one.origin.booked_on): one for one in sorted(published, key=lambda p: (p.origin.said, p.days))
    }
    rows = [last[key] for key in sorted(last)]
    if not rows:
        return
    await db.execute(
        """
        INSERT INTO calendar (entity, year, booked_on, holidays, weekend, said_at, source, source_id, recorded_at)
        SELECT entity, year, booked_on, holidays::date[], weekend::integer[], said_at, source, source_id, $9
        FROM unnest($1::text[], $2::integer[], $3::date[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])
            AS said (entity, year, booked_on, holidays, weekend, said_at, source, source_id)
        ON CONFLICT (entity, year, booked_on) DO UPDATE SET
            holidays = excluded.holidays, weekend = excluded.weekend, said_at = excluded.said_at,
            source = excluded.source, source_id = excluded.source_id, recorded_at = excluded.recorded_at
        WHERE (coalesce(excluded.said_at, '-infinity'), excluded.holidays, excluded.weekend)
            > (coalesce(calendar.said_at, '-infinity'), calendar.holidays, calendar.weekend)
        """,
        [one.origin.entity for one in rows],
        [one.year.year for one in rows],
        [one.origin.booked_on for one in rows],
        ["{" + ",".join(day.isoformat() for day in one.days[0]) + "}" for one in rows],
        ["{" + ",".join(str(weekday) for weekday in one.days[1]) + "}" for one in rows],
        [one.origin.said_at for one in rows],
        [one.origin.source for one in rows],
        [one.origin.source_id for one in rows],
        now,
    )


async def keep_rates(db: Connection, published: Sequence[PublishedRate], now: datetime) -> None:
    """Keep exchange rates, each for its entity, currency, type, day and booked day unless one said later is there."""
    last = {
        (one.origin.entity, one.rate.currency, one.rate.type, one.rate.rate_on, one.origin.booked_on): one
        for one in sorted(published, key=lambda p: (p.origin.said, p.rate.rate))
    }
    rows = [last[key] for key in sorted(last)]
    if not rows:
        return
    await db.execute(
        """
        INSERT INTO fx_rate (entity, currency, type, rate_on, booked_on, rate, said_at, source, source_id, recorded_at)
        SELECT said.*, $10
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::date[], $5::date[], $6::text[], $7::timestamptz[], $8::text[], $9::text[]
        ) AS said
        ON CONFLICT (entity, currency, type, rate_on, booked_on) DO UPDATE SET
            rate = excluded.rate, said_at = excluded.said_at,
            source = excluded.source, source_id = excluded.source_id, recorded_at = excluded.recorded_at
        WHERE (coalesce(excluded.said_at, '-infinity'), excluded.rate COLLATE "C")
            > (coalesce(fx_rate.said_at, '-infinity'), fx_rate.rate COLLATE "C")
        """,
        [one.origin.entity for one in rows],
        [one.rate.currency for one in rows],
        [one.rate.type for one in rows],
        [one.rate.rate_on for one in rows],
        [one.origin.booked_on for one in rows],
        [one.rate.rate for one in rows],
        [one.origin.said_at for one in rows],
        [one.origin.source for one in rows],
        [one.origin.source_id for one in rows],
        now,
    )


async def list_calendars(db: Connection, entity: str, year: int, limit: int) -> list[PublishedCalendar]:
    """Return what was published for a year, the latest booked first, at most `limit`."""
    rows = await db.fetch(
        """
        SELECT year, holidays, weekend, entity, booked_on, said_at, source, source_id
        FROM calendar WHERE entity = $1 AND year = $2 ORDER BY booked_on DESC LIMIT $3
        """,
        *(entity, year, limit),
    )
    return [
        PublishedCalendar(_origin(row), CalendarYear(row["year"], frozenset(row["holidays"]), frozenset(row["weekend"]))) for row in rows
    ]


async def list_rates(db: Connection, entity: str, currency: str, type_: str, before: tuple[date, date], limit: int) -> list[PublishedRate]:
    """Return the rates of a currency and type whose (rate_on, booked_on) is less than `before`, the greatest first, at most `limit`."""
    rows = await db.fetch(
        """
        SELECT currency, rate, rate_on, type, entity, booked_on, said_at, source, source_id
        FROM fx_rate
        WHERE entity = $1 AND currency = $2 AND type = $3 AND (rate_on, booked_on) < ($4, $5)
        ORDER BY rate_on DESC, booked_on DESC
        LIMIT $6
        """,
        *(entity, currency, type_, *before, limit),
    )
    return [PublishedRate(_origin(row), ExchangeRate(row["currency"], row["rate"], row["rate_on"], row["type"])) for row in rows]


def _origin(row: Mapping[str, Any]) -> Origin:
    return Origin(row["entity"], row["booked_on"], row["said_at"], row["source"], row["source_id"])
