"""
Exchange rates as they were published. Columns: `tables.intake`.

What is booked on a day counts from the next opening. Of several for one rate on one booked day only the one said last is kept, and of those
said at one time the greatest, so that their order and number change nothing. One without a time was said before all.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from chassis.database import Connection

from payment.domain.rates import SPOT, ExchangeRate

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """An exchange rate as it was published for an entity: the day it is booked on, when its sender said it, and the fact it came in."""

    entity: str
    rate: ExchangeRate
    booked_on: date
    said_at: datetime | None
    source: str
    source_id: str

    @property
    def said(self) -> tuple[datetime, str]:
        """When it was said, to compare by, and of what was said at one time the rate."""
        return self.said_at or _NEVER, self.rate.rate


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


async def keep_rates(db: Connection, published: Sequence[PublishedRate], now: datetime) -> None:
    """Keep exchange rates, each for its entity, currency, type, day and booked day unless one said later is there."""
    last = {
        (one.entity, one.rate.currency, one.rate.type, one.rate.rate_on, one.booked_on): one
        for one in sorted(published, key=lambda one: one.said)
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
        [one.entity for one in rows],
        [one.rate.currency for one in rows],
        [one.rate.type for one in rows],
        [one.rate.rate_on for one in rows],
        [one.booked_on for one in rows],
        [one.rate.rate for one in rows],
        [one.said_at for one in rows],
        [one.source for one in rows],
        [one.source_id for one in rows],
        now,
    )
