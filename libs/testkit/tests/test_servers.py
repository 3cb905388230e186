"""Tests get servers of their own, databases of their own, and empty topics."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from launcher.choice import Way
from launcher.folders import State
from launcher.postgres import Postgres
from launcher.topics import sizes
from testkit.servers import SharedServers


@pytest.fixture
def another_session(tmp_path: Path) -> Iterator[SharedServers]:
    """A second test session of the same checkout."""
    servers = SharedServers(folder=tmp_path)
    yield servers
    servers.close()
    for slot in ("1", "2"):
        Postgres(State(tmp_path / slot), print).discard()


def ask(dsn: str, query: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


@pytest.mark.db
def test_each_test_gets_a_migrated_database_of_its_own(database_url: Callable[[str], str]) -> None:
    first, second = database_url("invoice"), database_url("invoice")
    assert first != second
    assert ask(first, "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'chk'") == 1
    assert ask(first, "SELECT current_user") == "receivables_invoice"


@pytest.mark.db
async def test_a_database_can_be_asked_for_while_a_loop_is_running(database_url: Callable[[str], str]) -> None:
    connection = await asyncpg.connect(database_url("invoice"))
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


@pytest.mark.kafka
def test_topics_come_empty_with_the_partitions_asked_for(topics: Callable[..., str]) -> None:
    bootstrap = topics("erp.documents", partitions=5)
    assert sizes(bootstrap)["erp.documents"] == 5
    assert sizes(topics("erp.documents", partitions=1))["erp.documents"] == 1


@pytest.mark.db
def test_two_sessions_at_once_take_two_slots_and_a_closed_one_is_free_again(another_session: SharedServers, tmp_path: Path) -> None:
    if another_session.choice.postgres is not Way.LOCAL:
        pytest.skip("a given or a Docker server is shared by all sessions: slots are for local processes")
    third = SharedServers(folder=tmp_path)
    try:
        assert another_session.postgres().admin_dsn != third.postgres().admin_dsn
    finally:
        third.close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["1", "2"]
    another_session.close()
    fourth = SharedServers(folder=tmp_path)
    fourth.postgres()
    fourth.close()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["1", "2"]
