"""
One transaction per micro-batch, each fact with effect at most once (docs/messaging.md section 4).

A batch is what waits in all polled partitions, up to a limit: partitions share their locks, look-ups and writes. The steps, top to bottom:
lock the positions, share the open days, choose what may be handled now, sift, run the handlers, queue what they publish, advance.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import structlog

from chassis import business_day, outbox, parking, streams
from chassis.batch_trace import trace_batch
from chassis.business_day import OpenDay
from chassis.chosen import Chosen, Item, choose
from chassis.clock import Clock
from chassis.database import TRANSIENT, Connection, Database
from chassis.entities import Entities
from chassis.failpoints import FailpointHit, fp
from chassis.metrics import metrics
from chassis.outbox import Wake
from chassis.parking import Parked, Setaside
from chassis.record import Broken, Fresh, MarkerMet, classify
from chassis.service import Batch, Fact, Received, Service
from chassis.sifting import Sieve, Sifted, refusal_of, runs
from chassis.streams import Place

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


class Delivery:
    """Delivers records to one service's handlers; knows Postgres, not Kafka."""

    def __init__(self, service: Service, database: Database, entities: Entities, clock: Clock, wake: Wake) -> None:
        self.service = service
        self.database = database
        self.entities = entities
        self.clock = clock
        self.wake = wake
        self._holding = frozenset(service.subscriptions.forward) if service.holds else frozenset()
        self._has_queued = False

    async def take(
        self,
        polled: Mapping[Place, Sequence[Item]],
        *,
        hold: bool,
        limit: int,
        aside: Mapping[tuple[str, int, int], Parked] | None = None,
    ) -> tuple[dict[Place, int], bool]:
        """
        Handle, hold or set aside a prefix of what was polled, in one transaction.

        Return the next offset of every partition in it, and whether the limit ended it, so that more may go now.

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
    ) -> tuple[dict[Place, int], bool]:
        async with self.database.transaction() as db:
            positions = await streams.lock_positions(db, polled.keys())
            fp("consumer.pos_locked")
            days = await business_day.share(db, self._entities_in(polled))
            seen, held = await streams.marks(db, polled.keys())
            chosen = choose(polled, positions, days, seen, held, holding_topics=self._holding, hold=hold, limit=limit)
            await self._apply_or_blame(db, chosen.apply, days, aside, awaited)
            if chosen.hold:
                await streams.hold(db, chosen.hold)
            await business_day.meet(db, chosen.markers)
            await streams.advance_positions(db, chosen.reached)
            fp("consumer.before_commit")
        fp("consumer.after_commit")
        self._wake_relay()
        self._count_held(chosen)
        return {**positions, **chosen.reached}, chosen.is_cut

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
            await self._apply_or_blame(db, items, days, aside, awaited)
            fp("consumer.before_commit")
        fp("consumer.after_commit")
        self._wake_relay()
        return len(records)

    def _wake_relay(self) -> None:
        """Tell the relay of this process of a commit with something to send; most batches of a projection have nothing."""
        if self._has_queued:
            self._has_queued = False
            self.wake.set()

    def _entities_in(self, polled: Mapping[Place, Sequence[Item]]) -> set[str]:
        """Declared entities spoken of; all of them where a record names none, so that a refusal can be booked."""
        named = {item.entity or "" for items in polled.values() for item in items if not isinstance(item, Broken)}
        return named & self.entities.by_id.keys() or set(self.entities.by_id)

    async def _apply_or_blame(
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
                sifted.parked += await self._park_what_waits(db, sifted, open_on, facts, set(awaited.values()))
            batch = self._batch(open_on)
            published = await self._run(db, sifted.apply, batch)
            if batch.waiting:
                raise MustWait({(r.topic, r.partition, r.offset): thing for r, thing in batch.waiting})
            fp("consumer.handled")
            await self._save(db, sifted, batch, published, facts)
            await self.release_awaited(db, batch.came, open_on)

    def _batch(self, open_on: Mapping[str, date]) -> Batch:
        return Batch(self.service.name, self.clock(), self.entities, open_on)

    async def _run(self, db: Connection, facts: Sequence[Received[Any]], batch: Batch) -> list[Fact]:
        published: list[Fact] = []
        for handler, members in runs(self.service.subscriptions, facts):
            published += await handler(db, members, batch)
        return published

    async def _park_what_waits(
        self,
        db: Connection,
        sifted: Sifted,
        open_on: Mapping[str, date],
        facts: Mapping[tuple[str, int, int], Fresh],
        locked: set[str],
    ) -> list[Parked]:
        """
        Look again with the waits locked: what still waits is parked, later facts of its key behind it, until nothing else does.

        A wait that shows only now is locked and looked at once more before it counts: it may just have been brought by another worker.
        """
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
            if unlocked := set(waits.values()) - locked:
                await parking.lock_awaited(db, list(unlocked))
                locked |= unlocked
                continue
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
        self._has_queued |= bool(published or answers)
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
        self._count(sifted)

    async def release_awaited(self, db: Connection, came: Collection[str], open_on: Mapping[str, date]) -> None:
        """
        Handle what waited for something that came in this transaction, stream by stream, in order.

        A stream that cannot be handled is left parked, to be redriven: whoever brought what it waited for is not to blame.
        """
        if not came:
            return
        await parking.lock_awaited(db, sorted(came))
        for topic, key in await parking.streams_awaiting(db, sorted(came)):
            try:
                async with db.transaction():
                    await self.redrive_stream(db, topic, key, open_on)
            except (*TRANSIENT, FailpointHit):
                raise
            except Exception as error:  # Whatever a handler raises about the facts that waited.
                log.error("consumer.release_failed", topic=topic, error=type(error).__name__, exc_info=error)
                await parking.stop_waiting(db, topic, key, sorted(came), f"{type(error).__name__}: {error}")

    async def redrive_stream(self, db: Connection, topic: str, key: str, open_on: Mapping[str, date]) -> int:
        """
        Handle everything parked of a (topic, key), in order, booked on the open day; return how many facts left the car park.

        Raises what a handler raises. A fact that still has to wait keeps its place, and so does what stands behind it.
        """
        await streams.lock_parked_stream(db, topic, key)
        kept = await parking.parked_of(db, topic, key)
        fp("redrive.read")
        still, came = await self._redrive(db, [one for one in kept if one.reason != parking.DAY_WORK], open_on)
        left = [one.id for one in kept if one.record.place not in still]
        await parking.mark_parked(db, left, "redriven")
        await parking.park_on(db, [(one.id, still[one.record.place]) for one in kept if one.record.place in still])
        await self.release_awaited(db, came, open_on)
        fp("redrive.before_commit")
        return len(left)

    async def redrive_refused(self, db: Connection, refused_id: int) -> bool:
        """Handle a refused ingress record again; it may be refused again, as a new row. False when there is no such record."""
        kept = await parking.refused_of(db, refused_id)
        if kept is None:
            return False
        fp("redrive.read")
        days = await business_day.share(db, list(self.entities.by_id))
        open_on = {entity: day.open_on for entity, day in days.items()}
        _, came = await self._redrive(db, [kept], open_on)
        await parking.mark_redriven(db, refused_id, self.clock())
        await self.release_awaited(db, came, open_on)
        fp("redrive.before_commit")
        return True

    async def _redrive(
        self, db: Connection, kept: Sequence[Setaside], open_on: Mapping[str, date]
    ) -> tuple[dict[tuple[str, int, int], Parked], set[str]]:
        """Handle kept records in order; return those that must be kept on, by place, and what came with the others."""
        items = [item for one in kept if not isinstance(item := classify(one.record), MarkerMet)]
        items.sort(key=_sequence_of)
        facts = {item.record.place: item for item in items if isinstance(item, Fresh)}
        with trace_batch(self.service.name, items) as trace:
            heard = {one.record.place for one in kept if one.reason != "gap"}
            sieve = Sieve(self.service.subscriptions, self.entities, open_on, {}, trace.envelope_of, redrive=True, heard=heard)
            sifted = await sieve.sift(db, items)
            sifted.parked += await self._park_what_waits(db, sifted, open_on, facts, set())
            still = {parked.record.place: parked for parked in sifted.parked}
            sifted.parked = []
            batch = self._batch(open_on)
            published = await self._run(db, sifted.apply, batch)
            fp("redrive.applied")
            await self._save(db, sifted, batch, published, facts)
        return still, batch.came

    def _count(self, sifted: Sifted) -> None:
        counts = sifted.outcomes.copy()
        counts.update((received.topic, "handled") for received in sifted.apply)
        counts.update((record.topic, "refused") for record, _ in sifted.refused)
        counts.update((parked.record.topic, "parked") for parked in sifted.parked)
        for (topic, outcome), n in counts.items():
            metrics.records.labels(topic, outcome).inc(n)

    def _count_held(self, chosen: Chosen) -> None:
        for record, _, _ in chosen.hold:
            metrics.records.labels(record.topic, "held").inc()


def _sequence_of(item: Fresh | Broken) -> int:
    """Where a kept record stands in its stream: facts beyond a gap were parked before the one that was missing."""
    return item.envelope.sequence or 0 if isinstance(item, Fresh) else 0
