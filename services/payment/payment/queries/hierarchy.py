"""Groups of companies: whose accounts belong together."""

from collections.abc import Collection
from datetime import date

from chassis.database import Connection
from policies.customers import load_accounts


async def in_one_group(db: Connection, entity: str, accounts: Collection[str], day: date) -> bool:
    """Say whether accounts belong to customers who settle under one account on a day, by the parents booked before it (PAY-11)."""
    roots = await load_accounts(db, [(entity, account) for account in accounts], {entity: day})
    return len(set(roots.values())) <= 1
