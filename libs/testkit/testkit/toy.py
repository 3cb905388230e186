"""
A service with no rules of its own, for testing the chassis: it writes down every fact it is given, and does as the document number says.

`FAIL…` cannot be handled while `broken` holds it; `WAIT:x…` waits until `x` is there; `REFUSE…` (ingress) is refused. Each fact it handles
is published as `CreditMemoIssued` of the same number, so that what comes out can be counted.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact, Received, Refusal, Service, subscribe
from events import erp, invoice, payment
from events.invoice import Reason
from fastapi import APIRouter

router = APIRouter()
broken: set[str] = set()

TABLES = """
CREATE TABLE IF NOT EXISTS effect (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entity text, key text, document_no text, booked_on date, topic text
);
CREATE TABLE IF NOT EXISTS work (entity text, day date, account text, effects bigint, PRIMARY KEY (entity, day, account));
"""


class Poisonous(Exception):
    """The toy cannot handle this fact."""


async def note(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
    """Write every fact down once and answer it with one of our own."""
    there = {row["document_no"] for row in await db.fetch("SELECT document_no FROM effect")}
    published = []
    for received in facts:
        number = received.data.document_no
        if number in broken:
            raise Poisonous(number)
        if number.startswith("REFUSE"):
            batch.refuse(received, [Reason(code="NOT_LIKED", field="document_no"), Reason(code="NOT_LIKED", field="total")])
            continue
        awaited = number.partition("WAIT:")[2]
        if awaited and awaited not in there:
            batch.wait(received, awaited)
            continue
        there.add(number)
        batch.arrived(number)
        await db.execute(
            "INSERT INTO effect (entity, key, document_no, booked_on, topic) VALUES ($1, $2, $3, $4, $5)",
            received.entity,
            received.key,
            number,
            received.booked_on,
            received.topic,
        )
        published.append(_answer(received))
    return published


def _answer(received: Received[Any]) -> Fact:
    data = received.data
    memo = invoice.CreditMemoIssued(
        entity=received.entity,
        memo=f"{received.entity}|{data.document_no}",
        document_no=data.document_no,
        type="381",
        customer=data.customer,
        account=data.customer,
        currency=data.currency,
        issued_on=data.issued_on,
        total=data.total,
    )
    return Fact(memo, received.entity, f"{received.entity}|{data.customer}", data.issued_on, received.envelope)


async def note_feedback(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
    """Write feedback down."""
    for received in facts:
        await db.execute(
            "INSERT INTO effect (entity, key, document_no, booked_on, topic) VALUES ($1, $2, $3, $4, $5)",
            received.entity,
            received.key,
            received.data.receipt,
            received.booked_on,
            received.topic,
        )
    return []


async def accounts_to_judge(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Every account with an effect, in order."""
    rows = await db.fetch(
        """
        SELECT DISTINCT split_part(key, '|', 2) AS account FROM effect
        WHERE entity = $1 AND split_part(key, '|', 2) > $2 ORDER BY 1 LIMIT $3
        """,
        entity,
        after,
        limit,
    )
    return [row["account"] for row in rows]


async def judge(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """Count each account's effects as the day turns; an account named in `broken` cannot be judged."""
    for account in accounts:
        if account in broken:
            raise Poisonous(account)
        await db.execute(
            "INSERT INTO work SELECT $1, $2, $3, count(*) FROM effect WHERE entity = $1 AND key = $1 || '|' || $3", entity, day, account
        )
    return []


def reject(refusal: Refusal) -> Fact:
    """Answer a refused record with every reason."""
    entity, number = refusal.content.get("entity"), refusal.content.get("document_no")
    fact = invoice.DocumentRejected(
        source=refusal.envelope.source if refusal.envelope else "?",
        source_id=refusal.envelope.id if refusal.envelope else "?",
        source_type=refusal.envelope.type if refusal.envelope else "?",
        reasons=list(refusal.reasons),
        entity=entity if isinstance(entity, str) else None,
        document_no=number if isinstance(number, str) else None,
    )
    key = f"{entity}|{refusal.content.get('customer')}" if isinstance(entity, str) else f"?|{refusal.topic}|{refusal.partition}"
    return Fact(fact, fact.entity or "?", key, date(2026, 1, 5), refusal.envelope)


TOY = Service(
    name="toy",
    topic="receivables.reporting",
    subscriptions=subscribe(
        (erp.InvoiceIssued, note),
        (invoice.InvoiceIssued, note),
        (payment.ReceiptUnapplied, note_feedback),
        forward=("erp.documents", "receivables.invoice"),
        feedback=("receivables.payment",),
        reject=reject,
    ),
    router="testkit.toy:router",
    day_work=DayWork(accounts_to_judge, judge),
)
