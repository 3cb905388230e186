"""HTTP of what people do by hand: apply, take off again, release, and why something is applied (PAY-07, PAY-08)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from chassis.database import Connection
from chassis.http import Command, CommandDep, Problem, ReaderDep
from chassis.service import Batch, Fact
from fastapi import APIRouter, Query, Response

from payment.domain import MEMO, RECEIPT, Source
from payment.domain.hand import Asked
from payment.handlers import decisions as handlers
from payment.handlers.explanations import explain
from payment.queries import ledger_reads, reads
from payment.routes import ledger
from payment.routes.refusals import source_unknown, unfit
from payment.schemas.applications import ApplyBody, MemoOut, ReleaseBody, TakeOffBody
from payment.schemas.explanations import ApplicationExplanationOut
from payment.schemas.ledger import ReceiptOut

MAY_DECIDE: Final = ("approver", "clerk")

router = APIRouter()


@router.post("/v1/receipts/{bank_ref:path}/applications", status_code=201, responses={201: {"model": ReceiptOut}})
async def apply_money(bank_ref: str, body: ApplyBody, command: CommandDep) -> Response:
    """Apply money of a receipt that is on no item to an item of the same account."""
    return await _apply(Source(RECEIPT, f"{body.entity}|{bank_ref}"), body, command)


@router.post("/v1/memos/{document_no:path}/applications", status_code=201, responses={201: {"model": MemoOut}})
async def apply_credit(document_no: str, body: ApplyBody, command: CommandDep) -> Response:
    """Apply open credit of a memo to an item of the same account."""
    return await _apply(Source(MEMO, f"{body.entity}|{document_no}"), body, command)


@router.post("/v1/receipts/{bank_ref:path}/release", responses={200: {"model": ReceiptOut}})
async def release_money(bank_ref: str, body: ReleaseBody, command: CommandDep) -> Response:
    """Let rules use again what people took off items."""
    return await _release(Source(RECEIPT, f"{body.entity}|{bank_ref}"), body, command)


@router.post("/v1/memos/{document_no:path}/release", responses={200: {"model": MemoOut}})
async def release_credit(document_no: str, body: ReleaseBody, command: CommandDep) -> Response:
    """Let rules use again what people took off items."""
    return await _release(Source(MEMO, f"{body.entity}|{document_no}"), body, command)


@router.post("/v1/applications/{application:path}/unapply", responses={200: {"model": ApplicationExplanationOut}})
async def take_off(application: str, body: TakeOffBody, command: CommandDep) -> Response:
    """
    Take an application off its item again, or a part of it, from a date of its own on; nothing is deleted.

    No rule puts it there again: only a person uses it, until it is released.
    """

    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        if application.split("|")[1:2] != [body.entity]:
            raise _application_unknown()
        try:
            asked = Asked(batch.open_on[body.entity], body.reason, command.principal.sub, body.amount, body.effective_on)
            facts = await handlers.take_off_by_hand(db, application, asked, batch)
        except handlers.ApplicationUnknown:
            raise _application_unknown() from None
        except handlers.DecisionUnfit as refused:
            raise unfit(refused, "UNAPPLICATION_REFUSED") from None
        return facts, await _explained(db, application)

    return await command.run(body.entity, work, status=200, roles=MAY_DECIDE)


@router.get("/v1/explain/applications/{application:path}")
async def explain_application(application: str, db: ReaderDep) -> ApplicationExplanationOut:
    """Say why so much of an item is paid by this money or credit: by which rule or decision, what went with it, what was taken back."""
    return ApplicationExplanationOut.model_validate(await _explained(db, application))


@router.get("/v1/memos/{document_no:path}")
async def read_memo(document_no: str, entity: Annotated[str, Query(examples=["US01"])], db: ReaderDep) -> MemoOut:
    """Read a credit memo: what is open of its credit, and what it was applied to."""
    return MemoOut.model_validate(await _shown(db, Source(MEMO, f"{entity}|{document_no}")))


async def _apply(source: Source, body: ApplyBody, command: Command) -> Response:
    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            asked = Asked(batch.open_on[body.entity], body.reason, command.principal.sub, body.amount, body.effective_on)
            facts = await handlers.apply_by_hand(db, source, body.item, asked, batch)
        except handlers.SourceUnknown:
            raise source_unknown(source.kind) from None
        except handlers.DecisionUnfit as refused:
            raise unfit(refused, "APPLICATION_REFUSED") from None
        return facts, await _shown(db, source)

    return await command.run(body.entity, work, roles=MAY_DECIDE)


async def _release(source: Source, body: ReleaseBody, command: Command) -> Response:
    async def work(db: Connection, batch: Batch) -> tuple[list[Fact], Mapping[str, Any]]:
        try:
            asked = Asked(batch.open_on[body.entity], body.reason, command.principal.sub)
            facts = await handlers.release_by_hand(db, source, asked, batch)
        except handlers.SourceUnknown:
            raise source_unknown(source.kind) from None
        except handlers.DecisionUnfit as refused:
            raise unfit(refused, "RELEASE_REFUSED") from None
        return facts, await _shown(db, source)

    return await command.run(body.entity, work, status=200, roles=MAY_DECIDE)


async def _shown(db: Connection, source: Source) -> Mapping[str, Any]:
    """Show a receipt or a memo."""
    entity, _, number = source.id.partition("|")
    if source.kind == RECEIPT:
        return (await ledger.shown(db, entity, number)).model_dump(mode="json")
    row = await ledger_reads.read_memo(db, entity, number)
    if row is None:
        raise source_unknown(MEMO)
    return MemoOut.of(row, await reads.read_credit_applications(db, row["id"])).model_dump(mode="json")


async def _explained(db: Connection, application: str) -> Mapping[str, Any]:
    told = await explain(db, application)
    if told is None:
        raise _application_unknown()
    return ApplicationExplanationOut.of(told).model_dump(mode="json")


def _application_unknown() -> Problem:
    return Problem(404, "APPLICATION_UNKNOWN", "There is no such application of a receipt or a memo.")
