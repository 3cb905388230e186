"""Key figures as the report and the page show them."""

from typing import Final

from chassis.database import Connection

from reporting import domain
from reporting.queries import figures, standings
from reporting.schemas.reports import Asked

KPI_DAYS: Final = 90


async def measure(db: Connection, asked: Asked, days: int) -> list[domain.Kpis]:
    """Measure every currency of an entity, over so many days before the day asked about (RPT-03)."""
    periods = await figures.sold_and_written_off(db, asked.entity, asked.as_of, days, asked.known_at)
    found = await standings.standing_of_entity(db, asked.entity, asked.as_of, asked.known_at)
    return [domain.kpis(standing, *periods.get(standing.currency, figures.NOTHING), days) for standing in found]
