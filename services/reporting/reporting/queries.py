"""Every SQL statement of the read model: the folds in, the reports out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from chassis.database import Connection
from chassis.service import Received
from events.dunning import DunningNoticeSent

from reporting.domain import (
    BUCKETS,
    ITEM_MEASURES,
    AccountKey,
    CubeKey,
    ItemDelta,
    RollForward,
    Standing,
    bucket_starts,
)


async def add_to_items(db: Connection, items: Mapping[str, ItemDelta], *, folded_at: datetime) -> None:
    """Add what a batch says about items, new ones included; `folded_at` marks those whose issue is among it."""
    if not items:
        return
    names = sorted(items)
    rows = [items[name] for name in names]
    await db.execute(
        """
        INSERT INTO item (
            item, entity, account, customer, currency, due_on, issued_on, booked_on, total_minor, open_minor, is_open, folded_at
        )
        SELECT d.*, d.open_minor > 0, CASE WHEN d.issued_on IS NOT NULL THEN $11::timestamptz END
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::date[], $8::date[], $9::bigint[], $10::bigint[]
        ) AS d (item, entity, account, customer, currency, due_on, issued_on, booked_on, total_minor, open_minor)
        ON CONFLICT (item) DO UPDATE SET
            issued_on = coalesce(item.issued_on, excluded.issued_on),
            booked_on = coalesce(item.booked_on, excluded.booked_on),
            folded_at = coalesce(item.folded_at, excluded.folded_at),
            total_minor = item.total_minor + excluded.total_minor,
            open_minor = item.open_minor + excluded.open_minor,
            is_open = item.open_minor + excluded.open_minor > 0
        """,
        names,
        [row.entity for row in rows],
        [row.account for row in rows],
        [row.customer for row in rows],
        [row.currency for row in rows],
        [row.due_on for row in rows],
        [row.issued_on for row in rows],
        [row.booked_on for row in rows],
        [row.total_minor for row in rows],
        [row.open_minor for row in rows],
        folded_at,
    )


async def add_to_cube(db: Connection, cube: Mapping[CubeKey, int]) -> None:
    """Add a batch's deltas to the cube, keys sorted so that two workers cannot wait for each other in a circle."""
    if not cube:
        return
    keys = sorted(cube)
    entities, currencies, measures, due, effective, booked = zip(*keys, strict=True)
    await db.execute(
        """
        INSERT INTO cube (entity, currency, measure, due_on, effective_on, booked_on, delta_minor)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[], $6::date[], $7::bigint[])
        ON CONFLICT ON CONSTRAINT cube_pkey DO UPDATE SET delta_minor = cube.delta_minor + excluded.delta_minor
        """,
        entities,
        currencies,
        measures,
        due,
        effective,
        booked,
        [cube[key] for key in keys],
    )


async def add_to_accounts(db: Connection, accounts: Mapping[AccountKey, int]) -> None:
    """Add a batch's deltas to the accounts, keys sorted likewise."""
    if not accounts:
        return
    keys = sorted(accounts)
    entities, names, currencies, measures, due, effective, booked = zip(*keys, strict=True)
    await db.execute(
        """
        INSERT INTO account_delta (entity, account, currency, measure, due_on, effective_on, booked_on, delta_minor)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::date[], $7::date[], $8::bigint[])
        ON CONFLICT ON CONSTRAINT account_delta_pkey DO UPDATE SET delta_minor = account_delta.delta_minor + excluded.delta_minor
        """,
        entities,
        names,
        currencies,
        measures,
        due,
        effective,
        booked,
        [accounts[key] for key in keys],
    )


async def save_notices(db: Connection, notices: Sequence[Received[DunningNoticeSent]]) -> None:
    """Keep notices."""
    await db.execute(
        """
        INSERT INTO notice (entity, account, currency, noticed_on, notice, level, booked_on)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[], $6::int[], $7::date[])
        """,
        [fact.entity for fact in notices],
        [fact.data.account for fact in notices],
        [fact.data.currency for fact in notices],
        [fact.data.noticed_on for fact in notices],
        [fact.data.notice for fact in notices],
        [fact.data.level for fact in notices],
        [fact.booked_on for fact in notices],
    )


async def save_names(db: Connection, names: Mapping[tuple[str, str], str]) -> None:
    """Keep the latest name of each (entity, customer)."""
    if not names:
        return
    keys = sorted(names)
    await db.execute(
        """
        INSERT INTO customer (entity, customer, name)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
        ON CONFLICT (entity, customer) DO UPDATE SET name = excluded.name
        """,
        [entity for entity, _ in keys],
        [customer for _, customer in keys],
        [names[key] for key in keys],
    )


