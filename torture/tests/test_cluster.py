"""The system under torture: started, hurt, started again, and gone without a trace."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio
from launcher.processes import Identity, Register
from testkit.patience import until
from torture.rig import server
from torture.rig.cluster import INSTANCES, Cluster

pytestmark = pytest.mark.kafka

ENTITIES = """\
deployed = ["invoice", "payment", "credit", "dunning", "reporting"]
[entities.US01]
currency = "USD"
time_zone = "America/New_York"
calendar = "US"
opens_on = 2026-01-01
sources = []
day_starts = "told"
"""
in_one_loop = pytest.mark.asyncio(loop_scope="module")
READY_S_MAX = 60.0
DIED_S_MAX = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "entities.toml").write_text(ENTITIES)
    async with Cluster(folder / "state", entities=folder / "entities.toml", partitions=2) as cluster:
        yield cluster


def ports_of_peers(pid: int) -> set[int]:
    """The ports on other ends of a process's connections: /proc/net/tcp has the remote address in column 3, the inode in column 10."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    peers = {f"socket:[{row[9]}]": int(row[2].rpartition(":")[2], 16) for row in rows if row[3] == "01"}
    return {peers[target] for file in Path(f"/proc/{pid}/fd").iterdir() if (target := str(file.readlink())) in peers}


async def is_ready(cluster: Cluster, name: str) -> bool:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        try:
            return (await http.get(f"{cluster.url(name)}/health/ready")).status_code == 200
        except httpx.TimeoutException:
            return False


@in_one_loop
async def test_every_instance_reaches_the_servers_through_links_of_its_own_and_no_other_way(cluster: Cluster) -> None:
    """A broker sends its clients on to the address it advertises: that has to be the link's, not its own."""
    for name in INSTANCES:
        own = {cluster.link(name, "kafka").port, cluster.link(name, "postgres").port}
        pid = cluster.instance(name).pid
        assert pid is not None
        assert ports_of_peers(pid) == own
        assert await is_ready(cluster, name)


@in_one_loop
async def test_tokens_are_good_for_the_apis_and_addresses_lead_to_the_services_databases(cluster: Cluster) -> None:
    day, key = {"entity": "US01", "date": "2026-01-01"}, {"Idempotency-Key": "tick|US01|2026-01-01"}
    bearer = {"Authorization": f"Bearer {cluster.token('operator-1', ['operator'])}"}
    async with httpx.AsyncClient(base_url=cluster.url("invoice-2"), trust_env=False) as http:
        answers = [await http.post("/v1/business-days", json=day, headers=headers) for headers in (key, {**key, **bearer})]
    assert [answer.status_code for answer in answers] == [401, 201]
    for dsn, user in ((cluster.dsn("credit"), "receivables_credit"), (cluster.admin_dsn("credit"), "postgres")):
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchrow("SELECT current_database(), current_user, count(*) FROM chk.position") is not None
        assert await connection.fetchval("SELECT current_user") == user
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.close()


@in_one_loop
async def test_a_killed_instance_comes_back_as_it_was_but_for_what_one_life_was_told(cluster: Cluster, tmp_path: Path) -> None:
    instance = cluster.instance("invoice-1")
    (tmp_path / "sitecustomize.py").write_text("import os\nprint('started as', os.environ.get('ROLE_OF_THIS_LIFE'), flush=True)\n")
    instance.code = tmp_path
    for told, expected in (({"ROLE_OF_THIS_LIFE": "mutant"}, "mutant"), (None, "None")):
        before = instance.pid
        instance.kill()
        assert await instance.ended(DIED_S_MAX) == -9
        assert (instance.running, instance.killed) == (False, True)
        await instance.start(told)
        await instance.wait_ready(READY_S_MAX)
        assert (instance.running, instance.killed) == (True, False)
        assert instance.pid != before
        assert re.findall("started as (.*)", instance.log.read_text())[-1] == expected
    instance.code = None


@in_one_loop
async def test_a_process_told_to_stop_ends_with_status_0(cluster: Cluster) -> None:
    instance = cluster.instance("payment-2")
    instance.terminate()
    assert await instance.ended(DIED_S_MAX) == 0
    await instance.start()
    await instance.wait_ready(READY_S_MAX)


@in_one_loop
async def test_a_stopped_process_does_not_answer_and_goes_on_when_woken(cluster: Cluster) -> None:
    instance = cluster.instance("credit-1")
    instance.pause()
    with pytest.raises(TimeoutError, match="credit-1 was not ready"):
        await instance.wait_ready(0.1)
    assert instance.running
    instance.resume()
    await instance.wait_ready(READY_S_MAX)


