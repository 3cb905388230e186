"""HTTP of the settlement ledger: receipts in, what became of them out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from chassis.database import Connection
from chassis.http import CommandDep, EntitiesDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from fastapi import APIRouter, Query, Response

from payment import handlers
from payment.queries import reads, transfers
from payment.routes.refusals import require_open_day
from payment.schemas.ledger import AccountOut, BalanceOut, ItemOut, ItemsOut, ReceiptBody, ReceiptLineOut, ReceiptOut, ReceiptsOut
from payment.schemas.values import Day

MAY_RECORD: Final = ("clerk", "service")
PAGE_MAX: Final = 1000

router = APIRouter()
EntityQuery = Annotated[str, Query(examples=["US01"])]


@router.post("/v1/receipts", status_code=201, responses={201: {"model": ReceiptOut}})
async def record_receipt(body: ReceiptBody, command: CommandDep, entities: EntitiesDep) -> Response:
    """Record money received. Safe to repeat: the same reference with the same content is one receipt, with other content refused (409)."""
    entry = handlers.read_entry(body.to_entry(), entities, None, method=body.method)
    if not isinstance(entry, handlers.Entry):
        raise Problem(422, "RECEIPT_REFUSED", "The receipt cannot be recorded as it was sent.", entry)

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            facts = await handlers.record_receipt(db, entry, batch)
        except handlers.ReceiptConflict as conflict:
            raise Problem(409, handlers.CONFLICT.code, str(conflict.__doc__), [handlers.CONFLICT]) from None
        return facts, (await shown(db, entry.entity, entry.bank_ref)).model_dump(mode="json")

    return await command.run(entry.entity, work, roles=MAY_RECORD)


@router.get("/v1/receipts")
async def list_receipts(
    entity: EntityQuery,
    db: ReaderDep,
    account: Annotated[str | None, Query(examples=["C-1"])] = None,
    state: Literal["unidentified", "open", "placed", "returned"] | None = None,
    value_from: Annotated[Day | None, Query(alias="from", description="A value date; included.")] = None,
    value_to: Annotated[Day | None, Query(alias="until", description="A value date; included.")] = None,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")] = "0",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
) -> ReceiptsOut:
    """
    List the receipts of an entity in the order they came, with where their money is.

    `state` is `unidentified`, `open` while money of a known payer is on no item, `placed` when nothing is left, or `returned`.
    """
    await require_open_day(db, entity)
    wanted = reads.ReceiptFilter(entity, account, state, value_from, value_to)
    found = await reads.list_receipts(db, wanted, int(cursor), limit + 1)
    page = found[:limit]
    return ReceiptsOut(receipts=[ReceiptLineOut.line(row) for row in page], next_cursor=str(page[-1]["id"]) if len(found) > limit else None)


@router.get("/v1/receipts/{bank_ref:path}")  # A path, because banks number like 2026/0001.
async def read_receipt(bank_ref: str, entity: EntityQuery, db: ReaderDep) -> ReceiptOut:
    """Read a receipt: where its money is, and what it was applied to."""
    return await shown(db, entity, bank_ref)


async def shown(db: Connection, entity: str, bank_ref: str) -> ReceiptOut:
    """
    Show a receipt.

    :raises Problem: 404 where there is none.
    """
    row = await reads.read_receipt(db, entity, bank_ref)
    if row is None:
        raise Problem(404, "RECEIPT_UNKNOWN", "The entity has no receipt with this bank reference.")
    applications, allowances = await reads.read_applications(db, row["id"]), await reads.read_allowances(db, row["id"])
    return ReceiptOut.of(row, applications, allowances, await transfers.read_transfers(db, row["id"]))


@router.get("/v1/items")
async def read_items(
    entity: EntityQuery,
    db: ReaderDep,
    account: Annotated[str | None, Query(examples=["C-1"])] = None,
    is_open: Annotated[bool | None, Query(alias="open", description="Only items that are open, or only items that are not.")] = None,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{1,18}$", description="The `next_cursor` of the page before.")] = "0",
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
) -> ItemsOut:
    """List the items of an entity, or of one account of it, in the order they came."""
    await require_open_day(db, entity)
    found = await reads.read_items(db, entity, account, is_open, int(cursor), limit + 1)
    page = found[:limit]
    return ItemsOut(items=[ItemOut.of(row) for row in page], next_cursor=str(page[-1]["id"]) if len(found) > limit else None)


@router.get("/v1/accounts/{account:path}")
async def read_account(account: str, entity: EntityQuery, db: ReaderDep) -> AccountOut:
    """Read what an account owes and what it has with us, by currency."""
    open_on = await require_open_day(db, entity)
    rows = await reads.read_balances(db, entity, account)
    if not rows:
        raise Problem(404, "ACCOUNT_UNKNOWN", "Nothing of this account has come here.")
    return AccountOut(
        entity=entity, account=account, complete_up_to=open_on - timedelta(days=1), balances=[BalanceOut.of(row) for row in rows]
    )
