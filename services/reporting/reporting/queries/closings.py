"""
What closed days leave behind, so that a report adds up little: nothing is booked on a closed day any more.

The closing of a day is the sum of the deltas effective and booked on or before it, so it never changes; a report adds what is not in it.
"""

from datetime import date, timedelta
from typing import Final

from chassis.database import Connection

from reporting.domain import (
    BUCKETS,
    ITEM_MEASURES,
    LEFT,
    NO_DUE_ON,
    OPEN,
    bucket_starts,
    due_dates_that_age,
    is_month_end,
    month_end,
    next_month_end,
)

KNOWN_ON: Final = "greatest(effective_on, booked_on)"
"""The first day whose closing has a delta: the expression that `cube_by_day` and `account_delta_by_day` are made of."""
SINCE: Final = f"entity = $1 AND {KNOWN_ON} > $2 AND {KNOWN_ON} <= $3 AND effective_on <= $4 AND booked_on <= $5"
"""The deltas that a closing lacks; the dates are those of `told_since`."""
ONE_DAY: Final = timedelta(days=1)
NEVER: Final = date.min
"""Stands for the day of the closing where there is none: before all deltas."""

SUMS: Final = (
    "current_minor",
    "to_30_minor",
    "to_60_minor",
    "to_90_minor",
    "over_90_minor",
    "unapplied_minor",
    "on_account_minor",
    "memo_minor",
)
"""The figures of an account in `account_closing`: its buckets in the order of `domain.BUCKETS`, then what has no due date."""


def place_of(starts: str) -> str:
    """Return the SQL for the place of a due date's bucket in `domain.BUCKETS`."""
    return f"{len(BUCKETS) - 1} - width_bucket(due_on, {starts}::date[])"


def place_at(starts: str, measures: str) -> str:
    """Return the SQL for the place of a delta's bucket in `domain.BUCKETS`, null for one that is of none of these measures."""
    return f"CASE WHEN measure = ANY({measures}) THEN {place_of(starts)} END"


SUMS_OF_DELTAS: Final = """
    coalesce(sum(minor) FILTER (WHERE place = 0), 0)::bigint AS current_minor,
    coalesce(sum(minor) FILTER (WHERE place = 1), 0)::bigint AS to_30_minor,
    coalesce(sum(minor) FILTER (WHERE place = 2), 0)::bigint AS to_60_minor,
    coalesce(sum(minor) FILTER (WHERE place = 3), 0)::bigint AS to_90_minor,
    coalesce(sum(minor) FILTER (WHERE place = 4), 0)::bigint AS over_90_minor,
    coalesce(sum(minor) FILTER (WHERE measure = 'unapplied'), 0)::bigint AS unapplied_minor,
    coalesce(sum(minor) FILTER (WHERE measure = 'on_account'), 0)::bigint AS on_account_minor,
    coalesce(sum(minor) FILTER (WHERE measure = 'memo'), 0)::bigint AS memo_minor
"""
"""The same, summed from rows of (measure, minor, place of the bucket)."""
_INTO_ACCOUNTS: Final = f"INSERT INTO account_closing (entity, currency, account, {', '.join(SUMS)})"
_ALL_ZERO: Final = f"({', '.join(SUMS)}) = ({', '.join('0' for _ in SUMS)})"


async def last_closing(db: Connection, entity: str, up_to: date | None = None) -> date:
    """Return the day of an entity's last closing, not later than `up_to` where that is given; `NEVER` where there is none."""
    return (
        await db.fetchval(
            "SELECT max(closed_on) FROM closing WHERE entity = $1 AND closed_on <= coalesce($2::date, 'infinity')", entity, up_to
        )
        or NEVER
    )


def told_since(closed_on: date, as_of: date, known_at: date | None) -> tuple[date, date, date, date]:
    """Return the bounds of what a closing lacks: after the first and up to the second known first, effective, booked."""
    if known_at is None:
        return closed_on, date.max, as_of, date.max
    return closed_on, max(as_of, known_at), as_of, known_at


async def close(db: Connection, entity: str, day: date) -> None:
    """
    Keep what the books stand at when `day` has closed, in the transaction that opens the next one.

    The closings of months' ends are kept for ever, of the others the last one. A day whose closing failed is made up for by the next.
    """
    since = await last_closing(db, entity)
    if since == NEVER:
        await derive_for(db, entity, day)
        return
    while since < day:
        following = since + ONE_DAY
        await _close_entity(db, entity, since, following)
        await _close_accounts(db, entity, since, following)
        if not is_month_end(since):
            await db.execute("DELETE FROM closing WHERE entity = $1 AND closed_on = $2", entity, since)
        since = following


