"""Fees of money that was taken back. Columns: `tables.return_fees`; nothing here commits."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Final

from chassis.database import Connection

from invoice.domain.return_fees import ReturnFee

_FEE: Final = ", ".join(field.name for field in fields(ReturnFee))


async def insert_fees(db: Connection, fees: Sequence[ReturnFee], now: datetime) -> None:
    """
    Write fees that were told of, one for each receipt.

    A receipt is taken back once. Should a second fact say that more of its money is gone, it says the same fee again.
    """
    await db.execute(
        """
        INSERT INTO return_fee (receipt, entity, account, currency, fee_minor, kind, effective_on, booked_on, recorded_at)
        SELECT *, $9::timestamptz
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::date[], $8::date[])
        ON CONFLICT (receipt) DO NOTHING
        """,
        [one.receipt for one in fees],
        [one.entity for one in fees],
        [one.account for one in fees],
        [one.currency for one in fees],
        [one.fee_minor for one in fees],
        [one.kind for one in fees],
        [one.effective_on for one in fees],
        [one.booked_on for one in fees],
        now,
    )


async def find_accounts(db: Connection, entity: str, booked_through: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted, with fees booked through a day that are not billed."""
    rows = await db.fetch(
        """
        SELECT DISTINCT account FROM return_fee
        WHERE entity = $1 AND billed_on IS NULL AND booked_on <= $2 AND account > $3 ORDER BY account LIMIT $4
        """,
        entity,
        booked_through,
        after,
        limit,
    )
    return [row["account"] for row in rows]


async def load_unbilled(db: Connection, entity: str, accounts: Collection[str], booked_through: date) -> list[ReturnFee]:
    """Read the fees of these accounts that were booked through a day and are not billed, by account, day and receipt."""
    rows = await db.fetch(
        f"""
        SELECT {_FEE} FROM return_fee
        WHERE entity = $1 AND account = ANY($2) AND billed_on IS NULL AND booked_on <= $3
        ORDER BY account, effective_on, receipt
        """,
        entity,
        list(accounts),
        booked_through,
    )
    return [ReturnFee(**row) for row in rows]


async def note_billed(db: Connection, receipts: Sequence[str], billed_on: date) -> None:
    """Note the day on which the fees of these receipts were billed."""
    await db.execute("UPDATE return_fee SET billed_on = $2 WHERE receipt = ANY($1)", list(receipts), billed_on)
