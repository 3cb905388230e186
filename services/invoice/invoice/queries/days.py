"""The business day that is open."""

from datetime import date

from chassis.database import Connection


async def find_open_day(db: Connection, entity: str) -> date | None:
    """Return the business day that is open for an entity, or None for one that is not declared."""
    opened: date | None = await db.fetchval("SELECT open_on FROM chk.day WHERE entity = $1", entity)
    return opened
