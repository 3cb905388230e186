"""Every fault of a link, seen by a client and by an echo server at its two ends."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal

import pytest
from testkit.patience import until
from torture.rig.proxy import HOST, Link

SOON_S = 5.0
SILENCE_S = 0.15


@dataclass
class Echo:
    """A server that sends back what it gets, and remembers it; while `listens` is not set it reads nothing."""

    port: int = 0
    got: list[bytes] = field(default_factory=list)
    ended: list[BaseException | None] = field(default_factory=list)  # How each connection ended: in good order, or broken.
    listens: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self.listens.wait() and (data := await reader.read(65536)):
                self.got.append(data)
                writer.write(data)
                await writer.drain()
            self.ended.append(None)
        except ConnectionError as broken:
            self.ended.append(broken)
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    echo.listens.set()
    server = await asyncio.start_server(echo.serve, HOST, 0)
    echo.port = server.sockets[0].getsockname()[1]
    yield echo
    server.close()


@pytest.fixture
async def link(echo: Echo) -> AsyncIterator[Link]:
    link = Link(0, echo.port)
    link.open()
    yield link
    await link.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def of(cls, link: Link) -> "Client":
        return cls(*await asyncio.open_connection(link.host, link.port))

    async def ask(self, question: bytes) -> bytes:
        self.writer.write(question)
        async with asyncio.timeout(SOON_S):
            return await self.reader.readexactly(len(question))

    async def hears_nothing(self) -> bool:
        """Whether neither a byte nor an end comes for a while."""
        try:
            async with asyncio.timeout(SILENCE_S):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False

    async def is_reset(self) -> bool:
        try:
            async with asyncio.timeout(SOON_S):
                await self.reader.read()
        except ConnectionResetError:
            return True
        return False


async def test_bytes_pass_unchanged_both_ways_and_so_does_the_end(echo: Echo, link: Link) -> None:
    client, sent = await Client.of(link), os.urandom(5_000_000)
    client.writer.write(sent)
    client.writer.write_eof()
    async with asyncio.timeout(20):
        answer = await client.reader.read()
    assert len(answer) == len(sent)
    assert hashlib.sha256(answer).digest() == hashlib.sha256(sent).digest()  # The difference of megabytes takes pytest minutes.
    assert echo.ended == [None]
    assert link.bytes_up == link.bytes_down == len(sent)
    await until(lambda: link.connections == 0)


@pytest.mark.parametrize("jitter", [0.0, 0.02])
async def test_latency_is_paid_in_both_directions_and_keeps_the_order(link: Link, jitter: float) -> None:
    client, clock = await Client.of(link), asyncio.get_running_loop().time
    link.latency(0.05, jitter)
    began_at = clock()
    for number in range(20):
        client.writer.write(bytes([number]) * 100)
        await asyncio.sleep(0.001)
    async with asyncio.timeout(SOON_S):
        answer = await client.reader.readexactly(2000)
    assert answer == b"".join(bytes([number]) * 100 for number in range(20))
    assert 2 * (0.05 - jitter) < clock() - began_at < 1
    link.heal()
    began_at = clock()
    await client.ask(b"quick")
    assert clock() - began_at < 0.05


async def test_slices_are_small_and_come_apart(echo: Echo, link: Link) -> None:
    client = await Client.of(link)
    link.slice(2, 0.01)
    assert await client.ask(b"0123456789") == b"0123456789"
    assert echo.got == [b"01", b"23", b"45", b"67", b"89"]


async def test_bandwidth_is_a_rate(link: Link) -> None:
    client, clock = await Client.of(link), asyncio.get_running_loop().time
    link.bandwidth(100_000)
    began_at = clock()
    await client.ask(bytes(20_000))
    assert 0.14 < clock() - began_at < 1  # Four portions, three pauses.


async def test_bytes_that_waited_are_still_delivered_when_the_delay_is_over(link: Link) -> None:
    client = await Client.of(link)
    link.latency(0.1)
    client.writer.write(b"late")
    await asyncio.sleep(0.02)
    link.heal()
    client.writer.write(b"r")
    async with asyncio.timeout(SOON_S):
        assert await client.reader.readexactly(5) == b"later"


@pytest.mark.parametrize(("way", "arrives"), [("up", False), ("down", True), ("both", False)])
async def test_a_blackhole_loses_bytes_closes_nothing_and_ends_with_a_reset(
    echo: Echo, link: Link, way: Literal["up", "down", "both"], arrives: bool
) -> None:
    client = await Client.of(link)
    await client.ask(b"before")
    link.blackhole(way)
    client.writer.write(b"lost")
    assert await client.hears_nothing()
    assert (b"lost" in echo.got, echo.ended) == (arrives, [])
    link.heal()
    assert await client.is_reset()
    assert await (await Client.of(link)).ask(b"after") == b"after"


async def test_a_connection_that_lost_nothing_outlives_the_blackhole(link: Link) -> None:
    client = await Client.of(link)
    await client.ask(b"before")
    link.blackhole("both")
    await asyncio.sleep(0.02)
    link.heal()
    assert await client.ask(b"after") == b"after"


async def test_new_connections_hang_in_a_blackhole_and_never_reach_the_server(echo: Echo, link: Link) -> None:
    link.blackhole("down")
    client = await Client.of(link)
    client.writer.write(b"anybody?")
    assert await client.hears_nothing()
    assert echo.got == []
    link.heal()
    assert await client.is_reset()


async def test_a_goodbye_is_lost_too_and_the_server_keeps_the_connection_until_it_is_healed(echo: Echo, link: Link) -> None:
    client = await Client.of(link)
    await client.ask(b"before")
    link.blackhole("up")
    client.writer.transport.abort()
    await asyncio.sleep(SILENCE_S)
    assert (echo.ended, link.connections) == ([], 1)
    link.heal()
    await until(lambda: bool(echo.ended) and link.connections == 0)
    assert isinstance(echo.ended[0], ConnectionResetError)


async def test_bytes_in_delay_fall_into_a_blackhole_that_opens_meanwhile(echo: Echo, link: Link) -> None:
    client = await Client.of(link)
    await client.ask(b"before")
    link.latency(0.05)
    client.writer.write(b"on the way")
    await asyncio.sleep(0.01)
    link.blackhole("up")
    assert await client.hears_nothing()
    assert echo.got == [b"before"]
    link.heal()
    assert await client.is_reset()


async def test_refusing_cuts_all_and_lets_nobody_in_until_healed(echo: Echo, link: Link) -> None:
    client = await Client.of(link)
    await client.ask(b"before")
    link.refuse()
    assert await client.is_reset()
    with pytest.raises(ConnectionRefusedError):
        await Client.of(link)
    link.heal()
    assert await (await Client.of(link)).ask(b"after") == b"after"


async def test_a_reset_reaches_both_sides_and_new_connections_are_welcome(echo: Echo, link: Link) -> None:
    client = await Client.of(link)
    await client.ask(b"before")
    link.reset()
    assert await client.is_reset()
    await until(lambda: bool(echo.ended))
    assert isinstance(echo.ended[0], ConnectionResetError)
    assert await (await Client.of(link)).ask(b"after") == b"after"


async def test_connections_made_after_it_was_asked_for_are_reset_after_so_many_bytes(echo: Echo, link: Link) -> None:
    old = await Client.of(link)
    await old.ask(b"before")
    link.reset_after(10)
    client = await Client.of(link)
    await client.ask(b"0123")
    client.writer.write(b"456789")
    assert await client.is_reset()
    assert echo.got == [b"before", b"0123", b"45"]
    await old.ask(bytes(100))
    link.heal()
    await (await Client.of(link)).ask(bytes(100))


async def test_half_open_closes_the_servers_side_and_leaves_the_other_standing(echo: Echo, link: Link) -> None:
    client = await Client.of(link)
    await client.ask(b"before")
    link.half_open()
    await until(lambda: bool(echo.ended))
    client.writer.write(b"hello?")
    assert await client.hears_nothing()
    assert echo.got == [b"before"]
    assert await (await Client.of(link)).ask(b"another") == b"another"
    link.heal()
    assert await client.is_reset()


async def test_a_server_that_does_not_read_makes_the_client_wait_and_loses_nothing(echo: Echo, link: Link) -> None:
    echo.listens.clear()
    client, sent = await Client.of(link), os.urandom(30_000_000)
    client.writer.write(sent)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            await client.writer.drain()
    assert 0 < link.bytes_up < len(sent) / 2
    echo.listens.set()
    async with asyncio.timeout(20):
        answer = await client.reader.readexactly(len(sent))
    assert hashlib.sha256(answer).digest() == hashlib.sha256(sent).digest()


async def test_a_delayed_link_keeps_only_a_little_for_later(link: Link) -> None:
    client, sent = await Client.of(link), os.urandom(30_000_000)
    link.latency(0.3)
    client.writer.write(sent)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.writer.drain()
    assert client.writer.transport.get_write_buffer_size() > len(sent) / 2


async def test_where_the_server_is_down_the_client_is_reset(link: Link, echo: Echo) -> None:
    link.target_port = Link(0, 0).target_port
    assert await (await Client.of(link)).is_reset()
    link.target_port = echo.port
    assert await (await Client.of(link)).ask(b"up") == b"up"


async def test_a_closed_link_leaves_its_port_and_nothing_behind(echo: Echo, link: Link) -> None:
    client = await Client.of(link)
    await client.ask(b"before")
    await link.close()
    assert await client.is_reset()
    with pytest.raises(ConnectionRefusedError):
        await Client.of(link)
    assert (link.connections, link.is_open) == (0, False)


async def test_only_requests_of_its_protocol_can_be_cut(link: Link) -> None:
    with pytest.raises(ValueError, match="no commit passes"):
        link.cut_reply("commit", 1, when="after")
