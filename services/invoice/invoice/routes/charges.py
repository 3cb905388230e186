"""HTTP of late charges: what was charged, and what would be. A posted charge is waived by an adjustment of kind `fee_waiver`."""

from datetime import date
from typing import Annotated, Final

from chassis.database import Connection
from chassis.http import Problem, ReaderDep
from fastapi import APIRouter, Query

from invoice.domain import last_closed
from invoice.domain.interest import ONE_DAY
from invoice.handlers import charges as handlers
from invoice.queries import charges as queries
from invoice.queries import days
from invoice.routes.cursors import read_cursor, write_cursor
from invoice.schemas.charges import LateChargeOut, LateChargesOut, PreviewOut
from invoice.schemas.values import Day

PAGE_MAX: Final = 200

router = APIRouter(tags=["late charges"])
EntityQuery = Annotated[str, Query(examples=["US01"])]


@router.get("/v1/late-charges")
async def list_late_charges(
    db: ReaderDep,
    entity: EntityQuery,
    account: Annotated[str | None, Query(examples=["C-1"])] = None,
    document_no: Annotated[str | None, Query(description="The document that was late.", examples=["INV-1"])] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> LateChargesOut:
    """List late charges by number."""
    await _find_open_day(db, entity)
    after = "" if cursor is None else read_cursor(cursor)
    found = await queries.list_charges(db, entity, account, document_no, after, limit + 1)
    page = found[:limit]
    return LateChargesOut(
        late_charges=[LateChargeOut.of(stored) for stored in page],
        next_cursor=write_cursor(page[-1].charge_no) if len(found) > limit else None,
    )


@router.get("/v1/late-charges/preview")
async def preview_late_charges(
    db: ReaderDep,
    entity: EntityQuery,
    document_no: Annotated[str, Query(examples=["INV-1"])],
    as_of: Annotated[Day | None, Query(description="The last day that counts; the last closed business day when left out.")] = None,
    known_at: Annotated[Day | None, Query(description="Count what was booked on or before this day; the open one when left out.")] = None,
) -> PreviewOut:
    """Say what a document owes for being late, day range by day range, under the policies in force. Nothing is charged by it."""
    open_on = await _find_open_day(db, entity)
    through_on, known_through = as_of or last_closed(open_on), known_at or open_on
    before = min(open_on, known_through + ONE_DAY)  # What is booked on a day is in force from the next.
    assessed = await handlers.preview(db, entity, document_no, through_on, known_through, before)
    if not assessed:
        raise Problem(404, "DOCUMENT_UNKNOWN", "The entity has, or had then, no such document that bears interest.")
    return PreviewOut.of(assessed, through_on, known_through)


@router.get("/v1/late-charges/{charge_no:path}")  # A path, because ERPs number like 2026/0001, and charges like what they are for.
async def read_late_charge(charge_no: str, db: ReaderDep, entity: EntityQuery) -> LateChargeOut:
    """Read a late charge: how it was computed, day range by day range, and which document it became."""
    stored = await queries.find_charge(db, entity, charge_no)
    if stored is None:
        raise Problem(404, "LATE_CHARGE_UNKNOWN", "The entity has no such late charge.")
    return LateChargeOut.of(stored)


async def _find_open_day(db: Connection, entity: str) -> date:
    open_on = await days.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    return open_on