async def derive(db: Connection) -> None:
    """Make all closings anew from the deltas, for every entity up to its last closed day; there are none yet."""
    for row in await db.fetch("SELECT entity, open_on - 1 AS closed_on FROM chassis.day ORDER BY entity"):
        await derive_for(db, row["entity"], row["closed_on"])


async def derive_for(db: Connection, entity: str, day: date) -> None:
    """Make an entity's closings from the deltas: months' ends before `day`, and `day`."""
    first = await db.fetchval(f"SELECT min({KNOWN_ON}) FROM cube WHERE entity = $1", entity)
    if first is None or first > day:
        return
    since, ends_on = NEVER, month_end(first)
    while ends_on < day:
        await _close_entity(db, entity, since, ends_on)
        since, ends_on = ends_on, next_month_end(ends_on)
    await _close_entity(db, entity, since, day)
    await db.execute(
        f"""
        {_INTO_ACCOUNTS}
        SELECT $1, currency, account, {SUMS_OF_DELTAS}
        FROM (
            SELECT currency, account, measure, delta_minor AS minor, {place_at("$4", "$3")} AS place
            FROM account_delta WHERE entity = $1 AND {KNOWN_ON} <= $2
        ) AS d
        GROUP BY currency, account
        """,
        entity,
        day,
        ITEM_MEASURES,
        bucket_starts(day),
    )
    await db.execute(f"DELETE FROM account_closing WHERE entity = $1 AND {_ALL_ZERO}", entity)


async def _close_entity(db: Connection, entity: str, since: date, day: date) -> None:
    """
    Add the deltas of the days after `since` to its closing and keep that as the closing of `day`.

    Due dates at which nothing is open are left out, and what only flows in a period; `unapplied` stands for every currency there has been,
    if only as zero.
    """
    await db.execute(
        f"""
        WITH told AS (
            SELECT currency, measure, due_on, sum_minor AS minor FROM closing WHERE entity = $1 AND closed_on = $2
            UNION ALL
            SELECT currency, CASE WHEN measure = ANY($4) THEN '{OPEN}' ELSE measure END, due_on, delta_minor
            FROM cube WHERE entity = $1 AND {KNOWN_ON} > $2 AND {KNOWN_ON} <= $3 AND measure <> ALL($6)
        )
        INSERT INTO closing (entity, closed_on, currency, measure, due_on, sum_minor)
        SELECT $1, $3, currency, measure, due_on, sum(minor)
        FROM (TABLE told UNION ALL SELECT DISTINCT currency, 'unapplied', $5::date, 0 FROM told) AS all_told
        GROUP BY currency, measure, due_on HAVING sum(minor) <> 0 OR measure = 'unapplied'
        """,
        entity,
        since,
        day,
        ITEM_MEASURES,
        NO_DUE_ON,
        LEFT,
    )


async def _close_accounts(db: Connection, entity: str, since: date, day: date) -> None:
    """
    Move the accounts from the closing of `since` to that of `day`: what has aged from bucket to bucket, then the days' deltas.

    Who may have aged is asked of the items, closed ones included: every delta of a due date has one.
    """
    await db.execute(
        f"""
        WITH due AS (
            SELECT DISTINCT currency, account, due_on FROM item WHERE entity = $1 AND due_on = ANY($6)
        ), aged AS (
            SELECT d.*, open.minor
            FROM due AS d CROSS JOIN LATERAL (
                SELECT sum(delta_minor) AS minor FROM account_delta AS a
                WHERE a.entity = $1 AND a.account = d.account AND a.currency = d.currency AND a.measure = ANY($4) AND a.due_on = d.due_on
                    AND {KNOWN_ON} <= $2
            ) AS open
            WHERE open.minor <> 0
        ), moved AS (
            SELECT currency, account, '{OPEN}' AS measure, -minor AS minor, {place_of("$7")} AS place FROM aged
            UNION ALL
            SELECT currency, account, '{OPEN}', minor, {place_of("$5")} FROM aged
            UNION ALL
            SELECT currency, account, measure, delta_minor, {place_at("$5", "$4")}
            FROM account_delta WHERE entity = $1 AND {KNOWN_ON} > $2 AND {KNOWN_ON} <= $3
        )
        {_INTO_ACCOUNTS}
        SELECT $1, currency, account, {SUMS_OF_DELTAS} FROM moved GROUP BY currency, account
        ON CONFLICT ON CONSTRAINT account_closing_pkey DO UPDATE SET
            {", ".join(f"{column} = account_closing.{column} + excluded.{column}" for column in SUMS)}
        """,
        entity,
        since,
        day,
        ITEM_MEASURES,
        bucket_starts(day),
        due_dates_that_age(since, day),
        bucket_starts(since),
    )
    await db.execute(f"DELETE FROM account_closing WHERE entity = $1 AND {_ALL_ZERO}", entity)
