"""Adjustments and write-offs: asked for, decided by policy or by a second person, and followed through the settlement ledger (INV-08)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.invoice import Reason, WriteOffApproved, WriteOffRejected
from events.payment import AdjustmentPosted, AdjustmentReversed
from money import format_minor, parse_minor
from policies.approvals import AlreadyDecided, Decision, MakerIsChecker, NotTheMaker, Principal, require_approved

from invoice.domain import document_id, item_id
from invoice.domain.adjustments import (
    AdjustableDocument,
    Ask,
    OpenItem,
    Standing,
    Status,
    adjustment_id,
    examine_ask,
    gross_and_recovered,
    read_wanted,
    status_of,
)
from invoice.domain.approvals import AdjustmentKind, Request, judge
from invoice.domain.faults import Fault, as_code
from invoice.handlers.approvals import load_rules
from invoice.queries import adjustments as queries
from invoice.queries.adjustments import Decided, NewAdjustment, NewPosting, StoredAdjustment
from invoice.queries.steps import Step, add_steps

Posting: TypeAlias = AdjustmentPosted | AdjustmentReversed

RECOVERED: Final = "recovered"
_POSTED_WITHIN: Final = timedelta(days=1)
"""The ledger posts an approval on the day it is booked on; what it said of yesterday may still be on its way."""


class AdjustmentRefused(Exception):
    """The adjustment is not possible as it was asked for; `reasons` are all there are."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons


class AdjustmentUnknown(Exception):
    """There is no such adjustment."""


async def request_adjustment(db: Connection, ask: Ask, maker: str, batch: Batch) -> tuple[list[Fact], str]:
    """
    Ask for an adjustment; the tolerances in force may approve it at once. Return the facts and the id of the request.

    :raises AdjustmentRefused: the item, the amount, the kind or the reason is no good.
    """
    open_on = batch.open_on[ask.entity]
    document = await queries.lock_document(db, ask.entity, ask.document_no, open_on - _POSTED_WITHIN)
    wanted = examine_ask(ask, document)
    if isinstance(wanted, list) or document is None:
        raise AdjustmentRefused(_reasons(wanted if isinstance(wanted, list) else []))
    rules = await load_rules(db, ask.entity, open_on)
    n = wanted.item.n
    seq = 1 + wanted.item.asked_times
    new = NewAdjustment(
        id=adjustment_id(ask.entity, ask.document_no, n, seq),
        entity=ask.entity,
        customer=document.customer,
        account=document.account,
        document_row_id=document.row_id,
        n=n,
        seq=seq,
        kind=wanted.kind,
        reason=wanted.reason,
        asked_minor=wanted.amount_minor,
        requested_by=maker,
        requested_on=open_on,
        expires_on=open_on + timedelta(days=rules.limits.expires_days),
    )
    await queries.insert_adjustment(db, new)
    await add_steps(db, "adjustment", [Step(new.id, "requested", maker, wanted.amount_minor, reason=wanted.reason)], open_on, batch.now)
    decision = judge(_request(wanted.kind, wanted.amount_minor, maker, document, wanted.item), rules, None)
    if decision.verdict != "approved":
        return [], new.id
    stored = await _find(db, new.id)
    return await _approve(db, stored, document, wanted.amount_minor, decision, None, batch), new.id


async def approve_adjustment(db: Connection, id_: str, amount: str | None, checker: Principal, batch: Batch) -> list[Fact]:
    """
    Approve a request, all of it or a smaller `amount`; what is not approved of it lapses.

    :raises AdjustmentUnknown: there is none of this id.
    :raises AlreadyDecided: it is not pending any more.
    :raises MakerIsChecker: the checker made the request.
    :raises LimitForbids: no limit of theirs covers the amount.
    :raises AdjustmentRefused: the amount is no amount, or more than was asked for or is open; or the document was voided.
    """
    stored, document = await _lock_pending(db, id_, batch)
    item = next(item for item in document.items if item.n == stored.n)
    faults: list[Fault] = [Fault("ITEM_VOIDED", "document_no")] if document.is_voided else []
    amount_minor = stored.asked_minor if amount is None else read_wanted(amount, stored.currency, faults)
    if amount_minor is not None and amount_minor > stored.asked_minor:
        faults.append(Fault("AMOUNT_ABOVE_REQUEST", "amount"))
    if amount_minor is not None and not document.is_voided and amount_minor > item.open_minor - item.reserved_minor + stored.asked_minor:
        faults.append(Fault("AMOUNT_ABOVE_OPEN", "amount"))
    if faults or amount_minor is None:
        raise AdjustmentRefused(_reasons(faults))
    rules = await load_rules(db, stored.entity, batch.open_on[stored.entity])
    decision = judge(_request(stored.kind, amount_minor, stored.requested_by, document, item), rules, checker)
    require_approved(decision, stored.currency)
    return await _approve(db, stored, document, amount_minor, decision, checker.sub, batch)


async def reject_adjustment(db: Connection, id_: str, reason: str, checker: str, batch: Batch) -> list[Fact]:
    """
    Reject a request, for a reason given as a code.

    :raises AdjustmentUnknown: there is none of this id.
    :raises AlreadyDecided: it is not pending any more.
    :raises MakerIsChecker: the checker made the request.
    :raises AdjustmentRefused: the reason is no code.
    """
    stored, _ = await _lock_pending(db, id_, batch)
    if as_code(reason) is None:
        raise AdjustmentRefused([Reason(code="REASON_INVALID", field="reason")])
    if checker == stored.requested_by:
        raise MakerIsChecker
    return await _end(db, [stored], "rejected", checker, batch, reason)


