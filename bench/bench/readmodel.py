"""
Loads a ledger into the reporting service's own tables, by COPY: the rows that its handlers would have left behind.

What a fact adds is asked of the service's own arithmetic (`reporting.domain.Deltas`), a block of accounts at a time; only the way into the
tables is ours. A test holds it to the handlers. This is the one module that knows how these tables are made: change it with them.
"""

import io
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Final

import asyncpg
from reporting.domain import SETTLED, UNAPPLIED, Deltas, Posting

from bench.facts import ENTITY
from bench.ledger import TODAY, Billed, Ledger, Outcome

_ITEMS_AT_ONCE: Final = 50_000
_NULL: Final = "\\N"
_FOLDED_AT: Final = "2026-01-17 00:00:00+00"  # Any instant: the read model only keeps it.
_ITEM_COLUMNS: Final = (
    "item",
    "entity",
    "account",
    "customer",
    "currency",
    "due_on",
    "issued_on",
    "booked_on",
    "total_minor",
    "open_minor",
    "is_open",
    "folded_at",
)
_CUBE_COLUMNS: Final = ("entity", "currency", "measure", "due_on", "effective_on", "booked_on", "delta_minor")
_ACCOUNT_COLUMNS: Final = ("entity", "account", "currency", "measure", "due_on", "effective_on", "booked_on", "delta_minor")
_TABLES: Final = ("item", "cube", "account_delta")
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
    outcome, cube = Outcome(), Deltas()
    for block in _blocks(ledger):
        deltas = Deltas(cube=cube.cube)
        applications = io.StringIO()
        for billed in block:
            outcome.add(billed)
            _fold(deltas, billed)
            if billed.paid:
                applications.write(f"{billed.item}\t{billed.paid.minor}\t{billed.paid.value_on}\t{billed.paid.booked_on}\n")
        await _copy(db, "item", _ITEM_COLUMNS, _item_lines(deltas))
        await _copy(db, "account_delta", _ACCOUNT_COLUMNS, _delta_lines(deltas.accounts.items()))
        await _copy(db, "application", ("item", "minor", "effective_on", "booked_on"), [applications.getvalue()], schema="bench")
    await _copy(db, "cube", _CUBE_COLUMNS, _delta_lines(cube.cube.items()))
    for statement in rebuilding:
        await db.execute(statement, timeout=3600)
    await db.execute("VACUUM (ANALYZE) item, cube, account_delta, bench.application", timeout=3600)
    await _close_days(db)
    return outcome


def _fold(deltas: Deltas, billed: Billed) -> None:
    """Add one item with all that was paid of it, as the folds of its facts would."""
    deltas.issue(_posting(billed, billed.issued_on, billed.booked_on), billed.item, billed.account, billed.due_on, billed.minor)
    if billed.paid:
        to = _posting(billed, billed.paid.value_on, billed.paid.booked_on)
        deltas.post(to, UNAPPLIED, billed.paid.minor)
        deltas.settle(to, SETTLED, billed.item, billed.account, billed.due_on, billed.paid.minor)
        deltas.post(to, UNAPPLIED, -billed.paid.minor)


def _posting(billed: Billed, effective_on: date, booked_on: date) -> Posting:
    return Posting(ENTITY, billed.account, billed.currency, effective_on, booked_on)


def _blocks(ledger: Ledger) -> Iterator[list[Billed]]:
    """Cut the ledger into blocks of whole accounts: a key of an account must be in one block only."""
    block: list[Billed] = []
    for _, items in groupby(ledger.in_order(), key=lambda billed: billed.account):
        block += items
        if len(block) >= _ITEMS_AT_ONCE:
            yield block
            block = []
    if block:
        yield block


def _item_lines(deltas: Deltas) -> Iterator[str]:
    for name, row in deltas.items.items():
        is_open = "t" if row.open_minor > 0 else "f"
        issued_on, booked_on = row.issued_on or _NULL, row.booked_on or _NULL
        yield (
            f"{name}\t{row.entity}\t{row.account}\t{row.customer}\t{row.currency}\t{row.due_on}\t{issued_on}\t{booked_on}"
            f"\t{row.total_minor}\t{row.open_minor}\t{is_open}\t{_FOLDED_AT}\n"
        )


def _delta_lines(deltas: Iterable[tuple[tuple[object, ...], int]]) -> Iterator[str]:
    for key, minor in deltas:
        yield "\t".join(map(str, key)) + f"\t{minor}\n"


async def _copy(db: asyncpg.Connection, table: str, columns: tuple[str, ...], lines: Iterable[str], schema: str = "public") -> None:
    """Copy lines of Postgres' text format; nothing in them needs to be escaped."""
    source = io.BytesIO("".join(lines).encode())
    await db.copy_to_table(table, schema_name=schema, columns=columns, source=source, format="text", timeout=3600)


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
