"""The rig's end of HTTP: clients that wait for their answer, give up or hang up, and ask somebody else where nobody is there."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx

from torture.load.history import History
from torture.load.operation import ROLES, Call, HangUp
from torture.load.wire import encoded

INSTANCES: Final[Mapping[str, Sequence[str]]] = {
    "invoice": ("invoice-1", "invoice-2"),
    "payment": ("payment-1", "payment-2"),
    "credit": ("credit-1",),
}
"""Who may answer for a service."""
ANSWER_S_MAX: Final = 7.0
CONNECT_S_MAX: Final = 2.0
WAITS_FOR_ANSWER: Final = 100
"""At most so many requests wait for an answer at a time, as a gateway would have it."""
_NOT_YET: Final = frozenset((408, 425, 429))
_STILL_AT_WORK: Final = "IDEMPOTENCY_KEY_IN_USE"
_RETRY_AFTER_S_MAX: Final = 3.0
_HANG_S_MAX: Final = 0.05


class Place(Protocol):
    """What a caller has to know of the cluster."""

    def url(self, instance: str) -> str:
        """The address of an instance."""
        ...

    def token(self, subject: str, roles: Sequence[str]) -> str:
        """A bearer token."""
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """How an attempt ended: definite or not, how long to wait before the next, and the answer of one that was done."""

    is_definite: bool
    pause_s: float = 0.0
    answer: str = ""


class Caller:
    """
    Sends calls and notes what comes of them.

    :param counts: of what was seen to happen.
    """

    def __init__(self, place: Place, history: History, random: Random, counts: Counter[str]) -> None:
        self._place = place
        self._history = history
        self._random = random
        self._counts = counts
        self._tokens: dict[str, str] = {}
        self._waiting = asyncio.Semaphore(WAITS_FOR_ANSWER)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        timeout = httpx.Timeout(ANSWER_S_MAX, connect=CONNECT_S_MAX)
        self._http = httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False)

    async def close(self) -> None:
        """Close what connections there are."""
        await self._http.aclose()

    async def attempt(self, call: Call, number: int) -> Tried:
        """
        Send a call once, to an instance chosen at random or the one it wants first, and note how it went.

        Where nobody listens the others are asked: those attempts count as one. Only a first attempt hangs up.
        """
        instances = self._random.sample(INSTANCES[call.service], len(INSTANCES[call.service]))
        if call.at and number == 1:
            instances.sort(key=lambda instance: instance != call.at)
        async with self._waiting:
            await self._history.invoke(call, number, instances[0])
            if call.hang_up is not HangUp.NO and number == 1:
                return await self._hang_up(call, number, instances[0])
            for instance in instances:
                try:
                    answer = await self._http.request(
                        call.method, self._place.url(instance) + call.path, content=encoded(call.body), headers=self._headers(call)
                    )
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    self._counts["connection refused"] += 1
                    continue
                except httpx.HTTPError as error:
                    self._counts["answer never came"] += 1
                    await self._history.info(call.id, number, error=f"{type(error).__name__}: {error}")
                    return Tried(False, 0.2)
                return await self._note(call, number, answer)
        await self._history.fail(call.id, number, error="nobody listens")
        return Tried(False, 0.5)

    async def _note(self, call: Call, number: int, answer: httpx.Response) -> Tried:
        """Note an answer: 2xx is done, 4xx is refused and left nothing, all else may have happened."""
        status, text = answer.status_code, answer.text
        self._counts[f"answered {status}"] += 1
        self._counts["answered from the store"] += "idempotent-replayed" in answer.headers
        if 200 <= status < 300:
            await self._history.ok(call.id, number, status=status, answer=text)
            return Tried(True, answer=text)
        if 400 <= status < 500 and status not in _NOT_YET and _STILL_AT_WORK not in text:
            await self._history.fail(call.id, number, status=status, answer=text)
            return Tried(True)
        await self._history.info(call.id, number, status=status, answer=text)
        return Tried(False, _pause_s(answer.headers.get("retry-after", "")))

    async def _hang_up(self, call: Call, number: int, instance: str) -> Tried:
        """Send a request, or half of it, and close the socket without waiting for an answer."""
        address = urlsplit(self._place.url(instance))
        request = self._request(call, f"{address.hostname}:{address.port}")
        if call.hang_up is HangUp.HALF_WAY:
            request = request[: -len(encoded(call.body)) // 2]
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                _, writer = await asyncio.open_connection(address.hostname, address.port)
                writer.write(request)
                await writer.drain()
        except ConnectionRefusedError:
            await self._history.fail(call.id, number, error="nobody listens")
            return Tried(False, 0.5)
        except OSError as error:
            await self._history.info(call.id, number, error=f"{type(error).__name__}: {error}")
            return Tried(False, 0.5)
        await asyncio.sleep(self._random.uniform(0, _HANG_S_MAX))
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        self._counts["request cut by its client"] += 1
        await self._history.info(call.id, number, error=f"hung up {call.hang_up}")
        return Tried(False, 0.1)

    def _request(self, call: Call, host: str) -> bytes:
        body = encoded(call.body)
        headers = {"Host": host, "Content-Length": str(len(body)), "Connection": "close", **self._headers(call)}
        lines = [f"{call.method} {call.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def _headers(self, call: Call) -> dict[str, str]:
        if call.subject not in self._tokens:
            self._tokens[call.subject] = self._place.token(call.subject, ROLES[call.subject])
        headers = {"Authorization": f"Bearer {self._tokens[call.subject]}", "Content-Type": "application/json", "Idempotency-Key": call.key}
        return headers | ({"If-Match": call.if_match} if call.if_match else {})


def _pause_s(retry_after: Any) -> float:
    return min(float(retry_after), _RETRY_AFTER_S_MAX) if str(retry_after).isdecimal() else 0.3
