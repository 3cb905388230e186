"""Money that was taken back and is billed anew."""

from collections.abc import Collection, Sequence
from datetime import date

from chassis.database import Connection


async def find_wholly_applied(db: Connection, receipts: Collection[tuple[int, date]]) -> set[int]:
    """
    Which receipts (row id, open day) stood on items with all their money when the day opened.

    What was booked today is taken off again: so it is told by closed days alone.
    """
    rows = await db.fetch(
        """
        SELECT receipt.id
        FROM unnest($1::bigint[], $2::date[]) AS asked (id, day) JOIN receipt ON receipt.id = asked.id
        WHERE receipt.identified_on < asked.day AND receipt.amount_minor = receipt.applied_minor - coalesce((
            SELECT sum(entry.amount_minor) FROM entry
            WHERE entry.receipt_id = receipt.id AND entry.booked_on = asked.day AND entry.item_id IS NOT NULL AND entry.rule <> 'fx'
        ), 0)
        """,
        [row_id for row_id, _ in receipts],
        [day for _, day in receipts],
    )
    return {row["id"] for row in rows}


async def mark_debited(db: Connection, debited: Sequence[tuple[int, int, date]]) -> None:
    """Mark receipts as billed anew, given as (return, receipt, date) by row ids, and match them with the returns that say so."""
    await db.execute(
        """
        UPDATE receipt SET debited_on = told.debited_on
        FROM unnest($1::bigint[], $2::date[]) AS told (id, debited_on) WHERE receipt.id = told.id
        """,
        [receipt_id for _, receipt_id, _ in debited],
        [debited_on for _, _, debited_on in debited],
    )
    await db.execute(
        """
        UPDATE bank_return SET receipt_id = told.receipt_id
        FROM unnest($1::bigint[], $2::bigint[]) AS told (id, receipt_id) WHERE bank_return.id = told.id
        """,
        [return_id for return_id, _, _ in debited],
        [receipt_id for _, receipt_id, _ in debited],
    )