_UP_TO: Final = "entity = $1 AND effective_on <= $2 AND booked_on <= coalesce($3::date, 'infinity')"
_SUMS: Final = """
    coalesce(sum(delta_minor) FILTER (WHERE bucket = 0), 0)::bigint AS b0,
    coalesce(sum(delta_minor) FILTER (WHERE bucket = 1), 0)::bigint AS b1,
    coalesce(sum(delta_minor) FILTER (WHERE bucket = 2), 0)::bigint AS b2,
    coalesce(sum(delta_minor) FILTER (WHERE bucket = 3), 0)::bigint AS b3,
    coalesce(sum(delta_minor) FILTER (WHERE bucket = 4), 0)::bigint AS b4,
    coalesce(sum(delta_minor) FILTER (WHERE measure = 'unapplied'), 0)::bigint AS unapplied,
    coalesce(sum(delta_minor) FILTER (WHERE measure = 'on_account'), 0)::bigint AS on_account,
    coalesce(sum(delta_minor) FILTER (WHERE measure = 'memo'), 0)::bigint AS memo,
    coalesce(sum(delta_minor) FILTER (WHERE measure = 'unidentified'), 0)::bigint AS unidentified
"""
_BUCKET: Final = f"CASE WHEN measure = ANY($4) THEN {len(BUCKETS) - 1} - width_bucket(due_on, $5::date[]) END AS bucket"


async def standing_of_entity(db: Connection, entity: str, as_of: date, known_at: date | None) -> list[Standing]:
    """Return an entity's standing in every currency it has had by then, sorted by currency; from the cube."""
    rows = await db.fetch(
        f"""
        SELECT currency, NULL AS account, {_SUMS}
        FROM (SELECT currency, measure, delta_minor, {_BUCKET} FROM cube WHERE {_UP_TO}) AS d
        GROUP BY currency ORDER BY currency
        """,
        *_arguments(entity, as_of, known_at),
    )
    return [_standing(row) for row in rows]


ORDERS: Final[Mapping[str, str]] = {"customer": "account", "-open": "open DESC, account", "-overdue": "open - b0 DESC, account"}
"""How customers can be sorted, inside a currency, and the SQL that does it."""


async def standing_of_accounts(
    db: Connection, entity: str, as_of: date, known_at: date | None, *, order: str = "customer", limit: int | None = None
) -> list[Standing]:
    """
    Return the standing of every account that is not all zero, by currency and then by `order`, at most `limit` a currency.

    Postgres' own collation does not count: accounts are sorted by their code points.
    """
    rows = await db.fetch(
        f"""
        SELECT * FROM (
            SELECT *, row_number() OVER (PARTITION BY currency ORDER BY {ORDERS[order]}) AS place
            FROM (
                SELECT
                    currency,
                    account COLLATE "C" AS account,
                    coalesce(sum(delta_minor) FILTER (WHERE bucket >= 0), 0)::bigint AS open,
                    {_SUMS}
                FROM (SELECT currency, account, measure, delta_minor, {_BUCKET} FROM account_delta WHERE {_UP_TO}) AS d
                GROUP BY currency, account
            ) AS sums
            WHERE (b0, b1, b2, b3, b4, unapplied, on_account + memo) <> (0, 0, 0, 0, 0, 0, 0)
        ) AS ranked
        WHERE place <= coalesce($6::bigint, place)
        ORDER BY currency, place
        """,
        *_arguments(entity, as_of, known_at),
        limit,
    )
    return [_standing(row) for row in rows]


async def standing_of_account(db: Connection, entity: str, account: str, as_of: date, known_at: date | None) -> list[Standing]:
    """Return one account's standing in every currency it has had by then, sorted by currency."""
    rows = await db.fetch(
        f"""
        SELECT currency, account, {_SUMS}
        FROM (SELECT currency, account, measure, delta_minor, {_BUCKET} FROM account_delta WHERE {_UP_TO} AND account = $6) AS d
        GROUP BY currency, account ORDER BY currency
        """,
        *_arguments(entity, as_of, known_at),
        account,
    )
    return [_standing(row) for row in rows]


def _arguments(entity: str, as_of: date, known_at: date | None) -> tuple[object, ...]:
    return entity, as_of, known_at, ITEM_MEASURES, bucket_starts(as_of)


def _standing(row: Mapping[str, Any]) -> Standing:
    return Standing(
        currency=row["currency"],
        account=row["account"],
        buckets_minor=(row["b0"], row["b1"], row["b2"], row["b3"], row["b4"]),
        unapplied_minor=row["unapplied"],
        on_account_minor=row["on_account"],
        memo_minor=row["memo"],
        unidentified_minor=row["unidentified"],
    )


