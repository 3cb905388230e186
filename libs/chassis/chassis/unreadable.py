"""
A record that the Kafka client itself cannot read: the name of one of its headers is not UTF-8.

aiokafka then raises out of `getmany`, again at every fetch, and its partition would stand for ever. Client and protocol allow such a name
to be sent (KIP-82 says string, librdkafka takes bytes), so it is poison like any other: found, stepped over, and handed on without content.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.record import Record
from chassis.streams import Place

FETCH_MS_MAX = 1000

UNREADABLE = "unreadable"
"""The one header of what stands for such a record. It is no CloudEvent, so the record is refused or parked with its place in the log."""

log = structlog.get_logger()


async def step_over(kafka: AIOKafkaConsumer, reached: Mapping[Place, int], records_max: int) -> Mapping[TopicPartition, list[Any]]:
    """
    Read record by record up to the one that cannot be read, go on behind it, and return what was read with a stand-in for it.

    To be called once `getmany` has raised UnicodeDecodeError. That does not say where, and what it had drained of other partitions is
    gone: so all of them are read again from where they were, the next offsets `reached`. Returns early after `records_max` records.
    """
    found: defaultdict[TopicPartition, list[Any]] = defaultdict(list)
    for place, next_offset in reached.items():
        kafka.seek(TopicPartition(*place), next_offset)
    ends = await kafka.end_offsets([TopicPartition(*place) for place in sorted(reached)])
    while sum(map(len, found.values())) < records_max:
        came = False
        for tp in [tp for tp in ends if await kafka.position(tp) < ends[tp]]:
            try:
                read = (await kafka.getmany(tp, timeout_ms=FETCH_MS_MAX, max_records=1)).get(tp, [])
                found[tp] += read
                came |= bool(read)
            except UnicodeDecodeError as error:
                offset = await kafka.position(tp)
                kafka.seek(tp, offset + 1)
                log.error("consumer.record_unreadable", topic=tp.topic, partition=tp.partition, offset=offset, reason=error.reason)
                found[tp].append(Record(tp.topic, tp.partition, offset, None, None, [(UNREADABLE, error.reason.encode())]))
                return found
        if not came:
            break  # Nothing is left, or what is left belongs to somebody's open Kafka transaction.
    return found
