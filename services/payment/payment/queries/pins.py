"""What people decided about the money and the credit of accounts, and what that touches of earlier days."""

from collections.abc import Collection, Sequence

from asyncpg import Record
from chassis.database import Connection

from payment.queries.books import Day


async def load_decisions(db: Connection, days: Sequence[Day]) -> list[Record]:
    """The decisions booked on the open day of each account, in the order in which they were recorded."""
    return await db.fetch(
        """
        SELECT decision.id, decision.decision, decision.account_id, decision.receipt_id, decision.memo_id, decision.item_id, decision.kind,
            decision.amount_minor, decision.effective_on
        FROM unnest($1::bigint[], $2::date[]) AS open (account_id, day)
        JOIN decision ON decision.account_id = open.account_id AND decision.booked_on = open.day
        ORDER BY decision.id
        """,
        [account_id for account_id, _ in days],
        [day for _, day in days],
    )


async def load_bars(db: Connection, days: Sequence[Day], receipt_ids: Collection[int], memo_ids: Collection[int]) -> list[Record]:
    """
    Which items (row id) people took receipts and memos off before the open day of their account, and did not apply or release since.
    """
    return await db.fetch(
        """
        WITH told AS (
            SELECT decision.id, decision.receipt_id, decision.memo_id, decision.item_id, decision.kind
            FROM decision JOIN unnest($1::bigint[], $2::date[]) AS open (account_id, day)
                ON decision.account_id = open.account_id AND decision.booked_on < open.day
            WHERE decision.receipt_id = ANY($3::bigint[]) OR decision.memo_id = ANY($4::bigint[])
        )
        SELECT DISTINCT receipt_id, memo_id, item_id FROM told
        WHERE kind = 'unapply' AND NOT EXISTS (
            SELECT FROM told AS later
            WHERE later.id > told.id AND later.receipt_id IS NOT DISTINCT FROM told.receipt_id
                AND later.memo_id IS NOT DISTINCT FROM told.memo_id
                AND (later.kind = 'release' OR (later.kind = 'apply' AND later.item_id = told.item_id))
        )
        """,
        [account_id for account_id, _ in days],
        [day for _, day in days],
        list(receipt_ids),
        list(memo_ids),
    )


async def load_reopened(db: Connection, days: Sequence[Day]) -> list[Record]:
    """
    The items of the accounts that something was taken off on a later day than it was put there, before the open day; `reopened_on` is the
    latest effective date of that. What was taken off and put back on one day was not. An index has just these entries: they are rare.
    """
    return await db.fetch(
        """
        SELECT item_id, max(effective_on) AS reopened_on FROM (
            SELECT entry.item_id, entry.effective_on
            FROM unnest($1::bigint[], $2::date[]) AS open (account_id, day)
            JOIN entry ON entry.account_id = open.account_id AND entry.booked_on < open.day
            WHERE entry.amount_minor < 0 AND entry.applied_on < entry.booked_on AND entry.item_id IS NOT NULL AND entry.rule <> 'fx'
            GROUP BY entry.item_id, entry.application, entry.booked_on, entry.effective_on
            HAVING (
                SELECT sum(net.amount_minor) FROM entry AS net
                WHERE net.item_id = entry.item_id AND net.application = entry.application AND net.booked_on = entry.booked_on
                    AND net.effective_on = entry.effective_on AND net.rule <> 'fx'
            ) < 0
        ) AS taken_off
        GROUP BY item_id
        """,
        [account_id for account_id, _ in days],
        [day for _, day in days],
    )


async def find_paid_items(db: Connection, receipt_ids: Collection[int]) -> list[Record]:
    """The items that receipts paid, or were allowed to keep back something of."""
    return await db.fetch(
        """
        SELECT DISTINCT item_id AS id, account_id FROM entry
        WHERE (receipt_id = ANY($1::bigint[]) OR allowance_id = ANY($1::bigint[])) AND item_id IS NOT NULL
        """,
        list(receipt_ids),
    )


async def find_adjustments_of_day(db: Connection, days: Sequence[Day]) -> list[Record]:
    """Adjustments of items (row id, open day) that were approved on the day, posted or not: what is open again lets them be."""
    return await db.fetch(
        """
        SELECT adjustment.id FROM unnest($1::bigint[], $2::date[]) AS open (item_id, day)
        JOIN adjustment ON adjustment.item_id = open.item_id AND adjustment.booked_on = open.day
        """,
        [item_id for item_id, _ in days],
        [day for _, day in days],
    )


async def load_returns(db: Connection, receipt_ids: Collection[int]) -> list[Record]:
    """
    Why money was taken back, by receipt (row id); what was made of it elsewhere goes for the same reason.

    The fee is that of the first of them from which anything goes. One in another currency than the receipt's is left out.
    """
    return await db.fetch(
        """
        SELECT receipt.id AS receipt_id, bank_return.kind, bank_return.reason_code,
            CASE WHEN bank_return.currency = receipt.currency AND receipt.id = (
                SELECT min(part.id) FROM receipt AS part
                WHERE (part.id = bank_return.receipt_id OR part.origin_id = bank_return.receipt_id)
                    AND part.refunded_minor + part.transferred_minor < part.amount_minor
            ) THEN bank_return.fee_minor END AS fee_minor
        FROM receipt JOIN bank_return ON bank_return.receipt_id = coalesce(receipt.origin_id, receipt.id)
        WHERE receipt.id = ANY($1::bigint[])
        """,
        list(receipt_ids),
    )
