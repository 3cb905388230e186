"""What is stored: that the tables are those of the migrations, and that the views for outside checkers add up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from alembic import command
from chassis.migrate import config_of
from events import erp
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

VERSIONS: Final = Path(__file__).parents[1] / "migrations" / "versions"


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


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


@pytest.mark.parametrize(
    "change", ["total_minor = -1", "goods_minor = 2", "kind = 'receipt'", "document_status = 'paid'", "content_hash = '\\x00'"]
)
async def test_the_database_itself_refuses_what_no_document_can_be(invoice: ServiceUnderTest, change: str) -> None:
    await invoice.receive(
        erp.InvoiceIssued(entity="US01", document_no="I", customer="C", currency="USD", issued_on=date(2026, 1, 5), total="1", terms="NET0")
    )

    with pytest.raises(asyncpg.CheckViolationError):
        async with invoice.db.transaction() as db:
            await db.execute(f"UPDATE document SET {change}")


async def test_every_migration_can_be_taken_back(database_url: Callable[[str], str]) -> None:
    url = database_url("invoice")
    config = config_of(VERSIONS, url)

    await asyncio.to_thread(command.downgrade, config, "0001")
    await asyncio.to_thread(command.upgrade, config, "head")

    async with service_under_test(SERVICE, url) as sut:
        await sut.receive(
            erp.InvoiceIssued(
                entity="US01", document_no="I", customer="C", currency="USD", issued_on=date(2026, 1, 5), total="1", terms="NET0"
            )
        )
        assert len(sut.published()) == 1
