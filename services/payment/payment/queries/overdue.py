"""Items that are overdue. Columns: `tables.ledger`; nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from asyncpg import Record
from chassis.database import Connection

OPEN: Final = "(item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor - item.voided_minor)"
"""What is open of an item, as SQL."""


@dataclass(frozen=True, slots=True)
class OverdueItem:
    """An item that became overdue, with what its document says of it."""

    document_no: str
    n: int
    customer: str
    account: str
    currency: str
    due_on: date
    open_minor: int


async def find_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, with an open item due before `day` that was not told of yet."""
    rows = await db.fetch(
        """
        SELECT account.account FROM account
        WHERE account.entity = $1 AND account.account COLLATE "C" > $3 AND EXISTS (
            SELECT FROM item WHERE item.account_id = account.id AND item.is_open AND item.overdue_on IS NULL AND item.due_on < $2
        )
        ORDER BY account.account COLLATE "C" LIMIT $4
        """,
        *(entity, day, after, limit),
    )
    return [row["account"] for row in rows]


async def tell(db: Connection, entity: str, day: date, accounts: Sequence[str]) -> list[OverdueItem]:
    """
    Mark the open items of these accounts that are due before `day` as told of, and return those that were not marked before.

    In an order that says nothing of how they came: by account, due date, document number and instalment.
    """
    rows = await db.fetch(
        f"""
        WITH told AS (
            UPDATE item SET overdue_on = $3
            WHERE item.account_id = ANY(ARRAY(SELECT id FROM account WHERE entity = $1 AND account = ANY($2::text[])))
                AND item.is_open AND item.overdue_on IS NULL AND item.due_on < $3
            RETURNING item.document_id, item.n, item.due_on, {OPEN} AS open_minor
        )
        SELECT document.document_no, told.n, document.customer, document.account, document.currency, told.due_on, told.open_minor
        FROM told JOIN document ON document.id = told.document_id
        ORDER BY document.account COLLATE "C", told.due_on, document.document_no COLLATE "C", told.n
        """,
        *(entity, list(accounts), day),
    )
    return [OverdueItem(**row) for row in rows]


async def list_overdue(db: Connection, entity: str, account: str | None, after: tuple[date, int], limit: int) -> list[Record]:
    """Return open items that were told to be overdue whose (due date, id) is greater than `after`, the first due first, at most `limit`."""
    whose, whom = ("account.entity = $1", ()) if account is None else ("account.entity = $1 AND account.account = $5", (account,))
    return await db.fetch(
        f"""
        SELECT item.id, document.entity, document.document_no, item.n, document.customer, document.account, document.currency, item.due_on,
            item.overdue_on, {OPEN} AS open_minor
        FROM item JOIN account ON account.id = item.account_id JOIN document ON document.id = item.document_id
        WHERE item.is_open AND item.overdue_on IS NOT NULL AND (item.due_on, item.id) > ($2, $3) AND {whose}
        ORDER BY item.due_on, item.id LIMIT $4
        """,
        *(entity, *after, limit, *whom),
    )
