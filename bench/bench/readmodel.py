"""
Loads a ledger into the reporting service's own tables: the rows that its handlers would have left behind, every day closed up to `TODAY`.

What a fact adds, and the way from there into the tables, are the service's own: those of its rebuild. A test holds it to the handlers.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final

import asyncpg
from reporting.domain import SETTLED, UNAPPLIED, Deltas, Posting
from reporting.queries import gathering

from bench.facts import ENTITY
from bench.ledger import TODAY, Billed, Ledger, Outcome

_ITEMS_AT_ONCE: Final = 50_000
_FOLDED_AT: Final = datetime(2026, 1, 17, tzinfo=UTC)  # Any instant: the read model only keeps it.
_TABLES: Final = ("item", "cube", "account_delta", "receipt_day", "closing", "account_closing")
_APPLICATIONS: Final = """
    CREATE SCHEMA bench;
    CREATE UNLOGGED TABLE bench.application (item text NOT NULL, minor bigint NOT NULL, effective_on date NOT NULL, booked_on date NOT NULL)
"""
_CONSTRAINTS: Final = """
    SELECT c.conname AS name, pg_get_constraintdef(c.oid) AS definition FROM pg_constraint c
    WHERE c.conrelid = $1::regclass AND c.contype IN ('p', 'c') ORDER BY c.contype
"""
_INDEXES: Final = """
    SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
    WHERE i.indrelid = $1::regclass AND NOT i.indisprimary
"""


async def load(db: asyncpg.Connection, ledger: Ledger) -> Outcome:
    """
    Fill the empty tables, close the books up to `TODAY`, and return what must stand in them.

    `bench.application` gets what a ledger walk needs and the service does not keep: every application with its dates.
    """
    await db.execute(_APPLICATIONS)
    rebuilding = [statement for table in _TABLES for statement in await _strip(db, table)]
    outcome = Outcome()
    await gathering.prepare(db)
    items = ledger.in_order()
    while block := list(islice(items, _ITEMS_AT_ONCE)):
        deltas, applications = Deltas(), []
        for billed in block:
            outcome.add(billed)
            _fold(deltas, billed)
            if billed.paid:
                applications.append((billed.item, billed.paid.minor, billed.paid.value_on, billed.paid.booked_on))
        await gathering.gather(db, deltas)
        await db.copy_records_to_table("application", schema_name="bench", records=applications)
    await _close_days(db)
    async with db.transaction():
        await gathering.add_up(db, _FOLDED_AT)
    for statement in rebuilding:
        await db.execute(statement, timeout=3600)
    await db.execute(f"VACUUM (ANALYZE) {', '.join(_TABLES)}, bench.application", timeout=3600)
    return outcome


def _fold(deltas: Deltas, billed: Billed) -> None:
    """Add one item with all that was paid of it, as the folds of its facts would."""
    deltas.issue(_posting(billed, billed.issued_on, billed.booked_on), billed.item, billed.account, billed.due_on, billed.minor)
    if billed.paid:
        to = _posting(billed, billed.paid.value_on, billed.paid.booked_on)
        deltas.post(to, UNAPPLIED, billed.paid.minor)
        deltas.settle(to, SETTLED, billed.item, billed.account, billed.due_on, billed.paid.minor)
        deltas.post(to, UNAPPLIED, -billed.paid.minor)
        receipt = deltas.receipt(to, f"{ENTITY}|{billed.bank_ref}")
        receipt.value_on = billed.paid.value_on
        receipt.received_minor = receipt.automatic_minor = billed.paid.minor


def _posting(billed: Billed, effective_on: date, booked_on: date) -> Posting:
    return Posting(ENTITY, billed.account, billed.currency, effective_on, booked_on)


async def _strip(db: asyncpg.Connection, table: str) -> list[str]:
    """Take constraints and indexes off a table, which a load is far faster without; return the statements that put them back."""
    statements = []
    for row in await db.fetch(_INDEXES, table):
        await db.execute(f"DROP INDEX {row['name']}")
        statements.append(row["definition"])
    for row in await db.fetch(_CONSTRAINTS, table):
        await db.execute(f"ALTER TABLE {table} DROP CONSTRAINT {row['name']}")
        statements.append(f"ALTER TABLE {table} ADD CONSTRAINT {row['name']} {row['definition']}")
    await db.execute(f"ALTER TABLE {table} SET UNLOGGED")  # Nobody restarts this server and wants it back.
    return statements


async def _close_days(db: asyncpg.Connection) -> None:
    await db.execute(
        "INSERT INTO chassis.day (entity, open_on) VALUES ($1, $2) ON CONFLICT (entity) DO UPDATE SET open_on = excluded.open_on",
        ENTITY,
        TODAY + timedelta(days=1),
    )
