"""HTTP of receipts whose payer nobody knows: the worklist, a person's word, and what is learned from it (PAY-11)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from chassis.database import Connection
from chassis.http import Command, CommandDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from events.ingress import check_identifier
from fastapi import APIRouter, Path, Query, Response

from payment.domain.aliases import Objection, State
from payment.handlers import identification
from payment.handlers.suggestions import find_matches, load_scoring
from payment.queries import identification as queries
from payment.queries import reads
from payment.queries.suggestions import list_free
from payment.schemas.suggestions import AliasesOut, AliasOut, IdentifiedOut, PayerBody, ReviewBody, UnidentifiedOut, WorklistOut

MAY_IDENTIFY: Final = ("clerk", "approver")
MAY_LINK: Final = ("approver",)
MAY_UNLINK: Final = ("clerk", "approver")
PAGE_MAX: Final = 200

_OBJECTIONS: Final[Mapping[Objection, tuple[int, str]]] = {
    "MAKER_IS_CHECKER": (403, "Whoever has taught an alias does not link it."),
    "ALIAS_DECIDED": (409, "This alias is that already."),
}

router = APIRouter(tags=["identification"])
EntityQuery = Annotated[str, Query(examples=["US01"])]
CursorQuery = Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")]
AliasId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/v1/unidentified")
async def list_unidentified(
    db: ReaderDep, entity: EntityQuery, cursor: CursorQuery = "0", limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50
) -> WorklistOut:
    """List receipts without a payer, in the order they came, with who may have paid them and what for."""
    open_on = await _find_open_day(db, entity)
    scoring, present = await load_scoring(db, entity, open_on), open_on + timedelta(days=1)
    receipts = await list_free(db, entity, is_identified=False, after=int(cursor), limit=limit + 1)
    page = receipts[:limit]
    payers = await identification.recommend_payers(db, entity, page, present, scoring) if page else {}
    found = await find_matches(db, entity, page, present, scoring)
    return WorklistOut(
        receipts=[UnidentifiedOut.of(one, found[one.id], payers.get(one.id, ()), scoring.version, open_on) for one in page],
        next_cursor=str(page[-1].id) if len(receipts) > limit else None,
    )


@router.post("/v1/receipts/{bank_ref:path}/payer", responses={200: {"model": IdentifiedOut}})
async def identify_payer(bank_ref: str, body: PayerBody, command: CommandDep) -> Response:
    """Say who paid a receipt that has no payer. Its own value date stays; the money is applied by the rules of the day."""
    if reason := check_identifier("customer", body.customer):
        raise Problem(422, "PAYER_REFUSED", "This cannot be a customer.", [reason])

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        sub = command.principal.sub
        try:
            facts, account, aliases = await identification.identify_by_person(
                db, body.entity, bank_ref, body.customer, body.reason, sub, batch, learn=body.learn
            )
        except identification.ReceiptUnknown as unknown:
            raise Problem(404, "RECEIPT_UNKNOWN", str(unknown.__doc__)) from None
        except identification.PayerKnown as known:
            raise Problem(409, "PAYER_KNOWN", str(known.__doc__)) from None
        except identification.CustomerUnknown as unknown_customer:
            raise Problem(422, "CUSTOMER_UNKNOWN", str(unknown_customer.__doc__)) from None
        out = IdentifiedOut(receipt=f"{body.entity}|{bank_ref}", account=account, aliases=aliases)
        return facts, out.model_dump(mode="json")

    return await command.run(body.entity, work, status=200, roles=MAY_IDENTIFY)


@router.get("/v1/aliases")
async def list_aliases(
    db: ReaderDep,
    entity: EntityQuery,
    state: Annotated[Literal["PENDING", "LINKED", "UNLINKED"] | None, Query()] = None,
    cursor: CursorQuery = "0",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> AliasesOut:
    """List by what payers were recognised, in the order it was learned."""
    await _find_open_day(db, entity)
    found = await queries.list_aliases(db, entity, state, int(cursor), limit + 1)
    page = found[:limit]
    return AliasesOut(aliases=[AliasOut.of(one) for one in page], next_cursor=str(page[-1].id) if len(found) > limit else None)


@router.post("/v1/aliases/{alias}/link", responses={200: {"model": AliasOut}})
async def link_alias(alias: AliasId, body: ReviewBody, command: CommandDep) -> Response:
    """Trust an alias that somebody else has taught: from the next opening it identifies by itself."""
    return await _review(alias, "LINKED", body, command, MAY_LINK)


@router.post("/v1/aliases/{alias}/unlink", responses={200: {"model": AliasOut}})
async def unlink_alias(alias: AliasId, body: ReviewBody, command: CommandDep) -> Response:
    """Trust an alias no more, from the next opening; what it has identified stays."""
    return await _review(alias, "UNLINKED", body, command, MAY_UNLINK)


async def _review(alias: int, wanted: State, body: ReviewBody, command: Command, roles: tuple[str, ...]) -> Response:
    async with command.edge.database.reading() as reading:
        stored = await queries.find_alias(reading, alias)
    if stored is None:
        raise Problem(404, "ALIAS_UNKNOWN", str(identification.AliasUnknown.__doc__))

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            reviewed = await identification.review_alias(db, alias, wanted, command.principal.sub, body.reason, batch)
        except identification.AliasRefused as refused:
            status, detail = _OBJECTIONS[refused.objection]
            raise Problem(status, refused.objection, detail) from None
        return [], AliasOut.of(reviewed).model_dump(mode="json")

    return await command.run(stored.entity, work, status=200, roles=roles)


async def _find_open_day(db: Connection, entity: str) -> date:
    open_on = await reads.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    return open_on
