"""One connection through a proxy: two ends, two streams, and what becomes of the bytes between them."""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable

from torture.rig.toxics import Cut, Toxics, Way
from torture.rig.wires import Request, Wire

_WAITING_BYTES_MAX = 256 * 1024  # What a stream keeps for later before it stops reading.
_RST_ON_CLOSE = struct.pack("ii", 1, 0)


class End(asyncio.Protocol):
    """The proxy's socket to one of the two sides; what is read here goes `way`."""

    def __init__(self, connection: "Connection", way: Way) -> None:
        self._connection = connection
        self._way: Way = way
        self.transport: asyncio.Transport | None = None
        self.writable = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        self._connection.stream(self._way).take(data)

    def eof_received(self) -> bool:
        self._connection.stream(self._way).finish()
        return True  # The other way goes on.

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable.set()  # Whoever waits to write looks again.
        self._connection.lost(self._way, broken=exc is not None)

    def pause_writing(self) -> None:
        self.writable.clear()
        self._connection.into(self).regulate()

    def resume_writing(self) -> None:
        self.writable.set()
        self._connection.into(self).regulate()

    def write(self, data: bytes) -> None:
        if self.transport is not None and self.is_open:
            self.transport.write(data)

    def write_end(self) -> None:
        if self.transport is not None and self.is_open:
            self.transport.write_eof()

    def reset(self) -> None:
        """Close it so that the other side gets an RST."""
        if self.transport is not None:
            plug: socket.socket | None = self.transport.get_extra_info("socket")
            if plug is not None and plug.fileno() >= 0:
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
            self.transport.abort()

    def close(self) -> None:
        """Close it in good order: what was written is still sent."""
        if self.transport is not None:
            self.transport.close()


