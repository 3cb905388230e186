"""Raw records as Kafka hands them over, and what can be said of one before any rule is applied."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec
from events import envelope as cloudevents
from events.business_day import BusinessDayStarted
from events.envelope import Envelope, Unreadable
from events.fact import FactKind, kind_of, kind_of_type

from chassis.calendar import INGRESS_TOPICS

DOMAIN_PREFIX = "receivables."
_MARKER_TYPE = kind_of(BusinessDayStarted).type


class Record(msgspec.Struct, frozen=True, gc=False):
    """One Kafka record, undecoded."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset


class MarkerMet(msgspec.Struct, frozen=True, gc=False):
    """A day marker."""

    record: Record
    entity: str
    day: date


class Fresh(msgspec.Struct, frozen=True, gc=False):
    """
    A readable record. `entity` is None where none could be read, `key` is the key that later facts would be blocked by.

    `kind` is None for a type nobody here knows.
    """

    record: Record
    envelope: Envelope
    data: bytes
    kind: FactKind | None
    entity: str | None
    key: str

    @property
    def is_ingress(self) -> bool:
        return self.record.topic in INGRESS_TOPICS


class Broken(msgspec.Struct, frozen=True, gc=False):
    """A record that is no CloudEvent; `key` is empty where it has no usable Kafka key."""

    record: Record
    reason: str
    key: str


class _EntityOnly(msgspec.Struct):
    entity: str


def classify(record: Record) -> MarkerMet | Fresh | Broken:
    """Say what a record is; never raises on anything a producer may have sent."""
    try:
        envelope, data = cloudevents.read(record.headers, record.value)
    except Unreadable as error:
        return Broken(record, str(error), _text(record.key))
    if envelope.type == _MARKER_TYPE:
        try:
            marker = msgspec.json.decode(data, type=BusinessDayStarted)
        except (ValueError, RecursionError) as error:
            return Broken(record, f"a day marker that cannot be read: {error}", "")
        return MarkerMet(record, marker.entity, marker.date)
    kind = kind_of_type(envelope.type)
    if record.topic.startswith(DOMAIN_PREFIX):
        if envelope.entity is None or envelope.sequence is None or not envelope.key:
            return Broken(record, "a domain fact without entity, sequence or partitionkey", _text(record.key))
        return Fresh(record, envelope, data, kind, envelope.entity, envelope.key)
    entity, key = _identity(kind, data)
    return Fresh(record, envelope, data, kind, entity, key or f"{envelope.source}|{envelope.id}")


def _text(key: bytes | None) -> str:
    return _storable(key.decode(errors="replace")[:200]) if key else ""


def _storable(text: str) -> str:
    """Text that a column takes: Postgres knows no U+0000."""
    return text.replace("\x00", "\ufffd")


def _identity(kind: FactKind | None, data: bytes) -> tuple[str | None, str]:
    """The entity and the natural key of an ingress fact, as far as they can be read."""
    if kind is not None and kind.natural_key:
        try:
            parts = msgspec.structs.astuple(_key_decoder(kind).decode(data))
            return parts[0], _storable("|".join(str(part)[:64] for part in parts))
        except (ValueError, RecursionError):
            pass  # Something of it is missing or malformed: the entity alone may still be readable.
    try:
        return _entity_only.decode(data).entity, ""
    except (ValueError, RecursionError):
        return None, ""


@lru_cache(maxsize=100)
def _key_decoder(kind: FactKind) -> "msgspec.json.Decoder[msgspec.Struct]":
    declared = {one.name: one for one in msgspec.structs.fields(kind.event)}
    defaults = [() if declared[name].required else (declared[name].default,) for name in kind.natural_key]  # What is left out is meant.
    fields = [(name, str | int, *default) for name, default in zip(kind.natural_key, defaults, strict=True)]
    return msgspec.json.Decoder(msgspec.defstruct("NaturalKey", fields, kw_only=True))


_entity_only = msgspec.json.Decoder(_EntityOnly)


def content_of(data: bytes) -> dict[str, Any]:
    """The data as far as it is a JSON object; empty otherwise."""
    try:
        content = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
