"""The work of a day that turns: what the books stood at is kept."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, Fact

from reporting.queries import closings

ALL_ACCOUNTS: Final = "*"
"""Stands for an account where a day's work is asked for: the closing is one statement over all of them."""
ONE_DAY: Final = timedelta(days=1)


async def books_to_close(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Say that there is one piece of work when `day` starts: to close the day before, for all accounts at once."""
    return [] if after else [ALL_ACCOUNTS]


async def close_books(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """Keep what the books stood at on the day before `day`, so that reports need not add up what no longer changes."""
    await closings.close(db, entity, day - ONE_DAY)
    return []
