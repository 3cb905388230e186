"""A service and its database may come up in any order."""

import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from launcher import ports
from launcher.folders import checkout
from testkit.cable import cable_to_database
from testkit.patience import until
from testkit.process import service_process

pytestmark = pytest.mark.db

WAITS = "service.waits_for_database"


def told(url: str, port: int = 0) -> dict[str, str]:
    """What an API process is told."""
    return {"DATABASE_URL": url, "ENTITIES_FILE": str(checkout() / "entities.toml"), "HTTP_HOST": ports.HOST, "HTTP_PORT": str(port)}


async def test_a_service_waits_for_a_database_that_is_away(database_url: Callable[[str], str], tmp_path: Path) -> None:
    """Torture, seed 53: told to stop, it was started again in the second in which its database stopped, and stayed away."""
    log = tmp_path / "log"
    async with cable_to_database(database_url("payment")) as (cable, url):
        await cable.pull()
        with service_process("payment", told(url, free_port()), log, role="api") as process:
            await until(lambda: log.exists() and WAITS in log.read_text())
            await cable.plug()
            async with httpx.AsyncClient(trust_env=False) as http:
                await until(lambda: _is_ready(http, process.url))
            process.terminate()
            assert process.wait() == 0


async def test_who_is_told_to_stop_while_it_waits_stops(database_url: Callable[[str], str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with cable_to_database(database_url("payment")) as (cable, url):
        await cable.pull()
        with service_process("payment", told(url), log, role="api") as process:
            await until(lambda: log.exists() and WAITS in log.read_text())
            process.terminate()
            assert process.wait(5) == 0


async def test_a_database_that_lets_nobody_in_is_not_waited_for(database_url: Callable[[str], str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    url = database_url("payment")
    with service_process("payment", told(url.replace(":", ":not", 2).replace(":not", ":", 1)), log, role="api") as process:
        assert process.wait() == 1
    assert "service.no_database" in log.read_text() and WAITS not in log.read_text()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as listening:
        listening.bind((ports.HOST, 0))
        return int(listening.getsockname()[1])


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(f"{url}/health/ready")).status_code == 200
    except httpx.TransportError:
        return False
