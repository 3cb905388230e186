"""The write ladder: the same invoice rows into the same table, the ways there are, each way committing as it would in use."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from bench import scratch
from bench.case import FLOOR, Case, Round
from bench.contest import Contender, contest
from bench.naive.tables import SCHEMA, Invoice
from bench.race import Race

NAME: Final = "write_ladder"
NAMES: Final = (NAME,)
_AT_ONCE: Final = 500
_ONE_BY_ONE_SHARE: Final = 40  # What commits row by row gets so much less to do.
_COLUMNS: Final = ("id", "entity", "account", "currency", "issued_on", "due_on", "total_minor")
_TABLE: Final = f"""
    CREATE SCHEMA {SCHEMA};
    CREATE TABLE {SCHEMA}.invoice (
        id text PRIMARY KEY, entity text NOT NULL, account text NOT NULL, currency text NOT NULL, issued_on date NOT NULL,
        due_on date NOT NULL, total_minor bigint NOT NULL
    );
    CREATE INDEX naive_invoice_account ON {SCHEMA}.invoice (entity, account)
"""
_UNNEST: Final = f"""
    INSERT INTO {SCHEMA}.invoice
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::date[], $7::bigint[]) ON CONFLICT DO NOTHING
"""
_INSERT: Final = f"INSERT INTO {SCHEMA}.invoice VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
Rows = Sequence[tuple[Any, ...]]


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Write `n` rows with our way, `unnest`; beside it COPY, which is the floor, and the usual ways."""
    async with scratch.database(race.track, "invoice", "writes") as dsn, _table(dsn) as (db, engine):
        ladder = _Ladder(db, engine)
        n, few = race.sizes.n, max(10, race.sizes.n // _ONE_BY_ONE_SHARE)
        with race.bar(NAME, race.sizes.rounds) as bar:
            rounds = await contest(
                race,
                {
                    "unnest": ladder.way(ladder.unnest, n),
                    FLOOR: ladder.way(ladder.copy, n),
                    "executemany": ladder.way(ladder.executemany, n),
                    "core_insert": ladder.way(ladder.core, n),
                    "orm_add_all": ladder.way(ladder.add_all, n),
                    "insert_each": ladder.way(ladder.insert_each, few),
                    "orm_each": ladder.way(ladder.add_each, few),
                },
                bar,
            )
        case = Case(NAME, "rows", rounds.pop("unnest"), rounds)
        stored = await db.fetchval(f"SELECT count(*) FROM {SCHEMA}.invoice")
        if stored != ladder.written:
            case.differences.append(f"{stored} rows instead of {ladder.written}")
        return [case]


@asynccontextmanager
async def _table(dsn: str) -> AsyncIterator[tuple[asyncpg.Connection, AsyncEngine]]:
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://"))
    db: asyncpg.Connection = await asyncpg.connect(dsn)
    try:
        await db.execute(_TABLE)
        yield db, engine
    finally:
        await db.close()
        await engine.dispose()


class _Ladder:
    """The ways to write, each a batch at a time; `written` counts what must be there."""

    def __init__(self, db: asyncpg.Connection, engine: AsyncEngine) -> None:
        self._db = db
        self._engine = engine
        self.written = 0

    def way(self, write: Callable[[Rows], Awaitable[None]], n: int) -> Contender:
        """Write `n` new rows in batches and time it."""

        async def once() -> Round:
            rows = [_row(number) for number in range(self.written, self.written + n)]
            self.written += n
            began_at = time.perf_counter()
            for first in range(0, n, _AT_ONCE):
                await write(rows[first : first + _AT_ONCE])
            return Round(n, time.perf_counter() - began_at)

        return once

    async def unnest(self, rows: Rows) -> None:
        await self._db.execute(_UNNEST, *map(list, zip(*rows, strict=True)))

    async def copy(self, rows: Rows) -> None:
        await self._db.copy_records_to_table("invoice", schema_name=SCHEMA, columns=_COLUMNS, records=rows)

    async def executemany(self, rows: Rows) -> None:
        await self._db.executemany(_INSERT, rows)

    async def insert_each(self, rows: Rows) -> None:
        for row in rows:
            await self._db.execute(_INSERT, *row)

    async def core(self, rows: Rows) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(insert(Invoice), [dict(zip(_COLUMNS, row, strict=True)) for row in rows])

    async def add_all(self, rows: Rows) -> None:
        async with AsyncSession(self._engine) as session:
            session.add_all([_model(row) for row in rows])
            await session.commit()

    async def add_each(self, rows: Rows) -> None:
        for row in rows:
            async with AsyncSession(self._engine) as session:
                session.add(_model(row))
                await session.commit()


def _row(number: int) -> tuple[Any, ...]:
    issued_on = date(2025, 1, 1) + timedelta(days=number % 365)
    return f"US01|W{number:09}", "US01", f"C{number % 2_000:04}", "USD", issued_on, issued_on + timedelta(days=30), 1_000 + number % 99_991


def _model(row: tuple[Any, ...]) -> Invoice:
    return Invoice(**dict(zip(_COLUMNS, row, strict=True)))
