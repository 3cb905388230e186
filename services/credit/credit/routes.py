"""Limits and exposure: how much an account may owe, and how much it does."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from chassis.database import Connection
from chassis.http import CommandDep, EntitiesDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from fastapi import APIRouter, Header, Query, Response

from credit import handlers, queries
from credit.domain import AccountKey
from credit.schemas import AccountOut, BodyRefused, CreditOut, LimitBody, LimitOut

MAY_SET_LIMITS = ("credit-analyst", "operator")

router = APIRouter()
EntityQuery = Annotated[str, Query(examples=["US01"])]


@router.put("/v1/accounts/{account}/limit", responses={200: {"model": LimitOut}})
async def set_limit(
    account: str,
    body: LimitBody,
    command: CommandDep,
    entities: EntitiesDep,
    if_match: Annotated[str | None, Header(description='The ETag that was read, as in "3"; not needed for the first limit.')] = None,
) -> Response:
    """Set the credit limit of an account in one currency. Safe to repeat; a change needs the version it replaces in If-Match."""
    try:
        asked = body.to_command(account, if_match=if_match, set_by=command.principal.sub, entities=entities.by_id)
    except BodyRefused as refused:
        raise Problem(422, "BODY_REFUSED", "The limit cannot be set as it was sent.", refused.reasons) from None

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts, limit = await handlers.set_limit(db, asked, batch)
        except handlers.LimitOutdated as refused:
            raise Problem(412, "LIMIT_OUTDATED", str(refused.__doc__)) from None
        except handlers.LimitVersionMissing as refused:
            raise Problem(428, "LIMIT_VERSION_MISSING", str(refused.__doc__)) from None
        return facts, LimitOut.of(limit).model_dump()

    response = await command.run(body.entity, work, status=200, roles=MAY_SET_LIMITS)
    if response.status_code == 200:
        response.headers["ETag"] = f'"{json.loads(bytes(response.body))["version"]}"'
    return response


@router.get("/v1/accounts/{account}/limit")
async def read_limit(account: str, entity: EntityQuery, currency: str, db: ReaderDep, response: Response) -> LimitOut:
    """Read the limit in force, with the ETag that a change has to name."""
    key = AccountKey(entity, account, currency)
    in_force = await queries.find_limit(db, key)
    if in_force is None:
        raise Problem(404, "LIMIT_UNKNOWN", "No limit was ever set for this account and currency.")
    response.headers["ETag"] = f'"{in_force[1]}"'
    return LimitOut.of(handlers.Limit(key, *in_force))


@router.get("/v1/accounts/{account}")
async def read_account(account: str, entity: EntityQuery, db: ReaderDep) -> AccountOut:
    """Read limit, exposure and what is available, by currency."""
    rows = await queries.read_account(db, entity, account)
    if not rows:
        raise Problem(404, "ACCOUNT_UNKNOWN", "This account has neither an exposure nor a limit here.")
    return AccountOut(
        entity=entity,
        account=account,
        complete_up_to=await queries.read_complete_up_to(db, entity),
        currencies=[CreditOut.of(row) for row in rows],
    )
