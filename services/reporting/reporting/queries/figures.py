"""Figures of a period: the roll-forward of a month, net credit sales."""

from datetime import date, timedelta

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
            coalesce(-sum(minor) FILTER (WHERE measure = 'credited' AND effective_on >= $7), 0)::bigint AS credited,
            coalesce(-sum(minor) FILTER (WHERE measure = 'settled' AND effective_on >= $7), 0)::bigint AS settled,
            coalesce(sum(minor) FILTER (WHERE measure = 'unapplied'), 0)::bigint AS unapplied,
            coalesce(sum(minor) FILTER (WHERE measure IN ('on_account', 'memo')), 0)::bigint AS credit
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
        RollForward(row["currency"], row["opening"], row["invoiced"], row["credited"], row["settled"], row["unapplied"], row["credit"])
        for row in rows
    ]


async def net_credit_sales(db: Connection, entity: str, as_of: date, days: int, known_at: date | None) -> dict[str, int]:
    """
    Return invoices less credit memos issued in the last `days` days up to `as_of`, by currency.

    A memo's issue is what it left open plus what of it was applied: the cube keeps those two.
    """
    since = as_of - timedelta(days=days)  # What is effective after it is known after it.
    rows = await db.fetch(
        f"""
        SELECT currency, sum(CASE measure WHEN 'memo' THEN -delta_minor ELSE delta_minor END)::bigint AS sales
        FROM cube WHERE {SINCE} AND effective_on > $2 AND measure IN ('invoiced', 'memo', 'credited')
        GROUP BY currency
        """,
        entity,
        *told_since(since, as_of, known_at),
    )
    return {row["currency"]: row["sales"] for row in rows}
