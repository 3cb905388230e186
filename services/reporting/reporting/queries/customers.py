"""Customers: what they were told, what they are called, what of theirs is open."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection


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
