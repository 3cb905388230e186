"""Tables and migrations of every service say the same, checks and defaults included."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from chassis.entities import SERVICES
from sqlalchemy import CheckConstraint, Connection, MetaData, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

pytestmark = pytest.mark.db


def differences(connection: Connection, metadata: MetaData) -> list[Any]:
    """What Alembic would change, and checks and primary keys that are not the same; Alembic itself does not look at those."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    found: list[Any] = compare_metadata(context, metadata)
    named = connection.dialect.identifier_preparer.format_constraint
    for table in metadata.tables.values():
        declared = {named(check) for check in table.constraints if isinstance(check, CheckConstraint)}
        made = {check["name"] for check in inspect(connection).get_check_constraints(table.name)}
        found += [(table.name, declared ^ made)] if declared != made else []
        key = inspect(connection).get_pk_constraint(table.name)
        same_key = (key["name"], key["constrained_columns"]) == (
            table.primary_key.name,
            [column.name for column in table.primary_key.columns],
        )
        found += [] if same_key else [(table.name, key)]
    return found


async def compared(url: str, metadata: MetaData, change: str = "SELECT 1") -> list[Any]:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(change)
            return await connection.run_sync(differences, metadata)
    finally:
        await engine.dispose()


@pytest.mark.parametrize("service", SERVICES)
async def test_tables_and_migrations_say_the_same(service: str, database_url: Callable[[str], str]) -> None:
    metadata = import_module(f"{service}.tables").Table.metadata
    assert metadata.tables
    assert await compared(database_url(service), metadata) == []


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE customer ADD COLUMN more text",
        "ALTER TABLE item ADD CHECK (entity <> 'X')",
        "ALTER TABLE notice DROP CONSTRAINT notice_pkey",
    ],
)
async def test_a_migration_that_does_something_else_is_found(change: str, database_url: Callable[[str], str]) -> None:
    metadata = import_module("reporting.tables").Table.metadata
    assert await compared(database_url("reporting"), metadata, change) != []
