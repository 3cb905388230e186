"""An event loop without sockets, threads or waiting: when nothing is ready, time jumps to the next timer."""

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from itertools import count
from typing import Any, TypeVar, TypeVarTuple

Ts = TypeVarTuple("Ts")
ResultT = TypeVar("ResultT")
BEGAN_AT = 1000.0  # As a monotonic clock reads on a machine that has been up for a while: nobody may take zero for now.


class Stuck(Exception):
    """Nothing can ever happen again, or not in time; the message names who waits."""


class Actor:
    """
    A process of the simulated world: its tasks can be stopped, go on later, or be lost together.

    `is_alive` is false from the moment it is killed: nothing it still does may reach the world.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_alive = True
        self.is_paused = False
        self.tasks: list[asyncio.Task[Any]] = []
        self.put_off: list[asyncio.Handle] = []


ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)
"""Whose code runs; none for the world itself: servers, senders, faults."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """
    Runs what is ready first in, first out, and timers by their time; the same calls in, the same order out.

    `complaints` collects what asyncio would log: callbacks that raised, failed tasks nobody asked about.
    """

    def __init__(self) -> None:
        self._now = BEGAN_AT
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self._paused = 0
        self._world = copy_context()
        self._tasks: list[asyncio.Task[Any]] = []
        self.complaints: list[str] = []

    # --- what asyncio asks of a loop ---

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Nothing to count: a cancelled timer is dropped when its time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> "asyncio.Task[Any]":
        actor = ACTOR.get() if context is None else context.get(ACTOR)
        name = name or f"{actor.name if actor else 'world'}/{getattr(coro, '__qualname__', 'task')}"
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=context)
        (self._tasks if actor is None else actor.tasks).append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.complaints.append(f"{context.get('message')}: {type(error).__name__}: {error}")

    # --- what the world asks of it ---

    def after(self, seconds: float, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        """Have the world itself do something after some seconds; a stopped or killed process does not keep it from it."""
        if seconds > 0:
            self.call_at(self._now + seconds, callback, *args, context=self._world)
        else:
            self.call_soon(callback, *args, context=self._world)

    def begin(self, actor: Actor, coro: Coroutine[Any, Any, ResultT], name: str) -> "asyncio.Task[ResultT]":
        """Start a task of a process."""
        context = self._world.copy()
        context.run(ACTOR.set, actor)
        return self.create_task(coro, name=f"{actor.name}/{name}", context=context)

    def pause(self, actor: Actor) -> None:
        """Stop a process as SIGSTOP does: what becomes ready for it waits."""
        if not actor.is_paused:
            actor.is_paused = True
            self._paused += 1

    def resume(self, actor: Actor) -> None:
        """Let a stopped process go on with everything that waited for it, all at once."""
        if actor.is_paused:
            actor.is_paused = False
            self._paused -= 1
            self._ready.extend(actor.put_off)
            actor.put_off.clear()

    def kill(self, actor: Actor) -> None:
        """Lose a process: its tasks end, and nothing they do on their way out reaches the world."""
        actor.is_alive = False
        self.resume(actor)
        for task in actor.tasks:
            task.cancel()
        actor.tasks.clear()

    def run(self, main: Coroutine[Any, Any, ResultT], *, until: float) -> ResultT:
        """
        Run until `main` ends, then drop whatever is left.

        :raises Stuck: nothing is left to happen, or `main` has not ended after `until` seconds.
        """
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            task: asyncio.Task[ResultT] = self.create_task(main, name="world", context=self._world)
            deadline = self._now + until
            while not task.done():
                self._run_once(deadline)
            return task.result()
        finally:
            self._drop()
            events._set_running_loop(before)

    def _run_once(self, deadline: float) -> None:
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0][2]._cancelled:
                heapq.heappop(timers)
            if not timers:
                raise Stuck(f"nothing is left to happen, and these wait: {self._waiting()}")
            if timers[0][0] > deadline:
                raise Stuck(f"not at rest after {deadline - BEGAN_AT:.0f} s; these wait: {self._waiting()}")
            self._now = timers[0][0]
            while timers and timers[0][0] <= self._now:
                ready.append(heapq.heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            if self._paused:
                actor = handle._context.get(ACTOR)  # type: ignore[attr-defined] # Typeshed does not know it; asyncio.Handle runs in it.
                if actor is not None and actor.is_paused:
                    actor.put_off.append(handle)
                    continue
            handle._run()

    def _waiting(self) -> str:
        return ", ".join(sorted({task.get_name() for task in asyncio.all_tasks(self) if not task.done()}))

    def _drop(self) -> None:
        """End every task that is left; what they still ask for is not answered."""
        for _ in range(20):
            left = [task for task in asyncio.all_tasks(self) if not task.done()]
            if not left:
                return
            for task in left:
                task.cancel()
            while self._ready:
                handle = self._ready.popleft()
                if not handle._cancelled:
                    handle._run()
