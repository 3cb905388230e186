"""What must be so of every record appended: sequences without a gap, one partition per key, nothing behind the marker of a later day."""

from dataclasses import dataclass, field
from datetime import date

import msgspec
from aiokafka.structs import TopicPartition
from chassis.record import Fresh, MarkerMet, Record, classify
from chassis.relay import partition_of
from events.envelope import Envelope

from simulation.kafka.broker import Message
from simulation.process import OPENS_ON, PARTITIONS
from simulation.world import World

BEFORE = date.fromordinal(OPENS_ON.toordinal() - 1)
"""What stands before the first marker is booked on this day."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of ours as it first came into the log."""

    topic: str
    envelope: Envelope
    data: bytes

    @property
    def stream(self) -> tuple[str, str]:
        return self.topic, self.envelope.key or ""

    @property
    def sequence(self) -> int:
        return self.envelope.sequence or 0

    @property
    def booked_on(self) -> date:
        return self.envelope.booked_on or date.min

    @property
    def said(self) -> str:
        return f"{self.envelope.source}|{self.envelope.id}"

    @property
    def content(self) -> dict[str, str]:
        decoded: dict[str, str] = msgspec.json.decode(self.data)
        return decoded


@dataclass
class LogWatch:
    """Reads the log as it grows. `facts` by stream in order; `came_on` says between which markers each record from outside first came."""

    world: World
    facts: dict[tuple[str, str], list[Fact]] = field(default_factory=dict)
    came_on: dict[str, date] = field(default_factory=dict)
    unreadable: int = 0
    _marked: dict[tuple[TopicPartition, str], date] = field(default_factory=dict)

    def look(self, message: Message) -> None:
        """Look at a record that was just appended."""
        item = classify(Record(message.topic, message.partition, message.offset, message.key, message.value, message.headers))
        place = TopicPartition(message.topic, message.partition)
        if isinstance(item, MarkerMet):
            self._mark(place, item)
        elif isinstance(item, Fresh) and item.is_ingress:
            said = f"{item.envelope.source}|{item.envelope.id}"
            self.came_on.setdefault(said, self._marked.get((place, item.entity or ""), BEFORE))
        elif isinstance(item, Fresh):
            self._look_at_fact(place, item)
        else:
            self.unreadable += 1

    def _mark(self, place: TopicPartition, marker: MarkerMet) -> None:
        self.world.note("log", f"{place.topic}/{place.partition} marker {marker.entity} {marker.day}")
        before = self._marked.get((place, marker.entity), BEFORE)
        if (marker.day - before).days > 1:
            self.world.breaks(f"{place}: the marker of {marker.day} of {marker.entity} follows that of {before}")
        self._marked[place, marker.entity] = max(marker.day, before)

    def _look_at_fact(self, place: TopicPartition, item: Fresh) -> None:
        fact = Fact(place.topic, item.envelope, item.data)
        known = self.facts.setdefault(fact.stream, [])
        self.world.note("log", f"{place.topic}/{place.partition} {fact.envelope.id} booked {fact.booked_on}")
        if partition_of(item.key, PARTITIONS) != place.partition:
            self.world.breaks(f"{fact.envelope.id} stands in partition {place.partition}, where its key does not belong")
        if fact.sequence <= len(known):
            self.world.count("repeat in the log")
            if known[fact.sequence - 1] != fact:
                self.world.breaks(f"{fact.envelope.id} was said twice, with different content")
            return
        if fact.sequence != len(known) + 1:
            self.world.breaks(f"{fact.envelope.id} follows sequence {len(known)} of its key")
        marked = self._marked.get((place, item.entity or ""), BEFORE)
        if item.envelope.booked_on is not None and fact.booked_on < marked:
            self.world.breaks(f"{fact.envelope.id} is booked on {fact.booked_on} and stands behind the marker of {marked}")
        known.append(fact)