@in_one_loop
async def test_a_blackholed_database_is_noticed_and_healing_ends_it(cluster: Cluster) -> None:
    link = cluster.link("reporting-1", "postgres")
    link.blackhole("both")

    async def unready() -> bool:
        return not await is_ready(cluster, "reporting-1")

    await until(unready, seconds=READY_S_MAX)
    assert await is_ready(cluster, "dunning-1"), "only one instance was cut off"
    link.heal()
    await until(lambda: is_ready(cluster, "reporting-1"), seconds=READY_S_MAX)


@in_one_loop
async def test_commits_and_produce_requests_of_a_service_are_cut_on_its_links(cluster: Cluster) -> None:
    """A business day is written to the outbox in one transaction and sent to Kafka by the relay; both are tried again."""
    names = ("invoice-1", "invoice-2")
    for name in names:
        cluster.link(name, "postgres").cut_reply("commit", 1, when="after")
        cluster.link(name, "kafka").cut_reply("produce", 1, when="after")
    bearer = {"Authorization": f"Bearer {cluster.token('tick', ['operator'])}", "Idempotency-Key": "tick|US01|2026-01-02"}
    async with httpx.AsyncClient(base_url=cluster.url("invoice-1"), trust_env=False, timeout=30) as http:
        started = 0
        while started != 200:
            answer = await http.post("/v1/business-days", json={"entity": "US01", "date": "2026-01-02"}, headers=bearer)
            started = 200 if answer.is_success else answer.status_code
            assert started in (200, 409, 500, 503)
    await until(lambda: sum(cluster.link(name, "kafka").cut["produce.after"] for name in names) > 0, seconds=30)
    assert sum(cluster.link(name, "postgres").cut["commit.after"] for name in names) > 0
    for name in names:
        cluster.link(name, "postgres").heal()
        cluster.link(name, "kafka").heal()


@in_one_loop
async def test_the_database_dies_with_all_its_children_and_comes_back_at_its_address(cluster: Cluster) -> None:
    first = cluster.postgres.pid
    assert first is not None
    family = [first, *server.children_of(first)]
    cluster.postgres.kill()
    assert await cluster.postgres.ended(DIED_S_MAX) == -9
    await until(lambda: not any(Identity.of(pid) for pid in family[1:]))
    await cluster.postgres.start()
    await cluster.postgres.wait_ready(READY_S_MAX)
    await until(lambda: is_ready(cluster, "payment-1"), seconds=READY_S_MAX)


@in_one_loop
async def test_a_stopped_database_stops_with_all_its_connections(cluster: Cluster) -> None:
    connection = await asyncpg.connect(cluster.dsn("dunning"))
    cluster.postgres.pause()
    with pytest.raises(TimeoutError):
        await connection.fetchval("SELECT 1", timeout=0.2)
    cluster.postgres.resume()
    connection.terminate()
    await cluster.postgres.wait_ready(READY_S_MAX)


@in_one_loop
async def test_the_broker_comes_back_with_its_listeners(cluster: Cluster) -> None:
    cluster.kafka.kill()
    assert await cluster.kafka.ended(DIED_S_MAX) == -9
    await cluster.kafka.start()
    await cluster.kafka.wait_ready(READY_S_MAX)
    for name in INSTANCES:
        await cluster.instance(name).wait_ready(READY_S_MAX)


@in_one_loop
async def test_stopping_leaves_no_process_not_even_of_those_that_are_paused(cluster: Cluster) -> None:
    assert len(processes_of(cluster.state.folder)) > len(INSTANCES) + 2
    cluster.instance("payment-1").pause()
    cluster.postgres.pause()
    await cluster.stop()
    await cluster.stop()
    assert processes_of(cluster.state.folder) == []


def processes_of(folder: Path) -> list[int]:
    """Who has this folder in its environment or command line: services, servers, the guard; the dead have neither any more."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            told = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            found += [int(process.name)] if bytes(folder) in told else []
    return found


def test_what_a_rig_has_started_ends_with_it_even_when_it_is_killed_and_a_child_is_paused(tmp_path: Path) -> None:
    rig = """\
import os, signal, sys
from pathlib import Path
from launcher.processes import Identity, Register
from torture.rig.guard import begin_guard
run = Path(sys.argv[1])
begin_guard(run)
shell = Register(run).start("shell", ["sh", "-c", "sleep 60 & sleep 60"], log=run / "log", environment=os.environ, folder=run)
while not (children := Path(f"/proc/{shell.pid}/task/{shell.pid}/children").read_text().split()):
    pass
os.kill(int(children[0]), signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGKILL)
"""
    paths = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    began_at = time.monotonic()
    died = subprocess.run([sys.executable, "-c", rig, str(tmp_path)], check=False, env={**os.environ, "PYTHONPATH": paths})
    assert died.returncode == -9
    while Register(tmp_path).find("shell") is not None:
        assert time.monotonic() - began_at < 20, "it was to sleep for a minute"
        time.sleep(0.05)
