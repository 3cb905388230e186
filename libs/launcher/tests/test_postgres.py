"""A real PostgreSQL of our own: started, found again, repaired; a role and a database per service."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from launcher.databases import Cluster
from launcher.folders import State
from launcher.postgres import Postgres

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    state = State(tmp_path_factory.mktemp("postgres"))
    state.prepare()
    return state


@pytest.fixture(scope="module")
def postgres(state: State) -> Iterator[Postgres]:
    postgres = Postgres(state, print)
    postgres.start()
    yield postgres
    postgres.discard()


@pytest.fixture
def cluster(postgres: Postgres, state: State) -> Cluster:
    return Cluster(postgres.admin_dsn, state)


def ask(dsn: str, query: str) -> Any:
    """Run one statement and return the first value of its answer."""

    async def run() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_it_is_version_18_waits_for_the_disk_and_never_runs_as_root(postgres: Postgres) -> None:
    assert ask(postgres.admin_dsn, "SHOW server_version").startswith("18.")
    assert ask(postgres.admin_dsn, "SHOW fsync") == "on"
    identity = postgres.running()
    assert identity is not None
    assert Path(f"/proc/{identity.pid}").stat().st_uid != 0


def test_a_second_start_finds_the_running_server(postgres: Postgres, state: State) -> None:
    before = postgres.running()
    assert Postgres(state, print).start() == postgres.admin_dsn
    assert postgres.running() == before


def test_a_wrong_password_does_not_get_in(postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(postgres.admin_dsn.replace("@", "x@"), "SELECT 1")


def test_each_service_owns_its_database_and_enters_no_other(cluster: Cluster) -> None:
    cluster.ensure(["invoice", "payment"])
    cluster.ensure(["invoice", "payment"])
    assert ask(cluster.dsn("invoice"), "SELECT current_database()") == "receivables_invoice"
    assert ask(cluster.dsn("invoice"), "CREATE TABLE mine()") is None
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(cluster.dsn("invoice", "receivables_payment"), "SELECT 1")


def test_a_clean_database_is_a_copy_of_the_template_once_there_is_one(cluster: Cluster) -> None:
    cluster.ensure(["credit"])
    assert not cluster.clean("credit")
    ask(cluster.dsn("credit"), "CREATE TABLE migrated AS SELECT 1 AS one")
    cluster.keep_as_template("credit")
    ask(cluster.dsn("credit"), "INSERT INTO migrated VALUES (2)")
    assert cluster.clean("credit")
    assert ask(cluster.dsn("credit"), "SELECT count(*) FROM migrated") == 1


def test_databases_that_are_not_ours_are_never_dropped(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="not ours"):
        cluster.drop("postgres")


def test_a_killed_server_comes_back_with_what_was_committed(postgres: Postgres, cluster: Cluster) -> None:
    cluster.ensure(["dunning"])
    ask(cluster.dsn("dunning"), "CREATE TABLE notices AS SELECT 7 AS level")
    before = postgres.running()
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    while before.alive():
        time.sleep(0.02)
    postgres.start()
    assert postgres.running() != before
    assert ask(cluster.dsn("dunning"), "SELECT level FROM notices") == 7


def test_a_lock_file_whose_pid_is_somebody_elses_by_now_does_not_keep_it_down(postgres: Postgres, state: State) -> None:
    assert postgres.stop()
    data = Path(state.recall("postgres")["home"]) / "data"
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    assert ask(postgres.start(), "SELECT 1") == 1
