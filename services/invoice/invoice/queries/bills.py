"""Consolidated bills and the documents on them. Columns: `tables.billing`; nothing here commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from chassis.database import Connection

from invoice.domain.bills import Bill, Payable, bill_id

_OPEN: Final = """
    SELECT document.id, document.entity, document.document_no, document.account, document.currency, document.issued_on,
           document.document_status, part.due_on,
           CASE document.document_status
               WHEN 'voided' THEN 0
               ELSE part.amount_minor
                   - coalesce(settled.settled_minor + settled.credited_minor + settled.adjusted_minor + settled.discounted_minor, 0)
           END AS open_minor
    FROM document
    JOIN instalment AS part ON part.document_id = document.id
    LEFT JOIN settled ON settled.subject = concat_ws('|', document.entity, document.document_no, part.n)
"""
"""Every instalment with what is open of it by the latest known; credit memos have none."""


@dataclass(frozen=True, slots=True)
class BilledDocument:
    """A document on a bill: what was open of it when it was billed and what is now, in minor units."""

    document_no: str
    document_status: str
    billed_minor: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class StoredBill:
    """A bill as it stands; `replaced_by` is the later bill that took over what was open of it."""

    row_id: int
    entity: str
    bill_no: str
    customer: str
    account: str
    currency: str
    issued_on: date
    through_on: date
    due_on: date | None
    total_minor: int
    payment_reference: str
    replaced_by: str | None
    content_hash: bytes
    documents: tuple[BilledDocument, ...]

    @property
    def id(self) -> str:
        return bill_id(self.entity, self.bill_no)

    @property
    def open_minor(self) -> int:
        return sum(document.open_minor for document in self.documents)


async def load_open(db: Connection, entity: str, account: str, currency: str) -> list[Payable]:
    """Read the documents of an account and currency of which something is open, by number."""
    condition = "document.entity = $1 AND document.account = $2 AND document.currency = $3"
    return [one for one in await _read_payables(db, condition, entity, account, currency) if one.open_minor > 0]


async def load_named(db: Connection, entity: str, document_nos: Sequence[str]) -> list[Payable]:
    """Read the payable documents of these numbers, whatever is open of them and whosever they are, by number."""
    return await _read_payables(db, "document.entity = $1 AND document.document_no = ANY($2)", entity, list(document_nos))


async def find_next_number(db: Connection, entity: str, prefix: str) -> int:
    """Return 1 more than the greatest number among the entity's bills that are named `prefix` and a number."""
    greatest: int | None = await db.fetchval(
        """
        SELECT max(substr(bill_no, length($2) + 1)::bigint) FROM bill
        WHERE entity = $1 AND starts_with(bill_no, $2) AND substr(bill_no, length($2) + 1) ~ '^[0-9]{1,18}$'
        """,
        entity,
        prefix,
    )
    return (greatest or 0) + 1


async def is_reference_taken(db: Connection, entity: str, payment_reference: str) -> bool:
    """Say whether a bill of the entity is payable under this reference."""
    taken: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM bill WHERE entity = $1 AND payment_reference = $2)", entity, payment_reference
    )
    return taken


async def insert_bill(db: Connection, bill: Bill, now: datetime) -> None:
    """Write a bill and its documents, and end the life of the bills it replaces."""
    if bill.replaces:
        await db.execute(
            """
            WITH replaced AS (
                UPDATE bill SET replaced_by = $3 WHERE entity = $1 AND bill_no = ANY($2) RETURNING id
            )
            UPDATE bill_document SET is_live = false FROM replaced WHERE bill_document.bill_id = replaced.id
            """,
            bill.entity,
            list(bill.replaces),
            bill.bill_no,
        )
    await db.execute(
        """
        WITH written AS (
            INSERT INTO bill (
                entity, bill_no, customer, account, currency, issued_on, through_on, due_on, total_minor, payment_reference, content_hash,
                recorded_at
            )
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            RETURNING id
        )
        INSERT INTO bill_document (bill_id, document_id, amount_minor, is_live)
        SELECT written.id, billed.document_id, billed.amount_minor, true
        FROM written CROSS JOIN unnest($13::bigint[], $14::bigint[]) AS billed (document_id, amount_minor)
        """,
        bill.entity,
        bill.bill_no,
        bill.customer,
        bill.account,
        bill.currency,
        bill.issued_on,
        bill.through_on,
        bill.due_on,
        bill.total_minor,
        bill.payment_reference,
        bill.content_hash,
        now,
        [document.row_id for document in bill.documents],
        [document.open_minor for document in bill.documents],
    )


