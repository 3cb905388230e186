"""What can be done to a child process: one shape for services, broker and database."""

import asyncio
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from launcher.processes import Register, last_words
from launcher.trouble import ServerDied

_LOOK_S = 0.05
_DEAD_S_MAX = 20.0


class Process(ABC):
    """
    A child process that is started, hurt and started again under one name. Signals are sent to recorded pids only.

    `killed` says whether it was told to end (kill, terminate) since it was started last.
    """

    politely = signal.SIGTERM

    def __init__(self, name: str, log: Path, register: Register) -> None:
        self.name = name
        self.log = log
        self.killed = False
        self._register = register

    @abstractmethod
    async def start(self) -> None:
        """Start it unless it runs, after the end of one that was told to."""

    @abstractmethod
    async def _answers(self) -> bool:
        """Ask it for a sign that it can do its work."""

    def _all(self) -> Sequence[int]:
        """The pids that belong to it, the one that starts the others first."""
        pid = self.pid
        return [pid] if pid else []

    @property
    def pid(self) -> int | None:
        """The pid of its main process; none when it does not run."""
        identity = self._register.find(self.name)
        return identity.pid if identity else None

    @property
    def running(self) -> bool:
        """Whether the process is there, stopped ones included."""
        return self._register.find(self.name) is not None

    async def wait_ready(self, seconds: float) -> None:
        """
        Wait until it can do its work.

        :raises ServerDied: it ended meanwhile.
        :raises TimeoutError: it could not in that time.
        """
        try:
            async with asyncio.timeout(seconds):
                while not await self._answers():
                    if not self.running:
                        raise ServerDied(self.name, self.log, last_words(self.log))
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise TimeoutError(f"{self.name} was not ready within {seconds:.1f} s") from None

    def kill(self) -> None:
        """SIGKILL, to its children too: as when the power fails."""
        self.killed = True
        self._signal(self._all(), signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end in good order: SIGTERM, for the database SIGINT (it would wait for its clients otherwise)."""
        self.killed = True
        self._signal(self._all()[:1], self.politely)

    def pause(self) -> None:
        """SIGSTOP, to its children too. It keeps its sockets and does nothing."""
        self._signal(self._all(), signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(self._all(), signal.SIGCONT)

    async def ended(self, seconds: float) -> int | None:
        """Wait for its end; return the exit status, negative the signal that killed it, None when it still runs."""
        deadline = time.monotonic() + seconds
        while not self._register.is_over(self.name):
            if time.monotonic() > deadline:
                return None
            await asyncio.sleep(_LOOK_S)
        return self._register.status(self.name)

    async def _let_die(self) -> None:
        """Before a new start: somebody told to end may not be gone yet, and is given no longer than it would get from an operator."""
        if self.killed:
            await self.ended(_DEAD_S_MAX)
            self.kill()
            await self.ended(_DEAD_S_MAX)
        self.killed = False

    def _signal(self, pids: Sequence[int], which: signal.Signals) -> None:
        for pid in pids:
            try:
                os.kill(pid, which)
            except ProcessLookupError:  # It ended between the look and the call.
                continue
