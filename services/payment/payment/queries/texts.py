"""What people wrote about payments, for as long as the money is not placed: personal data that stays in this table."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from chassis.database import Connection


class NewText(NamedTuple):
    """The debtor's name and the remittance of a new receipt (row id); `name_digest` is that of the name as it is compared."""

    receipt_id: int
    debtor_name: str | None
    remittance: str | None
    name_digest: bytes | None


async def keep(db: Connection, texts: Sequence[NewText]) -> None:
    """Keep the texts of new receipts."""
    if texts:
        await db.copy_records_to_table("receipt_text", columns=NewText._fields, records=texts)


async def find_account_with_placed(db: Connection, entity: str, day: date) -> str | None:
    """The first account with a text of a receipt of an earlier day whose money is all placed."""
    account: str | None = await db.fetchval(
        """
        SELECT min(account.account COLLATE "C")
        FROM receipt_text JOIN receipt ON receipt.id = receipt_text.receipt_id JOIN account ON account.id = receipt.account_id
        WHERE receipt.entity = $1 AND NOT receipt.is_live AND receipt.booked_on < $2
        """,
        *(entity, day),
    )
    return account


async def forget_placed(db: Connection, entity: str, day: date) -> None:
    """Delete the texts of receipts of earlier days whose money is all placed."""
    await db.execute(
        """
        DELETE FROM receipt_text USING receipt
        WHERE receipt.id = receipt_text.receipt_id AND receipt.entity = $1 AND NOT receipt.is_live AND receipt.booked_on < $2
        """,
        *(entity, day),
    )
