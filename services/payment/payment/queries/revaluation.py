"""Open items that are worth something in another currency than their own, and what they were valued at. Columns: `tables.findings`."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import Final

from asyncpg import Record
from chassis.database import Connection

from payment.queries.overdue import OPEN


@dataclass(frozen=True, slots=True)
class NewRevaluation:
    """An item (row id) valued at the end of a period; `open_minor` is in its own currency, the others in the entity's."""

    item_id: int
    period_end_on: date
    open_minor: int
    carrying_minor: int
    revalued_minor: int
    rate: str
    rate_on: date


async def find_accounts(db: Connection, entity: str, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, with open items in another currency than the entity's."""
    rows = await db.fetch(
        """
        SELECT account.account FROM account
        WHERE account.entity = $1 AND account.account COLLATE "C" > $2
            AND account.id = ANY(ARRAY(SELECT account_id FROM item WHERE is_open AND base_minor IS NOT NULL))
        ORDER BY account.account COLLATE "C" LIMIT $3
        """,
        *(entity, after, limit),
    )
    return [row["account"] for row in rows]


async def load_items(db: Connection, entity: str, accounts: Sequence[str]) -> list[Record]:
    """Read the open items of these accounts in another currency than the entity's, in an order that says nothing of how they came."""
    return await db.fetch(
        f"""
        SELECT item.id, item.account_id, document.document_no, item.n, document.customer, document.account, document.currency,
            item.total_minor, item.base_minor, {OPEN} AS open_minor
        FROM item JOIN document ON document.id = item.document_id
        WHERE item.account_id = ANY(ARRAY(SELECT id FROM account WHERE entity = $1 AND account = ANY($2::text[])))
            AND item.is_open AND item.base_minor IS NOT NULL
        ORDER BY document.account COLLATE "C", item.due_on, document.document_no COLLATE "C", item.n
        """,
        *(entity, list(accounts)),
    )


async def insert(db: Connection, revalued: Sequence[NewRevaluation]) -> None:
    """Keep what items were valued at."""
    if revalued:
        await db.copy_records_to_table("revaluation", columns=_COLUMNS, records=[astuple(one) for one in revalued])


_COLUMNS: Final = tuple(field.name for field in fields(NewRevaluation))
