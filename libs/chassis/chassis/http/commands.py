"""
Commands: one transaction that holds the day, the idempotency row, the effects, the facts, the audit row and the answer.

Order of locks as everywhere (docs/messaging.md section 10): shared day lock, idempotency row, business rows, stream heads. The transaction
is committed before the answer leaves; a cancelled request rolls back and gives its connection back.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import asyncpg
import msgspec
from events.fact import kind_of
from events.invoice import Reason
from fastapi import Depends, Header, Request
from fastapi.responses import Response

from chassis import audit, idempotency, outbox
from chassis.business_day import DayTurning, share_day
from chassis.database import Connection
from chassis.delivery import Delivery
from chassis.failpoints import fp
from chassis.http.auth import Principal
from chassis.http.edge import TURN_WAIT_SECONDS_MAX, Edge, EdgeDep
from chassis.http.problems import Problem
from chassis.idempotency import Answer, Slot
from chassis.metrics import metrics
from chassis.service import Batch, Fact

COMMAND_SECONDS_MAX = 20
LOCK_WAIT = "5s"
RETRIES_MAX = 3
_RETRY_SECONDS = 0.02
CONFLICTS = (asyncpg.exceptions.SerializationError, asyncpg.exceptions.DeadlockDetectedError, asyncpg.exceptions.UniqueViolationError)
"""Two transactions met: begun again, the loser sees what the winner wrote, and the rules find a natural key that was taken meanwhile."""

Work: TypeAlias = Callable[[Connection, Batch], Awaitable[tuple[list[Fact], Mapping[str, Any]]]]
"""Does the command in the transaction given and returns the facts to publish and the body of the answer; may be called again."""

Status: TypeAlias = int | Callable[[Mapping[str, Any]], int]
"""The HTTP status of an answer, or what tells it from the body."""


@dataclass(frozen=True, slots=True)
class Command:
    """
    A POST or PUT in hand: who asks, under which Idempotency-Key, with which fingerprint.

    `run` is the only way to an effect.
    """

    edge: Edge
    principal: Principal
    route: str
    path: str
    key: str
    fingerprint: bytes

    async def run(self, entity: str, work: Work, *, status: Status = 201, roles: Collection[str] = ()) -> Response:
        """
        Do `work` once for this key, publish its facts and return the answer, which has the body that `work` returned and `status`, or what
        `status` makes of that body where only the work decides (201 done, 202 waiting for somebody).

        A repeat gets the stored answer. `roles`: one of them is needed; empty, any principal will do.

        :raises Problem: 403 without the role; 404 for an unknown entity; 409 while the first request with this key is still at work;
            422 when the key was used for another request; 503 when the day keeps turning, rows stay locked or too much is asked at
            once; whatever `work` raises.
        """
        if roles and self.principal.roles.isdisjoint(roles):
            raise Problem(403, "ROLE_MISSING", f"This needs one of the roles {', '.join(sorted(roles))}.")
        if entity not in self.edge.entities.by_id:
            raise Problem(404, "ENTITY_UNKNOWN", "No such entity is declared.", [Reason(code="ENTITY_UNKNOWN", field="entity")])
        async with asyncio.timeout(COMMAND_SECONDS_MAX):
            answer, replayed = await self._until_done(entity, work, status)
        fp("api.before_answer")
        headers = {"Idempotent-Replayed": "true"} if replayed else {}
        return Response(answer.body, answer.status, headers, "application/json")

    async def _until_done(self, entity: str, work: Work, status: Status) -> tuple[Answer, bool]:
        """Begin again while the day turns (5 s) and after conflicts (three times)."""
        deadline = asyncio.get_running_loop().time() + TURN_WAIT_SECONDS_MAX
        turns = conflicts = 0
        while True:
            try:
                return await self._once(entity, work, status)
            except DayTurning:
                metrics.command_retries.labels("day_turning").inc()
                await self.edge.turns.wait(entity, turns, deadline)
                turns += 1
            except CONFLICTS:
                conflicts += 1
                if conflicts > RETRIES_MAX:
                    raise
                metrics.command_retries.labels("conflict").inc()
                await asyncio.sleep(random.uniform(0, _RETRY_SECONDS * 2**conflicts))

    async def _once(self, entity: str, work: Work, status: Status) -> tuple[Answer, bool]:
        edge, slot = self.edge, Slot(entity, self.principal.sub, self.route, self.key)
        async with edge.admission.one(), edge.database.transaction() as db:
            await db.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
            batch = await self._open_batch(db, entity)
            stored = await self._claim(db, slot, batch)
            if stored is not None:
                return stored, True
            facts, body = await self._work(db, work, batch)
            await outbox.add(db, edge.service, facts, batch)
            await self._release_awaited(db, batch)
            done = Answer(self.fingerprint, status if isinstance(status, int) else status(body), msgspec.json.encode(body))
            await self._record(db, slot, facts, done, batch)
            if facts:
                await outbox.notify(db)
            fp("api.before_commit")
        fp("api.after_commit")
        if facts:
            edge.wake.set()
        return done, False

    async def _open_batch(self, db: Connection, entity: str) -> Batch:
        try:
            open_on = await share_day(db, entity)
        except asyncpg.exceptions.LockNotAvailableError as error:
            raise DayTurning(entity) from error
        fp("api.locked")
        return Batch(self.edge.service.name, self.edge.clock(), self.edge.entities, {entity: open_on})

    async def _claim(self, db: Connection, slot: Slot, batch: Batch) -> Answer | None:
        try:
            stored = await idempotency.claim(db, slot, self.fingerprint, batch.now)
        except asyncpg.exceptions.LockNotAvailableError as error:
            detail = "The first request with this key is still being worked on."
            raise Problem(409, "IDEMPOTENCY_KEY_IN_USE", detail, headers={"Retry-After": "1"}) from error
        fp("api.idem_inserted")
        if stored is not None and stored.fingerprint != self.fingerprint:
            raise Problem(422, "IDEMPOTENCY_KEY_REUSED", "This key was used for another request; take a new one.")
        if stored is not None:
            metrics.replayed.labels(self.route).inc()
        return stored

    async def _work(self, db: Connection, work: Work, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            done = await work(db, batch)
        except asyncpg.exceptions.LockNotAvailableError as error:
            raise Problem(
                503, "BUSY", "The account is being worked on; send the same request again.", headers={"Retry-After": "1"}
            ) from error
        if batch.refused:
            raise Problem(
                422, "REFUSED", "The rules refuse this; every reason is listed.", [one for _, why in batch.refused for one in why]
            )
        assert not batch.waiting, "a command is answered now: it cannot wait for another fact"
        return done

    async def _release_awaited(self, db: Connection, batch: Batch) -> None:
        """Handle the parked facts that waited for something this command has brought; one that cannot be handled is not its fault."""
        edge = self.edge
        delivery = Delivery(edge.service, edge.database, edge.entities, edge.clock, edge.wake)
        await delivery.release_awaited(db, batch.came, batch.open_on)

    async def _record(self, db: Connection, slot: Slot, facts: Collection[Fact], done: Answer, batch: Batch) -> None:
        await audit.record(
            db,
            entity=slot.entity,
            principal=slot.principal,
            action=slot.route,
            subject=self.path,
            detail={"key": slot.key, "status": done.status, "facts": [{"type": kind_of(type(f.data)).type, "key": f.key} for f in facts]},
            recorded_at=batch.now,
        )
        await idempotency.keep(db, slot, done.status, done.body)


def principal_of(request: Request) -> Principal:
    """
    Who asks, as the gate has found it.

    :raises Problem: 401 when nobody has said so (a read that is open in development).
    """
    principal = request.scope.get("principal")
    if not isinstance(principal, Principal):
        raise Problem(401, "TOKEN_MISSING", "A bearer token is needed.", headers={"WWW-Authenticate": "Bearer"})
    return principal


PrincipalDep = Annotated[Principal, Depends(principal_of)]


async def _command(
    request: Request,
    edge: EdgeDep,
    principal: PrincipalDep,
    key: Annotated[str | None, Header(alias="Idempotency-Key", description="1 to 255 printable ASCII characters, kept for 7 days.")] = None,
) -> Command:
    given = request.headers.getlist("Idempotency-Key")
    if not given:
        raise Problem(400, "IDEMPOTENCY_KEY_MISSING", "The header Idempotency-Key is needed: one value for each intended effect.")
    if key is None or len(given) != 1 or not idempotency.is_key(key):
        raise Problem(400, "IDEMPOTENCY_KEY_INVALID", "Idempotency-Key is one value of 1 to 255 printable ASCII characters.")
    path = request.url.path
    query = request.scope.get("query_string", b"").decode("latin-1")
    fingerprint = idempotency.fingerprint_of(request.method, f"{path}?{query}", await request.body())
    return Command(edge, principal, f"{request.method} {request.scope['route'].path}", path, key, fingerprint)


CommandDep = Annotated[Command, Depends(_command)]
