"""Exchange differences by account and day, and what items in other currencies were worth at periods' ends."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import Final

from chassis.database import Connection

from reporting.domain import BUCKETS, ExchangeKey, Revaluation, Valued, bucket_starts
from reporting.queries.closings import place_of

_REVALUATION: Final = tuple(field.name for field in fields(Revaluation))


async def add_differences(db: Connection, differences: Mapping[ExchangeKey, int]) -> None:
    """Add a batch's exchange differences, keys sorted so that two workers cannot wait for each other; what cancels out is deleted."""
    keys = sorted(key for key, minor in differences.items() if minor)
    if not keys:
        return
    cancelled = await db.fetchval(
        """
        WITH added AS (
            INSERT INTO exchange_delta AS kept (entity, account, currency, measure, effective_on, booked_on, delta_minor)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::date[], $7::bigint[])
            ON CONFLICT ON CONSTRAINT exchange_delta_pkey DO UPDATE SET delta_minor = kept.delta_minor + excluded.delta_minor
            RETURNING delta_minor, ctid
        )
        SELECT array_agg(ctid) FROM added WHERE delta_minor = 0
        """,
        *zip(*keys, strict=True),
        [differences[key] for key in keys],
    )
    if cancelled:
        await db.execute("DELETE FROM exchange_delta WHERE ctid = ANY($1::tid[])", cancelled)


async def save_revaluations(db: Connection, revaluations: Sequence[Revaluation]) -> None:
    """Keep revaluations; an item has one at each period's end."""
    if revaluations:
        await db.copy_records_to_table("revaluation", columns=_REVALUATION, records=map(astuple, revaluations))


@dataclass(frozen=True, slots=True)
class Difference:
    """The exchange differences of one account that are effective on one day: gain less loss, in the entity's currency."""

    effective_on: date
    account: str
    currency: str
    realised_minor: int
    unrealised_minor: int


_SUMS: Final = """
    coalesce(sum(delta_minor) FILTER (WHERE measure = 'realised'), 0)::bigint AS realised_minor,
    coalesce(sum(delta_minor) FILTER (WHERE measure = 'unrealised'), 0)::bigint AS unrealised_minor
"""
_ASKED: Final = """
    entity = $1 AND effective_on BETWEEN $2 AND $3 AND booked_on <= coalesce($4::date, 'infinity') AND ($5::text IS NULL OR account = $5)
"""


async def differences(
    db: Connection, entity: str, first: date, last: date, known_at: date | None, account: str | None, *, after: tuple[date, str], limit: int
) -> list[Difference]:
    """Return exchange differences by day and account, beyond the (day, account) `after`, at most `limit`; days that come to nothing too."""
    rows = await db.fetch(
        f"""
        SELECT effective_on, account, currency, {_SUMS} FROM exchange_delta
        WHERE {_ASKED} AND (effective_on, account) > ($6, $7)
        GROUP BY effective_on, account, currency ORDER BY effective_on, account, currency LIMIT $8
        """,
        entity,
        first,
        last,
        known_at,
        account,
        *after,
        limit,
    )
    return [Difference(**row) for row in rows]


async def totals(
    db: Connection, entity: str, first: date, last: date, known_at: date | None, account: str | None
) -> list[tuple[str, int, int]]:
    """Return (currency, realised, unrealised) of all days and accounts asked about."""
    rows = await db.fetch(
        f"SELECT currency, {_SUMS} FROM exchange_delta WHERE {_ASKED} GROUP BY currency ORDER BY currency",
        entity,
        first,
        last,
        known_at,
        account,
    )
    return [(row["currency"], row["realised_minor"], row["unrealised_minor"]) for row in rows]


_PLACE: Final = place_of("$4")


async def valued(
    db: Connection, entity: str, as_of: date, known_at: date | None, *, by_account: bool
) -> dict[tuple[str, str | None], Valued]:
    """
    Return what open items were worth in the entity's currency when a period ended on `as_of`, by currency, and by account if wanted.

    Nothing where no period ended on that day, or by `known_at` nobody had revalued it. What was booked later is not in it.
    """
    rows = await db.fetch(
        f"""
        SELECT item_currency, CASE WHEN $5 THEN account END AS account, min(currency) AS currency, sum(of_minor)::bigint AS of_minor,
            {", ".join(f"coalesce(sum(minor) FILTER (WHERE place = {place}), 0)::bigint AS in_{place}" for place in range(len(BUCKETS)))}
        FROM (
            SELECT r.item_currency, r.account, r.currency, r.open_minor AS of_minor, r.revalued_minor AS minor, {_PLACE} AS place
            FROM revaluation AS r JOIN item USING (item)
            WHERE r.entity = $1 AND r.period_end_on = $2 AND r.booked_on <= coalesce($3::date, 'infinity')
        ) AS one
        GROUP BY 1, 2
        """,
        entity,
        as_of,
        known_at,
        bucket_starts(as_of),
        by_account,
    )
    return {
        (row["item_currency"], row["account"]): Valued(
            row["currency"], row["of_minor"], tuple(row[f"in_{place}"] for place in range(len(BUCKETS)))
        )
        for row in rows
    }
