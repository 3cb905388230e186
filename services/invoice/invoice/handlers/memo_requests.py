"""Credit memos that people issue: at once within their own limit, above it once a second person has approved (INV-06, XC-05)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.invoice import Reason
from policies.approvals import AlreadyDecided, MakerIsChecker, NotTheMaker, Principal, require_approved

from invoice.domain import Document, Draft
from invoice.domain.approvals import Rules, judge
from invoice.domain.faults import as_code
from invoice.domain.memo_requests import Status, kept, needs_approval, request_id, to_approve
from invoice.handlers.approvals import load_rules
from invoice.handlers.intake import DocumentNumberTaken, DocumentRefused, examine_issued, issue_document
from invoice.queries import documents
from invoice.queries import memo_requests as queries
from invoice.queries.memo_requests import NewMemoRequest, StoredMemoRequest
from invoice.queries.steps import Step, add_steps


class MemoRequestUnknown(Exception):
    """There is no such request."""


async def issue_memo(db: Connection, draft: Draft, maker: Principal, batch: Batch) -> tuple[list[Fact], str | None]:
    """
    Issue a credit memo, or keep it as a request where somebody else has to approve it. Return the facts and the id of the request, if any.

    A request reserves its number among credit memos as long as it waits: the same content again is the same request, whoever sends it. A
    document that an ERP gives the number meanwhile stands; the request can then no longer be approved.

    :raises DocumentRefused: it is no document, for every reason there is.
    :raises DocumentNumberTaken: another document or request has its number.
    """
    earlier = await queries.lock_requests(db, draft.entity, draft.document_no)
    document = await examine_issued(db, draft, batch)
    waiting = next((one for one in earlier if one.status == "pending"), None)
    if waiting is not None and waiting.content_hash != document.content_hash:
        raise DocumentNumberTaken(document.id)
    rules = await load_rules(db, draft.entity, batch.open_on[draft.entity])
    if not needs_approval(document, rules, maker) or await documents.load_hashes(db, [document]):
        return await issue_document(db, draft, batch), None
    if waiting is not None:
        return [], waiting.id
    return [], await _request(db, draft, document, rules, maker.sub, 1 + len(earlier), batch)


async def _request(db: Connection, draft: Draft, document: Document, rules: Rules, maker: str, number: int, batch: Batch) -> str:
    open_on = batch.open_on[draft.entity]
    new = NewMemoRequest(
        id=request_id(draft.entity, draft.document_no, number),
        draft=kept(draft),
        account=document.account,
        total_minor=document.total_minor,
        content_hash=document.content_hash,
        requested_by=maker,
        requested_on=open_on,
        expires_on=open_on + timedelta(days=rules.limits.expires_days),
    )
    await queries.insert_request(db, new)
    step = Step(new.id, "requested", maker, new.total_minor, reason=document.reason)
    await add_steps(db, "credit_memo_request", [step], open_on, batch.now)
    return new.id


async def approve_memo(db: Connection, id_: str, checker: Principal, batch: Batch) -> list[Fact]:
    """
    Approve a request and issue its memo on the open day, by what the books say of the invoice it names now.

    :raises MemoRequestUnknown: there is none of this id.
    :raises AlreadyDecided: it is not pending any more.
    :raises MakerIsChecker: the checker made the request.
    :raises LimitForbids: no limit of theirs covers what the memo comes to now.
    :raises DocumentRefused: what was a document when it was asked for is none today.
    :raises DocumentNumberTaken: a document that says something else was given its number meanwhile.
    """
    stored = await _lock_pending(db, id_)
    if checker.sub == stored.requested_by:
        raise MakerIsChecker
    open_on = batch.open_on[stored.draft.entity]
    document = await examine_issued(db, stored.draft, batch)
    decision = judge(to_approve(document, stored.requested_by), await load_rules(db, document.entity, open_on), checker)
    require_approved(decision, document.currency)
    facts = await issue_document(db, stored.draft, batch)
    step = Step(id_, "approved", checker.sub, document.total_minor, decision.policy_version, decision.limit_minor)
    await _end(db, "approved", [step], open_on, batch)
    return facts


async def reject_memo(db: Connection, id_: str, reason: str, checker: str, batch: Batch) -> None:
    """
    Reject a request, for a reason given as a code; its number is free again.

    :raises MemoRequestUnknown: there is none of this id.
    :raises AlreadyDecided: it is not pending any more.
    :raises MakerIsChecker: the checker made the request.
    :raises DocumentRefused: the reason is no code.
    """
    stored = await _lock_pending(db, id_)
    if checker == stored.requested_by:
        raise MakerIsChecker
    if as_code(reason) is None:
        raise DocumentRefused(stored.draft.document_no, [Reason(code="REASON_INVALID", field="reason")])
    step = Step(id_, "rejected", checker, stored.total_minor, reason=reason)
    await _end(db, "rejected", [step], batch.open_on[stored.draft.entity], batch)


async def withdraw_memo(db: Connection, id_: str, maker: str, batch: Batch) -> None:
    """
    Take a request back before anybody has decided about it; its number is free again.

    :raises MemoRequestUnknown: there is none of this id.
    :raises AlreadyDecided: it is not pending any more.
    :raises NotTheMaker: somebody else made it.
    """
    stored = await _lock_pending(db, id_)
    if maker != stored.requested_by:
        raise NotTheMaker
    step = Step(id_, "withdrawn", maker, stored.total_minor)
    await _end(db, "withdrawn", [step], batch.open_on[stored.draft.entity], batch)


async def expire_requests(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """End what waited longer for a decision than the policy of the day it was asked for on allows. Nobody outside was told of it."""
    expiring = await queries.lock_expiring(db, entity, day, accounts)
    if expiring:
        await _end(db, "expired", [Step(one.id, "expired", None, one.total_minor) for one in expiring], day, batch)
    return []


EXPIRY: Final = DayWork(queries.list_expiring_accounts, expire_requests)
"""The part of a turning day that ends requests nobody has decided about."""


async def _lock_pending(db: Connection, id_: str) -> StoredMemoRequest:
    stored = await queries.lock_request(db, id_)
    if stored is None:
        raise MemoRequestUnknown(id_)
    if stored.status != "pending":
        raise AlreadyDecided(stored.status)
    return stored


async def _end(db: Connection, outcome: Status, steps: Sequence[Step], booked_on: date, batch: Batch) -> None:
    """Write what became of pending requests, one step of each, all by one person or by none."""
    await queries.save_outcome(db, [step.request for step in steps], outcome, steps[0].by, booked_on)
    await add_steps(db, "credit_memo_request", steps, booked_on, batch.now)
