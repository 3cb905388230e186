"""
A month-end: so many instalments fall due on one day, and the invoice service tells of each when that day starts.

The whole turn of the day is timed: finding the accounts, judging their instalments in chunks, the facts in the outbox, the markers. Beside
it the floor: the same rows marked by one plain `UPDATE … RETURNING` that tells nobody anything.
"""

import time
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from invoice.app import SERVICE as INVOICE
from launcher.topics import PARTITIONS

from bench.case import FLOOR, Case, Round
from bench.contest import contest
from bench.naive.tables import SCHEMA
from bench.race import Race
from bench.station import Station, as_a_service, station

NAME: Final = "month_end_due"
NAMES: Final = (NAME,)
_ENTITY: Final = "US01"
_EACH: Final = 10  # Instalments of an account.
_SHARE: Final = 5  # A hundred thousand instalments for the usual twenty thousand events.
_INVOICES: Final = """
    WITH new AS (
        INSERT INTO document (
            entity, document_no, kind, type, customer, account, currency, issued_on, total_minor, content_hash, booked_on, document_status,
            recorded_at, goods_minor, freight_minor, charges_minor
        )
        SELECT $1, 'DUE-' || $2::date || '-' || n, 'invoice', '380', 'C-' || n % $4, 'C-' || n % $4, 'USD', $2::date - 31, 1000 + n,
               sha256(n::text::bytea), $2::date - 1, 'issued', now(), 1000 + n, 0, 0
        FROM generate_series(1, $3::int) AS n
        RETURNING id, entity, account, total_minor
    )
    INSERT INTO instalment (document_id, n, due_on, amount_minor, entity, account)
    SELECT id, 1, $2, total_minor, entity, account FROM new
"""
_NAIVE: Final = f"""
    CREATE SCHEMA IF NOT EXISTS {SCHEMA};
    DROP TABLE IF EXISTS {SCHEMA}.instalment;
    CREATE TABLE {SCHEMA}.instalment (LIKE instalment INCLUDING ALL)
"""
_COPY: Final = f"""
    INSERT INTO {SCHEMA}.instalment (document_id, n, due_on, amount_minor, entity, account, judged_due_on)
    SELECT document_id, n, due_on, amount_minor, entity, account, nullif(judged_due_on, $1) FROM instalment
"""
_MARK: Final = f"""
    UPDATE {SCHEMA}.instalment SET judged_due_on = $2
    WHERE entity = $1 AND due_on <= $2 AND judged_due_on IS NULL
    RETURNING document_id, n, due_on, amount_minor
"""


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Turn days on which many instalments fall due."""
    n = _SHARE * race.sizes.n
    async with station(race.track, INVOICE, "due") as one:
        month_end = _MonthEnd(one, n)
        with race.bar(NAME, race.sizes.rounds) as bar:
            rounds = await contest(race, {NAME: month_end.turn, FLOOR: month_end.mark}, bar)
    case = Case(NAME, "instalments", rounds[NAME], {FLOOR: rounds[FLOOR]}, differences=month_end.differences)
    case.notes["seconds"] = round(max(one.seconds for one in rounds[NAME]), 2)
    return [case]


class _MonthEnd:
    """The books of a service, on which day after day is the end of a month."""

    def __init__(self, one: Station, n: int) -> None:
        self._station = one
        self._db = one.database
        self._n = n
        self.differences: list[str] = []

    async def turn(self) -> Round:
        """Issue what falls due on the next day, meet that day's markers, and turn it; only the turn is timed."""
        async with self._db.transaction() as db:
            await db.execute("TRUNCATE chassis.outbox")
            day = await db.fetchval("SELECT open_on FROM chassis.day WHERE entity = $1", _ENTITY) + timedelta(days=1)
            await db.execute(_INVOICES, _ENTITY, day, self._n, self._n // _EACH)
            await db.execute(
                """
                INSERT INTO chassis.met (topic, partition, entity, day)
                SELECT topic, partition, $2, $3 FROM unnest($1::text[]) AS topic, generate_series(0, $4::int - 1) AS partition
                ON CONFLICT (topic, partition, entity) DO UPDATE SET day = excluded.day
                """,
                list(INVOICE.subscriptions.topics),
                _ENTITY,
                day,
                PARTITIONS,
            )
        await self._db.pool.execute("ANALYZE document, instalment")
        began_at = time.perf_counter()
        with as_a_service():
            await self._station.worker.turner.turn_all_due()
        seconds = time.perf_counter() - began_at
        told = await self._db.pool.fetchval("SELECT count(*) FROM chassis.outbox WHERE partition IS NULL")
        if told != self._n:
            self.differences.append(f"{told} instalments were told to have fallen due on {day} instead of {self._n}")
        return Round(self._n, seconds)

    async def mark(self) -> Round:
        """Mark the rows of the day that was turned last in a copy of the table."""
        async with self._db.pool.acquire() as db:
            day = await db.fetchval("SELECT open_on FROM chassis.day WHERE entity = $1", _ENTITY)
            await db.execute(_NAIVE)
            await db.execute(_COPY, day)
            await db.execute(f"ANALYZE {SCHEMA}.instalment")
            began_at = time.perf_counter()
            marked = await db.fetch(_MARK, _ENTITY, day, timeout=600)
            return Round(len(marked), time.perf_counter() - began_at)
