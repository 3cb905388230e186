"""
Aging: what is owed by an entity or by accounts, for any (`as_of`, `known_at`).

Every figure is a closing plus the deltas that are not in it: those first known after its day, effective and booked in time.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from chassis.database import Connection

from reporting.domain import ITEM_MEASURES, OPEN, Standing, bucket_starts
from reporting.queries.closings import NEVER, SINCE, SUMS, SUMS_OF_DELTAS, last_closing, place_at, told_since

_FIGURES: Final = ", ".join(SUMS)
_PLACE: Final = f"{place_at('$7', '$6')} AS place"
_OPEN: Final = "current_minor + to_30_minor + to_60_minor + to_90_minor + over_90_minor"
_OVERDUE: Final = "to_30_minor + to_60_minor + to_90_minor + over_90_minor"
_NOT_ALL_ZERO: Final = (
    "(current_minor, to_30_minor, to_60_minor, to_90_minor, over_90_minor, unapplied_minor, on_account_minor + memo_minor)"
    " <> (0, 0, 0, 0, 0, 0, 0)"
)

ORDERS: Final[Mapping[str, str]] = {"customer": "account", "-open": f"({_OPEN}) DESC, account", "-overdue": f"({_OVERDUE}) DESC, account"}
"""How customers can be sorted, inside a currency, and the SQL that does it; the indexes of `account_closing` are made of the same."""


async def standing_of_entity(db: Connection, entity: str, as_of: date, known_at: date | None) -> list[Standing]:
    """Return an entity's standing in every currency it has had by then, sorted by currency; from the last closing before and the cube."""
    closed_on = await last_closing(db, entity, up_to=min(as_of, known_at or as_of))
    rows = await db.fetch(
        f"""
        SELECT
            currency,
            NULL AS account,
            {SUMS_OF_DELTAS},
            coalesce(sum(minor) FILTER (WHERE measure = 'unidentified'), 0)::bigint AS unidentified_minor
        FROM (
            SELECT currency, measure, sum_minor AS minor, {_PLACE} FROM closing WHERE entity = $1 AND closed_on = $2
            UNION ALL
            SELECT currency, measure, delta_minor, {_PLACE} FROM cube WHERE {SINCE}
        ) AS told
        GROUP BY currency ORDER BY currency
        """,
        entity,
        *told_since(closed_on, as_of, known_at),
        (*ITEM_MEASURES, OPEN),
        bucket_starts(as_of),
    )
    return [_standing(row, row["unidentified_minor"]) for row in rows]


async def standing_of_accounts(
    db: Connection, entity: str, as_of: date, known_at: date | None, *, order: str = "customer", limit: int | None = None
) -> list[Standing]:
    """
    Return the standing of every account that is not all zero, by currency and then by `order`, at most `limit` a currency.

    As of the last closing this reads no more than it returns and what came since; for another day it adds up every account's deltas.
    Postgres' own collation does not count: accounts are sorted by their code points.
    """
    closed_on = await last_closing(db, entity)
    is_closing = closed_on == as_of and (known_at is None or known_at >= as_of)
    rows = await db.fetch(
        f"""
        WITH since AS MATERIALIZED (
            SELECT currency, account COLLATE "C" AS account, {SUMS_OF_DELTAS}
            FROM (SELECT currency, account, measure, delta_minor AS minor, {_PLACE} FROM account_delta WHERE {SINCE}) AS told
            GROUP BY currency, account
        ), standing AS ({_CLOSED[order] if is_closing else "TABLE since"})
        SELECT * FROM (
            SELECT *, row_number() OVER (PARTITION BY currency ORDER BY {ORDERS[order]}) AS place FROM standing WHERE {_NOT_ALL_ZERO}
        ) AS ranked
        WHERE place <= coalesce($8::bigint, place)
        ORDER BY currency, place
        """,
        entity,
        *told_since(closed_on if is_closing else NEVER, as_of, known_at),
        ITEM_MEASURES,
        bucket_starts(as_of),
        limit,
    )
    return [_standing(row) for row in rows]


_CLOSED: Final = {
    name: f"""
        SELECT s.currency, s.account, {", ".join(f"s.{column} + coalesce(c.{column}, 0) AS {column}" for column in SUMS)}
        FROM since AS s LEFT JOIN account_closing AS c ON c.entity = $1 AND c.currency = s.currency AND c.account = s.account
        UNION ALL
        SELECT c.*
        FROM (SELECT DISTINCT currency FROM closing WHERE entity = $1 AND closed_on = $2) AS k
        CROSS JOIN LATERAL (
            SELECT currency, account, {_FIGURES} FROM account_closing
            WHERE entity = $1 AND currency = k.currency AND {_NOT_ALL_ZERO}
                AND (currency, account) NOT IN (SELECT currency, account FROM since)
            ORDER BY {order} LIMIT $8
        ) AS c
    """
    for name, order in ORDERS.items()
}
"""
The accounts' closing and what came since: accounts of which something came are added up, of the others the first are read off an index.

As many of those as are wanted are enough, whatever place the others turn out to have.
"""


async def standing_of_account(db: Connection, entity: str, account: str, as_of: date, known_at: date | None) -> list[Standing]:
    """Return one account's standing in every currency it has had by then, sorted by currency."""
    rows = await db.fetch(
        f"""
        SELECT currency, account, {SUMS_OF_DELTAS}
        FROM (SELECT currency, account, measure, delta_minor AS minor, {_PLACE} FROM account_delta WHERE {SINCE} AND account = $8) AS told
        GROUP BY currency, account ORDER BY currency
        """,
        entity,
        *told_since(NEVER, as_of, known_at),
        ITEM_MEASURES,
        bucket_starts(as_of),
        account,
    )
    return [_standing(row) for row in rows]


def _standing(row: Mapping[str, Any], unidentified_minor: int = 0) -> Standing:
    return Standing(
        currency=row["currency"],
        account=row["account"],
        buckets_minor=tuple(row[column] for column in SUMS[:5]),
        unapplied_minor=row["unapplied_minor"],
        on_account_minor=row["on_account_minor"],
        memo_minor=row["memo_minor"],
        unidentified_minor=unidentified_minor,
    )
