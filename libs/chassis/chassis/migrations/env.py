"""Alembic's environment, the same for every service: one connection, one transaction, migrations written as SQL."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

MIGRATION_LOCK = 4  # Advisory lock: two processes that migrate the same database do it one after the other.


def _several(_cursor: Any, statement: str, parameters: Any, execution: Any) -> bool | None:
    """Let a migration hold several statements: asyncpg prepares what SQLAlchemy gives it, and only one can be prepared."""
    if parameters or ";" not in statement.rstrip().rstrip(";"):
        return None
    execution.root_connection.connection.dbapi_connection.run_async(lambda driver: driver.execute(statement))
    return True


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=context.config.attributes.get("metadata"), transaction_per_migration=False)
    with context.begin_transaction():
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        context.run_migrations()


async def _online(url: str) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    event.listen(engine.sync_engine, "do_execute", _several)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(_online(context.config.attributes["database_url"]))
