"""The settlement ledger as it was on a day, as far as it was known on another, and what an application is made of."""

from dataclasses import dataclass
from datetime import date

from asyncpg import Record
from chassis.database import Connection

from payment.domain import RECEIPT, Source
from payment.queries.decisions import OF_SOURCE


@dataclass(frozen=True, slots=True)
class Asked:
    """What counts: what was effective on or before `as_of` and booked on or before `known_at`, in one currency or (None) in all."""

    as_of: date
    known_at: date
    currency: str | None = None


async def find_account(db: Connection, entity: str, account: str) -> int | None:
    """The row id of an account that something has come of."""
    account_id: int | None = await db.fetchval("SELECT id FROM account WHERE entity = $1 AND account = $2", entity, account)
    return account_id


_MOVED = """
    SELECT entry.item_id, entry.receipt_id, entry.memo_id, split_part(entry.rule, ':', 1) AS rule, entry.amount_minor
    FROM entry WHERE entry.account_id = $1 AND entry.effective_on <= $2 AND entry.booked_on <= $3 AND entry.rule NOT IN ('fx', 'pinned')
"""
"""Entries of an account that count. An account's items, receipts and memos are moved by entries of that account only."""

_ITEMS = f"""
    SELECT item.id, document.entity, document.document_no, document.kind, document.customer, document.currency, document.issued_on,
        document.booked_on, item.n, item.due_on, item.total_minor, item.total_minor - coalesce(gone.minor, 0) AS open_minor
    FROM item JOIN document ON document.id = item.document_id
    LEFT JOIN (
        SELECT item_id, sum(amount_minor)::bigint AS minor FROM ({_MOVED}) AS moved WHERE item_id IS NOT NULL GROUP BY item_id
    ) AS gone ON gone.item_id = item.id
    WHERE item.account_id = $1 AND document.issued_on <= $2 AND document.booked_on <= $3
        AND ($4::text IS NULL OR document.currency = $4)
"""


async def list_open_items(db: Connection, account_id: int, asked: Asked, after: int, limit: int) -> list[Record]:
    """The next items of an account that were open, by due date; `after` is the row id of the last one seen, 0 to begin."""
    return await db.fetch(
        f"""
        SELECT * FROM ({_ITEMS}) AS owed
        WHERE open_minor > 0 AND ($5 = 0 OR (due_on, id) > (SELECT seen.due_on, seen.id FROM item AS seen WHERE seen.id = $5))
        ORDER BY due_on, id LIMIT $6
        """,
        *(account_id, asked.as_of, asked.known_at, asked.currency, after, limit),
    )


async def read_totals(db: Connection, account_id: int, asked: Asked) -> list[Record]:
    """What was open of an account's items, and what money and memo credit of it was on no item, by currency."""
    return await db.fetch(
        f"""
        WITH moved AS ({_MOVED}),
        money AS (
            SELECT receipt_id, sum(amount_minor) FILTER (WHERE rule = 'on_account') AS on_account_minor,
                sum(amount_minor) FILTER (WHERE rule <> 'on_account') AS spent_minor
            FROM moved WHERE receipt_id IS NOT NULL GROUP BY receipt_id
        ),
        credit AS (SELECT memo_id, sum(amount_minor) AS minor FROM moved WHERE memo_id IS NOT NULL GROUP BY memo_id)
        SELECT currency, sum(open_minor)::bigint AS open_minor, sum(unapplied_minor)::bigint AS unapplied_minor,
            sum(on_account_minor)::bigint AS on_account_minor, sum(memo_credit_minor)::bigint AS memo_credit_minor
        FROM (
            SELECT currency, open_minor, 0 AS unapplied_minor, 0 AS on_account_minor, 0 AS memo_credit_minor FROM ({_ITEMS}) AS owed
            UNION ALL
            SELECT receipt.currency, 0,
                receipt.amount_minor - coalesce(money.spent_minor, 0) - coalesce(money.on_account_minor, 0),
                coalesce(money.on_account_minor, 0), 0
            FROM receipt LEFT JOIN money ON money.receipt_id = receipt.id
            WHERE receipt.account_id = $1 AND receipt.value_on <= $2 AND receipt.identified_on <= $3
            UNION ALL
            SELECT document.currency, 0, 0, 0, memo.total_minor - coalesce(credit.minor, 0)
            FROM memo JOIN document ON document.id = memo.document_id LEFT JOIN credit ON credit.memo_id = memo.document_id
            WHERE memo.account_id = $1 AND document.issued_on <= $2 AND document.booked_on <= $3
        ) AS part
        WHERE $4::text IS NULL OR currency = $4
        GROUP BY currency ORDER BY currency COLLATE "C"
        """,
        *(account_id, asked.as_of, asked.known_at, asked.currency),
    )


async def read_memo(db: Connection, entity: str, document_no: str) -> Record | None:
    """A credit memo with what is open of its credit."""
    row: Record | None = await db.fetchrow(
        """
        SELECT memo.document_id AS id, document.entity, document.document_no, document.account, document.currency, document.issued_on,
            document.booked_on, memo.names, memo.total_minor, memo.applied_minor, memo.pinned_minor
        FROM memo JOIN document ON document.id = memo.document_id
        WHERE document.entity = $1 AND document.document_no = $2
        """,
        entity,
        document_no,
    )
    return row


async def load_steps(db: Connection, application: str, source: Source) -> list[Record]:
    """Every entry of an application, also what it gained in the entity's currency, in the order they were booked."""
    entity, _, number = source.id.partition("|")
    return await db.fetch(
        f"""
        SELECT entry.item_id, entry.rule, entry.reason, entry.amount_minor, entry.applied_on, entry.booked_on, entry.effective_on
        FROM entry WHERE {OF_SOURCE[source.kind]} AND entry.application = $1 ORDER BY entry.id
        """,
        *(application, entity, number),
    )


async def load_allowed(db: Connection, receipt_id: int, item_id: int) -> list[Record]:
    """What a receipt was allowed to keep back of an item: every entry, in the order they were booked."""
    return await db.fetch(
        """
        SELECT entry.application, entry.rule, entry.reason, entry.amount_minor, entry.booked_on, entry.effective_on
        FROM entry WHERE entry.allowance_id = $1 AND entry.item_id = $2 ORDER BY entry.id
        """,
        receipt_id,
        item_id,
    )


async def read_item(db: Connection, item_id: int) -> Record | None:
    """An item as it stands."""
    row: Record | None = await db.fetchrow(
        """
        SELECT document.entity, document.document_no, document.customer, document.account, document.currency, document.issued_on,
            document.base_currency, item.n, item.due_on, item.total_minor,
            item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor - item.voided_minor
                AS open_minor
        FROM item JOIN document ON document.id = item.document_id WHERE item.id = $1
        """,
        item_id,
    )
    return row


async def find_decision(db: Connection, decision: str) -> Record | None:
    """A decision by its id in facts."""
    row: Record | None = await db.fetchrow(
        "SELECT decision, kind, amount_minor, effective_on, booked_on, reason, decided_by FROM decision WHERE decision = $1", decision
    )
    return row


async def load_decisions(db: Connection, source: Source, source_row_id: int, item_id: int) -> list[Record]:
    """What people decided about a receipt or memo and an item, in the order they did."""
    column = "receipt_id" if source.kind == RECEIPT else "memo_id"
    return await db.fetch(
        f"""
        SELECT decision, kind, amount_minor, effective_on, booked_on, reason, decided_by FROM decision
        WHERE {column} = $1 AND item_id = $2 ORDER BY id
        """,
        source_row_id,
        item_id,
    )
