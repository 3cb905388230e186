"""How commands about money and credit are refused, and how an entity that is not there is."""

from datetime import date

from chassis.database import Connection
from chassis.http import Problem
from money import format_minor

from payment.domain import RECEIPT
from payment.domain.hand import Held
from payment.handlers.decisions import DecisionUnfit
from payment.queries import reads

_TOO_LATE = frozenset(("NOTHING_FREE", "NOTHING_OPEN", "NOTHING_APPLIED", "NOTHING_KEPT", "RECEIPT_RETURNED", "AMOUNT_ABOVE_FREE"))
"""Where all reasons are of these, what was asked for was possible once: a conflict with the books, not a fault of the request."""


async def require_open_day(db: Connection, entity: str) -> date:
    """
    Return the open business day of an entity.

    :raises Problem: 404 where there is no such entity.
    """
    open_on = await reads.find_open_day(db, entity)
    if open_on is None:
        raise Problem(404, "ENTITY_UNKNOWN", "There is no such legal entity.")
    return open_on


def unfit(refused: DecisionUnfit, code: str) -> Problem:
    """Say every reason, and what is free, open or applied: 409 where the books have moved on, else 422."""
    stands = []
    if refused.held is not None:
        stands.append(f"{_free(refused.held)} of the {_name(refused.held)} is free")
    if refused.owed is not None:
        stands.append(f"{format_minor(refused.owed.open_minor, refused.owed.currency)} {refused.owed.currency} of the item is open")
    if refused.applied is not None:
        one = refused.applied
        stands.append(f"{format_minor(one.minor, one.currency)} {one.currency} of the application stands since {one.effective_on}")
    status = 409 if all(reason.code in _TOO_LATE for reason in refused.reasons) else 422
    return Problem(status, code, f"{', '.join(stands)}." if stands else "It is not possible as it was sent.", refused.reasons)


def source_unknown(kind: str) -> Problem:
    """Say that there is no such receipt or memo."""
    if kind == RECEIPT:
        return Problem(404, "RECEIPT_UNKNOWN", "The entity has no receipt with this bank reference.")
    return Problem(404, "MEMO_UNKNOWN", "The entity has no credit memo with this number.")


def _free(held: Held) -> str:
    return f"{format_minor(held.free_minor, held.currency)} {held.currency}"


def _name(held: Held) -> str:
    return "receipt" if held.source.kind == RECEIPT else "memo"
