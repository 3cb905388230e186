"""HTTP of policies: proposed by a maker, decided about by a checker, read by anybody."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from chassis.database import Connection
from chassis.http import Command, CommandDep, EntitiesDep, Problem, ReaderDep
from chassis.http.bodies import Day
from chassis.service import Batch, Fact
from events.invoice import Reason
from fastapi import APIRouter, Path, Query, Response

from policies import handlers, queries
from policies.kinds import Kinds, examine
from policies.schemas import AllInForceOut, InForceOut, PoliciesOut, PolicyBody, PolicyOut, RejectionBody, standards
from policies.versions import Objection, Status, in_force

MAY_PROPOSE: Final = ("policy_maker",)
MAY_DECIDE: Final = ("policy_checker",)
PAGE_MAX: Final = 200
FIELD_LENGTH_MAX: Final = 64

_OBJECTIONS: Final[Mapping[Objection, tuple[int, str]]] = {
    "MAKER_IS_CHECKER": (403, "Whoever has proposed a policy does not decide about it."),
    "PROPOSAL_DECIDED": (409, "This policy was decided about already."),
    "PROPOSAL_EXPIRED": (409, "Nobody has decided about this policy in time; propose it again."),
}

EntityQuery = Annotated[str, Query(examples=["US01"])]
KindQuery = Annotated[str | None, Query(description="A kind of policy; all of them when left out.", examples=["tolerances"])]
PolicyId = Annotated[int, Path(ge=1, le=2**63 - 1)]


def policy_router(kinds: Kinds, publish: handlers.Publish) -> APIRouter:
    """Return the routes of the policies of one service: those of these kinds, published as `publish` says."""
    of = _PolicyRoutes(kinds, publish)
    router = APIRouter(tags=["policies"])
    shown: dict[int | str, dict[str, Any]] = {200: {"model": PolicyOut}}
    router.add_api_route("/v1/policies", of.propose_policy, methods=["POST"], status_code=201, responses={201: {"model": PolicyOut}})
    router.add_api_route("/v1/policies/{policy}/approve", of.approve_policy, methods=["POST"], responses=shown)
    router.add_api_route("/v1/policies/{policy}/reject", of.reject_policy, methods=["POST"], responses=shown)
    router.add_api_route("/v1/policies", of.list_policies, methods=["GET"])
    router.add_api_route("/v1/policies/in-force", of.read_policies_in_force, methods=["GET"])
    router.add_api_route("/v1/policies/{policy}", of.read_policy, methods=["GET"])
    return router


class _PolicyRoutes:
    """One method per route; what differs between services is told to the constructor."""

    def __init__(self, kinds: Kinds, publish: handlers.Publish) -> None:
        self._kinds = kinds
        self._publish = publish

    async def propose_policy(self, body: PolicyBody, command: CommandDep, entities: EntitiesDep) -> Response:
        """Propose a policy. Needs the role policy_maker. It is in force when somebody else has approved it, from the next opening on."""
        faults = examine(self._kinds, body.kind, body.valid_from, body.body)
        reasons = entities.reasons_against(body.entity, None)
        reasons += [Reason(code=fault.code, field=_shown(fault.field)) for fault in faults]
        if reasons:
            raise Problem(422, "POLICY_REFUSED", "The policy is not acceptable as it was sent.", reasons)

        async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
            sub = command.principal.sub
            stored = await handlers.propose_policy(db, body.entity, body.kind, body.valid_from, body.body, sub, batch)
            return [], _out(stored, batch)

        return await command.run(body.entity, work, roles=MAY_PROPOSE)

    async def approve_policy(self, policy: PolicyId, command: CommandDep) -> Response:
        """Approve a policy that somebody else has proposed. Needs the role policy_checker."""

        async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
            try:
                facts, stored = await handlers.approve_policy(db, policy, command.principal.sub, self._publish, batch)
            except handlers.ProposalNotDecided as refused:
                raise _problem(refused) from None
            return facts, _out(stored, batch)

        return await command.run(await _entity_of(policy, command), work, status=200, roles=MAY_DECIDE)

    async def reject_policy(self, policy: PolicyId, body: RejectionBody, command: CommandDep) -> Response:
        """Reject a policy that somebody else has proposed. Needs the role policy_checker."""

        async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
            try:
                stored = await handlers.reject_policy(db, policy, command.principal.sub, body.reason, batch)
            except handlers.ProposalNotDecided as refused:
                raise _problem(refused) from None
            return [], _out(stored, batch)

        return await command.run(await _entity_of(policy, command), work, status=200, roles=MAY_DECIDE)

    async def list_policies(
        self,
        db: ReaderDep,
        entity: EntityQuery,
        kind: KindQuery = None,
        status: Status | None = None,
        cursor: Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")] = "0",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
    ) -> PoliciesOut:
        """
        List the policies of an entity in the order they were proposed, whatever became of them, and the standards they stand in place of.
        """
        open_on = await _find_open_day(db, entity)
        kinds = self._asked(kind)
        found = await queries.list_policies(db, entity, kind=kind, status=status, open_on=open_on, after=int(cursor), limit=limit + 1)
        page = found[:limit]
        return PoliciesOut(
            policies=[PolicyOut.of(stored, open_on) for stored in page],
            standards=standards(kinds),
            next_cursor=str(page[-1].id) if len(found) > limit else None,
        )

    async def read_policies_in_force(
        self,
        db: ReaderDep,
        entity: EntityQuery,
        kind: KindQuery = None,
        on: Annotated[Day | None, Query(description="The day that something is dated; the open business day when left out.")] = None,
    ) -> AllInForceOut:
        """Say which policies count for what is dated on a day, the standard where an entity has none."""
        open_on = await _find_open_day(db, entity)
        day, kinds = on or open_on, self._asked(kind)
        versions = await queries.load_kinds_in_force(db, kinds, {entity: open_on})
        found = [InForceOut.of(one, in_force(versions.get((entity, name), ()), day)) for name, one in kinds.items()]
        return AllInForceOut(entity=entity, on=day, policies=found)

    async def read_policy(self, policy: PolicyId, db: ReaderDep) -> PolicyOut:
        """Read one policy."""
        stored = await queries.find_policy(db, policy)
        if stored is None:
            raise _unknown()
        return PolicyOut.of(stored, await _find_open_day(db, stored.entity))

    def _asked(self, kind: str | None) -> Kinds:
        if kind is None:
            return self._kinds
        if kind not in self._kinds:
            raise Problem(404, "KIND_UNKNOWN", "There is no such kind of policy.", [Reason(code="KIND_UNKNOWN", field="kind")])
        return {kind: self._kinds[kind]}


async def _entity_of(policy: int, command: Command) -> str:
    """Find whose policy it is, before the command takes that entity's day."""
    async with command.edge.database.reading() as db:
        entity = await queries.find_entity(db, policy)
    if entity is None:
        raise _unknown()
    return entity


async def _find_open_day(db: Connection, entity: str) -> date:
    open_on = await queries.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    return open_on


def _out(stored: queries.StoredPolicy, batch: Batch) -> Mapping[str, Any]:
    return PolicyOut.of(stored, batch.open_on[stored.entity]).model_dump(mode="json")


def _shown(field: str) -> str:
    """The path of a fault, cut where names that the sender made up are long."""
    return field if len(field) <= FIELD_LENGTH_MAX else f"{field[: FIELD_LENGTH_MAX - 1]}…"


def _problem(refused: handlers.ProposalNotDecided) -> Problem:
    status, detail = _OBJECTIONS[refused.objection]
    return Problem(status, refused.objection, detail)


def _unknown() -> Problem:
    return Problem(404, "POLICY_UNKNOWN", "There is no policy of this number.")
