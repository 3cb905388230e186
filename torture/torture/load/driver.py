"""The load: an open loop that plays the plan against the cluster and survives whatever happens to it."""

import asyncio
import contextlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any, Final, Protocol
from urllib.parse import quote

from torture.load import caller
from torture.load.caller import Caller
from torture.load.history import History
from torture.load.mixer import Mixer
from torture.load.operation import Call, Operation, Publication
from torture.load.plan import STEPS_PER_DAY, Plan
from torture.load.publisher import Publisher, TurnedAway, Unacknowledged
from torture.load.wire import Record
from torture.load.world import World

TRIES: Final = 4
"""How often a call is sent while the load runs; what is not definite then is left to `settle`."""
SETTLE_S_MAX: Final = 300.0
AT_ONCE: Final = 50
_ROUND_PAUSE_S: Final = 0.5
_ASKED_AGAIN: Final = frozenset(("receipt", "policy", "look"))
"""Kinds of operations whose answers say how to go on."""
_LATE_S_MAX: Final = 1.0


class NotSettled(Exception):
    """Operations that are still not definite long after the last fault."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        names = ", ".join(one.id for one in operations[:10])
        super().__init__(f"{len(operations)} operations never got an answer: {names}")
        self.operations = operations


class Cluster(caller.Place, Protocol):
    """What the load has to know of the cluster."""

    @property
    def bootstrap(self) -> str:
        """The broker's address, for ourselves."""
        ...


@dataclass(slots=True)
class _Begun:
    """An operation that is on its way, and how often it was sent."""

    operation: Operation
    sent: int = 0

    def next(self) -> int:
        self.sent += 1
        return self.sent


