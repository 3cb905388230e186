"""Cash application, one payment at a time: find what it pays, write it down, commit."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import asyncpg
from sqlalchemy import BigInteger, Column, Index, Text, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Field, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.case import Round
from bench.naive.tables import SCHEMA, Outbox, Table
from bench.payments import Owed, Payment

_TOPIC: Final = "naive.payment"
_COLUMNS: Final = ("id", "document_no", "account", "due_place", "total_minor", "open_minor")


class OpenItem(Table, table=True):
    """An invoice and what is open of it."""

    __tablename__ = "open_item"
    __table_args__ = (Index("naive_open_item_account", "account", "open_minor"), Index("naive_open_item_number", "document_no"))

    id: str = Field(sa_column=Column(Text, primary_key=True))
    document_no: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    due_place: int = Field(sa_column=Column(BigInteger, nullable=False))
    total_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    open_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class Received(Table, table=True):
    """A payment and what is left of it."""

    __tablename__ = "received"

    bank_ref: str = Field(sa_column=Column(Text, primary_key=True))
    account: str = Field(sa_column=Column(Text, nullable=False))
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    left_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class Applied(Table, table=True):
    """Which part of a payment pays which invoice."""

    __tablename__ = "applied"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    bank_ref: str = Field(sa_column=Column(Text, nullable=False, index=True))
    item: str = Field(sa_column=Column(Text, nullable=False, index=True))
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))


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
            rows = [(one.item, one.document_no, one.account, one.number % 60, one.minor, one.minor) for one in owed]
            await db.copy_records_to_table("open_item", schema_name=SCHEMA, records=rows, columns=_COLUMNS)
            await db.execute(f"ANALYZE {SCHEMA}.open_item")
        finally:
            await db.close()

    async def take(self, payments: Sequence[Payment]) -> Round:
        """Handle payments, each in a transaction of its own."""
        began_at = time.perf_counter()
        for payment in payments:
            async with AsyncSession(self._engine) as session:
                await self._take(session, payment)
                await session.commit()
        return Round(len(payments), time.perf_counter() - began_at)

    async def _take(self, session: AsyncSession, payment: Payment) -> None:
        if await session.get(Received, payment.bank_ref) is not None:
            return
        left_minor, facts = payment.minor, list[dict[str, Any]]()
        for item in await self._items(session, payment):
            part = min(left_minor, item.open_minor)
            if part:
                item.open_minor -= part
                left_minor -= part
                rule = "reference" if payment.names else "exact_item"
                session.add(item)
                session.add(Applied(bank_ref=payment.bank_ref, item=item.id, amount_minor=part, rule=rule))
                facts.append({"type": "applied", "receipt": payment.bank_ref, "item": item.id, "amount": part, "rule": rule})
        received = Received(bank_ref=payment.bank_ref, account=payment.account, amount_minor=payment.minor, left_minor=left_minor)
        session.add(received)
        facts.insert(0, {"type": "received", "receipt": payment.bank_ref, "amount": payment.minor})
        facts += [{"type": "on_account", "receipt": payment.bank_ref, "amount": left_minor}] if left_minor else []
        session.add_all(Outbox(topic=_TOPIC, key=payment.account, value=json.dumps(fact).encode()) for fact in facts)

    async def _items(self, session: AsyncSession, payment: Payment) -> Sequence[OpenItem]:
        """Find what is named, or what is just as much."""
        if payment.names:
            numbers = [one.document_no for one in payment.names]
            found = {item.document_no: item for item in await session.exec(select(OpenItem).where(col(OpenItem.document_no).in_(numbers)))}
            return [found[number] for number in numbers if number in found]
        wanted = select(OpenItem).where(OpenItem.account == payment.account, OpenItem.open_minor == payment.minor)
        return list(await session.exec(wanted.order_by(col(OpenItem.due_place), col(OpenItem.document_no)).limit(1)))

    async def books(self) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
        """Return what is open by item, and what is applied and left by receipt."""
        db = await asyncpg.connect(self._dsn)
        try:
            items = await db.fetch(f"SELECT id, open_minor FROM {SCHEMA}.open_item")
            receipts = await db.fetch(f"SELECT bank_ref, amount_minor - left_minor, left_minor FROM {SCHEMA}.received")
        finally:
            await db.close()
        return dict(map(tuple, items)), {f"US01|{row[0]}": (row[1], row[2]) for row in receipts}
