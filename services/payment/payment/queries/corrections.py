"""Voids of documents, and adjustments of items: kept as they came, and what stands posted of an adjustment."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from asyncpg import Record
from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class NewVoid:
    """A void to keep, of the document with this number; `voided_on` is the date it counts from."""

    entity: str
    document_no: str
    voided_on: date
    booked_on: date


@dataclass(frozen=True, slots=True)
class NewAdjustment:
    """An approved adjustment to keep, of the n-th instalment of the document with this number; `tax_minor` is the tax in the amount."""

    adjustment: str
    entity: str
    document_no: str
    n: int
    account_id: int
    kind: str
    approved_minor: int
    tax_minor: int
    effective_on: date
    booked_on: date


async def void_documents(db: Connection, voids: Sequence[NewVoid]) -> list[Record]:
    """
    Mark invoices and debit memos as voided; return their items, by entity and number.

    One that is not here, or is voided already, returns none.
    """
    return await db.fetch(
        """
        WITH voided AS (
            UPDATE document SET voided_on = new.voided_on, void_booked_on = new.booked_on
            FROM unnest($1::text[], $2::text[], $3::date[], $4::date[]) AS new (entity, document_no, voided_on, booked_on)
            WHERE document.entity = new.entity AND document.document_no = new.document_no AND document.kind <> 'memo'
                AND document.voided_on IS NULL
            RETURNING document.id, document.entity, document.document_no
        )
        SELECT voided.entity, voided.document_no, item.id, item.account_id FROM voided JOIN item ON item.document_id = voided.id
        """,
        [one.entity for one in voids],
        [one.document_no for one in voids],
        [one.voided_on for one in voids],
        [one.booked_on for one in voids],
    )


async def insert_adjustments(db: Connection, adjustments: Sequence[NewAdjustment]) -> list[Record]:
    """Keep adjustments, nothing of them posted; return the ids of those whose item is here on their account, and of that item."""
    return await db.fetch(
        """
        INSERT INTO adjustment (adjustment, account_id, item_id, kind, approved_minor, tax_minor, posted_minor, effective_on, booked_on)
        SELECT new.adjustment, item.account_id, item.id, new.kind, new.approved_minor, new.tax_minor, 0, new.effective_on, new.booked_on
        FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::date[],
            $10::date[]) AS new (adjustment, entity, document_no, n, account_id, kind, approved_minor, tax_minor, effective_on, booked_on)
        JOIN document ON document.entity = new.entity AND document.document_no = new.document_no
        JOIN item ON item.document_id = document.id AND item.n = new.n AND item.account_id = new.account_id
        RETURNING id, adjustment, item_id
        """,
        [one.adjustment for one in adjustments],
        [one.entity for one in adjustments],
        [one.document_no for one in adjustments],
        [one.n for one in adjustments],
        [one.account_id for one in adjustments],
        [one.kind for one in adjustments],
        [one.approved_minor for one in adjustments],
        [one.tax_minor for one in adjustments],
        [one.effective_on for one in adjustments],
        [one.booked_on for one in adjustments],
    )


async def load_adjustments(db: Connection, ids: Collection[int]) -> list[Record]:
    """These adjustments."""
    return await db.fetch(
        """
        SELECT adjustment.id, adjustment.adjustment, adjustment.account_id, document.entity, document.document_no, item.n,
            document.currency, adjustment.kind, adjustment.approved_minor, adjustment.tax_minor, adjustment.posted_minor,
            adjustment.effective_on, adjustment.booked_on
        FROM adjustment JOIN item ON item.id = adjustment.item_id JOIN document ON document.id = item.document_id
        WHERE adjustment.id = ANY($1::bigint[])
        """,
        list(ids),
    )


async def add_to_adjustments(db: Connection, moved: Sequence[tuple[int, int]]) -> None:
    """Add to what stands posted of adjustments (id, amount)."""
    if moved:
        await db.execute(
            """
            UPDATE adjustment SET posted_minor = posted_minor + moved.posted
            FROM unnest($1::bigint[], $2::bigint[]) AS moved (id, posted) WHERE adjustment.id = moved.id
            """,
            [one[0] for one in moved],
            [one[1] for one in moved],
        )
