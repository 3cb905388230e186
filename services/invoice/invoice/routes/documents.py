"""Documents over HTTP, as they are issued and voided."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from chassis.database import Connection
from chassis.entities import Entities
from chassis.http import CommandDep, EntitiesDep, Problem
from chassis.service import Batch, Fact
from events.invoice import Reason
from fastapi import APIRouter, Response
from policies.approvals import Principal

from invoice import handlers
from invoice.domain import Draft, Kind, last_closed
from invoice.handlers import memo_requests as memo_handlers
from invoice.queries import reads
from invoice.routes import memo_requests
from invoice.routes.refusals import document_refused, number_taken
from invoice.schemas import CreditMemoOut, InvoiceOut
from invoice.schemas.documents import CreditMemoBody, DebitMemoBody, InvoiceBody, OpeningBalanceBody, VoidBody
from invoice.schemas.memo_requests import CreditMemoRequestDetailOut

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


@router.post("/v1/credit-memos", status_code=201, responses={201: {"model": CreditMemoOut}, 202: {"model": CreditMemoRequestDetailOut}})
async def issue_credit_memo(body: CreditMemoBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """
    Issue a credit memo. Safe to repeat: the same number with the same content is one memo, with other content it is refused (409).

    Above the limit that a policy gives a clerk it becomes a request that somebody else decides about (202, `Location`).
    """
    draft = body.to_draft()
    _require_entity(draft, entities)
    maker = Principal(command.principal.sub, command.principal.roles)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts, request = await memo_handlers.issue_memo(db, draft, maker, batch)
        except handlers.DocumentRefused as refused:
            raise document_refused(refused.reasons) from None
        except handlers.DocumentNumberTaken as taken:
            raise number_taken(taken) from None
        if request is not None:
            return facts, await memo_requests.shown(db, request)
        return facts, await _shown(db, "credit_memo", draft.entity, draft.document_no, batch.open_on[draft.entity])

    response = await command.run(draft.entity, work, status=_status_of_memo, roles=MAY_ISSUE)
    if response.status_code == 202:
        response.headers["Location"] = memo_requests.location_of(json.loads(bytes(response.body))["request"])
    return response


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
    _require_entity(draft, entities)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts = await handlers.issue_document(db, draft, batch)
        except handlers.DocumentRefused as refused:
            raise document_refused(refused.reasons) from None
        except handlers.DocumentNumberTaken as taken:
            raise number_taken(taken) from None
        except handlers.VoidRefused as refused:
            raise _void_refused(refused) from None
        except handlers.InvoiceSettled as settled:
            raise _settled(settled, "ref_document_no") from None
        return facts, await _shown(db, draft.kind, draft.entity, draft.document_no, batch.open_on[draft.entity])

    return await command.run(draft.entity, work, roles=MAY_ISSUE)


def _require_entity(draft: Draft, entities: Entities) -> None:
    """Refuse a document of an entity that is not declared, by all that is wrong with it: nothing of it can be looked up."""
    if draft.entity not in entities.by_id:
        found = handlers.examine(draft, entities)
        assert isinstance(found, list), "an unknown entity is a reason"
        raise document_refused(found)


def _status_of_memo(body: Mapping[str, Any]) -> int:
    """Say whether the answer is the memo, or a request that somebody else decides about."""
    return 202 if "request" in body else 201


async def _shown(db: Connection, kind: Kind, entity: str, document_no: str, open_on: date) -> dict[str, Any]:
    stored = await reads.find_document(db, kind, entity, document_no)
    assert stored is not None, "a document was just written or found under this number"
    shown = CreditMemoOut if kind == "credit_memo" else InvoiceOut
    return shown.of(stored, last_closed(open_on)).model_dump(mode="json")


def _void_refused(refused: handlers.VoidRefused) -> Problem:
    return Problem(409, "VOID_REFUSED", "This document cannot be voided.", handlers.reasons_of(refused.faults))


def _settled(settled: handlers.InvoiceSettled, field: str) -> Problem:
    return Problem(409, "INVOICE_SETTLED", str(settled.__doc__), [Reason(code="INVOICE_SETTLED", field=field)])
