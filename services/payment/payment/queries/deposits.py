"""Deposits that are bound to an order or a contract and not drawn down yet (PAY-16)."""

from asyncpg import Record
from chassis.database import Connection


async def list_open(db: Connection, entity: str, account: str | None, after: int, limit: int) -> list[Record]:
    """The next deposits of an entity, or of an account, that are bound and have money left, in the order they came."""
    return await db.fetch(
        """
        SELECT receipt.id, receipt.entity, receipt.bank_ref, receipt.identified_on, account.account, receipt.deposit_for, receipt.currency,
            receipt.amount_minor, receipt.applied_minor, receipt.refunded_minor, receipt.transferred_minor, receipt.value_on,
            receipt.booked_on
        FROM receipt JOIN account ON account.id = receipt.account_id
        WHERE receipt.entity = $1 AND receipt.is_bound AND receipt.is_live AND receipt.id > $3
            AND ($2::text IS NULL OR (account.account = $2 AND receipt.identified_on IS NOT NULL))
        ORDER BY receipt.id LIMIT $4
        """,
        *(entity, account, after, limit),
    )