class Load:
    """
    Plays a world against a cluster, the same operations for the same seed.

    `counts` are things seen to happen. `day` is the business day that was started last.
    """

    def __init__(self, cluster: Cluster, world: World, history: History, seed: int, *, steps_per_day: int = STEPS_PER_DAY) -> None:
        self.counts: Counter[str] = Counter()
        self.day = world.opens_on - timedelta(days=1)
        self._world = world
        self._history = history
        self._plan = Plan(world, seed, steps_per_day=steps_per_day)
        self._publisher = Publisher(cluster.bootstrap)
        self._caller = Caller(cluster, history, Random(f"calls {seed}"), self.counts)
        self._mixer: Mixer[tuple[_Begun, Record]] = Mixer(Random(f"order {seed}"))
        self._pending: dict[str, _Begun] = {}
        self._begun: set[str] = set()
        self._definite: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._answers: dict[str, str] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def run(self, stop: asyncio.Event, rate_per_s: float) -> None:
        """Do `rate_per_s` steps of the plan a second until `stop`, however slow the answers are; return when all attempts have ended."""
        self._stopping = stop
        loop = asyncio.get_running_loop()
        due_at = loop.time()
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(0.0, due_at - loop.time()))
            if stop.is_set():
                break
            for operation in self._plan.next():
                self._begin(operation)
            # Steps missed while this process stood still are left out: they would come as a burst that nobody has planned.
            due_at = max(due_at + 1 / rate_per_s, loop.time() - _LATE_S_MAX)
        for begun, record in self._mixer.rest():
            self._spawn(self._send(begun, record))
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def settle(self) -> None:
        """
        Make every operation definite: publish what was held to the end or not acknowledged, and send every call again under its key.

        :raises NotSettled: some are not, after five minutes.
        """
        deadline = time.monotonic() + SETTLE_S_MAX
        while self._pending:
            ready = [one for one in self._pending.values() if all(self._definite[id_].is_set() for id_ in one.operation.after)]
            for n in range(0, len(ready), AT_ONCE):
                await asyncio.gather(*(self._once_more(one) for one in ready[n : n + AT_ONCE]))
            self._drop_what_cannot_begin()
            if self._pending and time.monotonic() > deadline:
                raise NotSettled([one.operation for one in self._pending.values()])
            if self._pending:
                await asyncio.sleep(_ROUND_PAUSE_S)
        await self._publisher.close()

    async def start_day(self) -> None:
        """
        Start the next business day of every entity, whatever it takes.

        :raises NotSettled: nobody has answered for five minutes.
        """
        self.day += timedelta(days=1)
        await asyncio.gather(*(self._start_day(entity.id) for entity in self._world.entities))

    async def close(self) -> None:
        """Let go of all connections."""
        await self._publisher.close()
        await self._caller.close()

    async def _start_day(self, entity: str) -> None:
        call = Call(
            id=f"day-{self.day}-{entity}",
            kind="day",
            body={"entity": entity, "date": self.day.isoformat()},
            service="invoice",
            method="POST",
            path="/v1/business-days",
            key=f"day-{self.day}-{entity}",
            subject="operator-1",
        )
        deadline = time.monotonic() + SETTLE_S_MAX
        begun = _Begun(call)
        while not (tried := await self._caller.attempt(call, begun.next())).is_definite:
            if time.monotonic() > deadline:
                raise NotSettled([call])
            await asyncio.sleep(tried.pause_s)
        self.counts["business day started"] += 1

    def _begin(self, operation: Operation) -> None:
        begun = _Begun(operation)
        self._pending[operation.id] = begun
        self._begun.add(operation.id)
        if isinstance(operation, Call):
            self._spawn(self._call(begun))
        elif isinstance(operation, Publication) and operation.after:
            self._spawn(self._send_when_free(begun, operation))
        elif isinstance(operation, Publication) and not operation.is_held:
            for copy in operation.copies:
                for other, record in self._mixer.put((begun, copy)):
                    self._spawn(self._send(other, record))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _is_free(self, operation: Operation) -> bool:
        """Wait for what the operation comes after; False when the load stops first."""
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            for id_ in operation.after:
                definite = asyncio.ensure_future(self._definite[id_].wait())
                await asyncio.wait((definite, stopping), return_when=asyncio.FIRST_COMPLETED)
                definite.cancel()
                if not self._definite[id_].is_set():
                    return False
            return True
        finally:
            stopping.cancel()

    async def _call(self, begun: _Begun) -> None:
        assert isinstance(begun.operation, Call)
        if not await self._is_free(begun.operation):
            return
        call = self._completed(begun)
        if call is None:
            return
        for _ in range(TRIES):
            tried = await self._caller.attempt(call, begun.next())
            if tried.is_definite:
                self._end(call, tried.answer)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), tried.pause_s)
            if self._stopping.is_set():
                return

    def _completed(self, begun: _Begun) -> Call | None:
        """Complete a call by what was answered to others; None, and the call is left out, where that says nothing."""
        call = begun.operation
        assert isinstance(call, Call)
        if begun.sent:
            return call
        for learnt in call.learnt:
            found = _found(json.loads(self._answers.get(learnt.of) or "null"), learnt.field)
            if found is None:
                self._leave_out(call.id)
                return None
            if f"{{{learnt.name}}}" in call.path:
                call = replace(call, path=call.path.format_map({learnt.name: quote(found, safe="")}))
            else:
                call = replace(call, body={**call.body, learnt.name: found})
        begun.operation = call
        return call

    async def _send_when_free(self, begun: _Begun, publication: Publication) -> None:
        if await self._is_free(publication):
            for copy in publication.copies:
                await self._send(begun, copy)

    async def _send(self, begun: _Begun, record: Record) -> None:
        """Publish one copy. An operation is definite with its first acknowledgement: it stands in the log then, however often."""
        id_, attempt = begun.operation.id, begun.next()
        await self._history.invoke(begun.operation, attempt)
        try:
            place = await self._publisher.send(record)
        except (Unacknowledged, TurnedAway) as error:
            self.counts["publication not acknowledged"] += 1
            await self._history.info(id_, attempt, error=str(error))
        else:
            await self._history.ok(id_, attempt, place=place)
            self._end(begun.operation)

    async def _once_more(self, begun: _Begun) -> None:
        operation = begun.operation
        if isinstance(operation, Call):
            if (call := self._completed(begun)) is None:
                return
            tried = await self._caller.attempt(call, begun.next())
            if tried.is_definite:
                self._end(call, tried.answer)
        elif isinstance(operation, Publication):
            self.counts["held to the end"] += operation.is_held and not begun.sent
            for copy in operation.copies if not begun.sent else operation.copies[:1]:
                await self._send(begun, copy)

    def _drop_what_cannot_begin(self) -> None:
        """
        Leave out what comes after something that the plan has put off beyond the end of the run: neither has happened.

        What comes after that in turn is left out as well, by the next call at the latest.
        """
        for id_, begun in list(self._pending.items()):
            if not begun.sent and not self._begun.issuperset(begun.operation.after):
                self._leave_out(id_)

    def _leave_out(self, id_: str) -> None:
        """Let an operation never have been begun; nor is what comes after it."""
        self._pending.pop(id_, None)
        self._begun.discard(id_)

    def _end(self, operation: Operation, answer: str = "") -> None:
        self._pending.pop(operation.id, None)
        self._answers |= {operation.id: answer} if answer and operation.kind in _ASKED_AGAIN else {}
        self._definite[operation.id].set()


def _found(answer: Any, field: str) -> str | None:
    """Return what stands at a place of an answer as text, None where there is nothing."""
    for name in field.split("."):
        try:
            answer = answer[int(name) if name.isdecimal() else name]
        except (LookupError, TypeError):
            return None
    return None if answer is None else str(answer)
