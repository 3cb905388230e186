"""
Two services as small as can be that use everything the chassis offers, and know nothing of receivables but the names of facts.

The intake takes documents from outside and tells of them; the ledger hears it, waits for what a document names, and takes entries. When a
day turns both sum up every account; the ledger charges what it found, and the intake answers each charge with a fee, which is one more
fact for the ledger: a fact missing, doubled or booked on another day changes every later sum. Each writes down what it was given in
`effect`, and nothing forbids to write it twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact, Received, Refusal, Service, subscribe
from events import bank, erp, invoice, payment
from events.invoice import Reason

INTAKE, LEDGER = "invoice", "payment"
REFUSED, WAITS, TROUBLE = "REFUSED", "+", "TROUBLE"
TABLES = """
CREATE TABLE effect (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, said text, topic text, key text, sequence bigint, entity text, account text,
    ref text, amount bigint, booked_on date, handled_on date
);
CREATE TABLE work (entity text, day date, account text, total bigint, PRIMARY KEY (entity, day, account));
"""
NOTE_EFFECTS = """
INSERT INTO effect (said, topic, key, sequence, entity, account, ref, amount, booked_on, handled_on)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::date[],
    $10::date[]
)
"""
ARE_THERE = "SELECT DISTINCT ref FROM effect WHERE ref = ANY($1)"
ACCOUNTS = "SELECT DISTINCT account FROM effect WHERE entity = $1 AND account > $2 ORDER BY 1 LIMIT $3"
SUM_UP = (
    "SELECT account, sum(amount)::bigint AS total FROM effect WHERE entity = $1 AND account = ANY($2) GROUP BY account ORDER BY account"
)
NOTE_WORK = "INSERT INTO work SELECT $1, $2, * FROM unnest($3::text[], $4::bigint[])"
ISSUED_ON = date(2026, 1, 5)


class Poisonous(Exception):
    """This fact, or this account, cannot be handled as long as it is in trouble."""


def names_awaited(number: str) -> str:
    """What a document of this number waits for; empty when it waits for nothing."""
    return number.partition(WAITS)[2]


def fee_for(total: int) -> int:
    """What an account is charged that stands at `total`."""
    return abs(total) % 97 + 1


@dataclass(frozen=True, slots=True)
class Trouble:
    """What cannot be handled now: document numbers (also parts of others) and accounts by name."""

    names: set[str]

    def stop(self, name: str) -> None:
        if name in self.names:
            raise Poisonous(name)


async def _note(db: Connection, batch: Batch, facts: Sequence[Received[Any]], rows: Sequence[tuple[str, str, int]]) -> None:
    """Write down what was given, and on which open day: for every fact the account, what it is called there, and its amount."""
    if facts:
        await db.execute(
            NOTE_EFFECTS,
            [f"{fact.envelope.source}|{fact.envelope.id}" for fact in facts],
            [fact.topic for fact in facts],
            [fact.key for fact in facts],
            [fact.envelope.sequence for fact in facts],
            [fact.entity for fact in facts],
            [account for account, _, _ in rows],
            [ref for _, ref, _ in rows],
            [amount for _, _, amount in rows],
            [fact.booked_on for fact in facts],
            [batch.open_on[fact.entity] for fact in facts],
        )


async def accounts_after(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """The next accounts with anything in them."""
    return [row["account"] for row in await db.fetch(ACCOUNTS, entity, after, limit)]


async def _sum_up(db: Connection, entity: str, day: date, accounts: Sequence[str]) -> list[tuple[str, int]]:
    """Close accounts: write down what each stands at."""
    totals = [(row["account"], row["total"]) for row in await db.fetch(SUM_UP, entity, list(accounts))]
    await db.execute(NOTE_WORK, entity, day, [account for account, _ in totals], [total for _, total in totals])
    return totals


def issued(entity: str, number: str, account: str, amount: int) -> invoice.InvoiceIssued:
    """What the intake tells of a document."""
    return invoice.InvoiceIssued(
        entity=entity,
        invoice=f"{entity}|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency="JPY",
        issued_on=ISSUED_ON,
        total=str(amount),
        instalments=[],
    )


def _memo(entity: str, number: str, account: str, amount: int) -> invoice.CreditMemoIssued:
    return invoice.CreditMemoIssued(
        entity=entity,
        memo=f"{entity}|{number}",
        document_no=number,
        type="381",
        customer=account,
        account=account,
        currency="JPY",
        issued_on=ISSUED_ON,
        total=str(amount),
    )


def intake(trouble: Trouble, *, awaits_feedback: bool) -> Service:
    """The service that takes documents: it owns `receivables.invoice` and the calendar."""

    async def take_documents(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
        taken, rows, published = [], [], []
        for fact in facts:
            data = fact.data
            trouble.stop(data.document_no)
            if data.document_no.startswith(REFUSED):
                batch.refuse(fact, [Reason(code="NOT_LIKED", field="document_no")])
                continue
            taken.append(fact)
            rows.append((data.customer, data.document_no, int(data.total)))
            told = issued(fact.entity, data.document_no, data.customer, int(data.total))
            published.append(Fact(told, fact.entity, f"{fact.entity}|{data.customer}", ISSUED_ON, fact.envelope))
        await _note(db, batch, taken, rows)
        return published

    async def answer_charges(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
        await _note(db, batch, facts, [(fact.data.account, fact.data.receipt, int(fact.data.amount)) for fact in facts])
        return [
            Fact(_memo(f.entity, f"FEE-{f.data.receipt}", f.data.account, int(f.data.amount)), f.entity, f.key, ISSUED_ON, f.envelope)
            for f in facts
        ]

    async def note_credits(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
        await _note(db, batch, facts, [(fact.data.account, fact.data.receipt, int(fact.data.amount)) for fact in facts])
        return []

    async def close(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
        totals = await _sum_up(db, entity, day, accounts)
        return [
            Fact(_memo(entity, f"CLOSED-{day}-{account}", account, fee_for(total)), entity, f"{entity}|{account}", day)
            for account, total in totals
        ]

    return Service(
        name=INTAKE,
        topic="receivables.invoice",
        subscriptions=subscribe(
            (erp.InvoiceIssued, take_documents),
            (payment.ReceiptUnapplied, answer_charges),
            (payment.OnAccountCredited, note_credits),
            forward=("erp.documents",),
            feedback=("receivables.payment",),
            feedback_awaited=("receivables.payment",) if awaits_feedback else (),
            reject=_reject,
        ),
        router="",
        day_work=DayWork(accounts_after, close),
    )


def ledger(trouble: Trouble) -> Service:
    """The service that books what the intake tells, and entries: it owns `receivables.payment`."""

    async def book_items(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
        awaited: Collection[str] = {names_awaited(fact.data.document_no) for fact in facts}
        there = {row["ref"] for row in await db.fetch(ARE_THERE, sorted(awaited))}
        booked = []
        for fact in facts:
            number = fact.data.document_no
            trouble.stop(f"{TROUBLE}-{number}")
            if (name := names_awaited(number)) and name not in there:
                batch.wait(fact, name)
            else:
                booked.append(fact)
        await _note(db, batch, booked, [(fact.data.account, fact.data.document_no, int(fact.data.total)) for fact in booked])
        return [_credited(fact, fact.data.document_no, fact.data.account, fact.data.total) for fact in booked]

    async def book_entries(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
        for fact in facts:
            trouble.stop(fact.data.bank_ref)
            batch.arrived(fact.data.bank_ref)
        await _note(db, batch, facts, [(fact.data.customer, fact.data.bank_ref, -int(fact.data.amount)) for fact in facts])
        return [_credited(fact, fact.data.bank_ref, fact.data.customer, fact.data.amount) for fact in facts]

    async def judge(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
        for account in accounts:
            trouble.stop(f"{entity}|{account}")
        totals = await _sum_up(db, entity, day, accounts)
        return [_charge(entity, day, account, total) for account, total in totals]

    return Service(
        name=LEDGER,
        topic="receivables.payment",
        subscriptions=subscribe(
            ((invoice.InvoiceIssued, invoice.CreditMemoIssued), book_items),
            (bank.EntryBooked, book_entries),
            forward=("receivables.invoice", "bank.entries"),
            reject=_reject,
        ),
        router="",
        day_work=DayWork(accounts_after, judge),
    )


def _credited(fact: Received[Any], ref: str, account: str, amount: str) -> Fact:
    data = payment.OnAccountCredited(entity=fact.entity, receipt=ref, account=account, currency="JPY", amount=amount)
    return Fact(data, fact.entity, f"{fact.entity}|{account}", ISSUED_ON, fact.envelope)


def _charge(entity: str, day: date, account: str, total: int) -> Fact:
    receipt = f"CHARGE-{day}-{account}"
    data = payment.ReceiptUnapplied(entity=entity, receipt=receipt, account=account, currency="JPY", amount=str(fee_for(total)))
    return Fact(data, entity, f"{entity}|{account}", day)


def _reject(refusal: Refusal) -> Fact:
    """Answer a refused record under the key of the account it names."""
    content, context = refusal.content, refusal.envelope
    entity = content.get("entity") if isinstance(content.get("entity"), str) else None
    fact = invoice.DocumentRejected(
        source=context.source if context else "?",
        source_id=context.id if context else "?",
        source_type=context.type if context else "?",
        reasons=list(refusal.reasons),
        entity=entity,
    )
    key = f"{entity}|{content.get('customer')}" if entity else f"?|{refusal.topic}|{refusal.partition}"
    return Fact(fact, entity or "?", key, ISSUED_ON, context)
