"""The log: every record of every topic, and what of it are facts, first occurrences, repeats and day markers."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Final, TypeAlias

Place: TypeAlias = tuple[str, int, int]
"""Topic, partition, offset."""
Partition: TypeAlias = tuple[str, int]
Header: TypeAlias = tuple[bytes, bytes | None]

DOMAIN: Final = "receivables."
POISON_LABEL: Final = b"torture-poison"
"""The header by which poison is known even where Kafka never said where it stands."""
MARKER_TYPE: Final = "receivables.BusinessDayStarted.v1"
_STRUCTURED: Final = b"application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in a partition; names of headers are bytes, for they may be anything."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.topic, self.partition, self.offset

    @property
    def is_labelled(self) -> bool:
        """Whether it says itself that it is poison."""
        return any(name == POISON_LABEL for name, _ in self.headers)

    @property
    def content(self) -> bytes:
        """A digest of all of it but its place: two records with the same are the same record, sent twice."""
        return hashlib.sha256(repr((self.topic, self.key, self.value, self.headers)).encode()).digest()


@dataclass(frozen=True, slots=True)
class Fact:
    """A CloudEvent on Kafka: context and data. `behind` is the highest day of its entity whose marker stands before it in its partition."""

    record: Record
    id: str
    type: str
    source: str
    entity: str | None
    key: str
    sequence: int
    booked_on: date | None
    effective_on: date | None
    causation_id: str | None
    data: Mapping[str, Any]
    behind: date | None = None

    @property
    def name(self) -> str:
        """The type without prefix and version."""
        return self.type.split(".")[1] if self.type.count(".") == 2 else self.type


@dataclass(frozen=True, slots=True)
class Marker:
    """A day marker of an entity."""

    record: Record
    entity: str
    day: date


@dataclass(frozen=True, slots=True)
class Unread:
    """A record that is neither fact nor marker, and why."""

    record: Record
    why: str


class NotAFact(ValueError):
    """A record cannot be read as what its topic should carry."""


def context_of(record: Record) -> tuple[dict[str, str], bytes]:
    """
    Read a CloudEvent in either mode: its attributes and its data (Kafka protocol binding 1.0.2).

    :raises NotAFact: it is none.
    """
    if record.value is None:
        raise NotAFact("no value")
    headers = {name.lower(): value for name, value in record.headers if value is not None}
    try:
        if headers.get(b"content-type", b"").lower().startswith(_STRUCTURED):
            event = json.loads(record.value)
            attributes = {name: str(value) for name, value in event.items() if name not in ("data", "data_base64") and value is not None}
            data = json.dumps(event.get("data")).encode()
        else:
            attributes = {name[3:].decode(): value.decode() for name, value in headers.items() if name.startswith(b"ce_")}
            data = record.value
    except (ValueError, AttributeError, RecursionError) as error:
        raise NotAFact(f"no CloudEvent: {error}") from error
    if missing := [name for name in ("specversion", "id", "type", "source") if not attributes.get(name)]:
        raise NotAFact(f"no CloudEvent: {', '.join(missing)} missing")
    return attributes, data


def identity_of(record: Record) -> tuple[str, str] | None:
    """Return the source and id of a CloudEvent, or None where it is none."""
    try:
        attributes, _ = context_of(record)
    except NotAFact:
        return None
    return attributes["source"], attributes["id"]


def read(record: Record, behind: Mapping[str, date]) -> Fact | Marker | Unread:
    """Say what a record of a domain topic is, or which marker a record of any topic is. `behind`: the highest marker so far by entity."""
    try:
        attributes, data = context_of(record)
        content = json.loads(data)
        if attributes["type"] == MARKER_TYPE:
            return Marker(record, content["entity"], date.fromisoformat(content["date"]))
        entity = attributes.get("entity")
        if not isinstance(content, dict):
            return Unread(record, "the data is no object")
        return Fact(
            record,
            attributes["id"],
            attributes["type"],
            attributes["source"],
            entity,
            attributes["partitionkey"],
            int(attributes["sequence"]),
            _day(attributes.get("bookedon")),
            _day(attributes.get("effectiveon")),
            attributes.get("causationid"),
            content,
            behind.get(entity or ""),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Unread(record, f"{type(error).__name__}: {error}")


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@dataclass(frozen=True)
class Log:
    """
    Everything Kafka holds.

    `ends` are the end offsets, `group_offsets` what consumer groups committed: (service, topic, partition) -> next offset. `strange` are
    the places of records published to be refused, parked or ignored: they and their twins are no part of the books.
    """

    records: Sequence[Record]
    ends: Mapping[Partition, int]
    group_offsets: Mapping[tuple[str, str, int], int] = field(default_factory=dict)
    strange: Collection[Place] = ()

    @cached_property
    def at(self) -> Mapping[Place, Record]:
        """Records by place."""
        return {record.place: record for record in self.records}

    @cached_property
    def strange_contents(self) -> frozenset[bytes]:
        """Digests of the strange records."""
        return frozenset(self.at[place].content for place in self.strange if place in self.at)

    def is_strange(self, record: Record) -> bool:
        """Whether a record is strange, the twin of one that is, or labelled as poison."""
        return record.is_labelled or (bool(self.strange_contents) and record.content in self.strange_contents)

    @cached_property
    def strange_keys(self) -> frozenset[str]:
        """The keys of strange records: what Kafka goes by and what they say themselves."""
        keys: set[str] = set()
        for record in filter(self.is_strange, self.records):
            said = [value for name, value in record.headers if name.lower() == b"ce_partitionkey"]
            keys |= {key.decode(errors="replace") for key in (record.key, *said) if key is not None}
        return frozenset(keys)

    @cached_property
    def _read(self) -> tuple[list[Fact], list[Marker], list[Unread]]:
        facts: list[Fact] = []
        markers: list[Marker] = []
        unread: list[Unread] = []
        behind: dict[Partition, dict[str, date]] = defaultdict(dict)
        for record in sorted(self.records, key=lambda one: one.place):
            if self.is_strange(record):
                continue
            here = behind[record.topic, record.partition]
            if not (record.topic.startswith(DOMAIN) or _says_marker(record)):
                continue
            one = read(record, here)
            if isinstance(one, Marker):
                here[one.entity] = max(one.day, here.get(one.entity, date.min))
                markers.append(one)
            elif isinstance(one, Fact):
                facts.append(one)
            elif record.topic.startswith(DOMAIN):
                unread.append(one)
        return facts, markers, unread

    @property
    def markers(self) -> Sequence[Marker]:
        """Day markers in order of place, repeats included."""
        return self._read[1]

    @property
    def unread(self) -> Sequence[Unread]:
        """What stands in domain topics and is neither fact nor marker."""
        return self._read[2]

    @cached_property
    def streams(self) -> Mapping[tuple[str, str], Sequence[Fact]]:
        """The facts of every (topic, key) in order of place, repeats included."""
        streams: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for fact in self._read[0]:
            streams[fact.record.topic, fact.key].append(fact)
        return streams

    @cached_property
    def firsts(self) -> Sequence[Fact]:
        """The first occurrence of every fact, by topic, partition and offset."""
        return list(_firsts(self._read[0]))

    @property
    def repeats(self) -> int:
        """How many records are the repeat of a fact."""
        return len(self._read[0]) - len(self.firsts)

    @cached_property
    def sent(self) -> Mapping[str, Sequence[tuple[Record, date | None]]]:
        """
        Records of ingress topics by CloudEvents id, with the highest day marker of their entity before them, in order of place.

        What cannot be read as an event of an entity is left out.
        """
        sent: dict[str, list[tuple[Record, date | None]]] = defaultdict(list)
        behind: dict[Partition, dict[str, date]] = defaultdict(dict)
        days = {marker.record.place: marker for marker in self.markers}
        for record in sorted(self.records, key=lambda one: one.place):
            here = behind[record.topic, record.partition]
            if record.topic.startswith(DOMAIN):
                continue
            if (marker := days.get(record.place)) is not None:
                here[marker.entity] = max(marker.day, here.get(marker.entity, date.min))
                continue
            try:
                attributes, data = context_of(record)
                sent[attributes["id"]].append((record, here.get(json.loads(data)["entity"])))
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
        return sent


def _says_marker(record: Record) -> bool:
    return any(value == MARKER_TYPE.encode() for name, value in record.headers if name.lower() == b"ce_type")


def _firsts(facts: Iterable[Fact]) -> Iterable[Fact]:
    seen: set[tuple[str, str, int]] = set()
    for fact in facts:
        if (name := (fact.record.topic, fact.key, fact.sequence)) not in seen:
            seen.add(name)
            yield fact
