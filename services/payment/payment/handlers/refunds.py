"""Refunds: money of a receipt that is on no item goes back to the payer; one person asks, another approves (PAY-08, XC-05)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.payment import RefundRejected, RefundRequested
from money import format_minor
from policies.approvals import AlreadyDecided, MakerIsChecker, NotTheMaker, Principal, judge_by_limits, require_approved
from policies.faults import Fault
from policies.queries import read_in_force

from payment.domain import RECEIPT, Source
from payment.domain.hand import Asked, Held, as_code, examine_refund
from payment.domain.policies import REFUND_LIMITS
from payment.handlers.decisions import DecisionUnfit, NewDecision, SourceUnknown, decide, lock_held
from payment.queries import locks
from payment.queries import refunds as queries
from payment.queries.refunds import NewRefund, Outcome, StoredRefund

EXPIRED: Final = "EXPIRED"
WITHDRAWN: Final = "WITHDRAWN"


class RefundUnknown(Exception):
    """There is no such refund."""


async def request_refund(db: Connection, entity: str, bank_ref: str, asked: Asked, batch: Batch) -> tuple[list[Fact], str]:
    """
    Ask for money of a receipt to be paid back; without an amount all that is on no item. Return the facts and the id of the request.

    Nothing is reserved: what is free when somebody approves it decides.

    :raises SourceUnknown, DecisionUnfit: see there.
    """
    source, open_on = Source(RECEIPT, f"{entity}|{bank_ref}"), asked.open_on
    held = await _lock(db, source)
    minor = examine_refund(asked, held)
    if isinstance(minor, list):
        raise DecisionUnfit(minor, held=held)
    limits, _ = await read_in_force(db, REFUND_LIMITS, entity, open_on)
    new = NewRefund(
        refund=f"{entity}|refund|{bank_ref}|{1 + await queries.count_refunds(db, held.row_id)}",
        entity=entity,
        receipt_id=held.row_id,
        amount_minor=minor,
        reason=asked.reason,
        requested_by=asked.by,
        requested_on=open_on,
        requested_at=batch.now,
        expires_on=open_on + timedelta(days=limits.expires_days),
    )
    await queries.insert_refund(db, new)
    event = RefundRequested(
        entity=entity,
        refund=new.refund,
        receipt=source.id,
        account=held.account,
        currency=held.currency,
        amount=format_minor(minor, held.currency),
        reason=asked.reason,
        requested_by=asked.by,
    )
    return [Fact(event, entity, f"{entity}|{held.account}", open_on)], new.refund


async def approve_refund(db: Connection, refund: str, checker: Principal, batch: Batch) -> list[Fact]:
    """
    Approve a request, whole: the money leaves the account.

    :raises RefundUnknown: there is none of this id.
    :raises AlreadyDecided: it is not pending any more, or not in time.
    :raises MakerIsChecker: the checker made the request.
    :raises LimitForbids: no limit of theirs covers the amount.
    :raises DecisionUnfit: there is not so much free any more.
    """
    stored, held, open_on = await _lock_pending(db, refund, batch)
    limits, version = await read_in_force(db, REFUND_LIMITS, stored.entity, open_on)
    judged = judge_by_limits(limits, version, stored.amount_minor, stored.currency, checker, maker=stored.requested_by)
    require_approved(judged, stored.currency)
    asked = Asked(open_on, stored.reason, stored.requested_by, format_minor(stored.amount_minor, stored.currency))
    wanted = examine_refund(asked, held)
    if isinstance(wanted, list):
        raise DecisionUnfit(wanted, held=held)
    outcome = Outcome("approved", checker.sub, policy_version=judged.policy_version, limit_minor=judged.limit_minor)
    await queries.save_outcome(db, [refund], outcome, open_on, batch.now)
    decision = NewDecision("refund", held.source, stored.amount_minor, open_on, stored.reason, checker.sub, id=refund)
    return await decide(db, [decision], batch, refunds={refund: (stored.requested_by, checker.sub)})


async def reject_refund(db: Connection, refund: str, reason: str, checker: str, batch: Batch) -> list[Fact]:
    """
    Reject a request that somebody else made, for a reason given as a code.

    :raises RefundUnknown, AlreadyDecided, MakerIsChecker: see `approve_refund`.
    :raises DecisionUnfit: the reason is no code.
    """
    stored, _, _ = await _lock_pending(db, refund, batch)
    if as_code(reason) is None:
        raise DecisionUnfit([Fault("REASON_INVALID", "reason")])
    if checker == stored.requested_by:
        raise MakerIsChecker
    return await _end(db, [stored], Outcome("rejected", checker, reason), reason, batch)


async def withdraw_refund(db: Connection, refund: str, maker: str, batch: Batch) -> list[Fact]:
    """
    Take one's own request back before anybody has decided about it.

    :raises RefundUnknown, AlreadyDecided: see `approve_refund`.
    :raises NotTheMaker: somebody else made it.
    """
    stored, _, _ = await _lock_pending(db, refund, batch)
    if maker != stored.requested_by:
        raise NotTheMaker
    return await _end(db, [stored], Outcome("withdrawn", maker), WITHDRAWN, batch)


async def expire_refunds(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """End what waited longer for a decision than the policy of the day it was asked for on allows."""
    await locks.lock_accounts(db, [(entity, account) for account in accounts])
    expiring = await queries.list_expiring(db, entity, day, accounts)
    return await _end(db, expiring, Outcome("expired"), EXPIRED, batch) if expiring else []


EXPIRY: Final = DayWork(queries.list_expiring_accounts, expire_refunds)
"""The part of a turning day that ends requests nobody has decided about."""


async def _end(db: Connection, requests: Sequence[StoredRefund], outcome: Outcome, reason: str, batch: Batch) -> list[Fact]:
    """Write that pending requests of one entity came to nothing, and say it."""
    open_on = batch.open_on[requests[0].entity]
    await queries.save_outcome(db, [one.refund for one in requests], outcome, open_on, batch.now)
    return [
        Fact(
            RefundRejected(
                entity=one.entity,
                refund=one.refund,
                receipt=one.receipt,
                account=one.account,
                currency=one.currency,
                amount=format_minor(one.amount_minor, one.currency),
                reason=reason,
                rejected_by=outcome.decided_by,
            ),
            one.entity,
            one.key,
            open_on,
        )
        for one in requests
    ]


async def _lock_pending(db: Connection, refund: str, batch: Batch) -> tuple[StoredRefund, Held, date]:
    """Lock the account a request is about, then read it again: whoever decided about it first has committed."""
    found = await queries.find_refund(db, refund)
    if found is None or found.entity not in batch.open_on:
        raise RefundUnknown
    held = await _lock(db, Source(RECEIPT, found.receipt))
    stored = await queries.find_refund(db, refund)
    assert stored is not None, "requests are never deleted"
    open_on = batch.open_on[stored.entity]
    if stored.status != "pending" or stored.expires_on < open_on:
        raise AlreadyDecided
    return stored, held, open_on


async def _lock(db: Connection, source: Source) -> Held:
    held, _ = await lock_held(db, {source})
    if source not in held:
        raise SourceUnknown
    return held[source]
