"""
One transaction per micro-batch, each fact with effect at most once (docs/messaging.md section 4).

A batch is what waits in all polled partitions, up to a limit: partitions share their locks, look-ups and writes. The steps, top to bottom:
lock the positions, share the open days, choose what may be handled now, sift, run the handlers, queue what they publish, advance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import structlog

from chassis import business_day, outbox, parking, streams
from chassis.batch_trace import trace_batch
from chassis.business_day import OpenDay
from chassis.clock import Clock
from chassis.database import TRANSIENT, Connection, Database
from chassis.entities import Entities
from chassis.failpoints import FailpointHit, fp
from chassis.metrics import metrics
from chassis.outbox import Wake
from chassis.parking import Parked, Setaside
from chassis.record import Broken, Fresh, MarkerMet, Record, classify
from chassis.service import Batch, Fact, Received, Service
from chassis.sifting import Sieve, Sifted, refusal_of, runs
from chassis.streams import Place

Item = MarkerMet | Fresh | Broken
log = structlog.get_logger()


class MustWait(Exception):
    """Handlers asked to set facts aside until something has come; the batch starts again with those waits locked."""

    def __init__(self, awaited: Mapping[tuple[str, int, int], str]) -> None:
        self.awaited = awaited
        super().__init__(", ".join(sorted(set(awaited.values()))))


class BatchFailed(Exception):
    """A batch failed for a reason that trying again will not mend; nothing was changed. `__cause__` is what a handler raised."""

    def __init__(self, items: Sequence[Fresh | Broken]) -> None:
        self.items = items
        super().__init__(f"{len(items)} records")


@dataclass(slots=True)
class Chosen:
    """What of a poll one transaction takes: facts to handle, markers met, records to hold, and how far each partition gets."""

    apply: list[Fresh | Broken] = field(default_factory=list)
    markers: dict[tuple[str, int, str], date] = field(default_factory=dict)
    hold: list[tuple[Record, str, date]] = field(default_factory=list)
    reached: dict[Place, int] = field(default_factory=dict)


def choose(
    polled: Mapping[Place, Sequence[Item]],
    positions: Mapping[Place, int],
    days: Mapping[str, OpenDay],
    seen: dict[tuple[str, int, str], date],
    held: Mapping[tuple[str, int, str], date],
    *,
    holding_topics: frozenset[str],
    hold: bool,
    limit: int,
) -> Chosen:
    """
    Take the longest prefix of every partition that may be handled now; pure but for `seen`, which it advances by the markers met.

    A record of an entity that stands behind a marker of a day not yet open, or behind something held of that entity, is held (`hold`) or
    ends the prefix. Markers are noted at once: the highest counts.
    """
    out = Chosen()
    blocked_here = set(held)
    for place, items in sorted(polled.items()):
        for item in items:
            if item.record.offset < positions[place]:
                continue
            if len(out.apply) + len(out.hold) >= limit:
                break
            if isinstance(item, MarkerMet):
                mark = (*place, item.entity)
                if item.entity in days:
                    seen[mark] = out.markers[mark] = max(item.day, seen.get(mark, date.min))
                out.reached[place] = item.record.offset + 1
                continue
            entity = item.entity if isinstance(item, Fresh) else None
            day = days.get(entity or "")
            if entity is not None and day is not None and place[0] in holding_topics:
                mark = (*place, entity)
                behind = seen.get(mark, date.min)
                if mark in blocked_here or behind > day.open_on or day.turning_on is not None:
                    if not hold:
                        break
                    out.hold.append((item.record, entity, max(behind, day.turning_on or date.min)))
                    blocked_here.add(mark)
                    out.reached[place] = item.record.offset + 1
                    continue
            out.apply.append(item)
            out.reached[place] = item.record.offset + 1
    return out


class Delivery:
    """Delivers records to one service's handlers; knows Postgres, not Kafka."""

    def __init__(self, service: Service, database: Database, entities: Entities, clock: Clock, wake: Wake) -> None:
        self.service = service
        self.database = database
        self.entities = entities
        self.clock = clock
        self.wake = wake
        self._holding = frozenset(service.subscriptions.forward) if service.holds else frozenset()

    async def take(
        self,
        polled: Mapping[Place, Sequence[Item]],
        *,
        hold: bool,
        limit: int,
        aside: Mapping[tuple[str, int, int], Parked] | None = None,
    ) -> dict[Place, int]:
        """
        Handle, hold or set aside a prefix of what was polled, in one transaction; return the next offset of every partition in it.

        :raises BatchFailed: a handler raised; nothing was changed.
        """
        try:
            return await self._take(polled, hold, limit, aside or {}, {})
        except MustWait as wait:
            return await self._take(polled, hold, limit, aside or {}, wait.awaited)

    async def _take(
        self,
        polled: Mapping[Place, Sequence[Item]],
        hold: bool,
        limit: int,
        aside: Mapping[tuple[str, int, int], Parked],
        awaited: Mapping[tuple[str, int, int], str],
    ) -> dict[Place, int]:
        async with self.database.transaction() as db:
            positions = await streams.lock_positions(db, polled.keys())
            fp("consumer.pos_locked")
            days = await business_day.share(db, self._entities_in(polled))
            seen = await streams.markers_seen(db, polled.keys())
            held = await streams.held_by_partition(db, polled.keys()) if self._holding else {}
            chosen = choose(polled, positions, days, seen, held, holding_topics=self._holding, hold=hold, limit=limit)
            reached = {**positions, **chosen.reached}
            await self._handle_or_blame(db, chosen.apply, days, aside, awaited)
            if chosen.hold:
                await streams.hold(db, chosen.hold)
            await business_day.meet(db, chosen.markers)
            await streams.advance_positions(db, reached)
            fp("consumer.before_commit")
        fp("consumer.after_commit")
        self._count_held(chosen)
        return reached

    async def release(self, places: Sequence[Place], *, limit: int, aside: Mapping[tuple[str, int, int], Parked] | None = None) -> int:
        """Handle the oldest held records of these partitions whose day has opened, before anything newer; return how many."""
        try:
            return await self._release(places, limit, aside or {}, {})
        except MustWait as wait:
            return await self._release(places, limit, aside or {}, wait.awaited)

    async def _release(
        self, places: Sequence[Place], limit: int, aside: Mapping[tuple[str, int, int], Parked], awaited: Mapping[tuple[str, int, int], str]
    ) -> int:
        async with self.database.transaction() as db:
            await streams.lock_positions(db, places)
            fp("consumer.pos_locked")
            days = await business_day.share(db, list(self.entities.by_id))
            open_on = {entity: day.open_on for entity, day in days.items() if day.turning_on is None}
            records = await streams.take_held(db, places, open_on, limit)
            items = [item for record in records if not isinstance(item := classify(record), MarkerMet)]
            await self._handle_or_blame(db, items, days, aside, awaited)
            fp("consumer.before_commit")
        fp("consumer.after_commit")
        return len(records)

    def _entities_in(self, polled: Mapping[Place, Sequence[Item]]) -> set[str]:
        """Declared entities spoken of; all of them where a record names none, so that a refusal can be booked."""
        named = {item.entity or "" for items in polled.values() for item in items if not isinstance(item, Broken)}
        return named & self.entities.by_id.keys() or set(self.entities.by_id)

    async def _handle_or_blame(
        self,
        db: Connection,
        items: Sequence[Fresh | Broken],
        days: Mapping[str, OpenDay],
        aside: Mapping[tuple[str, int, int], Parked],
        awaited: Mapping[tuple[str, int, int], str],
    ) -> None:
        try:
            await self._handle(db, items, days, aside, awaited)
        except (*TRANSIENT, MustWait, FailpointHit):
            raise
        except Exception as error:  # Whatever a handler raises about its facts.
            raise BatchFailed(items) from error

    async def _handle(
        self,
        db: Connection,
        items: Sequence[Fresh | Broken],
        days: Mapping[str, OpenDay],
        aside: Mapping[tuple[str, int, int], Parked],
        awaited: Mapping[tuple[str, int, int], str],
    ) -> None:
        """Sift, run the handlers and write down the outcome of every record."""
        if not items:
            return
        if awaited:
            await parking.lock_awaited(db, list(awaited.values()))
        open_on = {entity: day.open_on for entity, day in days.items()}
        with trace_batch(self.service.name, items) as trace:
            sieve = Sieve(self.service.subscriptions, self.entities, open_on, aside, trace.envelope_of)
            sifted = await sieve.sift(db, items)
            fp("consumer.inbox_inserted")
            facts = {item.record.place: item for item in items if isinstance(item, Fresh)}
            if awaited:
                sifted.parked += await self._park_what_waits(db, sifted, open_on, facts)
            batch = self._batch(open_on)
            published = await self._run(db, sifted.apply, batch)
            if batch.waiting:
                raise MustWait({(r.topic, r.partition, r.offset): thing for r, thing in batch.waiting})
            fp("consumer.handled")
            await self._save(db, sifted, batch, published, facts)
            if batch.came:
                await self._release_awaited(db, batch, open_on)

    def _batch(self, open_on: Mapping[str, date]) -> Batch:
        return Batch(self.service.name, self.clock(), self.entities, open_on)

    async def _run(self, db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
        published: list[Fact] = []
        for handler, members in runs(self.service.subscriptions, facts):
            published += await handler(db, members, batch)
        return published

    async def _park_what_waits(
        self, db: Connection, sifted: Sifted, open_on: Mapping[str, date], facts: Mapping[tuple[str, int, int], Fresh]
    ) -> list[Parked]:
        """Look again with the waits locked: what still waits is parked, later facts of its key behind it, until nothing else does."""
        parked: list[Parked] = []
        while True:
            batch, trial = self._batch(open_on), db.transaction()
            await trial.start()
            try:
                await self._run(db, sifted.apply, batch)
            finally:
                await trial.rollback()
            if not batch.waiting:
                return parked
            waits = {(r.topic, r.partition, r.offset): thing for r, thing in batch.waiting}
            blocked: set[tuple[str, str]] = set()
            keep: list[Received[Any]] = []
            for received in sifted.apply:
                place = (received.topic, received.partition, received.offset)
                record = facts[place].record
                if place in waits:
                    parked.append(Parked(record, received.key, "waits", f"waits for {waits[place]}", waits[place]))
                    blocked.add((received.topic, received.key))
                elif (received.topic, received.key) in blocked:
                    parked.append(Parked(record, received.key, "behind", "an earlier fact of the same key waits"))
                else:
                    keep.append(received)
            await parking.lock_awaited(db, list(waits.values()))
            sifted.apply[:] = keep

    async def _save(
        self,
        db: Connection,
        sifted: Sifted,
        batch: Batch,
        published: list[Fact],
        facts: Mapping[tuple[str, int, int], Fresh],
    ) -> None:
        for received, reasons in batch.refused:
            item = facts[received.topic, received.partition, received.offset]
            sifted.refused.append((item.record, refusal_of(item, reasons)))
        reject = self.service.subscriptions.reject
        answers = [reject(refusal) for _, refusal in sifted.refused] if reject else []
        await outbox.add(db, self.service, published + answers, batch)
        await parking.keep_refused(db, [(record, refusal.reasons) for record, refusal in sifted.refused], batch.now)
        if sifted.parked:
            await parking.park(db, sifted.parked, batch.now)
            fp("consumer.parked")
            for one in sifted.parked:
                log.error(
                    "consumer.parked", topic=one.record.topic, partition=one.record.partition, offset=one.record.offset, reason=one.reason
                )
        await streams.hear(db, sifted.heads)
        if sifted.late:
            await business_day.count_late(db, sifted.late)
        self._count(sifted, facts)

    async def _release_awaited(self, db: Connection, batch: Batch, open_on: Mapping[str, date]) -> None:
        """What waited for something that came in this transaction is handled in it, stream by stream, in order."""
        await parking.lock_awaited(db, sorted(batch.came))
        for topic, key in await parking.streams_awaiting(db, sorted(batch.came)):
            await self.redrive_stream(db, topic, key, open_on)

    async def redrive_stream(self, db: Connection, topic: str, key: str, open_on: Mapping[str, date]) -> int:
        """
        Handle everything parked of a (topic, key), in order, booked on the open day; return how many facts left the car park.

        Raises what a handler raises. A fact that still has to wait keeps its place, and so does what stands behind it.
        """
        kept = await parking.parked_of(db, topic, key)
        fp("redrive.read")
        left = await self._redrive(db, kept, open_on)
        await parking.mark_parked(db, [one.id for one in left], "redriven")
        fp("redrive.before_commit")
        return len(left)

    async def redrive_refused(self, db: Connection, refused_id: int) -> bool:
        """Handle a refused ingress record again; it may be refused again, as a new row. False when there is no such record."""
        kept = await parking.refused_of(db, refused_id)
        if kept is None:
            return False
        fp("redrive.read")
        days = await business_day.share(db, list(self.entities.by_id))
        await self._redrive(db, [kept], {entity: day.open_on for entity, day in days.items()})
        await parking.mark_redriven(db, refused_id, self.clock())
        fp("redrive.before_commit")
        return True

    async def _redrive(self, db: Connection, kept: Sequence[Setaside], open_on: Mapping[str, date]) -> list[Setaside]:
        """Handle kept records in order; return those that need not be kept any longer."""
        items = [item for one in kept if not isinstance(item := classify(one.record), MarkerMet)]
        facts = {item.record.place: item for item in items if isinstance(item, Fresh)}
        with trace_batch(self.service.name, items) as trace:
            heard = {one.record.place for one in kept if one.reason != "gap"}
            sieve = Sieve(self.service.subscriptions, self.entities, open_on, {}, trace.envelope_of, redrive=True, heard=heard)
            sifted = await sieve.sift(db, items)
            sifted.parked += await self._park_what_waits(db, sifted, open_on, facts)
            still = {parked.record.place for parked in sifted.parked}
            sifted.parked = []
            batch = self._batch(open_on)
            published = await self._run(db, sifted.apply, batch)
            fp("redrive.applied")
            await self._save(db, sifted, batch, published, facts)
            if batch.came:
                await self._release_awaited(db, batch, open_on)
        return [one for one in kept if one.record.place not in still]

    def _count(self, sifted: Sifted, facts: Mapping[tuple[str, int, int], Fresh]) -> None:
        topic = next(iter(facts))[0] if facts else "-"
        for outcome, n in (
            ("handled", len(sifted.apply)),
            ("duplicate", sifted.duplicates),
            ("ignored", sifted.ignored),
            ("refused", len(sifted.refused)),
            ("parked", len(sifted.parked)),
            ("late", len(sifted.late)),
        ):
            if n:
                metrics.records.labels(topic, outcome).inc(n)

    def _count_held(self, chosen: Chosen) -> None:
        for record, _, _ in chosen.hold:
            metrics.records.labels(record.topic, "held").inc()
