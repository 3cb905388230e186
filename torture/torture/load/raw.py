"""
One record as bytes, over a connection of its own: for what ordinary clients do not let one send.

Source: Kafka protocol guide, Produce version 3 (the oldest that Kafka 4 takes), and message format version 2 (KIP-98).
"""

import asyncio
import gzip
import struct
import time
from typing import Final

from aiokafka.record.util import calc_crc32c

from torture.load.wire import Record

_PRODUCE, _VERSION, _CORRELATION = 0, 3, 1
_ALL_REPLICAS: Final = -1
_GZIP: Final = 1
_TIMEOUT_MS: Final = 10_000


class Refused(Exception):
    """The broker answered with an error code (`code`, of the protocol guide)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error code {code}")
        self.code = code


async def produce(bootstrap: str, record: Record) -> int:
    """
    Append a record to partition `record.partition` (0 where it has none) and return its offset.

    :raises Refused: the broker does not take it.
    :raises OSError: nobody answered (a timeout is an OSError, too); EOFError: the connection ended.
    """
    host, _, port = bootstrap.rpartition(":")
    async with asyncio.timeout(_TIMEOUT_MS / 1000):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(_request(record))
            await writer.drain()
            (length,) = struct.unpack(">i", await reader.readexactly(4))
            return _offset(await reader.readexactly(length), record.topic)
        finally:
            writer.close()


def _request(record: Record) -> bytes:
    batch = _batch(record)
    parts = struct.pack(">hhi", _PRODUCE, _VERSION, _CORRELATION), _text("torture"), struct.pack(">hhii", -1, _ALL_REPLICAS, _TIMEOUT_MS, 1)
    topic = _text(record.topic), struct.pack(">iii", 1, record.partition or 0, len(batch)), batch
    whole = b"".join((*parts, *topic))
    return struct.pack(">i", len(whole)) + whole


def _offset(answer: bytes, topic: str) -> int:
    start = 4 + 4 + 2 + len(topic.encode()) + 4  # Correlation id, topics, name of the one topic, partitions.
    _partition, code, offset = struct.unpack_from(">ihq", answer, start)
    if code:
        raise Refused(code)
    return int(offset)


def _batch(record: Record) -> bytes:
    """Write a batch of one record; its checksum covers everything behind it."""
    content = _record(record)
    if record.zipped:
        content = gzip.compress(content)
    now_ms = int(time.time() * 1000)
    covered = struct.pack(">hiqqqhii", _GZIP if record.zipped else 0, 0, now_ms, now_ms, -1, -1, -1, 1) + content
    leader_epoch_magic_checksum = struct.pack(">ibI", -1, 2, calc_crc32c(covered))
    return struct.pack(">qi", 0, len(leader_epoch_magic_checksum) + len(covered)) + leader_epoch_magic_checksum + covered


def _record(record: Record) -> bytes:
    content = bytearray(b"\x00")  # Attributes: none.
    content += _varint(0) + _varint(0)  # Deltas of time and offset.
    content += _bytes(record.key) + _bytes(record.value) + _varint(len(record.headers))
    for name, value in record.headers:
        content += _bytes(name) + _bytes(value)
    return _varint(len(content)) + bytes(content)


def _bytes(content: bytes | None) -> bytes:
    return _varint(-1) if content is None else _varint(len(content)) + content


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text.encode())) + text.encode()


def _varint(number: int) -> bytes:
    """Write a number as zigzag varint."""
    left = (number << 1) ^ (number >> 63)
    written = bytearray()
    while left > 0x7F:
        written.append(left & 0x7F | 0x80)
        left >>= 7
    written.append(left)
    return bytes(written)
