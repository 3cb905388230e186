"""Where the CPU of one process goes: a clock that charges what passes to the innermost stage, and a database that is watched by it."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, Final, cast

from chassis.database import Connection, Database
from chassis.service import Batch, Fact, Handler, Received, Service

OUTSIDE: Final = "outside"
SIFT: Final = "sift"
HANDLER: Final = "handler"
WRITE: Final = "write"
_STATEMENTS: Final = frozenset(("execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_records_to_table"))


class StageClock:
    """Charges the CPU time of this process to stages; nested ones take from those around them."""

    def __init__(self, cpu_seconds: Callable[[], float] = time.process_time) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._cpu_seconds = cpu_seconds
        self._inside = [OUTSIDE]
        self._since = cpu_seconds()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge what the block uses to this stage."""
        self._charge()
        self._inside.append(name)
        try:
            yield
        finally:
            self._charge()
            self._inside.pop()

    def per_us(self, n: int) -> dict[str, float]:
        """Return microseconds an event by stage, without what was used outside of all of them."""
        return {name: round(seconds / n * 1e6, 2) for name, seconds in self.seconds.items() if name != OUTSIDE}

    def _charge(self) -> None:
        now = self._cpu_seconds()
        self.seconds[self._inside[-1]] += now - self._since
        self._since = now


class WatchedDatabase(Database):
    """A service's database: what a transaction does besides its statements is sifting, the handlers apart."""

    clock: StageClock

    @classmethod
    async def opened(cls, url: str, clock: StageClock) -> "WatchedDatabase":
        """Open it as a service does."""
        opened = await Database.open(url)
        watched = cls(opened.pool, url)
        watched.clock = clock
        return watched

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Do what a service's database does, and watch."""
        with self.clock.stage(WRITE):
            async with super().transaction() as db:
                with self.clock.stage(SIFT):
                    yield cast(Connection, _Watched(db, self.clock))


class _Watched:
    """A connection whose statements are charged to `WRITE`: the client's side of them, reads included."""

    def __init__(self, connection: Connection, clock: StageClock) -> None:
        self._connection = connection
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name not in _STATEMENTS:
            return found

        async def watched(*arguments: Any, **options: Any) -> Any:
            with self._clock.stage(WRITE):
                return await found(*arguments, **options)

        return watched


def watched(service: Service, clock: StageClock) -> Service:
    """Return the service with its handlers charged to `HANDLER`, their statements apart."""
    known: dict[Handler, Handler] = {}
    handlers = {
        event: known.setdefault(handler, _watched_handler(handler, clock)) for event, handler in service.subscriptions.handlers.items()
    }
    return replace(service, subscriptions=replace(service.subscriptions, handlers=handlers))


def _watched_handler(handler: Handler, clock: StageClock) -> Handler:
    async def handle(db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
        with clock.stage(HANDLER):
            return await handler(db, facts, batch)

    return handle
