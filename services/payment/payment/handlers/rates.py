"""Exchange rates from outside, kept by the day they are booked on, and what receipts are worth by them (PAY-13)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import msgspec
from chassis.database import Connection
from chassis.entities import Entities
from chassis.service import Batch, Fact, Received
from events.envelope import Envelope
from events.erp import FxRatePublished
from events.ingress import check_identifier
from events.invoice import Reason

from payment.domain.rates import ExchangeRate, examine_rate, value_cash
from payment.handlers.entries import Entry
from payment.queries import rates as queries
from payment.queries.rates import PublishedRate, RateFound, RateWanted


async def keep_rates(db: Connection, received: Sequence[Received[FxRatePublished]], batch: Batch) -> list[Fact]:
    """
    Keep exchange rates; they count from the next opening, the one booked last for a day and type. Publishes nothing.

    Of several for one day and type on one booked day the one said last counts (the time of its CloudEvent), and of those the greatest: a
    choice that hangs neither on the order they come in nor on how often.
    """
    accepted = []
    for one in received:
        rate = rate_of(one.data, batch.entities, one.envelope)
        if isinstance(rate, ExchangeRate):
            said_at = _said_at(one.envelope.time)
            accepted.append(PublishedRate(one.entity, rate, one.booked_on, said_at, one.envelope.source, one.envelope.id))
        else:
            batch.refuse(one, rate)
    await queries.keep_rates(db, accepted, batch.now)
    return []


def rate_of(data: FxRatePublished, entities: Entities, envelope: Envelope | None) -> ExchangeRate | list[Reason]:
    """Read an exchange rate, or return every reason against it; `envelope` is that of the fact it came in."""
    reasons = entities.reasons_against(data.entity, envelope)
    if reason := check_identifier("type", data.type):
        reasons.append(reason)
    declared = entities.by_id.get(data.entity)
    rate = examine_rate(ExchangeRate(data.currency, data.rate, data.rate_on, data.type), declared.currency if declared else None)
    if isinstance(rate, ExchangeRate):
        return reasons or rate
    return reasons + [Reason(code=fault.code, field=fault.field) for fault in rate]


async def value_at_published_rates(db: Connection, entries: Sequence[Entry], open_on: Mapping[str, date]) -> list[Entry]:
    """
    Return the entries with what they are worth in their entity's currency, where nobody has stated it but a rate is known.

    That is the latest spot rate on or before the value date, of those published before the open day. Without one nothing is realised.
    """
    wanted = {one.receipt: RateWanted(one.entity, one.booked.currency, one.value_on) for one in entries if one.needs_rate}
    if not wanted:
        return list(entries)
    found = await queries.load_rates(db, wanted.values(), open_on)
    return [_valued(one, found[wanted[one.receipt]]) if wanted.get(one.receipt) in found else one for one in entries]


def _valued(entry: Entry, found: RateFound) -> Entry:
    rate = ExchangeRate(entry.booked.currency, found.rate, found.rate_on, found.type)
    return msgspec.structs.replace(entry, valued=value_cash(entry.booked, entry.settles, entry.own_currency, entry.value_on, rate))


def _said_at(text: str | None) -> datetime | None:
    """Read the time of a CloudEvent (RFC 3339, or in UTC where it names no zone); what cannot be read says nothing."""
    try:
        at = datetime.fromisoformat(text or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
