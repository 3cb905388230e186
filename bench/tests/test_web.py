"""The HTTP client, against a server that answers what it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bench import web


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    """Serve while the block runs; every head gets the bytes that `answer` makes of its first line."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
                body = await reader.readexactly(length)
                writer.write(answer(head.split(b"\r\n")[0] + body))
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def echoed(content: bytes) -> bytes:
    return b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n%s" % (len(content), content)


async def test_all_requests_are_answered_over_a_few_kept_connections() -> None:
    async with answering(echoed) as port:
        answers = await web.ask_all(port, [web.post("/v1/x", b"{%d}" % n, {"Idempotency-Key": "k"}) for n in range(20)], connections=3)
    assert {answer.status for answer in answers} == {201}
    assert sorted(answer.body for answer in answers) == sorted(b"POST /v1/x HTTP/1.1{%d}" % n for n in range(20))


async def test_a_server_that_hangs_up_is_an_error_and_not_an_answer() -> None:
    async with answering(lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort") as port, web.connected(port) as connection:
        asking = asyncio.create_task(connection.ask(web.get("/")))
        await asyncio.sleep(0.05)
        connection._writer.close()
        with pytest.raises(ConnectionError):
            await asking


async def test_a_port_where_nobody_listens_is_not_live() -> None:
    async with answering(echoed) as port:
        assert not await web.is_live(port)  # It answers 201.
    assert not await web.is_live(port)
