"""What becomes of each record of a batch: applied once, dropped as a repeat, refused with every reason, or parked."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from events import ingress
from events.envelope import Envelope
from events.fact import Event
from events.invoice import Reason

from chassis import streams
from chassis.database import Connection
from chassis.entities import ENTITY_UNKNOWN, Entities
from chassis.parking import Parked
from chassis.record import Broken, Fresh, Record, content_of
from chassis.service import Received, Refusal, Subscriptions

Traced = Callable[[Fresh], Envelope]
"""Gives a fact the envelope its effects inherit their trace from."""


@dataclass(slots=True)
class Sifted:
    """The outcome for every record of a batch; `apply` keeps the order of each key."""

    apply: list[Received[Any]] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    refused: list[tuple[Record, Refusal]] = field(default_factory=list)
    heads: dict[tuple[str, str], int] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)  # By topic: duplicate, ignored, late.


@dataclass(frozen=True, slots=True)
class Sieve:
    """
    Sifts batches for one service.

    `open_on` is the open day by entity; `aside` names records that failed for good, with the reason to park them for. In a redrive what is
    parked blocks nothing, and `heard` are the places of facts whose sequence was counted when they were parked.
    """

    subscriptions: Subscriptions
    entities: Entities
    open_on: Mapping[str, date]
    aside: Mapping[tuple[str, int, int], Parked]
    traced: Traced
    redrive: bool = False
    heard: Collection[tuple[str, int, int]] = ()

    async def sift(self, db: Connection, items: Sequence[Fresh | Broken]) -> Sifted:
        """Decide about every record, with one look-up for streams and one for the inbox."""
        fresh = [item for item in items if isinstance(item, Fresh)]
        heads, parked = await streams.heard(db, {(f.record.topic, f.key) for f in fresh})
        blocked = set() if self.redrive else parked
        new = await streams.enter_inbox(db, [] if self.redrive else [f for f in fresh if f.is_ingress])
        out = Sifted()
        for item in items:
            if isinstance(item, Broken):
                self._sift_broken(item, out)
            elif item.is_ingress:
                self._sift_ingress(item, out, blocked, item.record.place in new or self.redrive)
            else:
                self._sift_domain(item, out, heads, blocked)
        return out

    def _sift_broken(self, item: Broken, out: Sifted) -> None:
        if item.record.topic.startswith("receivables."):
            out.parked.append(Parked(item.record, item.key, "unreadable", item.reason))
        else:
            reasons = [Reason(code="NOT_A_CLOUDEVENT", field="")]
            out.refused.append((item.record, Refusal(None, {}, reasons, item.record.topic, item.record.partition)))

    def _sift_ingress(self, item: Fresh, out: Sifted, blocked: Collection[tuple[str, str]], is_new: bool) -> None:
        if item.kind is None or item.kind.event not in self.subscriptions.handlers or item.kind.topic != item.record.topic:
            out.outcomes[item.record.topic, "ignored"] += 1
            return
        if not is_new:
            out.outcomes[item.record.topic, "duplicate"] += 1
            return
        if (aside := self.aside.get(item.record.place)) is not None:
            out.parked.append(aside)
            return
        if (item.record.topic, item.key) in blocked:
            out.parked.append(Parked(item.record, item.key, "behind", "something of the same document or receipt is parked"))
            return
        try:
            data = ingress.read(item.kind.event, item.data)
            reasons = [] if item.entity in self.entities.by_id else [ENTITY_UNKNOWN]
        except ingress.Refused as refused:
            reasons = list(refused.reasons)
        if reasons or item.entity is None:
            out.refused.append((item.record, refusal_of(item, reasons)))
            return
        out.apply.append(self._received(item, data, item.entity, self.open_on[item.entity]))

    def _sift_domain(self, item: Fresh, out: Sifted, heads: dict[tuple[str, str], int], blocked: set[tuple[str, str]]) -> None:
        stream, sequence = (item.record.topic, item.key), item.envelope.sequence or 0
        head = heads.get(stream, 0)
        if item.record.place not in self.heard:
            if sequence <= head:
                out.outcomes[item.record.topic, "duplicate"] += 1
                return
            if sequence > head + 1:
                out.parked.append(Parked(item.record, item.key, "gap", f"sequence {sequence} came after {head}"))
                return
            heads[stream] = out.heads[stream] = sequence
        if (aside := self.aside.get(item.record.place)) is not None:
            out.parked.append(aside)
            blocked.add(stream)
            return
        if stream in blocked:
            out.parked.append(Parked(item.record, item.key, "behind", "an earlier fact of the same key is parked"))
            return
        if item.kind is None or item.kind.event not in self.subscriptions.handlers:
            out.outcomes[item.record.topic, "ignored"] += 1
            return
        if item.kind.topic != item.record.topic:
            out.parked.append(Parked(item.record, item.key, "misplaced", f"{item.envelope.type} does not belong on this topic"))
            blocked.add(stream)
            return
        open_on = self.open_on.get(item.entity or "")
        if item.entity is None or open_on is None:
            out.parked.append(Parked(item.record, item.key, "entity_unknown", f"entity {item.entity} is not in the entities file"))
            blocked.add(stream)
            return
        try:
            data = msgspec.json.decode(item.data, type=item.kind.event)
        except (ValueError, RecursionError) as error:
            out.parked.append(Parked(item.record, item.key, "undecodable", f"{item.envelope.type}: {error}"))
            blocked.add(stream)
            return
        carried = item.envelope.booked_on or open_on
        if carried < open_on and item.record.topic in self.subscriptions.forward:
            out.late.append(item.entity)
            out.outcomes[item.record.topic, "late"] += 1
        out.apply.append(self._received(item, data, item.entity, max(carried, open_on)))

    def _received(self, item: Fresh, data: Event, entity: str, booked_on: date) -> Received[Any]:
        record = item.record
        return Received(data, self.traced(item), entity, item.key, booked_on, record.topic, record.partition, record.offset)


def refusal_of(item: Fresh, reasons: Sequence[Reason]) -> Refusal:
    """Describe a refused ingress fact with as much of its content as can be read."""
    return Refusal(item.envelope, content_of(item.data), reasons, item.record.topic, item.record.partition)


def runs(subscriptions: Subscriptions, facts: Sequence[Received[Any]]) -> list[tuple[Any, list[Received[Any]]]]:
    """
    Group facts into as few calls of handlers as keep the order of every key.

    A fact joins the earliest call of its handler that is not before the last call holding a fact of its key.
    """
    calls: list[tuple[Any, list[Received[Any]]]] = []
    last: dict[tuple[str, str], int] = {}
    latest: dict[Any, list[int]] = {}
    for fact in facts:
        handler = subscriptions.handlers[type(fact.data)]
        least = last.get((fact.topic, fact.key), 0)
        place = next((n for n in latest.get(handler, []) if n >= least), None)
        if place is None:
            place = len(calls)
            calls.append((handler, []))
            latest.setdefault(handler, []).append(place)
        calls[place][1].append(fact)
        last[fact.topic, fact.key] = place
    return calls
