"""The samples: cheap at twenty thousand items, and each statement finds the row that is wrong."""

import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from torture.check.sampling import Sampler
from torture.check.topology import SERVICES

pytestmark = pytest.mark.db

ITEMS = 20_000
SAMPLE_CPU_S_MAX = 0.9
"""
Of all that works on one sample: this process and the five backends. What the clock on the wall says depends on who else is at work, and on
one core that two threads share even this nearly doubles: 0.15 to 0.35 was seen.
"""
_TICKS = os.sysconf("SC_CLK_TCK")


def books(items: int) -> str:
    """Statements that fill the ledger: every item paid in part by a receipt of its own, of which something is on account."""
    return f"""
    INSERT INTO account (entity, account) SELECT 'US01', 'C-' || n FROM generate_series(1, 40) AS n;
    INSERT INTO document (entity, document_no, kind, account, customer, currency, issued_on, booked_on, digest)
        SELECT 'US01', 'INV-' || n, 'invoice', 'C-' || n % 40 + 1, 'C-' || n % 40 + 1, 'USD', '2025-01-01', '2025-01-01', ''
        FROM generate_series(1, {items}) AS n;
    INSERT INTO item (document_id, account_id, n, due_on, total_minor, settled_minor, credited_minor, adjusted_minor, voided_minor,
            allowed_minor, discounted_minor, is_open)
        SELECT d.id, a.id, 1, '2025-02-01', 1000, 400, 0, 0, 0, 8, 8, true FROM document d JOIN account a USING (entity, account);
    INSERT INTO receipt (entity, bank_ref, account_id, currency, amount_minor, applied_minor, on_account_minor, refunded_minor,
            returned_minor, transferred_minor, pinned_minor, is_barred, is_bound, is_live, value_on, booked_on, identified_on,
            identified_by, method, content)
        SELECT 'US01', 'B-' || i.id, i.account_id, 'USD', 1000, 400, 100, 50, 0, 0, 20, true, false, true, '2025-01-02', '2025-01-02',
            '2025-01-02', 'customer', 'bank', '' FROM item i;
    INSERT INTO entry (account_id, receipt_id, item_id, application, rule, amount_minor, applied_on, booked_on, effective_on, is_finished)
        SELECT i.account_id, r.id, i.id, 'receipt|' || i.id, 'reference', 400, '2025-01-02', '2025-01-02', '2025-01-02', false
        FROM item i JOIN receipt r ON r.bank_ref = 'B-' || i.id;
    INSERT INTO entry (account_id, allowance_id, item_id, application, rule, amount_minor, applied_on, booked_on, effective_on, is_finished)
        SELECT i.account_id, r.id, i.id, 'earned|' || i.id, 'earned', 8, '2025-01-02', '2025-01-02', '2025-01-02', false
        FROM item i JOIN receipt r ON r.bank_ref = 'B-' || i.id;
    INSERT INTO entry (account_id, receipt_id, rule, amount_minor, applied_on, booked_on, effective_on, is_finished)
        SELECT account_id, id, rule, minor, '2025-01-02', '2025-01-02', '2025-01-02', false
        FROM receipt, (VALUES ('on_account', 100), ('pinned', 20), ('refunded:1', 50)) AS moved (rule, minor);
    INSERT INTO document (entity, document_no, kind, account, customer, currency, issued_on, booked_on, digest)
        SELECT 'US01', 'CM-1', 'memo', 'C-1', 'C-1', 'USD', '2025-01-01', '2025-01-01', '';
    INSERT INTO memo (document_id, account_id, total_minor, applied_minor, pinned_minor, is_barred, is_open)
        SELECT d.id, a.id, 50, 0, 0, false, true FROM document d JOIN account a USING (entity, account) WHERE d.kind = 'memo';
    ANALYZE;
    """


def unguarded(table: str, statement: str) -> str:
    """Drop the CHECK constraints of a table, then do what they would have refused."""
    return f"""
    DO $$ DECLARE one name; BEGIN
        FOR one IN SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'c' LOOP
            EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', one);
        END LOOP;
    END $$;
    {statement};
    """


@dataclass(eq=False)
class Shelves:
    """Databases without a cluster around them: all that the sampler asks for when there is no process to look at."""

    dsns: dict[str, str]
    names: tuple[str, ...] = ()

    def dsn(self, service: str) -> str:
        return self.dsns[service]

    async def run(self, service: str, statement: str) -> None:
        db = await asyncpg.connect(self.dsns[service])
        try:
            await db.execute(statement)
        finally:
            await db.close()


@pytest.fixture
def shelves(database_url: Callable[[str], str]) -> Shelves:
    return Shelves({service: database_url(service) for service in SERVICES})


@pytest.fixture
async def sampler(shelves: Shelves) -> AsyncIterator[Sampler]:
    made = Sampler(shelves)  # type: ignore[arg-type]  # See Shelves.
    yield made
    await made.close()


