"""The worklist of what was found about items and payments."""

from typing import Annotated, Final, Literal

from chassis.http import EntitiesDep, ReaderDep
from fastapi import APIRouter, Query

from reporting.queries import findings
from reporting.routes.asked import Cursor, CustomerId, EntityId, resolve
from reporting.schemas.findings import FindingRow, FindingsOut

FINDINGS_MAX: Final = 1000

router = APIRouter()


@router.get("/v1/payment-findings", tags=["worklists"])
async def payment_findings(
    db: ReaderDep,
    entities: EntitiesDep,
    entity: EntityId,
    kind: Literal["short_payment", "unearned_discount", "overpayment"] | None = None,
    customer: CustomerId | None = None,
    only_open: Annotated[bool, Query(description="Leave out findings whose item is settled by now.")] = False,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=FINDINGS_MAX)] = 100,
) -> FindingsOut:
    """List short payments, discounts taken too late and overpayments, each as of the day that closed, the oldest first (PAY-08, PAY-09)."""
    asked, _ = await resolve(db, entities, entity, None, None)
    found = await findings.listed(db, entity, kind=kind, account=customer, only_open=only_open, after=cursor, limit=limit + 1)
    page = found[:limit]
    return FindingsOut(
        entity=entity,
        complete_up_to=asked.complete_up_to,
        findings=[FindingRow.of(one) for one in page],
        next_cursor=page[-1].finding.finding if len(found) > limit else None,
    )
