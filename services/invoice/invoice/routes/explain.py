"""What happened to a document, and where its open amount comes from, over HTTP."""

from typing import Final, Literal, TypeAlias

from chassis.http import ReaderDep
from fastapi import APIRouter

from invoice.domain import Kind
from invoice.handlers.history import load_movements, tell_history
from invoice.queries.reads import Asked
from invoice.routes.reads import EntityQuery, KnownAtQuery, QuestionDep, ask, find
from invoice.schemas.history import ExplanationOut, HistoryOut

Documents: TypeAlias = Literal["invoices", "debit-memos", "credit-memos"]
_KINDS: Final[dict[Documents, Kind]] = {"invoices": "invoice", "debit-memos": "debit_memo", "credit-memos": "credit_memo"}

router = APIRouter()


@router.get("/v1/history/{documents}/{document_no:path}")  # Before the number, because a number may end in anything.
async def read_history(
    documents: Documents, document_no: str, db: ReaderDep, entity: EntityQuery, known_at: KnownAtQuery = None
) -> HistoryOut:
    """Tell every dated event of a document in booked order, with what was open before and after it."""
    question = await ask(db, entity, known_at=known_at)
    stored = await find(db, _KINDS[documents], document_no, question)
    history = await tell_history(db, stored, question.asked)
    return HistoryOut.of(stored, history.events, history.rule_set, history.policy_version, Asked(known_at=known_at))


@router.get("/v1/explain/{documents}/{document_no:path}")
async def explain(documents: Documents, document_no: str, db: ReaderDep, question: QuestionDep) -> ExplanationOut:
    """Lead from what is open of a document down to the facts that made it so."""
    stored = await find(db, _KINDS[documents], document_no, question)
    return ExplanationOut.of(stored, await load_movements(db, stored, question.asked), question.asked)
