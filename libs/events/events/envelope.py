"""
CloudEvents 1.0 on Kafka, binary and structured mode.

Our own facts leave in binary mode: attributes as `ce_*` headers, data as the value. The extensions are `partitionkey`, `sequence`,
`entity`, `bookedon`, `effectiveon`, `correlationid`, `causationid`; `traceparent` is a header of its own (W3C trace context).
Headers are read here rather than by the SDK because a fact is read five times on its way; the tests hold this reader to the SDK's.
Source: CloudEvents Kafka protocol binding 1.0.2, https://github.com/cloudevents/spec.
"""

import base64
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

STRUCTURED = b"application/cloudevents+json"
ATTRIBUTE_LENGTH_MAX = 512


class Unreadable(Exception):
    """A record is not a CloudEvent: the message says what is missing."""


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """
    The context of one fact.

    `sequence` is gap-free per (topic, key) and only on our own facts; `booked_on` and `effective_on` likewise.
    `traceparent` travels as an opaque string.
    """

    id: str
    type: str
    source: str
    time: str | None = None
    entity: str | None = None
    key: str | None = None
    sequence: int | None = None
    booked_on: date | None = None
    effective_on: date | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None


_EXTENSIONS = (  # Attribute on the wire, field of Envelope.
    ("time", "time"),
    ("entity", "entity"),
    ("partitionkey", "key"),
    ("sequence", "sequence"),
    ("bookedon", "booked_on"),
    ("effectiveon", "effective_on"),
    ("correlationid", "correlation_id"),
    ("causationid", "causation_id"),
)
_JSON = b"application/json"
_OUR_HEADERS = frozenset(
    (
        "ce_specversion",
        "ce_id",
        "ce_type",
        "ce_source",
        "ce_dataschema",
        "content-type",
        "traceparent",
        *(f"ce_{name}" for name, _ in _EXTENSIONS),
    )
)
_day = lru_cache(maxsize=1000)(date.fromisoformat)
_REQUIRED = ("specversion", "id", "type", "source")
_TEXTS = frozenset((*_REQUIRED, "time", "entity", "partitionkey", "correlationid", "causationid"))
_ATTRIBUTES = _TEXTS | {"sequence", "bookedon", "effectiveon", "traceparent"}


def to_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """Write binary-mode headers; absent attributes are left out."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_dataschema", f"urn:receivables:schema:{envelope.type}".encode()),
        ("content-type", _JSON),
    ]
    for attribute, field in _EXTENSIONS:
        value = getattr(envelope, field)
        if value is not None:
            headers.append((f"ce_{attribute}", str(value).encode()))
    if envelope.traceparent:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return headers


def read(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> tuple[Envelope, bytes]:
    """
    Read a record in either mode; return its context and its data as JSON bytes.

    :raises Unreadable: no value, not a CloudEvent, a required attribute missing, or one that is unfit to be stored or malformed.
    """
    if value is None:
        raise Unreadable("the record has no value")
    if (plain := _read_plain(headers)) is not None:
        return plain, value
    attributes: dict[str, Any] = {}
    content_type, traceparent, broken = b"", None, None
    for spelled, content in headers:
        name = spelled.lower()
        if content is None:  # Kafka knows headers without a value.
            continue
        if name.startswith("ce_"):
            try:
                attributes[name[3:]] = content.decode()
            except UnicodeDecodeError:
                broken = name
        elif name == "content-type":
            content_type = content
        elif name == "traceparent":
            traceparent = content
    if content_type.lower().startswith(STRUCTURED):
        return _read_structured(value, traceparent)
    if broken:
        raise Unreadable(f"header {broken} is not UTF-8")
    return _to_envelope(attributes, traceparent), value


def _read_plain(headers: Iterable[tuple[str, bytes | None]]) -> Envelope | None:
    """
    Read headers written as we write them, which almost all are; None where anything is otherwise, for the long way round to look at.

    A fact is read five times on its way: this is three times as fast.
    """
    named = dict(headers)
    if named.get("content-type") != _JSON or not named.keys() <= _OUR_HEADERS or None in named.values():
        return None
    try:
        text = {name: content.decode() for name, content in named.items() if content is not None}
        if text["ce_specversion"] != "1.0" or max(map(len, text.values())) > ATTRIBUTE_LENGTH_MAX or "\x00" in "".join(text.values()):
            return None
        get = text.get
        if not (text["ce_id"] and text["ce_type"] and text["ce_source"] and get("traceparent", "").isascii()):
            return None
        sequence, booked_on, effective_on = get("ce_sequence"), get("ce_bookedon"), get("ce_effectiveon")
        return Envelope(
            text["ce_id"],
            text["ce_type"],
            text["ce_source"],
            get("ce_time"),
            get("ce_entity"),
            get("ce_partitionkey"),
            int(sequence) if sequence is not None else None,
            _day(booked_on) if booked_on else None,
            _day(effective_on) if effective_on else None,
            get("ce_correlationid"),
            get("ce_causationid"),
            get("traceparent") or None,
        )
    except (KeyError, ValueError):
        return None


def _read_structured(value: bytes, traceparent: bytes | None) -> tuple[Envelope, bytes]:
    try:
        members = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
        data = bytes(members.pop("data", b"null"))  # As it was sent: a number read and written again may be another one.
        encoded = members.pop("data_base64", None)
        if encoded is not None:
            data = base64.b64decode(msgspec.json.decode(encoded, type=str), validate=True)
        attributes = {name: msgspec.json.decode(raw) for name, raw in members.items() if name in _ATTRIBUTES}
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the structured event is not a JSON object of attributes and data: {error}") from error
    in_event = attributes.get("traceparent")
    if traceparent is None and isinstance(in_event, str):
        traceparent = in_event.encode()
    return _to_envelope(attributes, traceparent), data


def _to_envelope(attributes: Mapping[str, Any], traceparent: bytes | None) -> Envelope:
    missing = [name for name in _REQUIRED if not attributes.get(name)]
    if missing:
        raise Unreadable(f"not a CloudEvent: {', '.join(missing)} missing")
    for name, content in attributes.items():
        if name in _TEXTS and content is not None:
            _check_text(name, content)
    if attributes["specversion"] != "1.0":
        raise Unreadable(f"CloudEvents {attributes['specversion'][:20]!r} is not supported, only 1.0")
    try:
        booked_on, effective_on = attributes.get("bookedon"), attributes.get("effectiveon")
        sequence = attributes.get("sequence")
        return Envelope(
            id=attributes["id"],
            type=attributes["type"],
            source=attributes["source"],
            time=attributes.get("time"),
            entity=attributes.get("entity"),
            key=attributes.get("partitionkey"),
            sequence=int(sequence) if sequence is not None else None,
            booked_on=date.fromisoformat(booked_on) if booked_on else None,
            effective_on=date.fromisoformat(effective_on) if effective_on else None,
            correlation_id=attributes.get("correlationid"),
            causation_id=attributes.get("causationid"),
            traceparent=traceparent.decode("ascii", "replace") if traceparent else None,
        )
    except (ValueError, TypeError) as error:
        raise Unreadable(f"an extension attribute is malformed: {error}") from error


def _check_text(name: str, content: object) -> None:
    """Attributes go into indexed columns: text without U+0000, of a bounded length."""
    if not isinstance(content, str):
        raise Unreadable(f"attribute {name} is not a string")
    if len(content) > ATTRIBUTE_LENGTH_MAX:
        raise Unreadable(f"attribute {name} is longer than {ATTRIBUTE_LENGTH_MAX} characters")
    if "\x00" in content:
        raise Unreadable(f"attribute {name} contains U+0000")
