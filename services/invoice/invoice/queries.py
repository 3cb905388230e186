"""Every SQL statement of this service. Columns: `tables.py`; nothing here commits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chassis.database import Connection

from invoice.domain import Document, Kind


@dataclass(frozen=True, slots=True)
class Intake:
    """A document on its way in: the day it is booked on and the fact it came from (none over HTTP)."""

    document: Document
    booked_on: date
    source: str | None = None
    source_id: str | None = None


@dataclass(frozen=True, slots=True)
class OwedInstalment:
    """An instalment as it stands: what was billed and what of it is still open, in minor units."""

    n: int
    due_on: date
    total_minor: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it stands, with what the settlement ledger has left open of it, in minor units."""

    kind: Kind
    entity: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total_minor: int
    open_minor: int
    tax_minor: int | None
    ref_document_no: str | None
    reason: str | None
    document_status: str
    source: str | None
    source_id: str | None
    booked_on: date
    instalments: tuple[OwedInstalment, ...]


async def insert_documents(db: Connection, intakes: Sequence[Intake], now: datetime) -> dict[str, int]:
    """
    Write the documents whose number is free and return their row ids by document id; the others are left as they are.

    A number that another transaction is just taking is waited for. No number may stand twice in `intakes`.
    """
    ordered = sorted(intakes, key=lambda intake: intake.document.id)  # Two transactions must meet shared numbers in one order.
    documents = [intake.document for intake in ordered]
    rows = await db.fetch(
        """
        INSERT INTO document (
            entity, document_no, kind, type, customer, account, currency, issued_on, total_minor, tax_minor, ref_document_no, reason,
            content_hash, source, source_id, booked_on, document_status, recorded_at
        )
        SELECT *, 'issued', $17::timestamptz
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[], $9::bigint[], $10::bigint[],
            $11::text[], $12::text[], $13::bytea[], $14::text[], $15::text[], $16::date[]
        )
        ON CONFLICT (entity, document_no) DO NOTHING
        RETURNING id, entity || '|' || document_no AS document
        """,
        [d.entity for d in documents],
        [d.document_no for d in documents],
        [d.kind for d in documents],
        [d.type for d in documents],
        [d.customer for d in documents],
        [d.account for d in documents],
        [d.currency for d in documents],
        [d.issued_on for d in documents],
        [d.total_minor for d in documents],
        [d.tax_minor for d in documents],
        [d.ref_document_no for d in documents],
        [d.reason for d in documents],
        [d.content_hash for d in documents],
        [intake.source for intake in ordered],
        [intake.source_id for intake in ordered],
        [intake.booked_on for intake in ordered],
        now,
    )
    return {row["document"]: row["id"] for row in rows}


async def insert_instalments(db: Connection, documents: Mapping[int, Document]) -> None:
    """Write the instalments of new documents, by row id."""
    parts = [(row_id, part) for row_id, document in documents.items() for part in document.instalments]
    await db.execute(
        """
        INSERT INTO instalment (document_id, n, due_on, amount_minor)
        SELECT * FROM unnest($1::bigint[], $2::int[], $3::date[], $4::bigint[])
        """,
        [row_id for row_id, _ in parts],
        [part.n for _, part in parts],
        [part.due_on for _, part in parts],
        [part.amount_minor for _, part in parts],
    )


async def load_hashes(db: Connection, documents: Sequence[Document]) -> dict[str, bytes]:
    """Return the content hash of those of these document numbers that are taken, by document id."""
    rows = await db.fetch(
        """
        SELECT entity || '|' || document_no AS document, content_hash
        FROM document JOIN unnest($1::text[], $2::text[]) AS wanted (entity, document_no) USING (entity, document_no)
        """,
        [document.entity for document in documents],
        [document.document_no for document in documents],
    )
    return {row["document"]: row["content_hash"] for row in rows}


async def add_settled(db: Connection, changes: Mapping[str, int]) -> None:
    """Add to what is settled of each item or memo, in minor units; the first mention of one makes its row."""
    subjects = sorted(changes)
    await db.execute(
        """
        INSERT INTO settled (subject, settled_minor) SELECT * FROM unnest($1::text[], $2::bigint[])
        ON CONFLICT (subject) DO UPDATE SET settled_minor = settled.settled_minor + excluded.settled_minor
        """,
        subjects,
        [changes[subject] for subject in subjects],
    )


async def find_document(db: Connection, kind: Kind, entity: str, document_no: str) -> StoredDocument | None:
    """Read one document of a kind with its instalments as they stand."""
    found = await _read(db, "document.kind = $1 AND document.entity = $2 AND document.document_no = $3", kind, entity, document_no)
    return found[0] if found else None


async def list_documents(db: Connection, kind: Kind, entity: str, account: str | None, after: str, limit: int) -> list[StoredDocument]:
    """Read up to `limit` documents of a kind whose number is greater than `after`, by number, of one account or of all."""
    of_account = "" if account is None else "AND account = $5"  # A text of its own, so that either form finds its index.
    return await _read(
        db,
        f"""
        document.id IN (
            SELECT id FROM document WHERE kind = $1 AND entity = $2 AND document_no > $3 {of_account} ORDER BY document_no LIMIT $4
        )
        """,
        *(kind, entity, after, limit),
        *(() if account is None else (account,)),
    )


async def _read(db: Connection, condition: str, *arguments: object) -> list[StoredDocument]:
    """Read the documents that satisfy a condition, and what is left open of them, by number: one row each instalment, at least one."""
    rows = await db.fetch(
        f"""
        SELECT document.*, instalment.n, instalment.due_on, instalment.amount_minor, coalesce(settled.settled_minor, 0) AS settled_minor
        FROM document
        LEFT JOIN instalment ON instalment.document_id = document.id
        LEFT JOIN settled ON settled.subject = concat_ws('|', document.entity, document.document_no, instalment.n)
        WHERE {condition}
        ORDER BY document.document_no, instalment.n
        """,
        *arguments,
    )
    by_row_id: dict[int, list[Any]] = {}
    for row in rows:
        by_row_id.setdefault(row["id"], []).append(row)
    return [_stored(rows) for rows in by_row_id.values()]


def _stored(rows: Sequence[Any]) -> StoredDocument:
    first = rows[0]
    return StoredDocument(
        kind=first["kind"],
        entity=first["entity"],
        document_no=first["document_no"],
        type=first["type"],
        customer=first["customer"],
        account=first["account"],
        currency=first["currency"],
        issued_on=first["issued_on"],
        total_minor=first["total_minor"],
        open_minor=first["total_minor"] - sum(row["settled_minor"] for row in rows),
        tax_minor=first["tax_minor"],
        ref_document_no=first["ref_document_no"],
        reason=first["reason"],
        document_status=first["document_status"],
        source=first["source"],
        source_id=first["source_id"],
        booked_on=first["booked_on"],
        instalments=tuple(
            OwedInstalment(row["n"], row["due_on"], row["amount_minor"], row["amount_minor"] - row["settled_minor"])
            for row in rows
            if row["n"] is not None
        ),
    )


async def find_open_day(db: Connection, entity: str) -> date | None:
    """Return the business day that is open for an entity, or None for one that is not declared."""
    opened: date | None = await db.fetchval("SELECT open_on FROM chk.day WHERE entity = $1", entity)
    return opened
