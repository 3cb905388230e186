"""Documents over HTTP, as they are issued and voided."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from chassis.database import Connection
from chassis.entities import Entities
from chassis.http import CommandDep, EntitiesDep, Problem
from chassis.service import Batch, Fact
from events.invoice import Reason
from fastapi import APIRouter, Response

from invoice import handlers
from invoice.domain import Draft, Kind, last_closed
from invoice.queries import reads
from invoice.schemas import CreditMemoOut, InvoiceOut
from invoice.schemas.documents import CreditMemoBody, DebitMemoBody, InvoiceBody, OpeningBalanceBody, VoidBody

MAY_ISSUE: Final = ("clerk", "service")

router = APIRouter()


@router.post("/v1/invoices", status_code=201, responses={201: {"model": InvoiceOut}})
async def issue_invoice(body: InvoiceBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """
    Issue an invoice. Safe to repeat: the same number with the same content is one invoice, with other content it is refused (409).

    A corrected one (384) voids the invoice it names, if nothing of that is settled (409 `INVOICE_SETTLED`).
    """
    return await _issue(body.to_draft(), command, entities)


@router.post("/v1/debit-memos", status_code=201, responses={201: {"model": InvoiceOut}})
async def issue_debit_memo(body: DebitMemoBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """Issue a debit memo: a fee, a charge or more for an invoice, payable like one. Safe to repeat."""
    return await _issue(body.to_draft(), command, entities)


@router.post("/v1/credit-memos", status_code=201, responses={201: {"model": CreditMemoOut}})
async def issue_credit_memo(body: CreditMemoBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """Issue a credit memo. Safe to repeat: the same number with the same content is one memo, with other content it is refused (409)."""
    return await _issue(body.to_draft(), command, entities)


@router.post("/v1/opening-balances", status_code=201, responses={201: {"model": InvoiceOut | CreditMemoOut}})
async def load_opening_balance(body: OpeningBalanceBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """Load what was open of an item in the books before ours. Safe to repeat; the answer is the invoice or credit memo it became."""
    return await _issue(body.to_draft(), command, entities)


@router.post("/v1/voids", status_code=201, responses={201: {"model": InvoiceOut}})
async def void_document(body: VoidBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """
    Void an invoice or debit memo of which nothing is settled (else 409 `INVOICE_SETTLED`). Voiding twice is voiding once.

    The number is in the body because numbers contain slashes.
    """
    wrong = handlers.reasons_against_void(body.to_request(date.max), entities)
    if wrong:
        raise Problem(422, "VOID_REFUSED", "The void is not acceptable as it was sent.", wrong)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        open_on = batch.open_on[body.entity]
        try:
            facts, target = await handlers.void_document(db, body.to_request(open_on), batch)
        except handlers.DocumentUnknown:
            raise Problem(404, "DOCUMENT_UNKNOWN", "The entity has no document of this number.") from None
        except handlers.VoidRefused as refused:
            raise _void_refused(refused) from None
        except handlers.InvoiceSettled as settled:
            raise _settled(settled, "document_no") from None
        return facts, await _shown(db, target.kind, body.entity, body.document_no, open_on)

    return await command.run(body.entity, work, roles=MAY_ISSUE)


async def _issue(draft: Draft, command: CommandDep, entities: Entities) -> Response:
    """Issue a document in the command's transaction and answer it as it is read afterwards."""
    if draft.entity not in entities.by_id:  # Nothing of it can be looked up: all that is wrong without.
        found = handlers.examine(draft, entities)
        assert isinstance(found, list), "an unknown entity is a reason"
        raise _refused(found)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts = await handlers.issue_document(db, draft, batch)
        except handlers.DocumentRefused as refused:
            raise _refused(refused.reasons) from None
        except handlers.DocumentNumberTaken as taken:
            raise Problem(409, handlers.CONFLICT.code, str(taken.__doc__), [handlers.CONFLICT]) from None
        except handlers.VoidRefused as refused:
            raise _void_refused(refused) from None
        except handlers.InvoiceSettled as settled:
            raise _settled(settled, "ref_document_no") from None
        return facts, await _shown(db, draft.kind, draft.entity, draft.document_no, batch.open_on[draft.entity])

    return await command.run(draft.entity, work, roles=MAY_ISSUE)


async def _shown(db: Connection, kind: Kind, entity: str, document_no: str, open_on: date) -> dict[str, Any]:
    stored = await reads.find_document(db, kind, entity, document_no)
    assert stored is not None, "a document was just written or found under this number"
    shown = CreditMemoOut if kind == "credit_memo" else InvoiceOut
    return shown.of(stored, last_closed(open_on)).model_dump(mode="json")


def _refused(reasons: list[Reason]) -> Problem:
    return Problem(422, "DOCUMENT_REFUSED", "The document is not acceptable as it was sent.", reasons)


def _void_refused(refused: handlers.VoidRefused) -> Problem:
    return Problem(409, "VOID_REFUSED", "This document cannot be voided.", handlers.reasons_of(refused.faults))


def _settled(settled: handlers.InvoiceSettled, field: str) -> Problem:
    return Problem(409, "INVOICE_SETTLED", str(settled.__doc__), [Reason(code="INVOICE_SETTLED", field=field)])
