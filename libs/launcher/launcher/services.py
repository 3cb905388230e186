"""The five services as processes of this machine."""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from launcher import ports
from launcher.entities import SERVICES
from launcher.folders import State, checkout
from launcher.processes import Identity, Register, last_words, stop
from launcher.trouble import PortTaken, ServerDied

PORT_BASE = 8001
_READY_SECONDS_MAX = 90.0
_STOP_SECONDS_MAX = 20.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """What one service process is told by its environment, beside what it inherits from ours."""

    service: str
    port: int
    environment: Mapping[str, str]

    def fingerprint(self) -> str:
        """Change when the process must be started again: other settings, or code that is newer than it."""
        root = checkout()
        folders = [root / "services" / self.service, *(root / "libs" / name for name in ("chassis", "events", "money"))]
        edited = max((path.stat().st_mtime_ns for folder in folders for path in folder.rglob("*.py")), default=0)
        told = sorted(self.environment.items())
        return hashlib.sha256(repr((told, edited)).encode()).hexdigest()


def port_of(service: str, base: int) -> int:
    """Return the port of a service: the base and the ones behind it, in the fixed order of the services."""
    return base + SERVICES.index(service)


class Fleet:
    """The service processes of one state folder."""

    def __init__(self, state: State, say: Callable[[str], None]) -> None:
        self._state = state
        self._say = say
        self._register = Register(state.run)

    def log(self, service: str) -> Path:
        """Return the log of a service."""
        return self._state.logs / f"{service}.log"

    def running(self, service: str) -> Identity | None:
        """Return the service's process when it is alive and ours."""
        return self._register.find(service)

    def check_ports(self, services: Sequence[str], base: int) -> None:
        """
        Look before anything is started.

        :raises PortTaken: somebody else listens where one of these services should.
        """
        ours = {known["port"] for service, known in self._state.recall("services").items() if self.running(service)}
        for service in services:
            port = port_of(service, base)
            if port not in ours and not ports.is_free(port, patience_seconds=ports.PATIENCE_SECONDS):
                raise PortTaken(port, ports.holder(port), base + 1000)

    def runs_as(self, wanted: Settings) -> bool:
        """Say whether the service runs with these settings and the code of today."""
        known = self._state.recall("services").get(wanted.service, {})
        return self.running(wanted.service) is not None and known.get("told") == wanted.fingerprint()

    def start(self, wanted: Sequence[Settings]) -> None:
        """Start the services that do not run as wanted, without waiting for them."""
        stale = [one.service for one in wanted if self.running(one.service) and not self.runs_as(one)]
        if stale:
            self._say(f"starting again with new settings or code: {', '.join(stale)}")
            self.stop(stale)
        for one in wanted:
            if self.running(one.service) is None:
                command = [sys.executable, "-m", "chassis", one.service, "all"]
                self._register.start(
                    one.service, command, log=self.log(one.service), environment={**os.environ, **one.environment}, folder=checkout()
                )
                about = {"port": one.port, "told": one.fingerprint()}
                self._state.remember("services", {**self._state.recall("services"), one.service: about})

    def wait(self, wanted: Sequence[Settings]) -> None:
        """
        Wait until all services say at the same time that they are ready: one may lose its partitions again while another starts.

        :raises ServerDied: one ended, or was not ready in time.
        """
        deadline = time.monotonic() + _READY_SECONDS_MAX
        with httpx.Client(timeout=5, trust_env=False) as http:
            while missing := [one.service for one in wanted if not is_ready(http, one.port)]:
                for service in missing:
                    if self.running(service) is None:
                        raise ServerDied(f"The {service} service", self.log(service), last_words(self.log(service)))
                if time.monotonic() > deadline:
                    late = missing[0]
                    raise ServerDied(f"The {late} service", self.log(late), last_words(self.log(late)), "was not ready in time")
                time.sleep(_POLL_SECONDS)

    def stop(self, services: Sequence[str] = SERVICES) -> list[str]:
        """Stop services, all at once; return which ran."""
        running = {service: identity for service in services if (identity := self.running(service))}
        stop(list(running.values()), patience_seconds=_STOP_SECONDS_MAX)
        return list(running)


def is_ready(http: httpx.Client, port: int) -> bool:
    """Ask a service whether it is ready; no answer is a no."""
    try:
        return http.get(f"http://{ports.HOST}:{port}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False
