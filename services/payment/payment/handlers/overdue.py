"""Items become overdue when the day after their due date starts."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.payment import InstalmentOverdue
from money import format_minor

from payment.queries import overdue as queries


async def tell_overdue(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Say of every item of these accounts that was due before `day` and is open that it is overdue, once for an item (INV-03).

    Effective on `day`: that is the day after it was due, unless it came, or was opened again, later than that.
    """
    facts = []
    for one in await queries.tell(db, entity, day, accounts):
        invoice = f"{entity}|{one.document_no}"
        overdue = InstalmentOverdue(
            entity=entity,
            item=f"{invoice}|{one.n}",
            invoice=invoice,
            n=one.n,
            customer=one.customer,
            account=one.account,
            currency=one.currency,
            due_on=one.due_on,
            open=format_minor(one.open_minor, one.currency),
            days=(day - one.due_on).days,
        )
        facts.append(Fact(overdue, entity, f"{entity}|{one.account}", effective_on=day))
    return facts


OVERDUE: Final = DayWork(queries.find_accounts, tell_overdue)
"""The part of a turning day in which items become overdue."""
