"""
Customers and their parents, in the table `customer_parent` of the service's own database. Nothing here commits.

What is booked on a day counts from the next opening. A customer that never had a parent has no row; of several facts of one customer and
day the greatest parent counts, and any before none, so that their order and number change nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection
from events.erp import CustomerUpserted
from events.ingress import check_identifier
from events.invoice import Reason

from policies.hierarchy import DEPTH_MAX, accounts_of


@dataclass(frozen=True, slots=True)
class NewParent:
    """The customer under whose account another settles, as booked on a day; None: its own."""

    entity: str
    customer: str
    booked_on: date
    parent: str | None


def reasons_against(customer: CustomerUpserted) -> list[Reason]:
    """Return every reason why these cannot be a customer and its parent; the entity is the caller's to check."""
    named = [("customer", customer.customer), ("parent", customer.parent)]
    reasons = [reason for field, value in named if value is not None and (reason := check_identifier(field, value)) is not None]
    if customer.parent == customer.customer:
        reasons.append(Reason(code="PARENT_OF_ITSELF", field="parent"))
    return reasons


async def keep_parents(db: Connection, new: Collection[NewParent]) -> None:
    """Keep the parents of customers as of their booked day; that there is none only where there was one before."""
    latest: dict[tuple[str, str, date], str] = {}
    for one in new:
        key = (one.entity, one.customer, one.booked_on)
        latest[key] = max(latest.get(key, ""), one.parent or "")
    rows = sorted((*key, parent or None) for key, parent in latest.items())
    if not rows:
        return
    await db.execute(
        """
        INSERT INTO customer_parent (entity, customer, booked_on, parent)
        SELECT new.entity, new.customer, new.booked_on, new.parent
        FROM unnest($1::text[], $2::text[], $3::date[], $4::text[]) AS new (entity, customer, booked_on, parent)
        WHERE new.parent IS NOT NULL OR EXISTS (
            SELECT FROM customer_parent AS earlier
            WHERE earlier.entity = new.entity AND earlier.customer = new.customer AND earlier.booked_on < new.booked_on
        )
        ON CONFLICT (entity, customer, booked_on) DO UPDATE SET parent = excluded.parent
        WHERE coalesce(excluded.parent, '') COLLATE "C" > coalesce(customer_parent.parent, '') COLLATE "C"
        """,
        [entity for entity, _, _, _ in rows],
        [customer for _, customer, _, _ in rows],
        [booked_on for _, _, booked_on, _ in rows],
        [parent for _, _, _, parent in rows],
    )


async def load_accounts(db: Connection, customers: Collection[tuple[str, str]], before: Mapping[str, date]) -> dict[tuple[str, str], str]:
    """
    Return the account of each customer (entity, customer) asked for, by the parents booked before the entity's day in `before`.

    Unknown customers are their own accounts.
    """
    asked = sorted(set(customers))
    if not asked:
        return {}
    rows = await db.fetch(
        f"""
        WITH RECURSIVE line (entity, before, customer, parent, depth) AS (
            SELECT asked.entity, asked.before, asked.customer, said.parent, 0
            FROM unnest($1::text[], $2::text[], $3::date[]) AS asked (entity, customer, before)
            CROSS JOIN LATERAL (
                SELECT parent FROM customer_parent
                WHERE customer_parent.entity = asked.entity AND customer_parent.customer = asked.customer
                    AND customer_parent.booked_on < asked.before
                ORDER BY customer_parent.booked_on DESC LIMIT 1
            ) AS said
            UNION
            SELECT line.entity, line.before, line.parent, said.parent, line.depth + 1
            FROM line
            CROSS JOIN LATERAL (
                SELECT parent FROM customer_parent
                WHERE customer_parent.entity = line.entity AND customer_parent.customer = line.parent
                    AND customer_parent.booked_on < line.before
                ORDER BY customer_parent.booked_on DESC LIMIT 1
            ) AS said
            WHERE line.depth < {DEPTH_MAX}
        )
        SELECT DISTINCT entity, customer, parent FROM line WHERE parent IS NOT NULL
        """,
        [entity for entity, _ in asked],
        [customer for _, customer in asked],
        [before[entity] for entity, _ in asked],
    )
    parents: dict[str, dict[str, str]] = {}
    for row in rows:
        parents.setdefault(row["entity"], {})[row["customer"]] = row["parent"]
    wanted: dict[str, list[str]] = {}
    for entity, customer in asked:
        wanted.setdefault(entity, []).append(customer)
    return {
        (entity, customer): account
        for entity, of_entity in wanted.items()
        for customer, account in accounts_of(of_entity, parents.get(entity, {})).items()
    }
