"""What people wrote about payments, for as long as the money is not placed: personal data that stays in this table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class NewText:
    """The debtor's name and the remittance of a receipt; `name` is the digest of the name as it is compared."""

    entity: str
    bank_ref: str
    debtor_name: str | None
    remittance: str | None
    name: bytes | None


async def keep(db: Connection, texts: Sequence[NewText]) -> None:
    """Keep the texts of receipts that are here; those that say nothing are left out."""
    telling = [one for one in texts if one.debtor_name or one.remittance]
    if telling:
        await db.execute(
            """
            INSERT INTO receipt_text (receipt_id, debtor_name, remittance, name_digest)
            SELECT receipt.id, new.debtor_name, new.remittance, new.name_digest
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
                AS new (entity, bank_ref, debtor_name, remittance, name_digest)
            JOIN receipt ON receipt.entity = new.entity AND receipt.bank_ref = new.bank_ref
            ON CONFLICT (receipt_id) DO NOTHING
            """,
            [one.entity for one in telling],
            [one.bank_ref for one in telling],
            [one.debtor_name for one in telling],
            [one.remittance for one in telling],
            [one.name for one in telling],
        )


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
