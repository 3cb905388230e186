"""What customers were told, and what they are called."""

from collections.abc import Sequence

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events import dunning, erp
from events.ingress import check_identifier

from reporting.queries import folds


async def record_notices(db: Connection, facts: Sequence[Received[dunning.DunningNoticeSent]], batch: Batch) -> list[Fact]:
    """Keep which dunning level an account was told, and when."""
    await folds.save_notices(db, facts)
    return []


async def name_customers(db: Connection, facts: Sequence[Received[erp.CustomerUpserted]], batch: Batch) -> list[Fact]:
    """Keep the names that the page shows; of several, the last one of the customer's partition counts. What cannot be a key is refused."""
    names: dict[tuple[str, str], str] = {}
    for fact in facts:
        reasons = batch.entities.reasons_against(fact.entity, fact.envelope)
        if reason := check_identifier("customer", fact.data.customer):
            reasons.append(reason)
        if reasons:
            batch.refuse(fact, reasons)
        else:
            names[fact.entity, fact.data.customer] = fact.data.name
    await folds.save_names(db, names)
    return []
