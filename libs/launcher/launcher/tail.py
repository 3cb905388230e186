"""Reading topics as a person would: CloudEvents, one line each, oldest first within a partition."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from launcher.topics import read_sizes
from launcher.trouble import Trouble

Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"
_SHOWN = ("ce_entity", "ce_bookedon", "ce_sequence")


async def records(bootstrap: str, topic: str, *, from_start: bool) -> AsyncIterator[Record]:
    """
    Yield what is in a topic and what comes in, without belonging to a consumer group.

    :raises Trouble: there is no such topic.
    """
    size = (await read_sizes(bootstrap)).get(topic)
    if size is None:
        raise Trouble(f"There is no topic {topic}: `make topics` lists them.")
    partitions = [TopicPartition(topic, number) for number in range(size)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await (consumer.seek_to_beginning(*partitions) if from_start else consumer.seek_to_end(*partitions))
        async for record in consumer:
            yield record
    finally:
        await consumer.stop()


def as_line(record: Record) -> str:
    """Show the type, whose books, which day, the key with its sequence, and the data."""
    event = as_event(record)
    headers = event["headers"]
    kind = headers.get("ce_type", "?")
    facts = " ".join(headers[name] for name in _SHOWN if name in headers)
    return f"{record.partition:>2}:{record.offset:<6} {kind} [{event['key']}] {facts} {json.dumps(event['data'], ensure_ascii=False)}"


def as_event(record: Record) -> dict[str, Any]:
    """Return the record with its headers, or its envelope's attributes in structured mode; bytes that are not JSON are shown as text."""
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    data = _content(record.value)
    if headers.get("content-type", "").startswith("application/cloudevents") and isinstance(data, Mapping):
        headers |= {f"ce_{name}": str(value) for name, value in data.items() if name != "data"}
        data = data.get("data")
    key = record.key.decode(errors="replace") if record.key is not None else None
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset, "key": key, "headers": headers, "data": data}


def _content(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return json.loads(value)
    except ValueError:
        return value.decode(errors="replace")
