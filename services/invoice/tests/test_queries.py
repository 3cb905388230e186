"""What is stored: that the tables are those of the migrations, and that the views for outside checkers add up."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from events import erp
from invoice.app import SERVICE
from invoice.tables import Table
from sqlalchemy import CheckConstraint, Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


async def test_the_tables_are_those_the_migrations_make(database_url: Callable[[str], str]) -> None:
    engine = create_async_engine(make_url(database_url("invoice")).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            differences, checks = await connection.run_sync(_compared)
    finally:
        await engine.dispose()

    assert differences == []
    declared = {
        str(constraint.name)
        for table in Table.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    assert checks == declared


def _compared(connection: Connection) -> tuple[list[Any], set[str]]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found = connection.exec_driver_sql("SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace")
    checks = {str(name) for (name,) in found}
    differences = [
        difference
        for difference in compare_metadata(context, Table.metadata)
        if not (difference[0] == "remove_table" and difference[1].name == "alembic_version")
    ]
    return differences, checks


async def test_the_views_show_every_document_and_every_item(invoice: ServiceUnderTest) -> None:
    day = date(2026, 1, 5)
    halves = [erp.Instalment(due_on=day, amount="30"), erp.Instalment(due_on=day, amount="40")]
    common: dict[str, Any] = {"entity": "JP01", "customer": "C-9", "currency": "JPY", "issued_on": day}
    await invoice.receive(
        erp.InvoiceIssued(document_no="I", total="70", instalments=halves, **common),
        erp.CreditMemoIssued(document_no="M", total="5", **common),
        entity="JP01",
    )

    async with invoice.db.transaction() as db:
        documents = await db.fetch("SELECT document, kind, account, currency, total_minor FROM chk.document ORDER BY document")
        items = await db.fetch("SELECT item, account, currency, total_minor, open_minor FROM chk.item ORDER BY item")

    assert [tuple(row) for row in documents] == [("JP01|I", "invoice", "C-9", "JPY", 70), ("JP01|M", "credit_memo", "C-9", "JPY", 5)]
    assert [tuple(row) for row in items] == [("JP01|I|1", "C-9", "JPY", 30, 30), ("JP01|I|2", "C-9", "JPY", 40, 40)]


@pytest.mark.parametrize("change", ["total_minor = 0", "kind = 'debit_memo'", "document_status = 'paid'", "content_hash = '\\x00'"])
async def test_the_database_itself_refuses_what_no_document_can_be(invoice: ServiceUnderTest, change: str) -> None:
    await invoice.receive(
        erp.InvoiceIssued(entity="US01", document_no="I", customer="C", currency="USD", issued_on=date(2026, 1, 5), total="1", terms="NET0")
    )

    with pytest.raises(asyncpg.CheckViolationError):
        async with invoice.db.transaction() as db:
            await db.execute(f"UPDATE document SET {change}")
