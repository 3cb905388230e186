"""Money that banks took back: kept as it was told, by its own reference, and the receipts it undoes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from asyncpg import Record
from chassis.database import Connection

from payment.domain.returns import Part, Returnable, Returned


@dataclass(frozen=True, slots=True)
class Undone:
    """A receipt (row id) that a return (row id) undoes, as of a date; without `return_id` it goes with the one its money came from."""

    return_id: int | None
    receipt_id: int
    returned_on: date


async def find_contents(db: Connection, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """What the returns (entity, own reference) that are already here said, as digests."""
    rows = await db.fetch(
        """
        SELECT bank_return.entity, bank_return.bank_ref, bank_return.content
        FROM unnest($1::text[], $2::text[]) AS wanted (entity, bank_ref)
        JOIN bank_return ON bank_return.entity = wanted.entity AND bank_return.bank_ref = wanted.bank_ref
        """,
        [entity for entity, _ in names],
        [bank_ref for _, bank_ref in names],
    )
    return {(row["entity"], row["bank_ref"]): row["content"] for row in rows}


async def insert_returns(db: Connection, returns: Sequence[Returned], open_on: Mapping[str, date]) -> dict[tuple[str, str], int]:
    """Keep returns, not matched with their receipts yet; return their row ids by (entity, own reference)."""
    rows = await db.fetch(
        """
        INSERT INTO bank_return (entity, bank_ref, returned_bank_ref, value_on, amount_minor, currency, kind, reason_code, fee_minor,
            booked_on, content, reason, reversed_by)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bigint[],
            $10::date[], $11::bytea[], $12::text[], $13::text[])
        RETURNING id, entity, bank_ref
        """,
        [one.entity for one in returns],
        [one.bank_ref for one in returns],
        [one.returned_bank_ref for one in returns],
        [one.value_on for one in returns],
        [one.amount_minor for one in returns],
        [one.currency for one in returns],
        [one.kind for one in returns],
        [one.reason_code for one in returns],
        [one.fee_minor for one in returns],
        [open_on[one.entity] for one in returns],
        [one.content for one in returns],
        [one.reason for one in returns],
        [one.reversed_by for one in returns],
    )
    return {(row["entity"], row["bank_ref"]): row["id"] for row in rows}


async def find_waiting(db: Connection, names: Collection[tuple[str, str]]) -> list[tuple[int, Returned]]:
    """Returns (with their row ids) of receipts (entity, bank reference) that came before those, by their own references."""
    rows = await db.fetch(
        """
        SELECT bank_return.* FROM unnest($1::text[], $2::text[]) AS wanted (entity, bank_ref)
        JOIN bank_return ON bank_return.entity = wanted.entity AND bank_return.returned_bank_ref = wanted.bank_ref
        WHERE bank_return.receipt_id IS NULL
        ORDER BY bank_return.bank_ref COLLATE "C"
        """,
        [entity for entity, _ in names],
        [bank_ref for _, bank_ref in names],
    )
    return [(row["id"], _returned(row)) for row in rows]


async def find_returnable(db: Connection, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], Returnable]:
    """Receipts by (entity, bank reference) as returns find them; those that are not here are left out."""
    rows = await db.fetch(
        """
        SELECT receipt.id, receipt.account_id, receipt.entity, receipt.bank_ref, account.account,
            receipt.identified_on IS NOT NULL AS is_identified, receipt.currency, receipt.amount_minor,
            coalesce(receipt.received_currency, receipt.currency) AS booked_currency,
            coalesce(receipt.received_minor, receipt.amount_minor) AS booked_minor, receipt.value_on,
            num_nonnulls(receipt.returned_on, receipt.debited_on) > 0 AS is_returned, receipt.origin_id IS NOT NULL AS is_transferred
        FROM unnest($1::text[], $2::text[]) AS wanted (entity, bank_ref)
        JOIN receipt ON receipt.entity = wanted.entity AND receipt.bank_ref = wanted.bank_ref
        JOIN account ON account.id = receipt.account_id
        """,
        [entity for entity, _ in names],
        [bank_ref for _, bank_ref in names],
    )
    found = [Returnable(*row) for row in rows]
    return {one.name: one for one in found}


async def find_parts(db: Connection, origin_ids: Collection[int]) -> list[Part]:
    """The receipts that were made of money of these (row ids), in the order they were."""
    rows = await db.fetch(
        """
        SELECT receipt.id, receipt.account_id, receipt.entity, receipt.bank_ref, account.account, receipt.origin_id
        FROM receipt JOIN account ON account.id = receipt.account_id WHERE receipt.origin_id = ANY($1::bigint[]) ORDER BY receipt.id
        """,
        list(origin_ids),
    )
    return [Part(*row) for row in rows]


async def mark_returned(db: Connection, undone: Sequence[Undone], booked_on: Mapping[int, date]) -> None:
    """Mark receipts as taken back, booked on a day by their row ids, and match them with the returns that say so."""
    matched = [one for one in undone if one.return_id is not None]
    await db.execute(
        """
        UPDATE receipt SET returned_on = undone.returned_on, return_booked_on = undone.booked_on
        FROM unnest($1::bigint[], $2::date[], $3::date[]) AS undone (id, booked_on, returned_on) WHERE receipt.id = undone.id
        """,
        [one.receipt_id for one in undone],
        [booked_on[one.receipt_id] for one in undone],
        [one.returned_on for one in undone],
    )
    await db.execute(
        """
        UPDATE bank_return SET receipt_id = undone.receipt_id
        FROM unnest($1::bigint[], $2::bigint[]) AS undone (receipt_id, id) WHERE bank_return.id = undone.id
        """,
        [one.receipt_id for one in matched],
        [one.return_id for one in matched],
    )


async def list_returns(db: Connection, entity: str, is_matched: bool | None, after: int, limit: int) -> list[Record]:
    """The next returns of an entity in the order they came: all, those that undid a receipt, or those that wait for theirs."""
    return await db.fetch(
        """
        SELECT bank_return.*, receipt.debited_on FROM bank_return LEFT JOIN receipt ON receipt.id = bank_return.receipt_id
        WHERE bank_return.entity = $1 AND ($2::boolean IS NULL OR (bank_return.receipt_id IS NOT NULL) = $2) AND bank_return.id > $3
        ORDER BY bank_return.id LIMIT $4
        """,
        *(entity, is_matched, after, limit),
    )


def _returned(row: Record) -> Returned:
    return Returned(
        entity=row["entity"],
        bank_ref=row["bank_ref"],
        returned_bank_ref=row["returned_bank_ref"],
        value_on=row["value_on"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        kind=row["kind"],
        reason_code=row["reason_code"],
        fee_minor=row["fee_minor"],
        content=row["content"],
        reason=row["reason"],
        reversed_by=row["reversed_by"],
    )