async def find_bill(db: Connection, entity: str, bill_no: str) -> StoredBill | None:
    """Read one bill with its documents as they stand."""
    found = await _read(db, "SELECT id FROM bill WHERE entity = $1 AND bill_no = $2", entity, bill_no)
    return found[0] if found else None


async def list_bills(db: Connection, entity: str, customer: str | None, after: str, limit: int) -> list[StoredBill]:
    """Read up to `limit` bills whose number is greater than `after`, by number, of one customer or of all."""
    return await _read(
        db,
        """
        SELECT id FROM bill WHERE entity = $1 AND bill_no > $2 AND ($3::text IS NULL OR customer = $3) ORDER BY bill_no LIMIT $4
        """,
        *(entity, after, customer, limit),
    )


async def _read_payables(db: Connection, condition: str, *arguments: object) -> list[Payable]:
    rows = await db.fetch(
        f"""
        WITH part AS ({_OPEN} WHERE {condition}),
        live AS (
            SELECT document_id, bill_no FROM bill_document JOIN bill ON bill.id = bill_id
            WHERE is_live AND document_id IN (SELECT id FROM part)
        )
        SELECT part.id, document_no, account, currency, issued_on, live.bill_no,
               sum(open_minor)::bigint AS open_minor, min(due_on) FILTER (WHERE open_minor > 0) AS due_on
        FROM part LEFT JOIN live ON live.document_id = part.id
        GROUP BY part.id, document_no, account, currency, issued_on, live.bill_no
        ORDER BY document_no
        """,
        *arguments,
    )
    return [
        Payable(
            row_id=row["id"],
            document_no=row["document_no"],
            account=row["account"],
            currency=row["currency"],
            issued_on=row["issued_on"],
            open_minor=row["open_minor"],
            due_on=row["due_on"],
            on_bill=row["bill_no"],
        )
        for row in rows
    ]


async def _read(db: Connection, chosen: str, *arguments: object) -> list[StoredBill]:
    """Read the bills whose ids the statement `chosen` selects, by number, each with its documents by number."""
    rows = await db.fetch(
        f"""
        WITH chosen AS ({chosen}),
        part AS (
            SELECT open_now.id, sum(open_minor)::bigint AS open_minor
            FROM ({_OPEN} WHERE document.id IN (SELECT document_id FROM bill_document WHERE bill_id IN (SELECT id FROM chosen))) AS open_now
            GROUP BY open_now.id
        )
        SELECT bill.*, document.document_no, document.document_status, bill_document.amount_minor, part.open_minor
        FROM bill
        JOIN bill_document ON bill_document.bill_id = bill.id
        JOIN document ON document.id = bill_document.document_id
        JOIN part ON part.id = document.id
        WHERE bill.id IN (SELECT id FROM chosen)
        ORDER BY bill.bill_no, document.document_no
        """,
        *arguments,
    )
    by_row_id: dict[int, list[Any]] = {}
    for row in rows:
        by_row_id.setdefault(row["id"], []).append(row)
    return [_stored(rows) for rows in by_row_id.values()]


def _stored(rows: Sequence[Mapping[str, Any]]) -> StoredBill:
    first = rows[0]
    return StoredBill(
        row_id=first["id"],
        entity=first["entity"],
        bill_no=first["bill_no"],
        customer=first["customer"],
        account=first["account"],
        currency=first["currency"],
        issued_on=first["issued_on"],
        through_on=first["through_on"],
        due_on=first["due_on"],
        total_minor=first["total_minor"],
        payment_reference=first["payment_reference"],
        replaced_by=first["replaced_by"],
        content_hash=first["content_hash"],
        documents=tuple(BilledDocument(row["document_no"], row["document_status"], row["amount_minor"], row["open_minor"]) for row in rows),
    )
