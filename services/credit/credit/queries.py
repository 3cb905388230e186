"""Every SQL statement of the credit service."""

from collections.abc import Mapping
from datetime import date, datetime

from asyncpg import Record
from chassis.database import Connection

from credit.domain import AccountKey, Components


async def add_components(db: Connection, moved: Mapping[AccountKey, Components]) -> None:
    """Add to the components of accounts, in sorted order, so that two batches never wait for each other crosswise."""
    keys = sorted(moved)
    await db.execute(
        """
        INSERT INTO exposure AS kept (entity, account, currency, open_minor, on_account_minor, memo_minor)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
        ON CONFLICT (entity, account, currency) DO UPDATE SET
            open_minor = kept.open_minor + excluded.open_minor,
            on_account_minor = kept.on_account_minor + excluded.on_account_minor,
            memo_minor = kept.memo_minor + excluded.memo_minor
        """,
        [key.entity for key in keys],
        [key.account for key in keys],
        [key.currency for key in keys],
        [moved[key].open_minor for key in keys],
        [moved[key].on_account_minor for key in keys],
        [moved[key].memo_minor for key in keys],
    )


async def find_limit(db: Connection, key: AccountKey) -> tuple[int, int] | None:
    """Return the limit in force in minor units and its version, or None where none was ever set."""
    row = await db.fetchrow(
        """
        SELECT limit_minor, version FROM credit_limit
        WHERE entity = $1 AND account = $2 AND currency = $3 ORDER BY version DESC LIMIT 1
        """,
        *key,
    )
    return (row["limit_minor"], row["version"]) if row else None


async def add_limit(
    db: Connection, key: AccountKey, limit_minor: int, version: int, set_by: str, booked_on: date, set_at: datetime
) -> bool:
    """Add a version of a limit; False when somebody else has added that version."""
    added = await db.fetchval(
        """
        INSERT INTO credit_limit (entity, account, currency, version, limit_minor, set_by, booked_on, set_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING version
        """,
        *key,
        version,
        limit_minor,
        set_by,
        booked_on,
        set_at,
    )
    return added is not None


async def read_account(db: Connection, entity: str, account: str) -> list[Record]:
    """Return components, limit and version of every currency of an account that has an exposure or a limit, by currency."""
    rows: list[Record] = await db.fetch(
        """
        SELECT currency, coalesce(open_minor, 0) AS open_minor, coalesce(on_account_minor, 0) AS on_account_minor,
            coalesce(memo_minor, 0) AS memo_minor, limit_minor, version
        FROM (SELECT * FROM exposure WHERE entity = $1 AND account = $2) AS exposed
        FULL JOIN (
            SELECT DISTINCT ON (currency) currency, limit_minor, version FROM credit_limit
            WHERE entity = $1 AND account = $2 ORDER BY currency, version DESC
        ) AS limits USING (currency)
        ORDER BY currency
        """,
        entity,
        account,
    )
    return rows


async def read_complete_up_to(db: Connection, entity: str) -> date | None:
    """Return the last closed day of an entity here, or None before its first day."""
    closed_on: date | None = await db.fetchval("SELECT open_on - 1 FROM chassis.day WHERE entity = $1", entity)
    return closed_on
