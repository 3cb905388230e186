"""
Reading topics from offset 0 to their ends, with nothing of a Kafka consumer in between.

Fetch requests on aiokafka's connection, and record batches (magic 2) taken apart here: aiokafka's own reader raises on a header
name that is not UTF-8, and what services are accused of losing must not be lost by the reader. Source: KIP-98 and KIP-82,
https://kafka.apache.org/documentation/#recordbatch.
"""

import asyncio
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode
from aiokafka.errors import for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest

from torture.check.log import Header, Log, Partition, Place, Record
from torture.check.topology import GROUP_OF, TOPICS

_HEAD: Final = struct.Struct(">qiibIhiqqqhii")
_LENGTH_AT: Final = struct.Struct(">qi")
_CODECS: Final[Mapping[int, Callable[[bytes], bytes]]] = {0: bytes, 1: gzip_decode, 2: snappy_decode, 3: lz4_decode}
_CODEC_BITS, _CONTROL_BIT = 0x07, 0x20
_LATEST: Final = -1
_UNCOMMITTED: Final = 0
_FETCH_BYTES: Final = 8 * 1024 * 1024
_WAIT_MS: Final = 100
_EMPTY_FETCHES_MAX: Final = 50


class LogUnreadable(Exception):
    """Kafka does not hand over what it says it has."""


class _Cursor:
    """A place in the bytes of a batch."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def varint(self) -> int:
        """Read a zigzag varint."""
        shift = result = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            result |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return (result >> 1) ^ -(result & 1)
            shift += 7

    def take(self, length: int) -> bytes | None:
        """Take so many bytes; a negative length stands for none at all."""
        if length < 0:
            return None
        self.at += length
        return self.data[self.at - length : self.at]


def records_in(topic: str, partition: int, message_set: bytes) -> Iterator[Record]:
    """Yield the records of as many whole batches as there are; the last may be cut off by the broker."""
    at = 0
    while at + _LENGTH_AT.size <= len(message_set):
        base_offset, length = _LENGTH_AT.unpack_from(message_set, at)
        end = at + _LENGTH_AT.size + length
        if end > len(message_set):
            return
        head = _HEAD.unpack_from(message_set, at)
        magic, attributes, count = head[3], head[5], head[12]
        if magic != 2:
            raise LogUnreadable(f"{topic}-{partition}: a batch of magic {magic} at {base_offset}")
        if not attributes & _CONTROL_BIT:
            cursor = _Cursor(_CODECS[attributes & _CODEC_BITS](message_set[at + _HEAD.size : end]))
            for _ in range(count):
                yield _record(topic, partition, base_offset, cursor)
        at = end


def _record(topic: str, partition: int, base_offset: int, cursor: _Cursor) -> Record:
    end = cursor.varint()
    end += cursor.at
    cursor.at += 1  # Attributes: none are defined.
    cursor.varint()  # Timestamp: no invariant looks at a clock.
    offset = base_offset + cursor.varint()
    key = cursor.take(cursor.varint())
    value = cursor.take(cursor.varint())
    headers: list[Header] = []
    for _ in range(cursor.varint()):
        name = cursor.take(cursor.varint()) or b""
        headers.append((name, cursor.take(cursor.varint())))
    if cursor.at != end:
        raise LogUnreadable(f"{topic}-{partition}: the record at {offset} is not as long as it says")
    return Record(topic, partition, offset, key, value, tuple(headers))


async def read_log(bootstrap: str, strange: Sequence[Place] = ()) -> Log:
    """
    Read every topic from offset 0 to where it ends now, and the offsets that the services' groups have committed.

    :raises LogUnreadable: something is missing between offset 0 and an end.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap, client_id="checker")
    await client.bootstrap()
    try:
        await client.set_topics(TOPICS)
        places = [(topic, partition) for topic in TOPICS for partition in sorted(client.cluster.partitions_for_topic(topic) or ())]
        ends = await _ends(client, places)
        records = [record for place in places for record in await _read_partition(client, place, ends[place])]
    finally:
        await client.close()
    return Log(records, ends, await _group_offsets(bootstrap), frozenset(strange))


async def _ends(client: AIOKafkaClient, places: Sequence[Partition]) -> dict[Partition, int]:
    """Ask every leader where its partitions end, one request each."""
    ends: dict[Partition, int] = {}
    by_leader: dict[int, dict[str, list[tuple[int, int]]]] = {}
    for topic, partition in places:
        leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
        by_leader.setdefault(leader, {}).setdefault(topic, []).append((partition, _LATEST))
    for leader, topics in by_leader.items():
        answer = await _ask(client, leader, OffsetRequest(-1, _UNCOMMITTED, list(topics.items())))
        for topic, partitions in answer.topics:
            for partition, error_code, *_, offset in partitions:
                _check(error_code)
                ends[topic, partition] = offset
    return ends


async def _read_partition(client: AIOKafkaClient, place: Partition, end: int) -> list[Record]:
    topic, partition = place
    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    found: list[Record] = []
    offset = empty = 0
    while offset < end:
        request = FetchRequest(_WAIT_MS, 1, _FETCH_BYTES, _UNCOMMITTED, [(topic, [(partition, offset, _FETCH_BYTES)])])
        answer = await _ask(client, leader, request)
        ((_, ((_, error_code, *_, message_set),)),) = answer.topics
        _check(error_code)
        # A batch is handed over whole: what stands in it before the offset asked for is left out.
        fresh = [record for record in records_in(topic, partition, message_set) if offset <= record.offset < end]
        found += fresh
        if fresh and fresh[0].offset != offset:
            raise LogUnreadable(f"{topic}-{partition}: offsets {offset} to {fresh[0].offset - 1} are missing")
        offset = fresh[-1].offset + 1 if fresh else offset
        empty = 0 if fresh else empty + 1
        if empty > _EMPTY_FETCHES_MAX:
            raise LogUnreadable(f"{topic}-{partition}: ends at {end}, but nothing comes from {offset} on")
    return found


async def _ask(client: AIOKafkaClient, leader: int, request: Any) -> Any:
    """Ask one broker; a connection that was just lost is made anew once."""
    if not await client.ready(leader):
        await asyncio.sleep(_WAIT_MS / 1000)
    return await client.send(leader, request)


def _check(error_code: int) -> None:
    error = for_code(error_code)
    if error_code:
        raise LogUnreadable(f"Kafka answers {error.__name__}")


async def _group_offsets(bootstrap: str) -> dict[tuple[str, str, int], int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="checker")
    await admin.start()
    try:
        found = {service: await admin.list_consumer_group_offsets(group) for service, group in GROUP_OF.items()}
    finally:
        await admin.close()
    return {
        (service, place.topic, place.partition): told.offset
        for service, offsets in found.items()
        for place, told in offsets.items()
        if told.offset >= 0
    }
