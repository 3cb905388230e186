"""What every request needs of the process it is served by, and the dependencies routes ask for."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from chassis.clock import Clock
from chassis.database import Connection, Database
from chassis.entities import Entities
from chassis.http.auth import Keys
from chassis.http.problems import Problem
from chassis.outbox import Wake
from chassis.readiness import Readiness
from chassis.service import Service
from chassis.settings import ServiceSettings

READ_SECONDS_MAX = 30
TURN_WAITERS_MAX = 100
TURN_WAIT_SECONDS_MAX = 5.0
COMMANDS_AT_ONCE = 6
COMMANDS_WAITING_MAX = 100
COMMAND_WAIT_SECONDS_MAX = 5.0
_TURN_PAUSE_SECONDS = 0.05
_TURN_PAUSE_SECONDS_MAX = 0.5


class TurnQueue:
    """Commands that wait, without a connection, for a business day to be turned."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()

    async def wait(self, entity: str, attempt: int, deadline: float) -> None:
        """
        Pause before attempt number `attempt`, longer each time; `deadline` is by the loop's clock.

        :raises Problem: 503 past the deadline, or when a hundred commands of the entity wait already.
        """
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0 or self._waiting[entity] >= TURN_WAITERS_MAX:
            raise Problem(
                503, "DAY_TURNING", "The business day is being turned; send the same request again.", headers={"Retry-After": "2"}
            )
        self._waiting[entity] += 1
        try:
            pause = min(_TURN_PAUSE_SECONDS * 2**attempt, _TURN_PAUSE_SECONDS_MAX) * random.uniform(0.5, 1.0)
            await asyncio.sleep(min(pause, left))
        finally:
            self._waiting[entity] -= 1


class Admission:
    """
    Lets so many commands to the database at once, in the order in which they came.

    Commands for an account that is worked on wait with a connection in hand. However many do, the others find one, the worker first of
    all; and what cannot be worked off in time is turned away before it costs anything.
    """

    def __init__(self, at_once: int = COMMANDS_AT_ONCE) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._waiting = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """
        Admit a command while the block runs.

        :raises Problem: 503 after five seconds, or when a hundred wait already.
        """
        if self._waiting >= COMMANDS_WAITING_MAX:
            raise _crowded()
        self._waiting += 1
        try:
            async with asyncio.timeout(COMMAND_WAIT_SECONDS_MAX):
                await self._free.acquire()
        except TimeoutError:
            raise _crowded() from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


def _crowded() -> Problem:
    return Problem(503, "BUSY", "Too much is asked at once; send the same request again.", headers={"Retry-After": "1"})


@dataclass(frozen=True, slots=True)
class Edge:
    """The composition of a process that serves HTTP."""

    service: Service
    database: Database
    entities: Entities
    settings: ServiceSettings
    clock: Clock
    wake: Wake
    keys: Keys
    readiness: Readiness
    turns: TurnQueue = field(default_factory=TurnQueue)
    admission: Admission = field(default_factory=Admission)


def edge_of(request: Request) -> Edge:
    """The edge that `create_app` has put behind this application."""
    edge = request.app.state.edge
    assert isinstance(edge, Edge)
    return edge


EdgeDep = Annotated[Edge, Depends(edge_of)]


async def _reader(edge: EdgeDep) -> AsyncIterator[Connection]:
    async with asyncio.timeout(READ_SECONDS_MAX), edge.database.reading() as db:
        yield db


def _entities(edge: EdgeDep) -> Entities:
    return edge.entities


def _clock(edge: EdgeDep) -> Clock:
    return edge.clock


# Scope "function": the connection goes back before the answer leaves, so that a slow client cannot hold it.
ReaderDep = Annotated[Connection, Depends(_reader, scope="function")]
EntitiesDep = Annotated[Entities, Depends(_entities)]
ClockDep = Annotated[Clock, Depends(_clock)]
