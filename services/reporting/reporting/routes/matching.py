"""How well money was matched (PAY-17)."""

from chassis.http import EntitiesDep, ReaderDep
from fastapi import APIRouter

from reporting.domain import match_quality
from reporting.queries import matching
from reporting.routes.asked import AsOf, EntityId, From, Until, require_order, resolve
from reporting.schemas.matching import MatchQualityOut, MatchQualityRow

router = APIRouter()


@router.get("/v1/match-quality", tags=["reports"])
async def quality(
    db: ReaderDep, entities: EntitiesDep, entity: EntityId, from_on: From, until: Until, as_of: AsOf = None
) -> MatchQualityOut:
    """
    Count what of the money booked in these days found its items without a person, by what was booked on or before `as_of`.

    What of the suggestions made in them was taken; and how old the money is that is free on `as_of`.
    """
    require_order(from_on, until)
    asked, _ = await resolve(db, entities, entity, as_of, None)
    found = await matching.matched(db, entity, from_on, until, asked.as_of)
    return MatchQualityOut(
        entity=entity,
        from_on=from_on,
        until=until,
        as_of=asked.as_of,
        complete_up_to=asked.complete_up_to,
        rows=[MatchQualityRow.of(match_quality(one)) for one in found],
    )
