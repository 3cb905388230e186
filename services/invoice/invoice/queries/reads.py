"""Documents as they are shown: what was billed, what is left open of it. Columns: `tables`; nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

import msgspec
from chassis.database import Connection

from invoice.domain import DocumentStatus, Kind, Settled, SettlementStatus
from invoice.domain.discounts import DiscountTerms
from invoice.domain.split import Parts
from invoice.domain.tags import Assignment, Project, References
from invoice.domain.valuation import Rate, Valuation

StoredT = TypeVar("StoredT")


@dataclass(frozen=True, slots=True)
class Asked:
    """
    The two days a figure is asked for: what was effective on or before `as_of`, of what was booked on or before `known_at`.

    A day left out limits nothing; with neither it is the latest known.
    """

    as_of: date | None = None
    known_at: date | None = None

    @property
    def is_latest(self) -> bool:
        return self.as_of is None and self.known_at is None

    @property
    def days(self) -> tuple[date, date]:
        return self.as_of or date.max, self.known_at or date.max


LATEST: Final = Asked()


@dataclass(frozen=True, slots=True)
class OwedInstalment:
    """An instalment as it stands: what was billed (0 once it is voided) and what of it is settled, in minor units."""

    n: int
    due_on: date
    total_minor: int
    billed_minor: int
    settled: Settled
    judged_due_on: date | None

    @property
    def open_minor(self) -> int:
        return self.billed_minor - self.settled.total_minor


@dataclass(frozen=True, slots=True)
class StoredVoid:
    """A void as it was booked; `replaced_by` is the number of the document that took the place of the voided one."""

    effective_on: date
    booked_on: date
    recorded_at: datetime
    reason: str | None
    replaced_by: str | None
    source: str | None
    source_id: str | None


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """
    A document as it stands, with what was settled of it, in minor units. `billed_minor` is its total, or 0 once it is voided.

    `document_status` is that of the days asked about; `void` is the void of the document whenever it was booked.
    """

    kind: Kind
    entity: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total_minor: int
    billed_minor: int
    settled: Settled
    tax_minor: int | None
    parts: Parts
    terms: str | None
    policy_version: str | None
    discount: DiscountTerms | None
    references: References | None
    project: Project | None
    assignment: Assignment | None
    valuation: Valuation | None
    ref_document_no: str | None
    reason: str | None
    origin: str | None
    origin_id: str | None
    dispute: str | None
    document_status: DocumentStatus
    void: StoredVoid | None
    source: str | None
    source_id: str | None
    booked_on: date
    recorded_at: datetime
    instalments: tuple[OwedInstalment, ...]

    @property
    def open_minor(self) -> int:
        return self.billed_minor - self.settled.total_minor


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """
    Which documents of one kind and entity a list is of; what is None does not limit it. Ranges include both ends.

    `is_overdue` is judged on `overdue_on`. Due dates are those of any instalment. `reference` is any of the document's references.
    """

    kind: Kind
    entity: str
    overdue_on: date
    account: str | None = None
    customer: str | None = None
    type: str | None = None
    currency: str | None = None
    document_status: DocumentStatus | None = None
    settlement_status: SettlementStatus | None = None
    is_overdue: bool | None = None
    issued_from: date | None = None
    issued_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    ref_document_no: str | None = None
    reference: str | None = None
    project: str | None = None


# Both say what is settled of the subject that is spelled in them, for the latest known and for a pair of days ($1, $2).
_SETTLED_NOW: Final = """
    SELECT settled_minor AS applied, credited_minor AS credited, adjusted_minor AS adjusted, discounted_minor AS discounted
    FROM settled WHERE subject = {}
"""
_SETTLED_THEN: Final = """
    SELECT sum(amount_minor) FILTER (WHERE kind = 'applied') AS applied, sum(amount_minor) FILTER (WHERE kind = 'credited') AS credited,
           sum(amount_minor) FILTER (WHERE kind = 'adjusted') AS adjusted,
           sum(amount_minor) FILTER (WHERE kind = 'discounted') AS discounted
    FROM movement WHERE subject = {} AND effective_on <= $1 AND booked_on <= $2
