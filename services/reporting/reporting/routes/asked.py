"""What every report is asked for: an entity, the days it is about, where a list goes on."""

from datetime import date
from typing import Annotated

from chassis.database import Connection
from chassis.entities import Entities, Entity
from chassis.http import Problem
from fastapi import Query
from pydantic import Field

from reporting.queries import customers, progress
from reporting.schemas.reports import Asked

EntityId = Annotated[str, Query(description="A legal entity of the entities file.", max_length=20)]
BusinessDate = Annotated[date, Query(ge=date(1970, 1, 1), le=date(2999, 12, 31))]
AsOf = Annotated[BusinessDate | None, Query(description="What is effective on or before this day counts. Left out: the last closed day.")]
CustomerId = Annotated[str, Field(min_length=1, max_length=64)]
KnownAt = Annotated[BusinessDate | None, Query(description="What was booked on or before this day counts. Left out: everything known.")]
From = Annotated[BusinessDate, Query(alias="from", description="The first day asked about.")]
Until = Annotated[BusinessDate, Query(description="The last day asked about.")]
Cursor = Annotated[str, Query(max_length=400)]


async def resolve(
    db: Connection, entities: Entities, entity: str, as_of: date | None, known_at: date | None
) -> tuple[Asked, progress.Freshness]:
    """
    Resolve what is asked about; `as_of` falls back to the last closed day, before there is one to the day the books open on.

    :raises Problem: 404 for an entity that is not declared.
    """
    declared = declared_entity(entities, entity)
    freshness = await progress.freshness(db, entity)
    return Asked(entity, as_of or freshness.complete_up_to or declared.opens_on, known_at, freshness.complete_up_to), freshness


def declared_entity(entities: Entities, entity: str) -> Entity:
    """
    Return a declared entity.

    :raises Problem: 404 for any other.
    """
    found = entities.by_id.get(entity)
    if found is None:
        raise Problem(404, "ENTITY_UNKNOWN", "The entities file declares no such entity.")
    return found


async def require_customer(db: Connection, entity: str, customer: str) -> None:
    """
    Let pass a customer of whom something has been heard.

    :raises Problem: 404 for any other.
    """
    if not await customers.has_heard_of(db, entity, customer):
        raise Problem(404, "CUSTOMER_UNKNOWN", "Nothing has been heard of such a customer of this entity.")


def require_order(first: date, last: date) -> None:
    """
    Let pass days in their order.

    :raises Problem: 422 where the last one is before the first.
    """
    if last < first:
        raise Problem(422, "DAYS_OUT_OF_ORDER", "`until` is before `from`.")
