"""
The work of a day that turns: each part lists the names it concerns, and judges them a chunk at a time.

Accounts come before receipts without a payer, which stand under names of their own: those that find their payer are booked on the day that
starts, and by then every account has been judged by the books of the day that closed. Receipts whose money is divided among accounts come
last, for the same reason.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact

from payment.handlers import findings, identification, overdue, payers, references, refunds, revaluation, spreading, suggestions
from payment.handlers.payers import UNIDENTIFIED
from payment.handlers.spreading import SPREAD

BANK_ACCOUNTS: Final = DayWork(payers.find_receipts_newly_known, payers.identify_newly_known)
OF_ACCOUNTS: Final[tuple[DayWork, ...]] = (
    refunds.EXPIRY,
    overdue.OVERDUE,
    findings.FINDING,
    revaluation.REVALUING,
    suggestions.SUGGESTING,
)
OF_RECEIPTS: Final[tuple[DayWork, ...]] = (BANK_ACCOUNTS, references.NAMING, identification.IDENTIFYING, suggestions.SUGGESTING)
"""In the order in which the facts of one name are told. What is identified needs no suggestion any more."""
_BEHIND_RECEIPTS: Final = f"{UNIDENTIFIED[:-1]}{chr(ord(UNIDENTIFIED[-1]) + 1)}"
"""The first name behind all those of receipts without a payer."""


async def find_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """
    Return the next names that some part has work for when `day` starts.

    Accounts, sorted, then receipts without a payer, sorted, then receipts that name documents of several accounts, sorted.
    """
    names: list[str] = []
    if not after.startswith(UNIDENTIFIED):
        names = await _next_accounts(db, entity, day, after, limit)
        after = UNIDENTIFIED
    if len(names) < limit and not after.startswith(SPREAD):
        names += await _next_receipts(db, entity, day, after, limit - len(names))
        after = SPREAD
    if len(names) < limit:
        names += await spreading.SPREADING.accounts(db, entity, day, after, limit - len(names))
    return names


async def begin_day(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """Do the day's work for these names, over the books as they stand: exactly what was booked before `day`."""
    named = [name for name in accounts if name.startswith(SPREAD)]
    receipts = [name for name in accounts if name.startswith(UNIDENTIFIED) and not name.startswith(SPREAD)]
    known = [name for name in accounts if not name.startswith(UNIDENTIFIED)]
    parts = [(part, known) for part in OF_ACCOUNTS] + [(part, receipts) for part in OF_RECEIPTS] + [(spreading.SPREADING, named)]
    return [fact for part, names in parts if names for fact in await part.work(db, entity, day, names, batch)]


async def _next_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    accounts: set[str] = set()
    for part in OF_ACCOUNTS:
        names = await part.accounts(db, entity, day, after, limit)
        if any(name.startswith(UNIDENTIFIED) for name in names):
            names += await part.accounts(db, entity, day, _BEHIND_RECEIPTS, limit)
        accounts.update(name for name in names if not name.startswith(UNIDENTIFIED))
    return sorted(accounts)[:limit]


async def _next_receipts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    receipts: set[str] = set()
    for part in OF_RECEIPTS:
        receipts.update(name for name in await part.accounts(db, entity, day, after, limit) if name.startswith(UNIDENTIFIED))
    return sorted(receipts)[:limit]
