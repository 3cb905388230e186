"""A TCP proxy on 127.0.0.1 that hurts what passes: one for all connections that one service instance has to one server."""

import asyncio
import socket
from collections import Counter
from typing import Literal

from torture.rig.connection import Connection
from torture.rig.toxics import Cut, Toxics
from torture.rig.wires import KafkaWire, PostgresWire, RequestKind, Wire

HOST = "127.0.0.1"
_BACKLOG = 128
_REQUESTS: dict[str, RequestKind] = {"kafka": "produce", "postgres": "commit"}


class Link:
    """
    One proxy. It passes everything on until told otherwise; several faults can be on at once; `heal` ends all of them.

    Faults take effect at once and may be asked for again and again, from within the loop that the link was opened in.

    :param port: where to listen; 0 becomes a free port when it is opened.
    :param target_port: where the server is; counts for connections made from now on.
    :param wire: the protocol spoken, where requests are to be cut.
    :param seed: of the jitter.
    """

    def __init__(self, port: int, target_port: int, wire: Literal["kafka", "postgres"] | None = None, *, seed: int = 0) -> None:
        self.host, self.port = HOST, port
        self.target_port = target_port
        self.is_open = False
        self._wire = wire
        self._toxics = Toxics(seed)
        self._listening: socket.socket | None = None
        self._connections: set[Connection] = set()
        self._joining: set[asyncio.Task[None]] = set()

    # --- life ---

    def open(self) -> None:
        """
        Listen, from within a running loop.

        :raises OSError: somebody else has the port.
        """
        self.is_open = True
        if self._listening is None:
            listening = socket.create_server((self.host, self.port), backlog=_BACKLOG)
            listening.setblocking(False)
            self.port = listening.getsockname()[1]
            self._listening = listening
            asyncio.get_running_loop().add_reader(listening.fileno(), self._accept, listening)

    async def close(self) -> None:
        """Cut everything and leave the port."""
        self.is_open = False
        self.refuse()
        for task in list(self._joining):
            task.cancel()
        await asyncio.gather(*self._joining, return_exceptions=True)
        await asyncio.sleep(0)  # Sockets are closed by callbacks.

    # --- figures ---

    @property
    def connections(self) -> int:
        """How many connections stand, those included that only one side believes in."""
        return len(self._connections)

    @property
    def bytes_up(self) -> int:
        """Bytes that reached the server."""
        return self._toxics.passed["up"]

    @property
    def bytes_down(self) -> int:
        """Bytes that reached the service."""
        return self._toxics.passed["down"]

    @property
    def cut(self) -> Counter[str]:
        """What was cut so far, ever: "commit.before", "commit.after", "produce.before", "produce.after"."""
        return self._toxics.cut

    # --- faults ---

    def latency(self, seconds: float, jitter: float = 0) -> None:
        """Delay each chunk, in both directions, by `seconds` give or take `jitter`; order is kept."""
        self._toxics.latency_s, self._toxics.jitter_s = seconds, jitter

    def slice(self, bytes: int, pause_s: float) -> None:
        """Pass on no more than `bytes` at once, with a pause after each slice."""
        self._toxics.slice_bytes, self._toxics.slice_pause_s = bytes, pause_s

    def bandwidth(self, bytes_per_s: int) -> None:
        """Pass on so many bytes a second, in each direction of each connection."""
        self._toxics.bytes_per_s = bytes_per_s

    def blackhole(self, way: Literal["up", "down", "both"]) -> None:
        """Lose all bytes that go this way, goodbyes included, and close nothing. New connections hang."""
        self._toxics.swallowed |= {"up", "down"} if way == "both" else {way}

    def refuse(self) -> None:
        """RST all connections and refuse new ones."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening.fileno())
            self._listening.close()
            self._listening = None
        self.reset()

    def reset(self) -> None:
        """RST all connections, both sides; new ones are welcome."""
        for connection in list(self._connections):
            connection.reset()

    def reset_after(self, bytes: int) -> None:
        """RST every connection made from now on after it has carried so many bytes, both ways together."""
        self._toxics.budget = bytes

    def half_open(self) -> None:
        """Close all connections on the server's side only: the service's side stands, and is never answered."""
        for connection in list(self._connections):
            connection.close_server_side()

    def cut_reply(self, request: RequestKind, nth: int, *, when: Literal["before", "after"]) -> None:
        """
        Cut the nth next COMMIT (of a transaction that wrote something) or Produce request of this link, once.

        "before" never passes the request on; "after" passes it on, waits until the server has done it and answers, and swallows the
        answer. Either way the service's connection is reset. A COMMIT that the server turned into a ROLLBACK is not cut, but the next.

        :raises ValueError: no such request passes here.
        """
        if self._wire is None or _REQUESTS[self._wire] != request:
            raise ValueError(f"no {request} passes a link that speaks {self._wire}")
        self._toxics.cuts.append(Cut(request, nth, when))

    def heal(self) -> None:
        """End all faults. Connections that lost bytes, or that only one side believes in, are reset: nobody may wait for what vanished."""
        self._toxics.clear()
        self.open()
        for connection in list(self._connections):
            connection.forgive()

    # --- inside ---

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:  # Nobody more, or gone again before we came.
                return
            accepted.setblocking(False)
            connection = Connection(self._toxics, self._new_wire(), self._connections.discard)
            self._connections.add(connection)
            task = asyncio.get_running_loop().create_task(connection.join(accepted, self.host, self.target_port))
            self._joining.add(task)
            task.add_done_callback(self._joining.discard)

    def _new_wire(self) -> Wire | None:
        if self._wire is None:
            return None
        return KafkaWire() if self._wire == "kafka" else PostgresWire()
