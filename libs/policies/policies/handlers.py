"""Policies are proposed by one person and decided about by another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn, TypeAlias

from chassis.database import Connection
from chassis.service import Batch, Fact
from events.fact import Event

from policies import queries
from policies.queries import StoredPolicy
from policies.versions import Objection


@dataclass(frozen=True, slots=True)
class Approved:
    """What a fact says of a policy that was approved."""

    entity: str
    kind: str
    version: str
    valid_from: date
    body: dict[str, Any]
    proposed_by: str
    approved_by: str


Publish: TypeAlias = Callable[[Approved], Event]
"""Makes the fact of a service out of an approved policy."""


class ProposalNotDecided(Exception):
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


async def approve_policy(db: Connection, id_: int, principal: str, publish: Publish, batch: Batch) -> tuple[list[Fact], StoredPolicy]:
    """
    Give a proposed policy its number and publish it under the key `entity|policy`: in force from the next opening, for what it dates from
    `valid_from` on.

    :raises ProposalNotDecided: it was decided about, has expired, or is the principal's own.
    """
    policy = await _lock(db, id_, principal, batch)
    open_on = batch.open_on[policy.entity]
    await queries.approve_policy(db, id_, decided_by=principal, decided_on=open_on, now=batch.now)
    approved = await _reread(db, id_)
    return [Fact(publish(_told(approved, principal)), approved.entity, f"{approved.entity}|policy", effective_on=open_on)], approved


async def reject_policy(db: Connection, id_: int, principal: str, reason: str, batch: Batch) -> StoredPolicy:
    """
    Close a proposal for a reason, a code. Publishes nothing.

    :raises ProposalNotDecided: it was decided about, has expired, or is the principal's own.
    """
    policy = await _lock(db, id_, principal, batch)
    open_on = batch.open_on[policy.entity]
    await queries.reject_policy(db, id_, decided_by=principal, decided_on=open_on, reason=reason, now=batch.now)
    return await _reread(db, id_)


def _told(stored: StoredPolicy, principal: str) -> Approved:
    return Approved(
        entity=stored.entity,
        kind=stored.kind,
        version=str(stored.version),
        valid_from=stored.valid_from,
        body=stored.body,
        proposed_by=stored.proposal.proposed_by,
        approved_by=principal,
    )


async def _lock(db: Connection, id_: int, principal: str, batch: Batch) -> StoredPolicy:
    policy = await queries.lock_policy(db, id_)
    if policy is None:
        _gone(id_)
    objection = policy.proposal.objection_to(principal, batch.open_on[policy.entity])
    if objection is not None:
        raise ProposalNotDecided(objection)
    return policy


async def _reread(db: Connection, id_: int) -> StoredPolicy:
    policy = await queries.find_policy(db, id_)
    if policy is None:
        _gone(id_)
    return policy


def _gone(id_: int) -> NoReturn:
    raise LookupError(f"policy {id_} was here a moment ago, and policies are never deleted")
