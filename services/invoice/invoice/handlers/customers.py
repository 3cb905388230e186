"""Customers: under whose account they settle."""

from collections.abc import Sequence

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.erp import CustomerUpserted
from policies.customers import NewParent, keep_parents, reasons_against


async def remember_parents(db: Connection, received: Sequence[Received[CustomerUpserted]], batch: Batch) -> list[Fact]:
    """Keep customers' parents as of the open day; they count from the next opening (PAY-11). Publishes nothing."""
    parents: list[NewParent] = []
    for one in received:
        customer = one.data
        reasons = batch.entities.reasons_against(customer.entity, one.envelope) + reasons_against(customer)
        if reasons:
            batch.refuse(one, reasons)
        else:
            parents.append(NewParent(customer.entity, customer.customer, one.booked_on, customer.parent))
    await keep_parents(db, parents)
    return []
