"""Databases and processes of a case's own, beside the stack: a service on books that nobody else writes to, gone when the case ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launcher import ports
from launcher.folders import checkout
from launcher.processes import last_words
from launcher.trouble import ServerDied

from bench import web
from bench.track import Track

_PREFIX: Final = "receivables_bench_"
_READY_SECONDS_MAX: Final = 60
_STOP_SECONDS_MAX: Final = 20
_LOOK_SECONDS: Final = 0.05


@asynccontextmanager
async def database(track: Track, service: str, label: str) -> AsyncIterator[str]:
    """Make a migrated, empty database of a service while the block runs; its address is for the service's own role."""
    cluster, name = track.cluster(), f"{_PREFIX}{label}"
    await asyncio.to_thread(cluster.drop, name)
    template = await asyncio.to_thread(cluster.template, service)
    dsn = await asyncio.to_thread(cluster.create, name, service, template)
    try:
        yield dsn
    finally:
        await asyncio.to_thread(cluster.drop, name)


def backends_of(label: str) -> str:
    """Name the Postgres backends of such a database as `Track.measured` does."""
    return f"pg:bench_{label}"


@dataclass(frozen=True, slots=True)
class Running:
    """A process with an HTTP port."""

    pid: int
    port: int


@asynccontextmanager
async def process(track: Track, name: str, command: Sequence[str], dsn: str) -> AsyncIterator[Running]:
    """
    Run a Python module as a service process on a database of its own while the block runs, and wait until it is alive.

    `command` is what stands behind `python -m`; the environment is that of the stack's services.

    :raises ServerDied: it ended, or did not answer within a minute.
    """
    port, log = _free_port(), track.logs / f"{name}.log"
    child = _start(command, {**os.environ, **track.environment(dsn, port)}, log)
    track.guests[child.pid] = name
    try:
        deadline = time.monotonic() + _READY_SECONDS_MAX
        while not await web.is_live(port):
            if child.poll() is not None or time.monotonic() > deadline:
                raise ServerDied(f"The {name} process", log, last_words(log))
            await asyncio.sleep(_LOOK_SECONDS)
        yield Running(child.pid, port)
    finally:
        del track.guests[child.pid]
        await asyncio.to_thread(_stop, child)


def _start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment,
            cwd=checkout(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(_STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ports.HOST, 0))
        port: int = probe.getsockname()[1]
        return port
