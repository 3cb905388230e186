"""The whole stack, really: servers, databases, topics and services of one state folder."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from launcher import ports
from launcher.folders import checkout
from launcher.postgres import Postgres
from launcher.stack import Stack

pytestmark = pytest.mark.kafka

DEPLOYED = ("invoice", "reporting")


def free_base() -> int:
    """Find five ports in a row that nobody uses, where no other test looks."""
    return next(base for base in range(16_000, 18_000, 10) if all(ports.is_free(base + n) for n in range(5)))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    entities = folder / "entities.toml"
    shipped = (checkout() / "entities.toml").read_text().splitlines()
    entities.write_text("\n".join(f"deployed = {list(DEPLOYED)}" if line.startswith("deployed") else line for line in shipped))
    stack = Stack(entities=entities, state=folder / "state", port_base=free_base(), partitions=2, say=print)
    stack.up(clean=True)
    yield stack
    stack.down()
    Postgres(stack.state, print).discard()


def ask(dsn: str, query: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


def pids(stack: Stack) -> dict[str, int | None]:
    return {part.name: part.pid for part in stack.status()}


def parts_ready(stack: Stack) -> list[str]:
    """Look until all is ready, for a while: a new consumer may be handed its partitions twice."""
    deadline = time.monotonic() + 15
    while True:
        ready = [part.name for part in stack.status() if part.ready]
        if len(ready) == 2 + len(DEPLOYED) or time.monotonic() > deadline:
            return ready
        time.sleep(0.1)


async def publish(bootstrap: str) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    sent = await producer.send_and_wait("erp.orders", b"{}", partition=0)
    await producer.stop()
    return int(sent.offset)


def test_every_deployed_part_is_ready_and_answers(stack: Stack) -> None:
    assert parts_ready(stack) == ["kafka", "postgres", *DEPLOYED]
    for url in stack.urls().services.values():
        assert httpx.get(f"{url}/health/live").status_code == 200


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    before = pids(stack)
    stack.up()
    assert pids(stack) == before


def test_a_killed_service_is_started_again_and_the_others_go_on(stack: Stack) -> None:
    before = pids(stack)
    killed = before["invoice"]
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    stack.up()
    after = pids(stack)
    assert after["invoice"] not in (killed, None)
    assert {**after, "invoice": 0} == {**before, "invoice": 0}


def test_down_and_up_keep_the_books_and_a_reset_cleans_them(stack: Stack) -> None:
    dsn = stack.urls().databases["invoice"]
    ask(dsn, "CREATE TABLE public.kept AS SELECT 1 AS one")
    assert set(stack.down()) == {"Kafka", "PostgreSQL", *DEPLOYED}
    assert stack.down() == []
    stack.up()
    assert ask(dsn, "SELECT one FROM public.kept") == 1
    asyncio.run(publish(stack.urls().kafka))
    stack.reset()
    assert ask(dsn, "SELECT to_regclass('public.kept')") is None
    assert asyncio.run(publish(stack.urls().kafka)) == 0
    stack.up()


def test_an_interrupted_start_is_finished_by_the_next_one(stack: Stack) -> None:
    stack.down()
    environment = {**os.environ, "RECEIVABLES_STATE": str(stack.state.folder)}
    first = subprocess.Popen(
        [sys.executable, "-m", "launcher", "up", "--clean"],
        env=environment,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # Ignored where a shell started us in the background.
    )
    while not (stack.state.run / "cleaning").exists():
        assert first.poll() is None
        time.sleep(0.01)
    first.send_signal(signal.SIGINT)
    assert first.wait(30) == 130
    stack.up()
    assert parts_ready(stack) == ["kafka", "postgres", *DEPLOYED]
    assert not (stack.state.run / "cleaning").exists()


def test_the_command_line_speaks_of_the_same_stack(stack: Stack) -> None:
    environment = {**os.environ, "RECEIVABLES_STATE": str(stack.state.folder)}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "launcher", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert {part["name"] for part in json.loads(run("status", "--json"))} == {"kafka", "postgres", *DEPLOYED}
    assert "receivables.invoice          2" in run("topics")
    assert run("token", "--sub", "clerk-1", "--roles", "clerk").count(".") == 2
    assert Path(stack.state.logs / "invoice.log").exists()
