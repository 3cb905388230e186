"""Instalments fall due when a day starts."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.invoice import InstalmentFellDue
from money import format_minor

from invoice.domain import document_id, item_id
from invoice.queries import due as queries


async def tell_fallen_due(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """Say of every instalment of these accounts that is due by `day`, and was not told of before, that it has fallen due (INV-03)."""
    facts = []
    for one in await queries.judge_due(db, entity, day, accounts):
        invoice = document_id(entity, one.document_no)
        fell_due = InstalmentFellDue(
            entity=entity,
            invoice=invoice,
            item=item_id(invoice, one.n),
            n=one.n,
            customer=one.customer,
            account=one.account,
            currency=one.currency,
            due_on=one.due_on,
            amount=format_minor(one.amount_minor, one.currency),
        )
        facts.append(Fact(fell_due, entity, f"{entity}|{one.account}", effective_on=one.due_on))
    return facts


FALLING_DUE: Final = DayWork(queries.find_accounts_due, tell_fallen_due)
"""The part of a turning day in which instalments fall due."""
