"""What became of receipts and of suggestions, by booked day, and how well money was matched (PAY-17)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from chassis.database import Connection

from reporting.domain import Matched, ReceiptDelta, ReceiptKey

ReceiptRow = tuple[str, date, str, str, date | None, int, int, int, int]
"""receipt, booked_on, entity, currency, value_on, received_minor, automatic_minor, by_person_minor, free_minor"""


class SuggestionTold(NamedTuple):
    """What one fact tells of a suggestion; the rest is None. Days are booked days."""

    suggestion: str
    entity: str
    currency: str | None = None
    amount_minor: int | None = None
    made_on: date | None = None
    accepted_on: date | None = None
    rejected_on: date | None = None


def receipt_rows(receipts: Mapping[ReceiptKey, ReceiptDelta]) -> list[ReceiptRow]:
    """Write what is added to receipts as rows, sorted so that two workers cannot wait for each other in a circle."""
    return [
        (
            receipt,
            booked_on,
            delta.entity,
            delta.currency,
            delta.value_on,
            delta.received_minor,
            delta.automatic_minor,
            delta.by_person_minor,
            delta.free_minor,
        )
        for (receipt, booked_on), delta in sorted(receipts.items(), key=lambda named: named[0])
    ]


async def add_to_receipts(db: Connection, receipts: Mapping[ReceiptKey, ReceiptDelta]) -> None:
    """Add a batch's deltas to the days of receipts. What cancels out stays as zeros: that something was booked is part of the row."""
    if not receipts:
        return
    await db.execute(
        """
        INSERT INTO receipt_day AS kept (
            receipt, booked_on, entity, currency, value_on, received_minor, automatic_minor, by_person_minor, free_minor
        )
        SELECT * FROM unnest(
            $1::text[], $2::date[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]
        )
        ON CONFLICT ON CONSTRAINT receipt_day_pkey DO UPDATE SET
            value_on = least(kept.value_on, excluded.value_on),
            received_minor = kept.received_minor + excluded.received_minor,
            automatic_minor = kept.automatic_minor + excluded.automatic_minor,
            by_person_minor = kept.by_person_minor + excluded.by_person_minor,
            free_minor = kept.free_minor + excluded.free_minor
        """,
        *zip(*receipt_rows(receipts), strict=True),
    )


async def add_to_suggestions(db: Connection, told: Sequence[SuggestionTold]) -> None:
    """Add what facts tell of suggestions, in any order."""
    await db.execute(
        """
        INSERT INTO suggestion AS kept (suggestion, entity, currency, amount_minor, made_on, accepted_on, rejected_on)
        SELECT suggestion, min(entity), min(currency), min(amount_minor), min(made_on), min(accepted_on), min(rejected_on)
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::date[], $6::date[], $7::date[])
            AS told (suggestion, entity, currency, amount_minor, made_on, accepted_on, rejected_on)
        GROUP BY suggestion ORDER BY suggestion
        ON CONFLICT ON CONSTRAINT suggestion_pkey DO UPDATE SET
            currency = coalesce(kept.currency, excluded.currency),
            amount_minor = coalesce(kept.amount_minor, excluded.amount_minor),
            made_on = least(kept.made_on, excluded.made_on),
            accepted_on = least(kept.accepted_on, excluded.accepted_on),
            rejected_on = least(kept.rejected_on, excluded.rejected_on)
        """,
        *zip(*told, strict=True),
    )


async def matched(db: Connection, entity: str, first: date, last: date, as_of: date) -> list[Matched]:
    """
    Count what became, by what was booked on or before `as_of`, of receipts and suggestions booked from `first` through `last`.

    By currency, sorted; and of all money that is free on that day, whenever it came. A receipt all of whose money found its place on the
    day it came is not looked at for that.
    """
    counted: dict[str, dict[str, Any]] = {}
    for rows in (
        await _receipts(db, entity, first, last, as_of),
        await _suggestions(db, entity, first, last, as_of),
        await _free(db, entity, as_of),
    ):
        for row in rows:
            figures = dict(row)
            counted.setdefault(figures["currency"], {}).update(figures)
    return [Matched(**counted[currency]) for currency in sorted(counted)]


async def _receipts(db: Connection, entity: str, first: date, last: date, as_of: date) -> Sequence[Mapping[str, Any]]:
    return await db.fetch(
        """
        SELECT currency, count(*) FILTER (WHERE received_minor > 0) AS receipts, sum(received_minor)::bigint AS received_minor,
            count(*) FILTER (WHERE received_minor > 0 AND automatic_minor > 0 AND by_person_minor = 0) AS automatic_receipts,
            sum(automatic_minor)::bigint AS automatic_minor, sum(by_person_minor)::bigint AS by_person_minor
        FROM (
            SELECT came.currency, came.receipt, sum(d.received_minor) AS received_minor, sum(d.automatic_minor) AS automatic_minor,
                sum(d.by_person_minor) AS by_person_minor
            FROM receipt_day AS came JOIN receipt_day AS d ON d.receipt = came.receipt AND d.booked_on <= $4
            WHERE came.entity = $1 AND came.value_on IS NOT NULL AND came.booked_on BETWEEN $2 AND $3 AND came.booked_on <= $4
            GROUP BY came.currency, came.receipt
        ) AS one
        GROUP BY currency
        """,
        entity,
        first,
        last,
        as_of,
    )


async def _suggestions(db: Connection, entity: str, first: date, last: date, as_of: date) -> Sequence[Mapping[str, Any]]:
    return await db.fetch(
        """
        SELECT currency, count(*) AS suggestions, count(*) FILTER (WHERE accepted_on <= $4) AS accepted,
            count(*) FILTER (WHERE rejected_on <= $4) AS rejected
        FROM suggestion WHERE entity = $1 AND made_on BETWEEN $2 AND $3 AND made_on <= $4
        GROUP BY currency
        """,
        entity,
        first,
        last,
        as_of,
    )


async def _free(db: Connection, entity: str, as_of: date) -> Sequence[Mapping[str, Any]]:
    return await db.fetch(
        """
        SELECT currency, sum(free.minor)::bigint AS free_minor,
            sum(free.minor * greatest($2::date - came.value_on, 0))::bigint AS free_minor_days
        FROM (
            SELECT receipt, currency, sum(free_minor) AS minor FROM receipt_day
            WHERE entity = $1 AND booked_on <= $2 AND free_minor <> 0
            GROUP BY receipt, currency HAVING sum(free_minor) > 0
        ) AS free
        CROSS JOIN LATERAL (
            SELECT min(value_on) AS value_on FROM receipt_day WHERE receipt_day.receipt = free.receipt AND value_on IS NOT NULL
        ) AS came
        GROUP BY currency
        """,
        entity,
        as_of,
    )
