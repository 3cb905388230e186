"""Documents that became void, and voids that came before their documents. Columns: `tables`; nothing here commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.database import Connection

from invoice.domain.schedules import Instalment
from invoice.domain.voids import Void, Voidable, VoidRequest


async def find_voidable(db: Connection, requests: Sequence[VoidRequest]) -> dict[str, Voidable]:
    """Return the documents that these requests name and that are here, by document id."""
    wanted = sorted({(request.entity, request.document_no) for request in requests})
    rows = await db.fetch(
        """
        SELECT document.id, kind, document.entity, document_no, customer, document.account, currency, issued_on, total_minor, origin,
               document_status = 'voided' AS is_voided, n, due_on, amount_minor,
               coalesce(
                   (settled.settled_minor, settled.credited_minor, settled.adjusted_minor, settled.discounted_minor) <> (0, 0, 0, 0), false
               ) AS is_settled
        FROM unnest($1::text[], $2::text[]) AS wanted (entity, document_no)
        JOIN document USING (entity, document_no)
        LEFT JOIN instalment ON instalment.document_id = document.id
        LEFT JOIN settled ON settled.subject = concat_ws('|', document.entity, document_no, n)
        ORDER BY document.id, n
        """,
        [entity for entity, _ in wanted],
        [document_no for _, document_no in wanted],
    )
    by_document: dict[str, list[Any]] = {}
    for row in rows:
        by_document.setdefault(f"{row['entity']}|{row['document_no']}", []).append(row)
    return {document: _voidable(parts) for document, parts in by_document.items()}


def _voidable(rows: Sequence[Any]) -> Voidable:
    first = rows[0]
    return Voidable(
        row_id=first["id"],
        kind=first["kind"],
        entity=first["entity"],
        document_no=first["document_no"],
        customer=first["customer"],
        account=first["account"],
        currency=first["currency"],
        issued_on=first["issued_on"],
        total_minor=first["total_minor"],
        origin=first["origin"],
        is_voided=first["is_voided"],
        is_settled=any(row["is_settled"] for row in rows),
        instalments=tuple(Instalment(row["n"], row["due_on"], row["amount_minor"]) for row in rows if row["n"] is not None),
    )


async def keep_voids(db: Connection, voids: Sequence[Void], now: datetime) -> None:
    """Write what became void, and mark the documents; none of them may be void already."""
    ordered = sorted(voids, key=lambda void: void.target.row_id)
    requests = [void.request for void in ordered]
    await db.execute(
        """
        INSERT INTO void (document_id, reason, replaced_by, effective_on, booked_on, source, source_id, recorded_at)
        SELECT *, $8::timestamptz FROM unnest($1::bigint[], $2::text[], $3::text[], $4::date[], $5::date[], $6::text[], $7::text[])
        """,
        [void.target.row_id for void in ordered],
        [request.reason for request in requests],
        [request.replaced_by for request in requests],
        [void.effective_on for void in ordered],
        [void.booked_on for void in ordered],
        [request.source for request in requests],
        [request.source_id for request in requests],
        now,
    )
    await db.execute(
        "UPDATE document SET document_status = 'voided' WHERE id = ANY($1::bigint[])", [void.target.row_id for void in ordered]
    )


async def note_early(db: Connection, requests: Sequence[VoidRequest], now: datetime) -> None:
    """Note voids whose documents are not here yet; of those that name one document and customer the first is kept."""
    await db.execute(
        """
        INSERT INTO early_void (
            entity, document_no, customer, reason, effective_on, replaced_by, source, source_id, source_type, booked_on, recorded_at
        )
        SELECT *, $11::timestamptz
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::text[], $7::text[], $8::text[], $9::text[], $10::date[]
        )
        ON CONFLICT (entity, document_no, customer) DO NOTHING
        """,
        [request.entity for request in requests],
        [request.document_no for request in requests],
        [request.customer for request in requests],
        [request.reason for request in requests],
        [request.effective_on for request in requests],
        [request.replaced_by for request in requests],
        [request.source for request in requests],
        [request.source_id for request in requests],
        [request.source_type for request in requests],
        [request.booked_on for request in requests],
        now,
    )


async def take_early(db: Connection, documents: Sequence[tuple[str, str]]) -> list[VoidRequest]:
    """Take out the voids that were noted before these documents, (entity, number), came; those told first come first."""
    rows = await db.fetch(
        """
        DELETE FROM early_void USING unnest($1::text[], $2::text[]) AS come (entity, document_no)
        WHERE early_void.entity = come.entity AND early_void.document_no = come.document_no
        RETURNING early_void.*
        """,
        [entity for entity, _ in documents],
        [document_no for _, document_no in documents],
    )
    requests = [
        VoidRequest(
            entity=row["entity"],
            document_no=row["document_no"],
            customer=row["customer"],
            booked_on=row["booked_on"],
            reason=row["reason"],
            effective_on=row["effective_on"],
            replaced_by=row["replaced_by"],
            source=row["source"],
            source_id=row["source_id"],
            source_type=row["source_type"],
        )
        for row in rows
    ]
    return sorted(requests, key=lambda request: (request.booked_on, request.customer, request.document))
