"""Documents over HTTP, as they are read."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

from chassis.database import Connection
from chassis.http import Problem, ReaderDep
from events.ingress import check_identifier
from fastapi import APIRouter, Depends, Query, Response

from invoice.domain import DocumentStatus, Kind, SettlementStatus, last_closed
from invoice.queries import days
from invoice.queries import reads as queries
from invoice.queries.reads import Asked, DocumentFilter, StoredDocument
from invoice.routes.conditional import IfNoneMatch, answer
from invoice.schemas import CreditMemoOut, CreditMemosOut, Day, DebitMemosOut, InvoiceOut, InvoicesOut

PAGE_MAX: Final = 200

router = APIRouter()
EntityQuery = Annotated[str, Query(examples=["US01"])]
AsOfQuery = Annotated[
    Day | None,
    Query(description="Count what was effective on or before this day. Left out: all that is known, and overdue on the last closed day."),
]
KnownAtQuery = Annotated[Day | None, Query(description="Count what was booked on or before this day. Left out: all that is known.")]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an entity's documents: the days, and the day on which overdue is judged."""

    entity: str
    asked: Asked
    overdue_on: date


async def ask(db: ReaderDep, entity: EntityQuery, as_of: AsOfQuery = None, known_at: KnownAtQuery = None) -> Question:
    """Resolve the days that are asked about; without `as_of`, overdue is judged on the last closed day, or on `known_at` before it."""
    open_on = await days.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    return Question(entity, Asked(as_of, known_at), as_of or min(last_closed(open_on), known_at or date.max))


QuestionDep = Annotated[Question, Depends(ask)]


@dataclass(frozen=True, slots=True)
class Page:
    """Where a list goes on, and how long it is."""

    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50


@dataclass(frozen=True, slots=True)
class Selection:
    """What a list of documents can be narrowed to. Ranges include both ends."""

    account: Annotated[str | None, Query(examples=["C-1"])] = None
    customer: Annotated[str | None, Query(examples=["C-1"])] = None
    type: Annotated[str | None, Query(description="A UNTDID 1001 code.", examples=["380"])] = None
    currency: Annotated[str | None, Query(examples=["USD"])] = None
    document_status: DocumentStatus | None = None
    settlement_status: SettlementStatus | None = None
    issued_from: Day | None = None
    issued_to: Day | None = None
    ref_document_no: Annotated[str | None, Query(description="The document it is about.", examples=["INV-1"])] = None
    reference: Annotated[str | None, Query(description="Any of its references: order, delivery, contract, payment …")] = None
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Dues:
    """What a list of payable documents can be narrowed to besides."""

    overdue: Annotated[bool | None, Query(description="Judged on `as_of`.")] = None
    due_from: Annotated[Day | None, Query(description="Some instalment is due on or after this day.")] = None
    due_to: Annotated[Day | None, Query(description="Some instalment is due on or before this day.")] = None


PageDep = Annotated[Page, Depends()]
SelectionDep = Annotated[Selection, Depends()]
DuesDep = Annotated[Dues, Depends()]


@router.get("/v1/invoices")
async def list_invoices(db: ReaderDep, question: QuestionDep, selection: SelectionDep, dues: DuesDep, page: PageDep) -> InvoicesOut:
    """List invoices by number."""
    found, next_cursor = await _list(db, "invoice", question, selection, dues, page)
    return InvoicesOut(invoices=[InvoiceOut.of(stored, question.overdue_on, question.asked) for stored in found], next_cursor=next_cursor)


@router.get("/v1/debit-memos")
async def list_debit_memos(db: ReaderDep, question: QuestionDep, selection: SelectionDep, dues: DuesDep, page: PageDep) -> DebitMemosOut:
    """List debit memos by number."""
    found, next_cursor = await _list(db, "debit_memo", question, selection, dues, page)
    shown = [InvoiceOut.of(stored, question.overdue_on, question.asked) for stored in found]
    return DebitMemosOut(debit_memos=shown, next_cursor=next_cursor)


@router.get("/v1/credit-memos")
async def list_credit_memos(db: ReaderDep, question: QuestionDep, selection: SelectionDep, page: PageDep) -> CreditMemosOut:
    """List credit memos by number."""
    found, next_cursor = await _list(db, "credit_memo", question, selection, Dues(), page)
    shown = [CreditMemoOut.of(stored, question.overdue_on, question.asked) for stored in found]
    return CreditMemosOut(credit_memos=shown, next_cursor=next_cursor)


@router.get("/v1/invoices/{document_no:path}", response_model=InvoiceOut)  # A path, because ERPs number like 2026/0001.
async def read_invoice(document_no: str, db: ReaderDep, question: QuestionDep, if_none_match: IfNoneMatch = None) -> Response:
    """Read an invoice: its instalments with what is open of each, and its three statuses."""
    stored = await find(db, "invoice", document_no, question)
    return answer(InvoiceOut.of(stored, question.overdue_on, question.asked), if_none_match)


@router.get("/v1/debit-memos/{document_no:path}", response_model=InvoiceOut)
async def read_debit_memo(document_no: str, db: ReaderDep, question: QuestionDep, if_none_match: IfNoneMatch = None) -> Response:
    """Read a debit memo, which is payable like an invoice."""
    stored = await find(db, "debit_memo", document_no, question)
    return answer(InvoiceOut.of(stored, question.overdue_on, question.asked), if_none_match)


@router.get("/v1/credit-memos/{document_no:path}", response_model=CreditMemoOut)
async def read_credit_memo(document_no: str, db: ReaderDep, question: QuestionDep, if_none_match: IfNoneMatch = None) -> Response:
    """Read a credit memo, with the credit that is left of it."""
    stored = await find(db, "credit_memo", document_no, question)
    return answer(CreditMemoOut.of(stored, question.overdue_on, question.asked), if_none_match)


async def find(db: Connection, kind: Kind, document_no: str, question: Question) -> StoredDocument:
    """
    Read one document as it stood when asked about.

    :raises Problem: 404 where the entity had no such document then.
    """
    stored = await queries.find_document(db, kind, question.entity, document_no, question.asked)
    if stored is None:
        raise Problem(404, "DOCUMENT_UNKNOWN", "The entity has, or had then, no such document of this kind.")
    return stored


async def _list(
    db: Connection, kind: Kind, question: Question, selection: Selection, dues: Dues, page: Page
) -> tuple[Sequence[StoredDocument], str | None]:
    """Read one page and the cursor of the next; None where this is the last one."""
    wanted = DocumentFilter(
        kind=kind,
        entity=question.entity,
        overdue_on=question.overdue_on,
        account=selection.account,
        customer=selection.customer,
        type=selection.type,
        currency=selection.currency,
        document_status=selection.document_status,
        settlement_status=selection.settlement_status,
        is_overdue=dues.overdue,
        issued_from=selection.issued_from,
        issued_to=selection.issued_to,
        due_from=dues.due_from,
        due_to=dues.due_to,
        ref_document_no=selection.ref_document_no,
        reference=selection.reference,
        project=selection.project,
    )
    after = "" if page.cursor is None else _read_cursor(page.cursor)
    found = await queries.list_documents(db, wanted, question.asked, after, page.limit + 1)
    shown = found[: page.limit]
    return shown, _write_cursor(shown[-1].document_no) if len(found) > page.limit else None


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
