"""
Cash application as a tutorial of the ORM would write it: one bank entry, one session, one commit.

It does the work that ours does, from the same records: each is read and validated, entered into an inbox, identified by the numbers in
its text, else by the customer number the bank gives; the customer's open items are loaded as objects, matched in Python by the same two
rules (what is named, in its order; else the oldest that needs just so much), and what follows is written down: the receipt, an entry of
the ledger for every disposition with its rule, reason and dates, the items, and the facts in an outbox. That is what is compared: what
sets instead of rows are worth for the whole of the job. Nothing waits, and no statement is made that the job does not need: identity map,
unit of work and batches of INSERTs are the ORM's as they come.

It does less than ours in everything else: one currency, no discounts, memos, parents or policies, nothing undone within a day, no account
locked against a second worker, no sequence of facts, no trace.
"""

import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Final, Self

import asyncpg
from events import envelope as cloudevents
from money import format_minor, parse_minor
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.case import Round
from bench.facts import ENTITY, OPENS_ON
from bench.history import Published
from bench.naive.books import Customer, LedgerEntry, OpenItem, Receipt
from bench.naive.tables import SCHEMA, Inbox, Outbox, Table
from bench.payments import CURRENCY, Owed

_TOPIC: Final = "naive.payment"
_OPEN_ITEM: Final = ("item", "document_no", "customer_id", "currency", "issued_on", "due_on", "total_minor", "open_minor", "is_open")
_NAMED: Final = ("reference", "named in the remittance")
_EXACT: Final = ("exact_item", "needs just so much")
_may_be_number = re.compile(r"\S*\d\S*").findall


class BankEntry(BaseModel):
    """What the bank says, validated field by field."""

    entity: str
    account_ref: str
    bank_ref: str
    value_on: date
    amount: str
    currency: str
    remittance: str | None = None
    customer: str | None = None


class PaymentReceived(BaseModel):
    """The fact that money came."""

    receipt: str
    account: str | None
    amount: str
    currency: str
    value_on: date


class PaymentApplied(BaseModel):
    """The fact that some of it paid an item."""

    receipt: str
    item: str
    account: str
    amount: str
    currency: str
    due_on: date
    rule: str


class OnAccountCredited(BaseModel):
    """The fact that some of it is left."""

    receipt: str
    account: str
    amount: str
    currency: str


class Cashier:
    """The naive payment service, with open invoices of its own."""

    def __init__(self, engine: AsyncEngine, dsn: str) -> None:
        self._engine = engine
        self._dsn = dsn

    @classmethod
    @asynccontextmanager
    async def opened(cls, dsn: str) -> AsyncIterator[Self]:
        """Make the naive tables in a database and open the service on them while the block runs."""
        engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"))
        try:
            async with engine.begin() as connection:
                await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
                await connection.run_sync(Table.metadata.create_all)
            yield cls(engine, dsn)
        finally:
            await engine.dispose()

    async def owe(self, owed: Sequence[Owed]) -> None:
        """Take invoices in, all at once: they are not what is measured."""
        db = await asyncpg.connect(self._dsn)
        try:
            numbers = sorted({one.account for one in owed})
            await db.execute(f"INSERT INTO {SCHEMA}.customer (number) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", numbers)
            ids = dict(map(tuple, await db.fetch(f"SELECT number, id FROM {SCHEMA}.customer WHERE number = ANY($1::text[])", numbers)))
            rows = [
                (one.item, one.document_no, ids[one.account], CURRENCY, OPENS_ON, _due_on(one), one.minor, one.minor, True) for one in owed
            ]
            await db.copy_records_to_table("open_item", schema_name=SCHEMA, records=rows, columns=_OPEN_ITEM)
            await db.execute(f"ANALYZE {SCHEMA}.open_item")
        finally:
            await db.close()

    async def take(self, records: Sequence[Published], booked_on: date = OPENS_ON) -> Round:
        """Handle records of a bank, each in a transaction of its own, booked on a day."""
        began_at = time.perf_counter()
        for record in records:
            context, data = cloudevents.read(record.headers, record.value)
            await self._take(context, BankEntry.model_validate_json(data), booked_on)
        return Round(len(records), time.perf_counter() - began_at)

    async def _take(self, context: cloudevents.Envelope, entry: BankEntry, booked_on: date) -> None:
        async with AsyncSession(self._engine) as session:
            if await session.get(Inbox, (context.source, context.id)) is not None:
                return
            session.add(Inbox(source=context.source, id=context.id))
            numbers = _may_be_number(entry.remittance or "")
            customer, identified_by = await _identify(session, numbers, entry.customer)
            receipt = Receipt(
                bank_ref=entry.bank_ref,
                customer_id=customer.id if customer else None,
                identified_by=identified_by,
                remittance=entry.remittance,
                currency=entry.currency,
                amount_minor=parse_minor(entry.amount, entry.currency),
                applied_minor=0,
                on_account_minor=0,
                value_on=entry.value_on,
                booked_on=booked_on,
            )
            session.add(receipt)
            facts: list[BaseModel] = [_received(receipt, customer)]
            if customer is not None:
                facts += _settle(session, receipt, customer, numbers, await _open_items(session, customer))
            key = f"{entry.entity}|{customer.number if customer else entry.bank_ref}"
            session.add_all(Outbox(topic=_TOPIC, key=key, value=fact.model_dump_json().encode()) for fact in facts)
            await session.commit()

    async def books(self) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
        """Return what is open by item, and what is applied and left by receipt, as the ledger says."""
        db = await asyncpg.connect(self._dsn)
        try:
            items = await db.fetch(f"SELECT item, open_minor FROM {SCHEMA}.open_item")
            receipts = await db.fetch(
                f"""
                SELECT bank_ref, coalesce(sum(entry.amount_minor) FILTER (WHERE item_id IS NOT NULL), 0)::bigint,
                    coalesce(sum(entry.amount_minor) FILTER (WHERE item_id IS NULL), 0)::bigint
                FROM {SCHEMA}.receipt LEFT JOIN {SCHEMA}.ledger_entry AS entry ON entry.receipt_id = receipt.id GROUP BY bank_ref
                """
            )
        finally:
            await db.close()
        return dict(map(tuple, items)), {f"{ENTITY}|{row[0]}": (row[1], row[2]) for row in receipts}