async def roll_forward(db: Connection, entity: str, first: date, last: date, known_at: date | None) -> list[RollForward]:
    """Return how open items moved from before `first` to `last`, for every currency there has been by then, sorted; from the cube."""
    rows = await db.fetch(
        f"""
        SELECT
            currency,
            coalesce(sum(delta_minor) FILTER (WHERE measure = ANY($4) AND effective_on < $5), 0)::bigint AS opening,
            coalesce(sum(delta_minor) FILTER (WHERE measure = 'invoiced' AND effective_on >= $5), 0)::bigint AS invoiced,
            coalesce(-sum(delta_minor) FILTER (WHERE measure = 'credited' AND effective_on >= $5), 0)::bigint AS credited,
            coalesce(-sum(delta_minor) FILTER (WHERE measure = 'settled' AND effective_on >= $5), 0)::bigint AS settled,
            coalesce(sum(delta_minor) FILTER (WHERE measure = 'unapplied'), 0)::bigint AS unapplied,
            coalesce(sum(delta_minor) FILTER (WHERE measure IN ('on_account', 'memo')), 0)::bigint AS credit
        FROM cube WHERE {_UP_TO}
        GROUP BY currency ORDER BY currency
        """,
        entity,
        last,
        known_at,
        ITEM_MEASURES,
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
    rows = await db.fetch(
        f"""
        SELECT currency, sum(CASE measure WHEN 'memo' THEN -delta_minor ELSE delta_minor END)::bigint AS sales
        FROM cube WHERE {_UP_TO} AND effective_on > $4 AND measure IN ('invoiced', 'memo', 'credited')
        GROUP BY currency
        """,
        entity,
        as_of,
        known_at,
        as_of - timedelta(days=days),
    )
    return {row["currency"]: row["sales"] for row in rows}


@dataclass(frozen=True, slots=True)
class Noticed:
    """The notices of one account in one currency: how many, and the day and level of the last."""

    currency: str
    notices: int
    last_noticed_on: date
    last_level: int


async def noticed(db: Connection, entity: str, account: str, as_of: date, known_at: date | None) -> dict[str, Noticed]:
    """Return what an account was told by then, by currency."""
    rows = await db.fetch(
        """
        SELECT DISTINCT ON (currency) currency, count(*) OVER (PARTITION BY currency) AS notices, noticed_on, level
        FROM notice
        WHERE entity = $1 AND account = $2 AND noticed_on <= $3 AND booked_on <= coalesce($4::date, 'infinity')
        ORDER BY currency, noticed_on DESC, notice DESC
        """,
        entity,
        account,
        as_of,
        known_at,
    )
    return {row["currency"]: Noticed(row["currency"], row["notices"], row["noticed_on"], row["level"]) for row in rows}


async def names_of(db: Connection, entity: str, customers: Collection[str]) -> dict[str, str]:
    """Return the names that are known of these customers."""
    rows = await db.fetch("SELECT customer, name FROM customer WHERE entity = $1 AND customer = ANY($2)", entity, sorted(set(customers)))
    return {row["customer"]: row["name"] for row in rows}


async def has_heard_of(db: Connection, entity: str, customer: str) -> bool:
    """Say whether a customer was named by the ERP or has had any money fact."""
    return bool(
        await db.fetchval(
            """
            SELECT EXISTS (SELECT FROM customer WHERE entity = $1 AND customer = $2)
                OR EXISTS (SELECT FROM account_delta WHERE entity = $1 AND account = $2)
            """,
            entity,
            customer,
        )
    )


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One item with an open amount, as it stands now."""

    item: str
    account: str
    customer: str
    currency: str
    issued_on: date | None
    due_on: date
    total_minor: int
    open_minor: int


async def open_items(db: Connection, entity: str, account: str, *, after: str, limit: int) -> list[OpenItem]:
    """Return an account's open items greater than `after`, in the order of their ids, at most `limit`."""
    rows = await db.fetch(
        """
        SELECT item, account, customer, currency, issued_on, due_on, total_minor, open_minor
        FROM item WHERE is_open AND entity = $1 AND account = $2 AND item > $3
        ORDER BY item LIMIT $4
        """,
        entity,
        account,
        after,
        limit,
    )
    return [OpenItem(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Freshness:
    """
    How far the read model is (RPT-14).

    `complete_up_to` is the last closed day, None before the entity's first fact or marker was met. The counts are facts set aside, held
    back, and come after their day had closed.
    """

    complete_up_to: date | None
    parked: int
    held: int
    late: int


async def freshness(db: Connection, entity: str) -> Freshness:
    """Say up to which day the entity's figures are complete, and what stands beside them. Facts nobody could read count everywhere."""
    row = await db.fetchrow(
        """
        SELECT
            (SELECT open_on - 1 FROM chassis.day WHERE entity = $1) AS complete_up_to,
            (SELECT count(*) FROM chassis.parked WHERE state = 'parked' AND split_part(key, '|', 1) IN ($1, '?')) AS parked,
            (SELECT count(*) FROM chassis.held WHERE entity = $1) AS held,
            coalesce((SELECT late FROM chassis.day WHERE entity = $1), 0) AS late
        """,
        entity,
    )
    return Freshness(**row)
