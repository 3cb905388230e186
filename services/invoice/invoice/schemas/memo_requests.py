"""HTTP bodies of credit memos that wait for a second person, as they are shown."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from money import format_minor
from pydantic import BaseModel

from invoice.domain import document_id
from invoice.domain.memo_requests import Status
from invoice.queries.memo_requests import StoredMemoRequest
from invoice.queries.steps import StoredStep
from invoice.schemas.decisions import StepOut
from invoice.schemas.documents import LineBody


class CreditMemoRequestOut(BaseModel):
    """
    A credit memo as it was asked for, and what became of that.

    `total` is what it came to when it was asked for; one that says its `net` amount is made again of its invoice when it is approved.
    `memo` is the document it became, null before it is approved.
    """

    request: str
    entity: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total: str
    net: str | None
    tax: str | None
    lines: list[LineBody]
    ref_document_no: str | None
    reason: str | None
    dispute_id: str | None
    memo: str | None
    status: Status
    requested_by: str
    requested_on: date
    expires_on: date
    decided_by: str | None
    decided_on: date | None

    @classmethod
    def of(cls, stored: StoredMemoRequest) -> "CreditMemoRequestOut":
        """Show a request."""
        return cls(**_shown(stored))


class CreditMemoRequestDetailOut(CreditMemoRequestOut):
    """A request with the history of its decisions."""

    history: list[StepOut]

    @classmethod
    def with_history(cls, stored: StoredMemoRequest, steps: Sequence[StoredStep]) -> "CreditMemoRequestDetailOut":
        """Show a request and its steps, first step first."""
        return cls(**_shown(stored), history=[StepOut.of(one, stored.draft.currency) for one in steps])


class CreditMemoRequestsOut(BaseModel):
    """A page of requests in the order they were made; `next_cursor` is null on the last one."""

    credit_memo_requests: list[CreditMemoRequestOut]
    next_cursor: str | None


def _shown(stored: StoredMemoRequest) -> dict[str, Any]:
    draft = stored.draft
    return {
        "request": stored.id,
        "entity": draft.entity,
        "document_no": draft.document_no,
        "type": draft.type,
        "customer": draft.customer,
        "account": stored.account,
        "currency": draft.currency,
        "issued_on": draft.issued_on,
        "total": format_minor(stored.total_minor, draft.currency),
        "net": draft.net,
        "tax": draft.tax,
        "lines": [LineBody(amount=line.amount, kind=line.kind, tax=line.tax) for line in draft.lines],
        "ref_document_no": draft.ref_document_no,
        "reason": draft.reason,
        "dispute_id": draft.dispute,
        "memo": document_id(draft.entity, draft.document_no) if stored.status == "approved" else None,
        "status": stored.status,
        "requested_by": stored.requested_by,
        "requested_on": stored.requested_on,
        "expires_on": stored.expires_on,
        "decided_by": stored.decided_by,
        "decided_on": stored.decided_on,
    }