async def withdraw_adjustment(db: Connection, id_: str, maker: str, batch: Batch) -> list[Fact]:
    """
    Take a request back before anybody has decided about it.

    :raises AdjustmentUnknown: there is none of this id.
    :raises AlreadyDecided: it is not pending any more.
    :raises NotTheMaker: somebody else made it.
    """
    stored, _ = await _lock_pending(db, id_, batch)
    if maker != stored.requested_by:
        raise NotTheMaker
    return await _end(db, [stored], "withdrawn", maker, batch)


async def expire_requests(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """End what waited longer for a decision than the policy of the day it was asked for on allows."""
    expiring = await queries.list_expiring(db, entity, day, accounts)
    return await _end(db, expiring, "expired", None, batch) if expiring else []


EXPIRY: Final = DayWork(queries.list_expiring_accounts, expire_requests)
"""The part of a turning day that ends requests nobody has decided about."""


async def note_posted(db: Connection, facts: Sequence[Posting]) -> None:
    """
    Fold what the ledger posted and reversed into the adjustments that were approved here; any order ends in the same figures.

    Adjustments that are not ours are left alone.
    """
    stored = await queries.lock_adjustments(db, {fact.adjustment for fact in facts})
    sums = {one.id: (one.posted, one.taken_back) for one in stored}
    for fact in facts:
        if fact.adjustment not in sums:
            continue
        minor, tax_minor = parse_minor(fact.amount, fact.currency), parse_minor(fact.tax, fact.currency)
        posted, taken_back = sums[fact.adjustment]
        if isinstance(fact, AdjustmentPosted):
            posted = posted.plus(minor, tax_minor)
        elif fact.reason == RECOVERED:
            taken_back = taken_back.plus(minor, tax_minor)
        else:
            posted = posted.plus(-minor, -tax_minor)
        sums[fact.adjustment] = (posted, taken_back)
    if sums:
        await queries.save_postings(db, [_posting(one, *sums[one.id]) for one in stored])


def _posting(stored: StoredAdjustment, posted: Standing, taken_back: Standing) -> NewPosting:
    gross, recovered = gross_and_recovered(stored.approved, posted, taken_back)
    return NewPosting(stored.id, posted, taken_back, status_of(stored.status, gross, recovered))


async def _find(db: Connection, id_: str) -> StoredAdjustment:
    stored = await queries.find_adjustment(db, id_)
    if stored is None:
        raise AdjustmentUnknown(id_)
    return stored


async def _lock_pending(db: Connection, id_: str, batch: Batch) -> tuple[StoredAdjustment, AdjustableDocument]:
    """Lock the document of a request, then read the request: whoever decided about it first has committed."""
    (open_on,) = batch.open_on.values()  # A command has one entity.
    document = await queries.lock_document_of(db, id_, open_on - _POSTED_WITHIN)
    if document is None:
        raise AdjustmentUnknown(id_)
    stored = await _find(db, id_)
    if stored.status != "pending":
        raise AlreadyDecided(stored.status)
    return stored, document


def _request(kind: AdjustmentKind, amount_minor: int, maker: str, document: AdjustableDocument, item: OpenItem) -> Request:
    return Request(kind, document.currency, amount_minor, maker, item.open_minor, item.tolerated_minor)


async def _approve(
    db: Connection,
    stored: StoredAdjustment,
    document: AdjustableDocument,
    amount_minor: int,
    decision: Decision,
    checker: str | None,
    batch: Batch,
) -> list[Fact]:
    """Write the approval and say it, with the tax in it by what was approved of the document before."""
    open_on = batch.open_on[stored.entity]
    approved = Standing(amount_minor, document.tax_of(amount_minor))
    step = Step(stored.id, "approved", checker, amount_minor, decision.policy_version, decision.limit_minor)
    await queries.save_decisions(db, [Decided("approved", step, approved)], open_on)
    await add_steps(db, "adjustment", [step], open_on, batch.now)
    currency = stored.currency
    invoice = document_id(stored.entity, stored.document_no)
    data = WriteOffApproved(
        entity=stored.entity,
        request=stored.id,
        item=item_id(invoice, stored.n),
        invoice=invoice,
        customer=stored.customer,
        account=stored.account,
        currency=currency,
        amount=format_minor(approved.minor, currency),
        tax=format_minor(approved.tax_minor, currency),
        kind=stored.kind,
        requested_by=stored.requested_by,
        policy_version=decision.policy_version,
        reason=stored.reason,
        approved_by=checker,
        limit=None if decision.limit_minor is None else format_minor(decision.limit_minor, currency),
    )
    return [Fact(data, stored.entity, f"{stored.entity}|{stored.account}", effective_on=open_on)]


async def _end(
    db: Connection, requests: Sequence[StoredAdjustment], outcome: Status, by: str | None, batch: Batch, reason: str | None = None
) -> list[Fact]:
    """Write that pending requests came to nothing, and say it."""
    open_on = batch.open_on[requests[0].entity]
    steps = [Step(one.id, outcome, by, one.asked_minor, reason=reason) for one in requests]
    await queries.save_decisions(db, [Decided(outcome, step) for step in steps], open_on)
    await add_steps(db, "adjustment", steps, open_on, batch.now)
    return [
        Fact(
            WriteOffRejected(
                entity=one.entity,
                request=one.id,
                item=item_id(document_id(one.entity, one.document_no), one.n),
                account=one.account,
                currency=one.currency,
                amount=format_minor(one.asked_minor, one.currency),
                kind=one.kind,
                outcome=outcome,
                requested_by=one.requested_by,
                decided_by=by,
                reason=reason,
            ),
            one.entity,
            f"{one.entity}|{one.account}",
            effective_on=open_on,
        )
        for one in requests
    ]


def _reasons(faults: Sequence[Fault]) -> list[Reason]:
    return [Reason(code=fault.code, field=fault.field) for fault in faults]
