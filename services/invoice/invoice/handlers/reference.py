"""Reference data from outside: calendars and exchange rates, kept by the day they are booked on."""

from collections.abc import Sequence
from datetime import UTC, datetime

from chassis.database import Connection
from chassis.entities import Entities
from chassis.service import Batch, Fact, Received
from events import erp
from events.envelope import Envelope
from events.ingress import check_identifier
from events.invoice import Reason

from invoice.domain.calendars import CalendarYear, examine_calendar
from invoice.domain.rates import ExchangeRate, examine_rate
from invoice.queries import reference as queries
from invoice.queries.reference import Origin, PublishedCalendar, PublishedRate


async def keep_calendars(db: Connection, received: Sequence[Received[erp.CalendarPublished]], batch: Batch) -> list[Fact]:
    """
    Keep the calendars an entity was given; they count from the next opening, the one booked last for a year. Publishes nothing.

    Of several for one year on one day the one said last counts (the time of its CloudEvent), and of those the greatest: a choice that hangs
    neither on the order they come in nor on how often.
    """
    accepted = []
    for one in received:
        year = calendar_of(one.data, batch.entities, one.envelope)
        if isinstance(year, CalendarYear):
            accepted.append(PublishedCalendar(_origin(one), year))
        else:
            batch.refuse(one, year)
    await queries.keep_calendars(db, accepted, batch.now)
    return []


async def keep_rates(db: Connection, received: Sequence[Received[erp.FxRatePublished]], batch: Batch) -> list[Fact]:
    """Keep exchange rates, by day and type, as `keep_calendars` keeps calendars. Publishes nothing."""
    accepted = []
    for one in received:
        rate = rate_of(one.data, batch.entities, one.envelope)
        if isinstance(rate, ExchangeRate):
            accepted.append(PublishedRate(_origin(one), rate))
        else:
            batch.refuse(one, rate)
    await queries.keep_rates(db, accepted, batch.now)
    return []


async def keep_calendar(db: Connection, entity: str, year: CalendarYear, batch: Batch) -> None:
    """Keep a calendar that a person gave: said now, since nobody else has said when."""
    await queries.keep_calendars(db, [PublishedCalendar(Origin(entity, batch.open_on[entity], batch.now), year)], batch.now)


async def keep_rate(db: Connection, entity: str, rate: ExchangeRate, batch: Batch) -> None:
    """Keep an exchange rate that a person gave: said now, since nobody else has said when."""
    await queries.keep_rates(db, [PublishedRate(Origin(entity, batch.open_on[entity], batch.now), rate)], batch.now)


def calendar_of(data: erp.CalendarPublished, entities: Entities, envelope: Envelope | None = None) -> CalendarYear | list[Reason]:
    """Read a calendar, or return every reason against it; `envelope` is that of the fact it came in, None over HTTP."""
    reasons = entities.reasons_against(data.entity, envelope)
    year = examine_calendar(data.year, data.holidays, data.weekend)
    if isinstance(year, CalendarYear):
        return reasons or year
    return reasons + [Reason(code=fault.code, field=fault.field) for fault in year]


def rate_of(data: erp.FxRatePublished, entities: Entities, envelope: Envelope | None = None) -> ExchangeRate | list[Reason]:
    """Read an exchange rate, or return every reason against it; `envelope` is that of the fact it came in, None over HTTP."""
    reasons = entities.reasons_against(data.entity, envelope)
    if reason := check_identifier("type", data.type):
        reasons.append(reason)
    declared = entities.by_id.get(data.entity)
    rate = examine_rate(ExchangeRate(data.currency, data.rate, data.rate_on, data.type), declared.currency if declared else None)
    if isinstance(rate, ExchangeRate):
        return reasons or rate
    return reasons + [Reason(code=fault.code, field=fault.field) for fault in rate]


def _origin(one: Received[erp.CalendarPublished] | Received[erp.FxRatePublished]) -> Origin:
    return Origin(one.entity, one.booked_on, _said_at(one.envelope.time), one.envelope.source, one.envelope.id)


def _said_at(text: str | None) -> datetime | None:
    """Read the time of a CloudEvent (RFC 3339, or in UTC where it names no zone); what cannot be read says nothing."""
    try:
        at = datetime.fromisoformat(text or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
