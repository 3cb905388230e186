"""The work of a day that turns: each part lists the accounts it concerns, and judges them a chunk at a time."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact

from invoice.handlers import adjustments, billing, charges, due, memo_requests, returned_payments

PARTS: Final[tuple[DayWork, ...]] = (
    due.FALLING_DUE,
    adjustments.EXPIRY,
    memo_requests.EXPIRY,
    charges.CHARGING,
    returned_payments.BILLING,
    billing.WORK,
)
"""In the order in which an account's facts of the day are told. Billing is last: the others judge what was booked before the day."""


async def find_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, that some part has work for when `day` starts."""
    accounts: set[str] = set()
    for part in PARTS:
        accounts.update(await part.accounts(db, entity, day, after, limit))
    return sorted(accounts)[:limit]


async def begin_day(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """Do the day's work for these accounts, over the books as they stand: exactly what was booked before `day`."""
    return [fact for part in PARTS for fact in await part.work(db, entity, day, accounts, batch)]
