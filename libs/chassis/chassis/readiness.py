"""
Whether this process lives and can do its work, and its figures: `/health/live`, `/health/ready`, `/metrics`.

A plain ASGI application, so that a worker can serve it without a web framework.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from chassis.database import TRANSIENT, Database
from chassis.metrics import CONTENT_TYPE, Metrics

CHECK_SECONDS_MAX = 2.0

Check: TypeAlias = Callable[[], Awaitable[str | None]]
"""Returns None when all is well, else a short sentence without values of the business."""

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Readiness:
    """Named checks of a process; it is ready while each says nothing and nobody has called `leave`."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._asking: dict[str, asyncio.Task[str | None]] = {}
        self._leaving = False

    def add(self, name: str, check: Check) -> None:
        """Add or replace a check."""
        self._checks[name] = check

    def leave(self) -> None:
        """Be unready from now on: the process is going to stop."""
        self._leaving = True

    async def faults(self) -> dict[str, str]:
        """Run all checks at once, each for at most 2 seconds; return what is wrong by check, empty when ready."""
        if self._leaving:
            return {"process": "stopping"}
        answers = await asyncio.gather(*(self._ask(name) for name in self._checks))
        return {name: answer for name, answer in zip(self._checks, answers, strict=True) if answer is not None}

    async def _ask(self, name: str) -> str | None:
        """
        Ask one check, unless an earlier question is still unanswered: that one is waited for again.

        The question is a task that is not cancelled: over a dead connection cancelling takes as long as answering, and holds us up.
        """
        asking = self._asking.get(name)
        if asking is None or asking.done():
            asking = self._asking[name] = asyncio.ensure_future(self._checks[name]())
        done, _ = await asyncio.wait({asking}, timeout=CHECK_SECONDS_MAX)
        return asking.result() if done else f"no answer within {CHECK_SECONDS_MAX:.0f} s"


def database_check(database: Database) -> Check:
    """A check that asks the database for an answer over the pool that commands use."""

    async def answers() -> str | None:
        try:
            async with database.pool.acquire() as connection:
                await connection.execute("SELECT 1")
        except TRANSIENT as error:
            return f"not reachable ({type(error).__name__})"
        return None

    return answers


class Vitals:
    """ASGI application with the three paths; anything else is 404."""

    def __init__(self, readiness: Readiness, metrics: Metrics) -> None:
        self._readiness = readiness
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connection are closed unanswered."""
        if scope["type"] != "http":
            return
        status, content_type, body = await self._answer(scope["path"])
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, path: str) -> tuple[int, str, bytes]:
        if path == "/metrics":
            return 200, CONTENT_TYPE, self._metrics.exposition()
        if path == "/health/live":
            return 200, "application/json", b'{"live":true}'
        if path == "/health/ready":
            faults = await self._readiness.faults()
            return (503 if faults else 200), "application/json", json.dumps({"ready": not faults, "faults": faults}).encode()
        return 404, "application/json", b"{}"
