"""
What was polled and not yet handled, and how it is worked off: the part of consuming that knows no Kafka.

As far as the open days allow it is handled; then the days that became due are turned and what was held for them is released; only what is
left then is held. A batch that fails for good is halved until the culprit stands alone and is set aside.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TypeVar

import structlog

from chassis import streams
from chassis.chosen import Item
from chassis.delivery import BatchFailed, Delivery
from chassis.metrics import metrics
from chassis.parking import Parked
from chassis.record import MarkerMet, Record, classify
from chassis.streams import Place
from chassis.turning import DAYS_AT_ONCE_MAX, Turner

RECORDS_MAX = 500
PARKED_IN_A_ROW_MAX = 50
LOOK_EVERY_S = 1.0

log = structlog.get_logger()
OutcomeT = TypeVar("OutcomeT")


class MustStop(Exception):
    """This process cannot go on; the message is one sentence that says what to do."""


class Intake:
    """Records of the partitions this process owns, on their way to the handlers."""

    def __init__(self, delivery: Delivery, turner: Turner) -> None:
        self._delivery = delivery
        self._turner = turner
        self._polled: dict[Place, list[Item]] = {}
        self._aside: dict[tuple[str, int, int], Parked] = {}
        self._parked_in_a_row = 0
        self._limit = RECORDS_MAX
        self._interrupted = False
        self._marker_came = False
        self._looked_at = 0.0
        self.reached: dict[Place, int] = {}

    def keep(self, place: Place, records: Iterable[Record]) -> None:
        """Take in what was polled from a partition, in offset order."""
        items = [classify(record) for record in records]
        self._marker_came |= any(isinstance(item, MarkerMet) for item in items)
        self._polled.setdefault(place, []).extend(items)

    def clear(self) -> None:
        """Forget what was polled: whoever owns the partitions next reads it from our positions."""
        self._polled.clear()
        self._interrupted = False

    def interrupt(self) -> None:
        """Have `work_off` return after the transaction in flight, until `clear`: there may be minutes of work left."""
        self._interrupted = True

    @property
    def is_empty(self) -> bool:
        return not self._polled

    async def work_off(self, assigned: Collection[Place]) -> None:
        """
        Handle or hold everything taken in, turning the days that become due.

        Something may be left when interrupted, or while another worker turns a day that feedback has to wait for. Raises what is
        transient, with nothing lost: call again.

        :raises MustStop: too many records in a row had to be set aside.
        """
        while not self._interrupted:
            await self._advance(hold=False)
            if self.is_empty and not self._has_to_look:
                return
            turned = await self._turner.turn_all_due(lambda: self._interrupted)
            if await self._release(assigned) or turned >= DAYS_AT_ONCE_MAX or (turned and not self.is_empty):
                continue
            self._marker_came, self._looked_at = False, asyncio.get_running_loop().time()
            if self.is_empty or not await self._advance(hold=True):
                return

    @property
    def _has_to_look(self) -> bool:
        """Whether a day may be due or something held free to go: after a marker, and each second for what other workers have done."""
        return self._marker_came or asyncio.get_running_loop().time() - self._looked_at >= LOOK_EVERY_S

    async def _advance(self, *, hold: bool) -> bool:
        """Deliver batch after batch until the open days allow no more; say whether any record went."""
        before = self._waiting()
        while self._polled and not self._interrupted:
            with metrics.batch_seconds.labels("all").time():
                reached, is_cut = await self._deliver(
                    lambda: self._delivery.take(self._polled, hold=hold, limit=self._limit, aside=self._aside)
                )
            self._forget(reached)
            if not is_cut:
                break
        return self._waiting() < before

    def _waiting(self) -> int:
        return sum(map(len, self._polled.values()))

    async def _release(self, assigned: Collection[Place]) -> bool:
        """Handle what was held and may go now; say whether there was any."""
        async with self._delivery.database.pool.acquire() as db:
            places = await streams.places_to_release(db, assigned)
        if not places:
            return False
        await self._deliver(lambda: self._delivery.release(places, limit=self._limit, aside=self._aside))
        return True

    async def _deliver(self, deliver: Callable[[], Awaitable[OutcomeT]]) -> OutcomeT:
        """
        Run one batch; while it fails for a reason that is not transient, halve the limit, and set the culprit aside once it stands alone.

        Nothing else may run in between: a batch that goes well forgets the limit and the culprit.
        """
        while True:
            try:
                outcome = await deliver()
            except BatchFailed as failed:
                metrics.batches_bisected.labels(failed.items[0].record.topic).inc()
                if self._limit > 1:
                    self._limit = max(1, min(self._limit, len(failed.items)) // 2)
                else:
                    self._set_aside(failed)
                continue
            self._limit = RECORDS_MAX
            self._parked_in_a_row = self._parked_in_a_row if self._aside else 0
            self._aside.clear()
            return outcome

    def _set_aside(self, failed: BatchFailed) -> None:
        """Park the one record that cannot be handled; too many in a row are no poison but a fault of ours."""
        item, error = failed.items[0], failed.__cause__
        self._parked_in_a_row += 1
        if self._parked_in_a_row > PARKED_IN_A_ROW_MAX:
            raise MustStop(
                f"{PARKED_IN_A_ROW_MAX} facts in a row could not be handled, the last for {type(error).__name__}: see the log, then redrive"
            )
        log.error("consumer.culprit", topic=item.record.topic, offset=item.record.offset, error=type(error).__name__, exc_info=error)
        self._aside[item.record.place] = Parked(item.record, item.key, "failed", f"{type(error).__name__}: {error}")

    def _forget(self, reached: dict[Place, int]) -> None:
        """Drop what has been handled."""
        for place, next_offset in reached.items():
            self.reached[place] = next_offset
            items = [item for item in self._polled.get(place, ()) if item.record.offset >= next_offset]
            if items:
                self._polled[place] = items
            else:
                self._polled.pop(place, None)
