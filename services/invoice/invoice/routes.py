"""HTTP of the invoice service: documents in, documents out."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final

from chassis.database import Connection
from chassis.entities import Entities
from chassis.http import CommandDep, EntitiesDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from events.ingress import check_identifier
from fastapi import APIRouter, Query, Response

from invoice import handlers, queries
from invoice.domain import Document, Draft, Kind
from invoice.schemas import CreditMemoBody, CreditMemoOut, Day, InvoiceBody, InvoiceOut, InvoicesOut

MAY_ISSUE: Final = ("clerk", "service")
PAGE_MAX: Final = 200

router = APIRouter()
EntityQuery = Annotated[str, Query(examples=["US01"])]
AsOfQuery = Annotated[Day | None, Query(description="The day `overdue` is judged on; the last closed business day when left out.")]


@router.post("/v1/invoices", status_code=201, responses={201: {"model": InvoiceOut}})
async def issue_invoice(body: InvoiceBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """Issue an invoice. Safe to repeat: the same number with the same content is one invoice, with other content it is refused (409)."""
    document = _accept(body.to_draft(), entities)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        facts, stored = await _issue(db, document, batch)
        return facts, InvoiceOut.of(stored, _last_closed(batch.open_on[document.entity])).model_dump(mode="json")

    return await command.run(document.entity, work, roles=MAY_ISSUE)


@router.post("/v1/credit-memos", status_code=201, responses={201: {"model": CreditMemoOut}})
async def issue_credit_memo(body: CreditMemoBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """Issue a credit memo. Safe to repeat: the same number with the same content is one memo, with other content it is refused (409)."""
    document = _accept(body.to_draft(), entities)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        facts, stored = await _issue(db, document, batch)
        return facts, CreditMemoOut.of(stored).model_dump(mode="json")

    return await command.run(document.entity, work, roles=MAY_ISSUE)


def _accept(draft: Draft, entities: Entities) -> Document:
    document = handlers.examine(draft, entities)
    if isinstance(document, Document):
        return document
    raise Problem(422, "DOCUMENT_REFUSED", "The document is not acceptable as it was sent.", document)


async def _issue(db: Connection, document: Document, batch: Batch) -> tuple[list[Fact], queries.StoredDocument]:
    try:
        facts = await handlers.issue_document(db, document, batch)
    except handlers.DocumentNumberTaken as taken:
        raise Problem(409, handlers.CONFLICT.code, str(taken.__doc__), [handlers.CONFLICT]) from None
    stored = await queries.find_document(db, document.kind, document.entity, document.document_no)
    assert stored is not None, "a document was just written or found under this number"
    return facts, stored


@router.get("/v1/invoices")
async def list_invoices(
    db: ReaderDep,
    entity: EntityQuery,
    account: Annotated[str | None, Query(examples=["C-1"])] = None,
    as_of: AsOfQuery = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> InvoicesOut:
    """List the invoices of an entity, or of one account of it, by number."""
    open_on = await _find_open_day(db, entity)
    after = "" if cursor is None else _read_cursor(cursor)
    found = await queries.list_documents(db, "invoice", entity, account, after, limit + 1)
    page = found[:limit]
    return InvoicesOut(
        invoices=[InvoiceOut.of(stored, as_of or _last_closed(open_on)) for stored in page],
        next_cursor=_write_cursor(page[-1].document_no) if len(found) > limit else None,
    )


@router.get("/v1/invoices/{document_no:path}")  # A path, because ERPs number like 2026/0001.
async def read_invoice(document_no: str, db: ReaderDep, entity: EntityQuery, as_of: AsOfQuery = None) -> InvoiceOut:
    """Read an invoice: its instalments with what is open of each, and its three statuses."""
    stored = await _find(db, "invoice", entity, document_no)
    return InvoiceOut.of(stored, as_of or _last_closed(await _find_open_day(db, entity)))


@router.get("/v1/credit-memos/{document_no:path}")
async def read_credit_memo(document_no: str, db: ReaderDep, entity: EntityQuery) -> CreditMemoOut:
    """Read a credit memo, with the credit that is left of it."""
    return CreditMemoOut.of(await _find(db, "credit_memo", entity, document_no))


async def _find(db: Connection, kind: Kind, entity: str, document_no: str) -> queries.StoredDocument:
    stored = await queries.find_document(db, kind, entity, document_no)
    if stored is None:
        raise Problem(404, "DOCUMENT_UNKNOWN", "The entity has no such document of this kind.")
    return stored


async def _find_open_day(db: Connection, entity: str) -> date:
    open_on = await queries.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    return open_on


def _last_closed(open_on: date) -> date:
    """The day before the open one: what was booked through it is complete."""
    return open_on - timedelta(days=1)


def _write_cursor(document_no: str) -> str:
    return urlsafe_b64encode(document_no.encode()).decode()


def _read_cursor(cursor: str) -> str:
    try:
        document_no = urlsafe_b64decode(cursor.encode()).decode()
    except ValueError:  # Not ASCII, not base64, not UTF-8: all of them are ValueErrors.
        document_no = ""
    if check_identifier("cursor", document_no):
        raise Problem(400, "CURSOR_INVALID", "The cursor is not one that a page before this one gave.")
    return document_no
