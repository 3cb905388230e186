"""The loader of the read model, held to the handlers it stands in for."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from bench.facts import ENTITY, OPENS_ON
from bench.history import History, Published
from bench.ledger import TODAY, Ledger
from chassis.record import Record
from chassis.relay import partition_of
from reporting.app import SERVICE as REPORTING
from reporting.queries import closings
from testkit.service import PARTITIONS, service_under_test, two_entities

from bench import readmodel

pytestmark = pytest.mark.db

LEDGER = Ledger.of_facts(2_000)
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""


def records_of(facts: list[Published]) -> list[Record]:
    """Put facts where the relay would, each partition from offset 0."""
    offsets: Counter[tuple[str, int]] = Counter()
    records = []
    for fact in facts:
        partition = partition_of(fact.key, PARTITIONS)
        records.append(Record(fact.topic, partition, offsets[fact.topic, partition], fact.key.encode(), fact.value, fact.headers))
        offsets[fact.topic, partition] += 1
    return records


async def rows_of(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the read model in order, without the instant of folding, and how its tables are kept."""
    db = await asyncpg.connect(dsn)
    try:
        found = {}
        for table in REPORTING.read_model:
            rows = [
                tuple(value for name, value in row.items() if name not in REPORTING.volatile) for row in await db.fetch(f"TABLE {table}")
            ]
            found[table] = sorted(rows)
        for about, query in (("indexes", INDEXES), ("constraints", CONSTRAINTS)):
            found[about] = [tuple(row) for row in await db.fetch(query)]
        return found
    finally:
        await db.close()


async def test_two_thousand_facts_leave_the_same_rows_whether_loaded_or_handled(database_url: Callable[[str], str]) -> None:
    handled, loaded = database_url("reporting"), database_url("reporting")
    async with service_under_test(REPORTING, handled, entities=two_entities(opens_on=OPENS_ON)) as reporting:
        facts = History(LEDGER.spread_out()).take(10_000)
        await reporting.receive_records(*records_of(facts))
        async with reporting.db.transaction() as db:
            for n in range((TODAY - OPENS_ON).days + 1):
                await closings.close(db, ENTITY, OPENS_ON + timedelta(days=n))
    assert len(facts) == pytest.approx(2_000, rel=0.02)

    db = await asyncpg.connect(loaded)
    outcome = await readmodel.load(db, LEDGER)
    closed_on = await db.fetchval("SELECT complete_up_to FROM chk.day")
    walked = await db.fetchval("SELECT sum(minor) FROM bench.application")
    await db.close()

    by_handlers, by_loader = await rows_of(handled), await rows_of(loaded)
    for part in by_handlers:
        assert by_loader[part] == by_handlers[part], part
    assert len(by_loader["item"]) == outcome.items == LEDGER.items
    assert closed_on == TODAY
    assert walked == sum(billed.paid.minor for billed in LEDGER.in_order() if billed.paid)


async def test_a_reader_of_the_loaded_model_is_told_what_is_open(database_url: Callable[[str], str]) -> None:
    dsn = database_url("reporting")
    db = await asyncpg.connect(dsn)
    outcome = await readmodel.load(db, LEDGER)
    balances = await db.fetch("SELECT currency, sum(balance_minor)::bigint AS minor FROM chk.balance GROUP BY currency")
    await db.close()
    assert {row["currency"]: row["minor"] for row in balances} == dict(outcome.open_minor)
