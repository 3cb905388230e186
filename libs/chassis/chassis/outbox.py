"""
The outbox: facts are rows of the transaction that makes them, and leave through the relay.

The row of (topic, key) in `stream_head` is locked before the insert, so per key the order of ids is the order of commits and the sequence
has no gap (docs/messaging.md section 2).
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from events.business_day import BusinessDayStarted
from events.envelope import Envelope, to_headers
from events.fact import kind_of

from chassis.database import Connection
from chassis.failpoints import fp
from chassis.service import Batch, Fact, Service
from chassis.tracing import current_traceparent

PAYLOAD_BYTES_MAX = 900 * 1024
CHANNEL = "chassis_outbox"
Headers = list[tuple[str, bytes | None]]


class Wake(asyncio.Event):
    """Set after a commit that left rows in the outbox; the relay of the same process waits on it."""


class FactUnsendable(Exception):
    """A fact could never leave, or not in order: its payload is too large, or its key is not one of its entity's."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A day marker for one partition of one topic."""

    topic: str
    partition: int
    entity: str
    day: date


_unpack = msgspec.msgpack.Decoder(Headers)


def pack_headers(headers: Sequence[tuple[str, bytes | None]]) -> bytes:
    """Write record headers as our tables keep them: MessagePack, because a header may hold any bytes, or none."""
    return msgspec.msgpack.encode(headers)


def unpack_headers(packed: bytes) -> Headers:
    """Read what `pack_headers` wrote."""
    return _unpack.decode(packed)


async def add(db: Connection, service: Service, facts: Sequence[Fact], batch: Batch) -> None:
    """
    Queue facts on the service's own topic, booked on the open day of their entity.

    Ids are `<service>/<key>/<sequence>`: handling something twice can only commit once, and then the id stays. Causation, correlation and
    trace come from the fact's cause; where there is none, the trace is that of the span in hand.

    :raises FactUnsendable: a payload over 900 KB, or a key that does not begin with the entity: what is held is held by entity, so two
        entities under one key could overtake each other.
    """
    if not facts:
        return
    values = [msgspec.json.encode(fact.data) for fact in facts]
    for fact, value in zip(facts, values, strict=True):
        if not fact.key.startswith(f"{fact.entity}|") or len(value) > PAYLOAD_BYTES_MAX:
            raise FactUnsendable(f"{type(fact.data).__name__} of {fact.entity!r} with key {fact.key!r} and {len(value)} bytes")
    sequences = await _next_sequences(db, service.topic, Counter(fact.key for fact in facts))
    fp("api.head_bumped")
    traceparent = current_traceparent()
    now = batch.now.isoformat().replace("+00:00", "Z")
    headers = [
        pack_headers(to_headers(_envelope(service, fact, next(sequences[fact.key]), now, batch.open_on.get(fact.entity), traceparent)))
        for fact in facts
    ]
    await _insert(db, [service.topic] * len(facts), [fact.key for fact in facts], [None] * len(facts), headers, values, batch.now)


def _envelope(service: Service, fact: Fact, sequence: int, now: str, booked_on: date | None, traceparent: str | None) -> Envelope:
    cause = fact.cause
    return Envelope(
        id=f"{service.name}/{fact.key}/{sequence}",
        type=kind_of(type(fact.data)).type,
        source=f"/receivables/{service.name}",
        time=now,
        entity=fact.entity,
        key=fact.key,
        sequence=sequence,
        booked_on=booked_on,
        effective_on=fact.effective_on,
        correlation_id=(cause.correlation_id or cause.id) if cause else None,
        causation_id=cause.id if cause else None,
        traceparent=(cause.traceparent if cause else None) or traceparent,
    )


async def _next_sequences(db: Connection, topic: str, wanted: Counter[str]) -> dict[str, Iterator[int]]:
    """Take the next sequences of every key, locking the stream rows in sorted order until commit."""
    keys = sorted(wanted)
    rows = await db.fetch(
        """
        INSERT INTO chassis.stream_head AS head (topic, key, sequence)
        SELECT $1, key, taken FROM unnest($2::text[], $3::bigint[]) AS wanted (key, taken) ORDER BY key
        ON CONFLICT (topic, key) DO UPDATE SET sequence = head.sequence + excluded.sequence
        RETURNING key, sequence
        """,
        topic,
        keys,
        [wanted[key] for key in keys],
    )
    return {row["key"]: iter(range(row["sequence"] - wanted[row["key"]] + 1, row["sequence"] + 1)) for row in rows}


async def add_markers(db: Connection, markers: Sequence[Marker], now: datetime) -> None:
    """Queue day markers behind everything this transaction and those before it have queued."""
    if not markers:
        return
    kind = kind_of(BusinessDayStarted)
    headers, values = [], []
    for marker in markers:
        envelope = Envelope(
            id=f"day|{marker.entity}|{marker.day}|{marker.topic}|{marker.partition}",
            type=kind.type,
            source="/receivables/calendar",
            entity=marker.entity,
            key=f"{marker.entity}|day|{marker.partition}",
            booked_on=marker.day,
        )
        headers.append(pack_headers(to_headers(envelope)))
        values.append(msgspec.json.encode(BusinessDayStarted(entity=marker.entity, date=marker.day)))
    keys = [f"{marker.entity}|day|{marker.partition}" for marker in markers]
    await _insert(db, [m.topic for m in markers], keys, [m.partition for m in markers], headers, values, now)


async def _insert(
    db: Connection,
    topics: Sequence[str],
    keys: Sequence[str],
    partitions: Sequence[int | None],
    headers: Sequence[bytes],
    values: Sequence[bytes],
    now: datetime,
) -> None:
    await db.execute(
        """
        INSERT INTO chassis.outbox (topic, key, partition, headers, value, queued_at)
        SELECT topic, key, partition, headers, value, $6
        FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[], $5::bytea[])
            WITH ORDINALITY AS row (topic, key, partition, headers, value, place)
        ORDER BY place
        """,
        topics,
        keys,
        partitions,
        headers,
        values,
        now,
    )
    fp("api.outbox_inserted")


async def notify(db: Connection) -> None:
    """Wake a relay in another process when this transaction commits."""
    await db.execute(f"NOTIFY {CHANNEL}")