def _due_on(owed: Owed) -> date:
    return OPENS_ON + timedelta(days=30 + owed.number % 60)


async def _identify(session: AsyncSession, numbers: Sequence[str], number: str | None) -> tuple[Customer | None, str | None]:
    """Find whose money it is: of the first invoice that is named, else of the customer number."""
    if numbers:
        named = await session.exec(select(OpenItem).where(col(OpenItem.document_no).in_(numbers)))
        first = min(named, key=lambda item: numbers.index(item.document_no), default=None)
        if first is not None:
            return await session.get(Customer, first.customer_id), "reference"
    customer = (await session.exec(select(Customer).where(Customer.number == number))).first() if number else None
    return customer, "customer" if customer else None


async def _open_items(session: AsyncSession, customer: Customer) -> Sequence[OpenItem]:
    """Load what a customer owes, the oldest first."""
    owed = select(OpenItem).where(OpenItem.customer_id == customer.id, col(OpenItem.is_open))
    return (await session.exec(owed.order_by(col(OpenItem.due_on), col(OpenItem.document_no)))).all()


def _settle(
    session: AsyncSession, receipt: Receipt, customer: Customer, numbers: Sequence[str], items: Sequence[OpenItem]
) -> list[BaseModel]:
    """Pay what is named, else the item that needs just so much; the rest is on-account. Return the facts of that."""
    facts: list[BaseModel] = []
    chosen = _match(receipt, numbers, items)
    rule, reason = _NAMED if receipt.identified_by == "reference" else _EXACT
    for item in chosen:
        part = min(receipt.amount_minor - receipt.applied_minor, item.open_minor)
        if not part:
            break
        item.open_minor -= part
        item.is_open = item.open_minor > 0
        receipt.applied_minor += part
        session.add(_entry(receipt, item, rule, reason, part))
        facts.append(
            PaymentApplied(
                receipt=f"{ENTITY}|{receipt.bank_ref}",
                item=item.item,
                account=customer.number,
                amount=format_minor(part, item.currency),
                currency=item.currency,
                due_on=item.due_on,
                rule=rule,
            )
        )
    left_minor = receipt.amount_minor - receipt.applied_minor
    if left_minor:
        receipt.on_account_minor = left_minor
        session.add(_entry(receipt, None, "on_account", "left over" if chosen else "nothing fits", left_minor))
        amount = format_minor(left_minor, receipt.currency)
        facts.append(
            OnAccountCredited(receipt=f"{ENTITY}|{receipt.bank_ref}", account=customer.number, amount=amount, currency=receipt.currency)
        )
    return facts


def _match(receipt: Receipt, numbers: Sequence[str], items: Sequence[OpenItem]) -> Sequence[OpenItem]:
    """Choose the open items that a receipt pays."""
    if receipt.identified_by == "reference":
        by_number = {item.document_no: item for item in items}
        return [by_number[number] for number in numbers if number in by_number]
    exact = next((item for item in items if item.open_minor == receipt.amount_minor), None)
    return [exact] if exact else []


def _entry(receipt: Receipt, item: OpenItem | None, rule: str, reason: str, minor: int) -> LedgerEntry:
    return LedgerEntry(
        receipt=receipt,
        item_id=item.id if item else None,
        rule=rule,
        reason=reason,
        amount_minor=minor,
        effective_on=max(receipt.value_on, item.issued_on) if item else receipt.value_on,
        booked_on=receipt.booked_on,
    )


def _received(receipt: Receipt, customer: Customer | None) -> PaymentReceived:
    return PaymentReceived(
        receipt=f"{ENTITY}|{receipt.bank_ref}",
        account=customer.number if customer else None,
        amount=format_minor(receipt.amount_minor, receipt.currency),
        currency=receipt.currency,
        value_on=receipt.value_on,
    )