async def cpu_s(sampler: Sampler) -> float:
    """CPU seconds spent so far by this process and by the backends that serve the sampler."""
    spent = time.process_time()
    for db in sampler._open.values():
        spent += backend_cpu_s(await db.fetchval("SELECT pg_backend_pid()"))
    return spent


def backend_cpu_s(pid: int) -> float:
    told = Path(f"/proc/{pid}/stat")
    if not told.exists() or "postgres" not in (text := told.read_text()):
        pytest.skip("the server runs elsewhere: its CPU time cannot be seen from here")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def test_a_sample_of_twenty_thousand_items_is_sound_and_cheap(sampler: Sampler, shelves: Shelves) -> None:
    await shelves.run("payment", books(ITEMS))
    assert await sampler.sample() == []
    before = await cpu_s(sampler)
    for _ in range(5):
        assert await sampler.sample() == []
    assert (await cpu_s(sampler) - before) / 5 < SAMPLE_CPU_S_MAX


@pytest.mark.parametrize(
    ("invariant", "statement"),
    [
        ("M1", unguarded("item", "UPDATE item SET settled_minor = settled_minor + 1 WHERE id = 7")),
        ("M1", "DELETE FROM entry WHERE id = 3"),
        ("M1", unguarded("item", "UPDATE item SET discounted_minor = 9, allowed_minor = 9 WHERE id = 7")),
        ("M1", "DELETE FROM entry WHERE allowance_id = 3"),
        ("M2", unguarded("item", "UPDATE item SET settled_minor = 1001 WHERE id = 7")),
        ("M3", unguarded("receipt", "UPDATE receipt SET on_account_minor = 700 WHERE id = 7")),
        ("M3", unguarded("receipt", "UPDATE receipt SET refunded_minor = 700 WHERE id = 7")),
        ("M3", unguarded("receipt", "UPDATE receipt SET transferred_minor = 700 WHERE id = 7")),
        ("M3", unguarded("receipt", "UPDATE receipt SET pinned_minor = 101 WHERE id = 7")),
        ("M3", unguarded("receipt", "UPDATE receipt SET returned_minor = 1, returned_on = '2025-01-03' WHERE id = 7")),
        ("M4", unguarded("memo", "UPDATE memo SET applied_minor = 51")),
    ],
)
async def test_a_wrong_row_of_the_ledger_gives_the_alarm(sampler: Sampler, shelves: Shelves, invariant: str, statement: str) -> None:
    await shelves.run("payment", books(20))
    assert await sampler.sample() == []
    await shelves.run("payment", statement)
    assert invariant in {finding.invariant for finding in await sampler.sample()}


@pytest.mark.parametrize("service", ["dunning", "reporting"])
async def test_an_item_under_another_entity_gives_the_alarm(sampler: Sampler, shelves: Shelves, service: str) -> None:
    customer = ", customer" if service == "reporting" else ""
    total = ", total_minor" if service == "reporting" else ""
    await shelves.run(
        service,
        f"""
        INSERT INTO item (item, entity, account{customer}, currency, due_on{total}, open_minor, is_open)
        VALUES ('US01|INV-1|1', 'JP01', 'C-1'{", 'C-1'" * bool(customer)}, 'USD', '2025-01-01'{", 5" * bool(total)}, 5, true)
        """,
    )
    assert [finding.invariant for finding in await sampler.sample()] == ["S1"]


async def test_what_goes_back_gives_the_alarm(sampler: Sampler, shelves: Shelves) -> None:
    told = """
    INSERT INTO chassis.position (topic, partition, next_offset) VALUES ('receivables.invoice', 0, 9);
    INSERT INTO chassis.day (entity, open_on) VALUES ('US01', '2025-01-02');
    """
    await shelves.run("payment", told)
    assert await sampler.sample() == []
    await shelves.run("payment", "UPDATE chassis.position SET next_offset = 8; UPDATE chassis.day SET open_on = '2025-01-01'")
    assert sorted(finding.invariant for finding in await sampler.sample()) == ["E6", "W1"]


async def test_more_heard_than_said_gives_the_alarm(sampler: Sampler, shelves: Shelves) -> None:
    await shelves.run("invoice", "INSERT INTO chassis.stream_head VALUES ('receivables.invoice', 'US01|C-1', 3)")
    await shelves.run("payment", "INSERT INTO chassis.stream_seen VALUES ('receivables.invoice', 'US01|C-1', 3)")
    assert await sampler.sample() == []
    await shelves.run("payment", "UPDATE chassis.stream_seen SET sequence = 4")
    assert [finding.invariant for finding in await sampler.sample()] == ["E3"]


async def test_a_database_that_is_down_is_left_out_and_counted(sampler: Sampler, shelves: Shelves) -> None:
    shelves.dsns["credit"] = "postgresql://nobody@127.0.0.1:1/nothing"
    assert await sampler.sample() == []
    assert sampler.unanswered == {"credit": 1}
