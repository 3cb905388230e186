"""One service as a real process that a test may kill, forked from a server that has imported everything: it starts in no time."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from launcher import ports

_FORKS = multiprocessing.get_context("forkserver")
_END_S_MAX = 30
_preloaded: list[str] = []


class ServiceProcess:
    """
    `python -m chassis <service> all` with an environment of its own, listening on `port`.

    What it prints is appended to `log`.
    """

    def __init__(self, service: str, environment: Mapping[str, str], log: Path) -> None:
        self.port = int(environment["HTTP_PORT"])
        self._process: ForkServerProcess = _FORKS.Process(target=_serve, args=(service, dict(environment), str(log)), daemon=True)
        self._process.start()

    @property
    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

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


@contextmanager
def service_process(service: str, environment: Mapping[str, str], log: Path) -> Iterator[ServiceProcess]:
    """Run a service; killed at the end if the test has not ended it."""
    if service not in _preloaded:  # Too late once the fork server runs: then its children import for themselves.
        _preloaded.append(service)
        _FORKS.set_forkserver_preload(["chassis.__main__", "chassis.worker", "chassis.http.app", f"{service}.app", f"{service}.routes"])
    process = ServiceProcess(service, environment, log)
    try:
        yield process
    finally:
        if process.is_alive:
            process.kill()


def _serve(service: str, environment: dict[str, str], log: str) -> None:
    with Path(log).open("ab", buffering=0) as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    os.environ.update(environment)
    sys.argv = ["chassis", service, "all"]
    from chassis.__main__ import main

    raise SystemExit(main())
