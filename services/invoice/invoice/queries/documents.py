"""Documents and their instalments. Columns: `tables`; nothing here commits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zlib import crc32

import msgspec
from chassis.database import Connection

from invoice.domain import Document
from invoice.domain.components import Parts

_NUMBERS_LOCK: Final = 3  # First key of the advisory locks on document numbers; 1 and 2 are the chassis' own.
_BUCKETS: Final = 64


class Intake(msgspec.Struct, frozen=True, gc=False):
    """A document on its way in: the day it is booked on and the fact it came from (none over HTTP)."""

    document: Document
    booked_on: date
    source: str | None = None
    source_id: str | None = None
    source_type: str | None = None


async def lock_numbers(db: Connection, read: Collection[str], voided: Collection[str]) -> None:
    """
    Let nobody void the documents `read` (document ids) while they are written, nor write those `voided` while they are looked for.

    A void that comes before its document leaves a note; without this lock the two could pass each other unseen. Taken by buckets, in
    order, so that a batch takes at most `_BUCKETS` locks however many documents it has.
    """
    exclusive = {_bucket(document) for document in voided}
    shared = {_bucket(document) for document in read} - exclusive
    buckets = sorted(exclusive | shared)
    await db.execute(
        """
        SELECT CASE WHEN alone THEN pg_advisory_xact_lock($1, bucket) ELSE pg_advisory_xact_lock_shared($1, bucket) END
        FROM unnest($2::int[], $3::bool[]) AS wanted (bucket, alone)
        """,
        _NUMBERS_LOCK,
        buckets,
        [bucket in exclusive for bucket in buckets],
    )


def _bucket(document: str) -> int:
    return crc32(document.encode()) % _BUCKETS


async def insert_documents(db: Connection, intakes: Sequence[Intake], now: datetime) -> dict[str, int]:
    """
    Write the documents whose number is free and return their row ids by document id; the others are left as they are.

    A number that another transaction is just taking is waited for. No number may stand twice in `intakes`.
    """
    ordered = sorted(intakes, key=lambda intake: intake.document.id)  # Two transactions must meet shared numbers in one order.
    rows = await db.fetch(
        """
        INSERT INTO document (
            entity, document_no, kind, type, customer, account, currency, issued_on, total_minor, tax_minor, content_hash,
            source, source_id, booked_on, terms, policy_version, goods_minor, freight_minor, charges_minor, ref_document_no, reason,
            valued_currency, valued_minor, fx_rate, fx_rate_on, fx_type, origin, origin_id, discount, refs, project, assignment,
            dispute, document_status, recorded_at
        )
        SELECT
            entity, document_no, kind, type, customer, account, currency, issued_on, total_minor, tax_minor, content_hash,
            source, source_id, booked_on, terms, policy_version,
            total_minor - coalesce(tax_minor, 0) - coalesce(freight_minor, 0) - coalesce(charges_minor, 0),
            coalesce(freight_minor, 0), coalesce(charges_minor, 0), ref_document_no, reason,
            valued_currency, valued_minor, fx_rate, fx_rate_on, fx_type, origin, origin_id, discount, refs, project, assignment,
            dispute, 'issued', $18::timestamptz
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[], $9::bigint[], $10::bigint[],
            $11::bytea[], $12::text[], $13::text[], $14::date[], $15::text[], $16::text[], $17::jsonb[]
        ) AS come (
            entity, document_no, kind, type, customer, account, currency, issued_on, total_minor, tax_minor,
            content_hash, source, source_id, booked_on, terms, policy_version, rare
        )
        LEFT JOIN LATERAL jsonb_to_record(come.rare) AS rare (
            freight_minor bigint, charges_minor bigint, ref_document_no text, reason text, valued_currency text, valued_minor bigint,
            fx_rate text, fx_rate_on date, fx_type text, origin text, origin_id text, discount jsonb, refs jsonb, project jsonb,
            assignment jsonb, dispute text
        ) ON true
        ON CONFLICT (entity, document_no) DO NOTHING
        RETURNING id, entity || '|' || document_no AS document
        """,
        *zip(*map(_row, ordered), strict=True),
        now,
    )
    return {row["document"]: row["id"] for row in rows}


def _row(intake: Intake) -> tuple[object, ...]:
    """The columns of a document in the order in which `insert_documents` names them."""
    d = intake.document
    return (
        *(d.entity, d.document_no, d.kind, d.type, d.customer, d.account, d.currency, d.issued_on, d.total_minor, d.tax_minor),
        *(d.content_hash, intake.source, intake.source_id, intake.booked_on, d.terms, d.policy_version, _rare(d)),
    )


def _rare(d: Document) -> str | None:
    """The columns that most documents leave empty, in one value: an array for each would cost all of them."""
    parts, value = d.components, d.valuation
    said: dict[str, object] = {}
    if parts.freight_minor or parts.charges_minor:
        said |= {"freight_minor": parts.freight_minor, "charges_minor": parts.charges_minor}
    if d.ref_document_no is not None or d.reason is not None:
        said |= {"ref_document_no": d.ref_document_no, "reason": d.reason}
    if value is not None:
        rate = value.rate
        said |= {"valued_currency": value.currency, "valued_minor": value.total_minor}
        said |= {"fx_rate": rate.rate, "fx_rate_on": rate.rate_on, "fx_type": rate.type}
    if d.origin is not None:
        said |= {"origin": d.origin, "origin_id": d.origin_id}
    if d.dispute is not None:
        said["dispute"] = d.dispute
    for name, content in (("discount", d.discount), ("refs", d.references), ("project", d.project), ("assignment", d.assignment)):
        if content is not None:
            said[name] = content
    return msgspec.json.encode(said).decode() if said else None


async def insert_instalments(db: Connection, documents: Mapping[int, Document]) -> None:
    """Write the instalments of new documents, by row id."""
    parts = [(row_id, document, part) for row_id, document in documents.items() for part in document.instalments]
    if not parts:
        return
    await db.execute(
        """
        INSERT INTO instalment (document_id, n, due_on, amount_minor, entity, account)
        SELECT * FROM unnest($1::bigint[], $2::int[], $3::date[], $4::bigint[], $5::text[], $6::text[])
        """,
        [row_id for row_id, _, _ in parts],
        [part.n for _, _, part in parts],
        [part.due_on for _, _, part in parts],
        [part.amount_minor for _, _, part in parts],
        [document.entity for _, document, _ in parts],
        [document.account for _, document, _ in parts],
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


async def load_placed(
    db: Connection, wanted: Collection[tuple[str, str]], before: Mapping[str, date]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return customer and account of those of these documents (entity, number) that were booked before the entity's day in `before`."""
    asked = sorted(wanted)
    rows = await db.fetch(
        """
        SELECT document.entity, document.document_no, document.customer, document.account
        FROM unnest($1::text[], $2::text[], $3::date[]) AS asked (entity, document_no, before)
        JOIN document ON document.entity = asked.entity AND document.document_no = asked.document_no AND document.booked_on < asked.before
        """,
        [entity for entity, _ in asked],
        [document_no for _, document_no in asked],
        [before[entity] for entity, _ in asked],
    )
    return {(row["entity"], row["document_no"]): (row["customer"], row["account"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Credited:
    """What an invoice was billed, and what memos have credited of it so far."""

    currency: str
    billed: Parts
    before: Parts


async def lock_credited(db: Connection, entity: str, document_no: str, memo_no: str) -> Credited | None:
    """
    Read an invoice and the memos that refer to it, other than `memo_no`; nobody else credits it before this transaction ends.

    None where there is no such invoice, or nobody said what of it is tax.
    """
    row = await db.fetchrow(
        """
        SELECT currency, total_minor, tax_minor FROM document
        WHERE entity = $1 AND document_no = $2 AND kind <> 'credit_memo' AND tax_minor IS NOT NULL
        FOR UPDATE
        """,
        entity,
        document_no,
    )
    if row is None:
        return None
    before = await db.fetchrow(
        """
        SELECT coalesce(sum(total_minor - coalesce(tax_minor, 0)), 0)::bigint AS net, coalesce(sum(tax_minor), 0)::bigint AS tax
        FROM document WHERE entity = $1 AND ref_document_no = $2 AND kind = 'credit_memo' AND document_no <> $3
        """,
        entity,
        document_no,
        memo_no,
    )
    return Credited(row["currency"], Parts(row["total_minor"] - row["tax_minor"], row["tax_minor"]), Parts(before["net"], before["tax"]))
