"""The service processes."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from launcher.folders import State, checkout
from launcher.processes import Register

from torture.rig.process import Process

_ANSWER_S_MAX = 5.0


class Instance(Process):
    """
    One service process, `python -m chassis <service> all`.

    :param environment: what it is told, beside what it inherits from us.
    :param code: a folder that its imports look into first: mutants, old versions. May be changed; counts from the next start on.
    """

    def __init__(self, name: str, environment: Mapping[str, str], state: State, code: Path | None) -> None:
        super().__init__(name, state.logs / f"{name}.log", Register(state.run))
        self.service = name.partition("-")[0]
        self._host, self._port = environment["HTTP_HOST"], int(environment["HTTP_PORT"])
        self.url = f"http://{self._host}:{self._port}"
        self.code = code
        self._environment = dict(environment)

    async def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start it unless it runs, without waiting until it is ready; `more` is told to this life only."""
        await self._let_die()
        if self.running:
            return
        environment = {**os.environ, **self._environment, **(more or {})}
        if self.code is not None:
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(self.code), os.environ.get("PYTHONPATH")]))
        self._register.start(
            self.name, [sys.executable, "-m", "chassis", self.service, "all"], log=self.log, environment=environment, folder=checkout()
        )

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S_MAX):
                reader, writer = await asyncio.open_connection(self._host, self._port)
                try:
                    writer.write(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    return (await reader.readline()).split()[1:2] == [b"200"]
                finally:
                    writer.close()
        except OSError:  # A timeout is one, too.
            return False
