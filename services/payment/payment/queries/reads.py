"""What is shown of the settlement ledger."""

from datetime import date

from asyncpg import Record
from chassis.database import Connection


async def find_open_day(db: Connection, entity: str) -> date | None:
    """The open business day of an entity here, or None for an entity that is not declared."""
    open_on: date | None = await db.fetchval("SELECT open_on FROM chassis.day WHERE entity = $1", entity)
    return open_on


async def read_receipt(db: Connection, entity: str, bank_ref: str) -> Record | None:
    """A receipt with its dispositions."""
    row: Record | None = await db.fetchrow(
        """
        SELECT receipt.id, receipt.entity, receipt.bank_ref, account.account, receipt.currency, receipt.amount_minor, receipt.applied_minor,
            receipt.on_account_minor, receipt.value_on, receipt.booked_on, receipt.identified_on, receipt.identified_by, receipt.method
        FROM receipt JOIN account ON account.id = receipt.account_id
        WHERE receipt.entity = $1 AND receipt.bank_ref = $2
        """,
        entity,
        bank_ref,
    )
    return row


async def read_applications(db: Connection, receipt_id: int) -> list[Record]:
    """What stands of the applications of a receipt, in the order they were first booked."""
    return await db.fetch(
        """
        SELECT entry.application, document.entity, document.document_no, item.n, entry.rule, entry.applied_on,
            sum(entry.amount_minor)::bigint AS amount_minor, (array_agg(entry.effective_on ORDER BY entry.id))[1] AS effective_on
        FROM entry JOIN item ON item.id = entry.item_id JOIN document ON document.id = item.document_id
        WHERE entry.receipt_id = $1
        GROUP BY entry.application, document.entity, document.document_no, item.n, entry.rule, entry.applied_on
        HAVING sum(entry.amount_minor) <> 0
        ORDER BY min(entry.id)
        """,
        receipt_id,
    )


async def read_items(db: Connection, entity: str, account: str | None, is_open: bool | None, after: int, limit: int) -> list[Record]:
    """The next items of an entity, or of one account, in the order they came."""
    return await db.fetch(
        """
        SELECT item.id, document.entity, document.document_no, document.customer, document.account, document.currency, document.booked_on,
            item.n, item.due_on, item.total_minor, item.adjusted_minor,
            document.voided_on IS NOT NULL AS is_voided,
            item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.voided_minor AS open_minor
        FROM item JOIN document ON document.id = item.document_id
        WHERE document.entity = $1
            AND ($2::text IS NULL OR item.account_id = (SELECT account.id FROM account WHERE account.entity = $1 AND account.account = $2))
            AND ($3::boolean IS NULL OR item.is_open = $3) AND item.id > $4
        ORDER BY item.id LIMIT $5
        """,
        entity,
        account,
        is_open,
        after,
        limit,
    )


async def read_balances(db: Connection, entity: str, account: str) -> list[Record]:
    """What is open of an account's items, and its money and memo credit not applied, by currency."""
    return await db.fetch(
        """
        WITH mine AS (SELECT id FROM account WHERE entity = $1 AND account = $2)
        SELECT currency, sum(open_minor)::bigint AS open_minor, sum(unapplied_minor)::bigint AS unapplied_minor,
            sum(on_account_minor)::bigint AS on_account_minor, sum(memo_credit_minor)::bigint AS memo_credit_minor
        FROM (
            SELECT document.currency,
                item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.voided_minor AS open_minor,
                0 AS unapplied_minor, 0 AS on_account_minor, 0 AS memo_credit_minor
            FROM item JOIN document ON document.id = item.document_id WHERE item.account_id = (SELECT id FROM mine)
            UNION ALL
            SELECT currency, 0, amount_minor - applied_minor - on_account_minor, on_account_minor, 0
            FROM receipt WHERE account_id = (SELECT id FROM mine) AND identified_on IS NOT NULL
            UNION ALL
            SELECT document.currency, 0, 0, 0, memo.total_minor - memo.applied_minor
            FROM memo JOIN document ON document.id = memo.document_id WHERE memo.account_id = (SELECT id FROM mine)
        ) AS part
        GROUP BY currency ORDER BY currency COLLATE "C"
        """,
        entity,
        account,
    )