class Stream:
    """The bytes of one connection in one direction. They pass at once, or wait in a queue while the link delays."""

    def __init__(self, connection: "Connection", way: Way, source: End, sink: End) -> None:
        self._connection = connection
        self._toxics = connection.toxics
        self._way: Way = way
        self._source, self._sink = source, sink
        self._waiting: deque[tuple[float, bytes]] = deque()  # Loop time of arrival, bytes.
        self._waiting_bytes = 0
        self._pump: asyncio.Task[None] | None = None
        self.ended = False

    @property
    def passes_at_once(self) -> bool:
        return self._pump is None and not self._toxics.delays and self._sink.transport is not None

    def take(self, data: bytes) -> None:
        """Pass on, keep for later, or lose what has been read."""
        if self._connection.swallows(self._way):
            return
        data = self._connection.examine(self._way, data)
        if not data:
            return
        if self.passes_at_once:
            self._pass_on(data)
            return
        self._waiting.append((asyncio.get_running_loop().time(), data))
        self._waiting_bytes += len(data)
        self._start_pump()
        self.regulate()

    def finish(self) -> None:
        """The source says nothing more: tell the sink, after what still waits."""
        if self._connection.swallows(self._way):
            return
        self.ended = True
        if self.passes_at_once:
            self._pass_end_on()
        else:
            self._start_pump()

    def regulate(self) -> None:
        """Read no more than can be written: a side that does not listen makes the other one wait."""
        source = self._source.transport
        if source is None or source.is_closing() or self.ended:
            return
        if self._sink.writable.is_set() and self._waiting_bytes < _WAITING_BYTES_MAX:
            source.resume_reading()
        else:
            source.pause_reading()

    def stop(self) -> None:
        """Lose what waits."""
        if self._pump is not None:
            self._pump.cancel()
        self._waiting.clear()

    def _start_pump(self) -> None:
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._pump_out())

    async def _pump_out(self) -> None:
        """Let what waits go: late, in crumbs, or slowly. What would be swallowed by then is lost."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            arrived_at, data = self._waiting.popleft()
            await asyncio.sleep(arrived_at + self._toxics.delay_s() - loop.time())
            while data:
                size, pause_s = self._toxics.portion(len(data))
                await self._sink.writable.wait()
                if not self._connection.swallows(self._way):
                    self._pass_on(data[:size])
                data = data[size:]
                self._waiting_bytes -= size
                if pause_s:
                    await asyncio.sleep(pause_s)
            self.regulate()
        self._pump = None
        if self.ended:
            self._pass_end_on()

    def _pass_on(self, data: bytes) -> None:
        data, is_last = self._connection.spend(data)
        self._toxics.passed[self._way] += len(data)
        self._sink.write(data)
        if is_last:
            self._connection.reset()

    def _pass_end_on(self) -> None:
        self._sink.write_end()
        self._connection.close_if_ended()


class Connection:
    """
    A service's connection and the one made for it to the server.

    :param wire: the protocol it speaks, where requests are to be cut.
    :param forget: called once, when nothing is left of it.
    """

    def __init__(self, toxics: Toxics, wire: Wire | None, forget: Callable[["Connection"], None]) -> None:
        self.toxics = toxics
        self.is_lossy = False  # Bytes were lost: it must not live on once the fault is over.
        self._half_open = False
        self._over = False
        self._wire = wire
        self._budget = toxics.budget
        self._forget = forget
        self._awaited: tuple[Request, Cut] | None = None  # Cut once it is answered.
        self._client, self._server = End(self, "up"), End(self, "down")
        self._up = Stream(self, "up", self._client, self._server)
        self._down = Stream(self, "down", self._server, self._client)

    async def join(self, accepted: socket.socket, host: str, port: int) -> None:
        """Connect both sides; the service's bytes wait meanwhile. Where the server refuses, the service's connection is reset."""
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: self._client, accepted)
        if (
            self.toxics.swallowed and not self._over
        ):  # No handshake passes: the service is connected, since our kernel answered it, and to nobody.
            self.is_lossy = True
            return
        try:
            if not self._over:
                await loop.create_connection(lambda: self._server, host, port)
        except OSError:
            self.reset()
        if self._over or not self._client.is_open:
            self.reset()  # What happened meanwhile could not reach both.
        else:
            self._up.regulate()

    # --- faults ---

    def reset(self) -> None:
        """RST to both sides."""
        self._over = True
        self._client.reset()
        self._server.reset()
        self._end()

    def close_server_side(self) -> None:
        """The server sees it closed; the service hears nothing, and is not heard."""
        self._half_open = self.is_lossy = True
        self._server.close()

    def forgive(self) -> None:
        """Let it carry as much as it likes again, and go on if that can be; a connection that lost something is reset."""
        self._budget = None
        if self.is_lossy:
            self.reset()

    # --- what ends and streams ask ---

    def stream(self, way: Way) -> Stream:
        """The stream that goes this way."""
        return self._up if way == "up" else self._down

    def into(self, end: End) -> Stream:
        """The stream that ends in this end."""
        return self._down if end is self._client else self._up

    def swallows(self, way: Way) -> bool:
        """Say whether what is in hand vanishes; if so, the connection has lost something."""
        if way in self.toxics.swallowed:
            self.is_lossy = True
        return self._over or self._half_open or way in self.toxics.swallowed

    def examine(self, way: Way, data: bytes) -> bytes:
        """Look for requests and answers that are to be cut; return what may pass."""
        if self._wire is None:
            return data
        return self._examine_requests(self._wire, data) if way == "up" else self._examine_answers(self._wire, data)

    def spend(self, data: bytes) -> tuple[bytes, bool]:
        """Return what of the bytes may still pass, and whether it is the last."""
        if self._budget is None:
            return data, False
        data = data[: self._budget]
        self._budget -= len(data)
        return data, self._budget <= 0

    def lost(self, way: Way, *, broken: bool) -> None:
        """A side has gone; the other one hears of it as far as word still passes."""
        if self._over:
            return
        if self.swallows(way):
            if not self._client.is_open and not self._server.is_open:
                self._end()
        elif broken:
            self.reset()
        else:
            self.stream(way).finish()

    def close_if_ended(self) -> None:
        """Close both sides once neither has more to say."""
        if self._up.ended and self._down.ended:
            self._over = True
            self._client.close()
            self._server.close()
            self._end()

    def _examine_requests(self, wire: Wire, data: bytes) -> bytes:
        for request in wire.sent(data):
            cut = self.toxics.due(request) if self._awaited is None else None
            if cut is not None and cut.when == "before":
                if self._up.passes_at_once:
                    self._server.write(data[: request.at])
                self._cut(cut)
                return b""
            if cut is not None:
                self._awaited = request, cut
        return data

    def _examine_answers(self, wire: Wire, data: bytes) -> bytes:
        for answer in wire.answered(data):
            if self._awaited is None or answer.number != self._awaited[0].number:
                continue
            _, cut = self._awaited
            self._awaited = None
            if answer.done:
                self._cut(cut)
                return b""
            self.toxics.put_off(cut)
        return data

    def _cut(self, cut: Cut) -> None:
        """RST to the service; the server, which may still have work of it in hand, sees the connection closed."""
        self.toxics.count_cut(cut)
        self._over = True
        self._client.reset()
        self._server.close()
        self._end()

    def _end(self) -> None:
        self._up.stop()
        self._down.stop()
        self._forget(self)
