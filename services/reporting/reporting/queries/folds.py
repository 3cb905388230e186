"""What a batch of facts adds to the read model, one statement per table."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from chassis.database import Connection
from chassis.service import Received
from events.dunning import DunningNoticeSent

from reporting.domain import AccountKey, CubeKey, ItemDelta

ItemRow = tuple[str, str, str, str, str, date, date | None, date | None, int, int]
"""item, entity, account, customer, currency, due_on, issued_on, booked_on, total_minor, open_minor"""


def item_rows(items: Mapping[str, ItemDelta]) -> list[ItemRow]:
    """Write what is added to items as rows, sorted so that two workers cannot wait for each other in a circle."""
    return [
        (name, d.entity, d.account, d.customer, d.currency, d.due_on, d.issued_on, d.booked_on, d.total_minor, d.open_minor)
        for name, d in sorted(items.items(), key=lambda named: named[0])
    ]


async def add_to_items(db: Connection, items: Mapping[str, ItemDelta], *, folded_at: datetime) -> None:
    """Add what a batch says about items, new ones included; `folded_at` marks those whose issue is among it."""
    if not items:
        return
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
        *zip(*item_rows(items), strict=True),
        folded_at,
    )


async def add_to_cube(db: Connection, cube: Mapping[CubeKey, int]) -> None:
    """Add a batch's deltas to the cube, keys sorted likewise; what cancels out is deleted."""
    if not cube:
        return
    keys = sorted(cube)
    cancelled = await db.fetchval(
        """
        WITH added AS (
            INSERT INTO cube (entity, currency, measure, due_on, effective_on, booked_on, delta_minor)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::date[], $6::date[], $7::bigint[])
            ON CONFLICT ON CONSTRAINT cube_pkey DO UPDATE SET delta_minor = cube.delta_minor + excluded.delta_minor
            RETURNING delta_minor, ctid
        )
        SELECT array_agg(ctid) FROM added WHERE delta_minor = 0
        """,
        *zip(*keys, strict=True),
        [cube[key] for key in keys],
    )
    if cancelled:  # The rows are locked by this transaction, so they are still where they were.
        await db.execute("DELETE FROM cube WHERE ctid = ANY($1::tid[])", cancelled)


async def add_to_accounts(db: Connection, accounts: Mapping[AccountKey, int]) -> None:
    """Add a batch's deltas to the accounts, keys sorted likewise; what cancels out is deleted."""
    if not accounts:
        return
    keys = sorted(accounts)
    cancelled = await db.fetchval(
        """
        WITH added AS (
            INSERT INTO account_delta (entity, account, currency, measure, due_on, effective_on, booked_on, delta_minor)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::date[], $7::date[], $8::bigint[])
            ON CONFLICT ON CONSTRAINT account_delta_pkey DO UPDATE SET delta_minor = account_delta.delta_minor + excluded.delta_minor
            RETURNING delta_minor, ctid
        )
        SELECT array_agg(ctid) FROM added WHERE delta_minor = 0
        """,
        *zip(*keys, strict=True),
        [accounts[key] for key in keys],
    )
    if cancelled:
        await db.execute("DELETE FROM account_delta WHERE ctid = ANY($1::tid[])", cancelled)


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
