"""
An HTTP client that costs next to nothing: HTTP/1.1 over kept connections, answers with a content length only.

On the same cores as the server, a client for people would take as long as what is measured. Source of the format: RFC 9112.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from launcher import ports

ANSWER_SECONDS_MAX: Final = 600
_HEAD_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how many seconds after the request was sent."""

    status: int
    body: bytes
    seconds: float


class Connection:
    """One kept connection: a request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> Answer:
        """
        Send a request and read its answer.

        :raises TimeoutError: none came within ten minutes; ConnectionError when the server hung up.
        """
        began_at = time.perf_counter()
        self._writer.write(request)
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                head = await self._reader.readuntil(b"\r\n\r\n")
                status, length = _read_head(head)
                body = await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("the server hung up") from error
        return Answer(status, body, time.perf_counter() - began_at)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    """Keep a connection to a port of this machine while the block runs."""
    reader, writer = await asyncio.open_connection(ports.HOST, port, limit=_HEAD_BYTES_MAX)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def ask_all(port: int, requests: Sequence[bytes], connections: int) -> list[Answer]:
    """Send all requests over so many connections, each sending its next one when it has its answer."""
    waiting, answers = iter(requests), list[Answer]()

    async def work_off() -> None:
        async with connected(port) as connection:
            for request in waiting:
                answers.append(await connection.ask(request))

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(work_off())
    return answers


def get(path: str) -> bytes:
    """Write a GET."""
    return _write("GET", path, {}, b"")


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Write a POST of JSON."""
    return _write("POST", path, {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}, body)


async def is_live(port: int) -> bool:
    """Say whether a service answers on a port of this machine."""
    try:
        async with connected(port) as connection:
            return (await connection.ask(get("/health/live"))).status == 200
    except OSError:
        return False


def _write(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {ports.HOST}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _read_head(head: bytes) -> tuple[int, int]:
    """Return the status and the length of the body."""
    first, *lines = head.decode("latin-1").split("\r\n")
    lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
    if not lengths:
        raise ConnectionError(f"an answer without a content length: {first}")
    return int(first.split(" ")[1]), int(lengths[0])
