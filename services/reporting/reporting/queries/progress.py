"""How far the read model is."""

from dataclasses import dataclass
from datetime import date

from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class Freshness:
    """
    How far the read model is (RPT-14).

    `complete_up_to` is the last closed day, None before the entity's first fact or marker was met. The counts are facts set aside, held
    back, and come after their day had closed.
    """

    complete_up_to: date | None
    parked: int
    held: int
    late: int


async def freshness(db: Connection, entity: str) -> Freshness:
    """Say up to which day the entity's figures are complete, and what stands beside them. Facts nobody could read count everywhere."""
    row = await db.fetchrow(
        """
        SELECT
            (SELECT open_on - 1 FROM chassis.day WHERE entity = $1) AS complete_up_to,
            (SELECT count(*) FROM chassis.parked WHERE state = 'parked' AND split_part(key, '|', 1) IN ($1, '?')) AS parked,
            (SELECT count(*) FROM chassis.held WHERE entity = $1) AS held,
            coalesce((SELECT late FROM chassis.day WHERE entity = $1), 0) AS late
        """,
        entity,
    )
    return Freshness(**row)
