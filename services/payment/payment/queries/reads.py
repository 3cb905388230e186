"""What is shown of the settlement ledger."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from asyncpg import Record
from chassis.database import Connection


async def find_open_day(db: Connection, entity: str) -> date | None:
    """The open business day of an entity here, or None for an entity that is not declared."""
    open_on: date | None = await db.fetchval("SELECT open_on FROM chassis.day WHERE entity = $1", entity)
    return open_on


_RECEIPT: Final = """
    SELECT receipt.id, receipt.entity, receipt.bank_ref, account.account, receipt.currency, receipt.amount_minor, receipt.applied_minor,
        receipt.on_account_minor, receipt.pinned_minor, receipt.refunded_minor, receipt.returned_minor, receipt.value_on,
        receipt.booked_on, receipt.identified_on, receipt.identified_by, receipt.returned_on, receipt.method, receipt.deposit_for,
        receipt.is_bound, receipt.debited_on, receipt.transferred_minor, receipt.transfer, receipt.arrived_on,
        source.entity || '|' || source.bank_ref AS from_receipt, source_account.account AS from_account
    FROM receipt JOIN account ON account.id = receipt.account_id
    LEFT JOIN receipt AS source ON source.id = receipt.from_receipt_id
    LEFT JOIN account AS source_account ON source_account.id = source.account_id
"""


async def read_receipt(db: Connection, entity: str, bank_ref: str) -> Record | None:
    """A receipt with its dispositions."""
    row: Record | None = await db.fetchrow(f"{_RECEIPT} WHERE receipt.entity = $1 AND receipt.bank_ref = $2", entity, bank_ref)
    return row


@dataclass(frozen=True, slots=True)
class ReceiptFilter:
    """
    Which receipts of an entity are listed; None: whichever. `account` is where they stand, the dates are value dates, both ends included.

    `state`: `unidentified`, `open` (the payer is known and money is on no item), `placed` (nothing is left) or `returned`.
    """

    entity: str
    account: str | None
    state: str | None
    value_from: date | None
    value_to: date | None


async def list_receipts(db: Connection, wanted: ReceiptFilter, after: int, limit: int) -> list[Record]:
    """The next receipts in the order they came."""
    return await db.fetch(
        f"""
        {_RECEIPT}
        WHERE receipt.entity = $1
            AND ($2::text IS NULL OR (
                receipt.account_id = (SELECT account.id FROM account WHERE account.entity = $1 AND account.account = $2)
                AND receipt.identified_on IS NOT NULL
            ))
            AND ($3::text IS NULL OR $3 = CASE WHEN receipt.returned_on IS NOT NULL THEN 'returned'
                WHEN receipt.identified_on IS NULL THEN 'unidentified' WHEN receipt.is_live THEN 'open' ELSE 'placed' END)
            AND ($4::date IS NULL OR receipt.value_on >= $4) AND ($5::date IS NULL OR receipt.value_on <= $5) AND receipt.id > $6
        ORDER BY receipt.id LIMIT $7
        """,
        *(wanted.entity, wanted.account, wanted.state, wanted.value_from, wanted.value_to, after, limit),
    )


async def read_applications(db: Connection, receipt_id: int) -> list[Record]:
    """What stands of the applications of a receipt, in the order they were first booked."""
    return await _read_standing(db, "receipt_id", receipt_id)


async def read_credit_applications(db: Connection, memo_id: int) -> list[Record]:
    """What stands of the applications of a memo, in the order they were first booked."""
    return await _read_standing(db, "memo_id", memo_id)


async def read_allowances(db: Connection, receipt_id: int) -> list[Record]:
    """What stands of what a receipt was allowed to keep back, in the order it was first booked."""
    return await _read_standing(db, "allowance_id", receipt_id)


async def _read_standing(db: Connection, column: str, id_: int) -> list[Record]:
    return await db.fetch(
        f"""
        SELECT entry.application, document.entity, document.document_no, item.n, entry.rule, entry.applied_on,
            sum(entry.amount_minor)::bigint AS amount_minor, (array_agg(entry.effective_on ORDER BY entry.id))[1] AS effective_on
        FROM entry JOIN item ON item.id = entry.item_id JOIN document ON document.id = item.document_id
        WHERE entry.{column} = $1 AND entry.rule <> 'fx'
        GROUP BY entry.application, document.entity, document.document_no, item.n, entry.rule, entry.applied_on
        HAVING sum(entry.amount_minor) <> 0
        ORDER BY min(entry.id)
        """,
        id_,
    )


async def read_items(db: Connection, entity: str, account: str | None, is_open: bool | None, after: int, limit: int) -> list[Record]:
    """The next items of an entity, or of one account, in the order they came."""
    return await db.fetch(
        """
        SELECT item.id, document.entity, document.document_no, document.customer, document.account, document.currency, document.booked_on,
            item.n, item.due_on, item.total_minor, item.adjusted_minor,
            document.voided_on IS NOT NULL AS is_voided,
            item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor
                - item.voided_minor AS open_minor
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
                item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor
                - item.voided_minor AS open_minor,
                0 AS unapplied_minor, 0 AS on_account_minor, 0 AS memo_credit_minor
            FROM item JOIN document ON document.id = item.document_id WHERE item.account_id = (SELECT id FROM mine)
            UNION ALL
            SELECT currency, 0,
                amount_minor - applied_minor - on_account_minor - refunded_minor - returned_minor - transferred_minor,
                on_account_minor, 0
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
