"""One service as a real process that a test may kill, forked from a server that has imported everything: it starts in no time."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from launcher import ports
from launcher.entities import SERVICES

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["chassis.__main__", "chassis.worker", "chassis.rebuild", "chassis.http.app", "testkit.crash.batch", "testkit.crash.outgoing"]
    + [f"{service}.{module}" for service in SERVICES for module in ("app", "routes")]
)
_END_S_MAX = 30


class Child:
    """A function run by a process of its own; what it prints is appended to `log`."""

    def __init__(self, run: Callable[..., object], *given: object, log: Path) -> None:
        self._process: ForkServerProcess = FORKS.Process(target=_run, args=(run, given, str(log)), daemon=True)
        self._process.start()

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def wait(self, seconds: float = _END_S_MAX) -> int | None:
        """Wait for its end; return the exit status, negative the signal that killed it, None when it still runs."""
        self._process.join(seconds)
        return self._process.exitcode

    def terminate(self) -> None:
        """Ask it to stop."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()


class ServiceProcess(Child):
    """`python -m chassis <service> <role>` with an environment of its own; `all` listens on the port that HTTP_PORT says."""

    def __init__(self, service: str, environment: Mapping[str, str], log: Path, role: str = "all") -> None:
        self.port = int(environment["HTTP_PORT"])
        super().__init__(_serve, service, role, dict(environment), log=log)

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"


@contextmanager
def service_process(service: str, environment: Mapping[str, str], log: Path, role: str = "all") -> Iterator[ServiceProcess]:
    """Run a service; killed at the end if the test has not ended it."""
    process = ServiceProcess(service, environment, log, role)
    try:
        yield process
    finally:
        if process.is_alive:
            process.kill()


def _run(run: Callable[..., object], given: tuple[Any, ...], log: str) -> None:
    with Path(log).open("ab", buffering=0) as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    run(*given)


def _serve(service: str, role: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    sys.argv = ["chassis", service, role]
    from chassis.__main__ import main

    raise SystemExit(main())
