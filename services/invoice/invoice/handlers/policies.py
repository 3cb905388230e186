"""Policies are proposed by one person and decided about by another."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NoReturn

from chassis.database import Connection
from chassis.service import Batch, Fact
from events.invoice import InvoicePolicyPublished

from invoice.domain.policies import Objection
from invoice.queries import policies as queries
from invoice.queries.policies import StoredPolicy


class DecisionRefused(Exception):
    """A policy was not approved and not rejected: `objection` says why."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection)
        self.objection = objection


async def propose_policy(
    db: Connection, entity: str, kind: str, valid_from: date, body: Mapping[str, Any], principal: str, batch: Batch
) -> StoredPolicy:
    """Keep a policy that was examined, for somebody else to decide about. Publishes nothing: it is in force nowhere."""
    open_on = batch.open_on[entity]
    id_ = await queries.insert_policy(db, entity, kind, valid_from, body, proposed_by=principal, proposed_on=open_on, now=batch.now)
    return await _reread(db, id_)


async def approve_policy(db: Connection, id_: int, principal: str, batch: Batch) -> tuple[list[Fact], StoredPolicy]:
    """
    Give a proposed policy its number and publish it: in force from the next opening, for what it dates from `valid_from` on.

    :raises DecisionRefused: it was decided about, has expired, or is the principal's own.
    """
    policy = await _lock(db, id_, principal, batch)
    open_on = batch.open_on[policy.entity]
    await queries.approve_policy(db, id_, decided_by=principal, decided_on=open_on, now=batch.now)
    approved = await _reread(db, id_)
    data = InvoicePolicyPublished(
        entity=approved.entity,
        kind=approved.kind,
        version=str(approved.version),
        valid_from=approved.valid_from,
        body=approved.body,
        proposed_by=approved.proposal.proposed_by,
        approved_by=principal,
    )
    return [Fact(data, approved.entity, f"{approved.entity}|policy", effective_on=open_on)], approved


async def reject_policy(db: Connection, id_: int, principal: str, reason: str, batch: Batch) -> StoredPolicy:
    """
    Close a proposal for a reason, a code. Publishes nothing.

    :raises DecisionRefused: it was decided about, has expired, or is the principal's own.
    """
    policy = await _lock(db, id_, principal, batch)
    open_on = batch.open_on[policy.entity]
    await queries.reject_policy(db, id_, decided_by=principal, decided_on=open_on, reason=reason, now=batch.now)
    return await _reread(db, id_)


async def _lock(db: Connection, id_: int, principal: str, batch: Batch) -> StoredPolicy:
    policy = await queries.lock_policy(db, id_)
    if policy is None:
        _gone(id_)
    objection = policy.proposal.objection_to(principal, batch.open_on[policy.entity])
    if objection is not None:
        raise DecisionRefused(objection)
    return policy


async def _reread(db: Connection, id_: int) -> StoredPolicy:
    policy = await queries.find_policy(db, id_)
    if policy is None:
        _gone(id_)
    return policy


def _gone(id_: int) -> NoReturn:
    raise LookupError(f"policy {id_} was here a moment ago, and policies are never deleted")
