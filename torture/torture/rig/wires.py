"""
Just enough of two wire protocols to see, while bytes pass, where a request that matters begins and when it is answered.

Kafka: int32 length, then int16 api key, int16 version, int32 correlation id of a request; int32 length, int32 correlation id of an answer
(the protocol guide of Apache Kafka). Postgres, version 3: startup packets are an int32 length and an int32 code; everything later is a
type byte and an int32 length that counts itself (PostgreSQL 18, chapter Message Formats).

Nothing is kept but the heads of frames: a frame's size never matters.
"""

import struct
from typing import Literal, NamedTuple, Protocol

RequestKind = Literal["commit", "produce"]

_PRODUCE = 0
_KAFKA_REQUEST = struct.Struct(">ihhi")
_KAFKA_ANSWER = struct.Struct(">ii")
_FRAME = struct.Struct(">ci")
_STARTUP = struct.Struct(">ii")
_ASKS_FOR_ENCRYPTION = {80877103, 80877104}  # SSLRequest, GSSENCRequest: answered by a single byte without a frame.
_HEAD_BYTES = 80  # Enough of a Query for the longest BEGIN that asyncpg sends.
_WROTE = (b"INSERT", b"UPDATE", b"DELETE", b"MERGE", b"COPY")


class Request(NamedTuple):
    """A request begins (or goes on) at byte `at` of the chunk; its answer will carry `number`."""

    at: int
    kind: RequestKind
    number: int


class Answer(NamedTuple):
    """The answer to request `number` begins (or goes on) at byte `at` of the chunk; `done` says whether the server did what was asked."""

    at: int
    number: int
    done: bool


class Wire(Protocol):
    """One connection's two streams. Chunks may be cut anywhere; a frame is reported in the chunk that makes clear what it is."""

    def sent(self, chunk: bytes) -> list[Request]:
        """Read what the service says."""
        ...

    def answered(self, chunk: bytes) -> list[Answer]:
        """Read what the server says."""
        ...


class Frames:
    """Finds the heads of frames in a stream. `size_of` tells a frame's whole size by its first bytes, None when it needs more of them."""

    def __init__(self, head_bytes: int) -> None:
        self.head_bytes = head_bytes
        self._head = b""  # Of a frame whose beginning was in earlier chunks.
        self._rest = 0  # Bytes still to come of a frame that is known already.

    def size_of(self, head: bytes) -> int | None:
        raise NotImplementedError

    def heads(self, chunk: bytes) -> list[tuple[int, bytes]]:
        """Return where each frame begins in this chunk, 0 if earlier, and its head: `head_bytes` or the whole frame if it is smaller."""
        found, at = [], min(self._rest, len(chunk))
        self._rest -= at
        while at < len(chunk):
            before = len(self._head)
            head = self._head + chunk[at : at + self.head_bytes - before]
            size = self.size_of(head)
            if size is None or len(head) < min(size, self.head_bytes):
                self._head = head
                break
            found.append((at, head[:size]))
            self._head = b""
            end = at + size - before
            at = min(end, len(chunk))
            self._rest = end - at
        return found


class _KafkaFrames(Frames):
    def size_of(self, head: bytes) -> int | None:
        return max(self.head_bytes, 4 + int.from_bytes(head[:4], "big")) if len(head) >= 4 else None


class KafkaWire:
    """Sees Produce requests and the answers to all."""

    def __init__(self) -> None:
        self._up, self._down = _KafkaFrames(_KAFKA_REQUEST.size), _KafkaFrames(_KAFKA_ANSWER.size)

    def sent(self, chunk: bytes) -> list[Request]:
        found = []
        for at, head in self._up.heads(chunk):
            _, api_key, _, number = _KAFKA_REQUEST.unpack(head)
            if api_key == _PRODUCE:
                found.append(Request(at, "produce", number))
        return found

    def answered(self, chunk: bytes) -> list[Answer]:
        return [Answer(at, _KAFKA_ANSWER.unpack(head)[1], True) for at, head in self._down.heads(chunk)]


class _PostgresUp(Frames):
    """Untyped packets until the one that opens the session, typed frames from then on."""

    def __init__(self) -> None:
        super().__init__(_HEAD_BYTES)
        self.opened = False
        self.single_bytes = 0  # Answers of one byte still to come.

    def size_of(self, head: bytes) -> int | None:
        if self.opened:
            return 1 + int.from_bytes(head[1:5], "big") if len(head) >= 5 else None
        return max(8, int.from_bytes(head[:4], "big")) if len(head) >= 8 else None

    def heads(self, chunk: bytes) -> list[tuple[int, bytes]]:
        if self.opened:
            return super().heads(chunk)
        found = super().heads(chunk)  # One packet at a time: a client waits for the answer before it sends the next.
        for _, head in found:
            if _STARTUP.unpack(head[:8])[1] in _ASKS_FOR_ENCRYPTION:
                self.single_bytes += 1
            else:
                self.opened = True
        return []


class _PostgresDown(Frames):
    def __init__(self, up: _PostgresUp) -> None:
        super().__init__(16)
        self._up = up

    def size_of(self, head: bytes) -> int | None:
        if self._up.single_bytes:
            self._up.single_bytes -= 1
            return 1
        return 1 + int.from_bytes(head[1:5], "big") if len(head) >= 5 else None


class PostgresWire:
    """
    Sees COMMIT as asyncpg sends it, a Query of its own (`COMMIT;`), and whether the server did commit.

    One after nothing but SELECT is not reported: it makes no difference whether it happened.
    """

    def __init__(self) -> None:
        self._up = _PostgresUp()
        self._down = _PostgresDown(self._up)
        self._wrote = False

    def sent(self, chunk: bytes) -> list[Request]:
        found = []
        for at, head in self._up.heads(chunk):
            if head[:1] != b"Q":
                continue
            statement = head[5:].rstrip(b"\0; \n").upper()
            if statement.startswith(b"BEGIN"):
                self._wrote = False
            elif statement == b"COMMIT" and self._wrote:
                found.append(Request(at, "commit", 0))
        return found

    def answered(self, chunk: bytes) -> list[Answer]:
        found = []
        for at, head in self._down.heads(chunk):
            kind, tag = head[:1], head[5:]
            if kind == b"C":
                self._wrote = self._wrote or (tag.startswith(_WROTE) and not tag.startswith((b"UPDATE 0", b"DELETE 0", b"INSERT 0 0")))
                found.append(Answer(at, 0, tag.startswith(b"COMMIT")))
            elif kind == b"E":
                found.append(Answer(at, 0, False))
        return found
