"""Figures of a period: the roll-forward of a month, what was sold and what was written off."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from chassis.database import Connection

from reporting.domain import ITEM_MEASURES, OPEN, RollForward
from reporting.queries.closings import SINCE, last_closing, told_since


async def roll_forward(db: Connection, entity: str, first: date, last: date, known_at: date | None) -> list[RollForward]:
    """
    Return how open items moved from before `first` to `last`, for every currency there has been by then, sorted.

    From the last closing before `first` and what came since.
    """
    before = first - timedelta(days=1)
    closed_on = await last_closing(db, entity, up_to=min(before, known_at or before))
    rows = await db.fetch(
        f"""
        SELECT
            currency,
            coalesce(sum(minor) FILTER (WHERE measure = ANY($6) AND effective_on < $7), 0)::bigint AS opening,
            coalesce(sum(minor) FILTER (WHERE measure = 'invoiced' AND effective_on >= $7), 0)::bigint AS invoiced,
            coalesce(sum(minor) FILTER (WHERE measure = 'charged' AND effective_on >= $7), 0)::bigint AS charged,
            coalesce(-sum(minor) FILTER (WHERE measure = 'credited' AND effective_on >= $7), 0)::bigint AS credited,
            coalesce(-sum(minor) FILTER (WHERE measure = 'settled' AND effective_on >= $7), 0)::bigint AS settled,
            coalesce(-sum(minor) FILTER (WHERE measure = 'discounted' AND effective_on >= $7), 0)::bigint AS discounted,
            coalesce(-sum(minor) FILTER (WHERE measure = 'written_off' AND effective_on >= $7), 0)::bigint AS written_off,
            coalesce(-sum(minor) FILTER (WHERE measure = 'voided' AND effective_on >= $7), 0)::bigint AS voided,
            coalesce(sum(minor) FILTER (WHERE measure = 'unapplied'), 0)::bigint AS unapplied,
            coalesce(sum(minor) FILTER (WHERE measure IN ('on_account', 'memo')), 0)::bigint AS credit,
            coalesce(sum(minor) FILTER (WHERE measure = 'reversed' AND effective_on >= $7), 0)::bigint AS reversed,
            coalesce(sum(minor) FILTER (WHERE measure = 'refunded' AND effective_on >= $7), 0)::bigint AS refunded,
            coalesce(sum(minor) FILTER (WHERE measure = 'transferred' AND effective_on >= $7), 0)::bigint AS transferred
        FROM (
            SELECT currency, measure, closed_on AS effective_on, sum_minor AS minor FROM closing WHERE entity = $1 AND closed_on = $2
            UNION ALL
            SELECT currency, measure, effective_on, delta_minor FROM cube WHERE {SINCE}
        ) AS told
        GROUP BY currency ORDER BY currency
        """,
        entity,
        *told_since(closed_on, last, known_at),
        (*ITEM_MEASURES, OPEN),
        first,
    )
    return [
        RollForward(
            currency=row["currency"],
            opening_minor=row["opening"],
            invoiced_minor=row["invoiced"],
            charged_minor=row["charged"],
            credited_minor=row["credited"],
            settled_minor=row["settled"],
            discounted_minor=row["discounted"],
            written_off_minor=row["written_off"],
            voided_minor=row["voided"],
            unapplied_minor=row["unapplied"],
            credit_minor=row["credit"],
            reversed_minor=row["reversed"],
            refunded_minor=row["refunded"],
            transferred_minor=row["transferred"],
        )
        for row in rows
    ]


class Period(NamedTuple):
    """Net credit sales and what was written off, in minor units."""

    net_credit_sales_minor: int
    written_off_minor: int


NOTHING: Final = Period(0, 0)


async def sold_and_written_off(db: Connection, entity: str, as_of: date, days: int, known_at: date | None) -> dict[str, Period]:
    """
    Return, for the last `days` days up to `as_of`, net credit sales and what was written off less recovered, by currency.

    Sales are invoices and debit memos less credit memos issued and less voids. A memo's issue is what it left open plus what of it was
    applied: the cube keeps those two.
    """
    since = as_of - timedelta(days=days)  # What is effective after it is known after it.
    rows = await db.fetch(
        f"""
        SELECT currency,
            coalesce(
                sum(CASE measure WHEN 'memo' THEN -delta_minor ELSE delta_minor END) FILTER (WHERE measure <> 'written_off'), 0
            )::bigint AS sales,
            coalesce(-sum(delta_minor) FILTER (WHERE measure = 'written_off'), 0)::bigint AS written_off
        FROM cube WHERE {SINCE} AND effective_on > $2 AND measure IN ('invoiced', 'voided', 'memo', 'credited', 'written_off')
        GROUP BY currency
        """,
        entity,
        *told_since(since, as_of, known_at),
    )
    return {row["currency"]: Period(row["sales"], row["written_off"]) for row in rows}
