"""What is billed of money that was taken back. Columns: `tables.returned_payments`; nothing here commits."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Final

from chassis.database import Connection

from invoice.domain.returned_payments import ReturnCharge

_CHARGE: Final = ", ".join(field.name for field in fields(ReturnCharge))


async def insert_charges(db: Connection, charges: Sequence[ReturnCharge], now: datetime) -> None:
    """
    Write charges that were told of, of each origin one for each receipt.

    A receipt is taken back once. Should a second fact say that more of its money is gone, it says the same fee again.
    """
    await db.execute(
        f"""
        INSERT INTO return_charge ({_CHARGE}, recorded_at)
        SELECT *, $10::timestamptz
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::date[], $9::date[])
        ON CONFLICT (receipt, origin) DO NOTHING
        """,
        [one.receipt for one in charges],
        [one.origin for one in charges],
        [one.entity for one in charges],
        [one.account for one in charges],
        [one.currency for one in charges],
        [one.amount_minor for one in charges],
        [one.kind for one in charges],
        [one.effective_on for one in charges],
        [one.booked_on for one in charges],
        now,
    )


async def find_accounts(db: Connection, entity: str, booked_through: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted, with charges booked through a day that are not billed."""
    rows = await db.fetch(
        """
        SELECT DISTINCT account FROM return_charge
        WHERE entity = $1 AND billed_on IS NULL AND booked_on <= $2 AND account > $3 ORDER BY account LIMIT $4
        """,
        entity,
        booked_through,
        after,
        limit,
    )
    return [row["account"] for row in rows]


async def load_unbilled(db: Connection, entity: str, accounts: Collection[str], booked_through: date) -> list[ReturnCharge]:
    """Read the charges of these accounts that were booked through a day and are not billed, by account, day, receipt and origin."""
    rows = await db.fetch(
        f"""
        SELECT {_CHARGE} FROM return_charge
        WHERE entity = $1 AND account = ANY($2) AND billed_on IS NULL AND booked_on <= $3
        ORDER BY account, effective_on, receipt, origin
        """,
        entity,
        list(accounts),
        booked_through,
    )
    return [ReturnCharge(**row) for row in rows]


async def note_billed(db: Connection, charges: Sequence[ReturnCharge], billed_on: date) -> None:
    """Note the day on which these charges were billed."""
    await db.execute(
        """
        UPDATE return_charge SET billed_on = $3 FROM unnest($1::text[], $2::text[]) AS billed (receipt, origin)
        WHERE return_charge.receipt = billed.receipt AND return_charge.origin = billed.origin
        """,
        [one.receipt for one in charges],
        [one.origin for one in charges],
        billed_on,
    )