"""
_SUBJECT: Final = "concat_ws('|', document.entity, document.document_no, instalment.n)"  # Of a memo, which has no instalments, its own id.
_VOIDS: Final = "LEFT JOIN void ON void.document_id = document.id"
_IS_VOIDED: Final = "coalesce(void.effective_on <= $1 AND void.booked_on <= $2, false)"
_VISIBLE: Final = "document.issued_on <= $1 AND document.booked_on <= $2"


async def find_document(db: Connection, kind: Kind, entity: str, document_no: str, asked: Asked = LATEST) -> StoredDocument | None:
    """Read one document of a kind with its instalments as they stood when asked about; None where it was not there then."""
    condition = "document.kind = $3 AND document.entity = $4 AND document.document_no = $5"
    found = await _read(db, condition, asked, kind, entity, document_no)
    return found[0] if found else None


async def list_documents(db: Connection, wanted: DocumentFilter, asked: Asked, after: str, limit: int) -> list[StoredDocument]:
    """Read up to `limit` of the documents wanted whose number is greater than `after`, by number, as they stood when asked about."""
    arguments: list[object] = [wanted.kind, wanted.entity, after, limit]
    conditions = ["document.kind = $3", "document.entity = $4", "document.document_no > $5", _VISIBLE]

    def limit_by(condition: str, value: object) -> None:
        if value is not None:  # A text of its own for every set of filters, so that each finds its index.
            arguments.append(value)
            conditions.append(condition.format(f"${len(arguments) + 2}"))

    limit_by("document.account = {}", wanted.account)
    limit_by("document.customer = {}", wanted.customer)
    limit_by("document.type = {}", wanted.type)
    limit_by("document.currency = {}", wanted.currency)
    limit_by("document.issued_on >= {}", wanted.issued_from)
    limit_by("document.issued_on <= {}", wanted.issued_to)
    limit_by("document.ref_document_no = {}", wanted.ref_document_no)
    limit_by("EXISTS (SELECT FROM jsonb_each_text(document.refs) WHERE value = {})", wanted.reference)
    limit_by("document.project ->> 'project' = {}", wanted.project)
    limit_by(f"CASE WHEN {_IS_VOIDED} THEN 'voided' ELSE 'issued' END = {{}}", wanted.document_status)
    if wanted.due_from is not None or wanted.due_to is not None:  # One instalment has to be due between the two.
        arguments += [wanted.due_from or date.min, wanted.due_to or date.max]
        due = f"due_on BETWEEN ${len(arguments) + 1} AND ${len(arguments) + 2}"
        conditions.append(f"EXISTS (SELECT FROM instalment WHERE document_id = document.id AND {due})")
    limit_by("standing.settlement_status = {}", wanted.settlement_status)
    if wanted.is_overdue is not None:
        limit_by(("" if wanted.is_overdue else "NOT ") + "coalesce(standing.due_on < {}, false)", wanted.overdue_on)
    judged = wanted.settlement_status is not None or wanted.is_overdue is not None
    standing = f"CROSS JOIN LATERAL ({_standing(asked)}) AS standing" if judged else ""
    page = f"SELECT document.id FROM document {_VOIDS} {standing} WHERE {' AND '.join(conditions)} ORDER BY document.document_no LIMIT $6"
    return await _read(db, f"document.id IN ({page})", asked, *arguments)


def _standing(asked: Asked) -> str:
    """
    Say of one `document` what `domain.settlement_status` says, and the due date of the oldest part that is open.

    Here once more because a page of one status has to be found among all documents; a test holds the two together.
    """
    return f"""
        SELECT min(due_on) FILTER (WHERE billed > applied + credited + adjusted + discounted) AS due_on,
               CASE WHEN sum(applied + credited + adjusted + discounted) >= sum(billed)
                    THEN CASE WHEN sum(adjusted) > 0 THEN 'written_off' ELSE 'settled' END
                    ELSE CASE WHEN sum(applied + credited + adjusted + discounted) > 0 THEN 'partially_settled' ELSE 'open' END
               END AS settlement_status
        FROM (
            SELECT instalment.due_on,
                   CASE WHEN {_IS_VOIDED} THEN 0 ELSE coalesce(instalment.amount_minor, document.total_minor) END AS billed,
                   coalesce(settled.applied, 0) AS applied, coalesce(settled.credited, 0) AS credited,
                   coalesce(settled.adjusted, 0) AS adjusted, coalesce(settled.discounted, 0) AS discounted
            FROM (SELECT document.id) AS this
            LEFT JOIN instalment ON instalment.document_id = this.id
            LEFT JOIN LATERAL ({_settled(asked)}) AS settled ON true
        ) AS part
    """


def _settled(asked: Asked) -> str:
    return (_SETTLED_NOW if asked.is_latest else _SETTLED_THEN).format(_SUBJECT)


async def _read(db: Connection, condition: str, asked: Asked, *arguments: object) -> list[StoredDocument]:
    """Read the documents that satisfy a condition, and what is settled of them, by number: one row each instalment, at least one."""
    rows = await db.fetch(
        f"""
        SELECT document.*, {_IS_VOIDED} AS is_voided, instalment.n, instalment.due_on, instalment.amount_minor, instalment.judged_due_on,
               coalesce(settled.applied, 0)::bigint AS applied_minor, coalesce(settled.credited, 0)::bigint AS credited_minor,
               coalesce(settled.adjusted, 0)::bigint AS adjusted_minor, coalesce(settled.discounted, 0)::bigint AS discounted_minor,
               void.effective_on AS void_effective_on, void.booked_on AS void_booked_on, void.recorded_at AS void_recorded_at,
               void.reason AS void_reason, void.replaced_by, void.source AS void_source, void.source_id AS void_source_id
        FROM document
        {_VOIDS}
        LEFT JOIN instalment ON instalment.document_id = document.id
        LEFT JOIN LATERAL ({_settled(asked)}) AS settled ON true
        WHERE {condition} AND {_VISIBLE}
        ORDER BY document.document_no, instalment.n
        """,
        *asked.days,
        *arguments,
    )
    by_row_id: dict[int, list[Any]] = {}
    for row in rows:
        by_row_id.setdefault(row["id"], []).append(row)
    return [_stored(rows) for rows in by_row_id.values()]


def _stored(rows: Sequence[Any]) -> StoredDocument:
    first = rows[0]
    is_voided = first["is_voided"]
    settled = [Settled(row["applied_minor"], row["credited_minor"], row["adjusted_minor"], row["discounted_minor"]) for row in rows]
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
        billed_minor=0 if is_voided else first["total_minor"],
        settled=sum(settled, start=Settled()),
        tax_minor=first["tax_minor"],
        parts=Parts(first["goods_minor"], first["tax_minor"] or 0, first["freight_minor"], first["charges_minor"]),
        terms=first["terms"],
        policy_version=first["policy_version"],
        discount=_decode(first["discount"], DiscountTerms),
        references=_decode(first["refs"], References),
        project=_decode(first["project"], Project),
        assignment=_decode(first["assignment"], Assignment),
        valuation=_valuation(first),
        ref_document_no=first["ref_document_no"],
        reason=first["reason"],
        origin=first["origin"],
        origin_id=first["origin_id"],
        dispute=first["dispute"],
        document_status="voided" if is_voided else "issued",
        void=_void(first),
        source=first["source"],
        source_id=first["source_id"],
        booked_on=first["booked_on"],
        recorded_at=first["recorded_at"],
        instalments=tuple(
            OwedInstalment(
                n=row["n"],
                due_on=row["due_on"],
                total_minor=row["amount_minor"],
                billed_minor=0 if is_voided else row["amount_minor"],
                settled=part,
                judged_due_on=row["judged_due_on"],
            )
            for row, part in zip(rows, settled, strict=True)
            if row["n"] is not None
        ),
    )


def _void(row: Any) -> StoredVoid | None:
    if row["void_booked_on"] is None:
        return None
    return StoredVoid(
        effective_on=row["void_effective_on"],
        booked_on=row["void_booked_on"],
        recorded_at=row["void_recorded_at"],
        reason=row["void_reason"],
        replaced_by=row["replaced_by"],
        source=row["void_source"],
        source_id=row["void_source_id"],
    )


def _valuation(row: Any) -> Valuation | None:
    if row["valued_currency"] is None:
        return None
    return Valuation(row["valued_currency"], Rate(row["fx_rate"], row["fx_rate_on"], row["fx_type"]), row["valued_minor"])


def _decode(text: str | None, type_: type[StoredT]) -> StoredT | None:
    return None if text is None else msgspec.json.decode(text, type=type_)
