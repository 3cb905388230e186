"""Instalments that fall due. Columns: `tables`; nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class DueInstalment:
    """An instalment that has fallen due, with what its document says of it."""

    document_no: str
    n: int
    customer: str
    account: str
    currency: str
    due_on: date
    amount_minor: int


async def find_accounts_due(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, with an instalment due on or before `day` that was not judged yet."""
    rows = await db.fetch(
        """
        SELECT DISTINCT account FROM instalment
        WHERE entity = $1 AND due_on <= $2 AND judged_due_on IS NULL AND account > $3
        ORDER BY account LIMIT $4
        """,
        entity,
        day,
        after,
        limit,
    )
    return [row["account"] for row in rows]


async def judge_due(db: Connection, entity: str, day: date, accounts: Sequence[str]) -> list[DueInstalment]:
    """
    Mark every instalment of these accounts that is due on or before `day` as judged, and return those of documents that are not voided.

    In an order that says nothing of how they came: by account, due date, document number and instalment.
    """
    rows = await db.fetch(
        """
        WITH judged AS (
            UPDATE instalment SET judged_due_on = $2
            WHERE entity = $1 AND due_on <= $2 AND judged_due_on IS NULL AND account = ANY($3)
            RETURNING document_id, n, due_on, amount_minor
        )
        SELECT document.document_no, judged.n, document.customer, document.account, document.currency, judged.due_on, judged.amount_minor
        FROM judged JOIN document ON document.id = judged.document_id
        WHERE document.document_status <> 'voided'
        ORDER BY document.account, judged.due_on, document.document_no, judged.n
        """,
        entity,
        day,
        list(accounts),
    )
    return [DueInstalment(**row) for row in rows]
