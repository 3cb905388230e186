"""
Turning the day: whoever meets the last marker does the day's work over the books as they stand, then opens the day.

The work goes in chunks of accounts with its progress kept, so that a crash goes on where it stopped. A chunk that fails for good is
halved until the account that cannot be judged is found; it is parked, its key blocked, and the day turns without it.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from events.business_day import DayOpenedWithout, MissingMarker

from chassis import business_day, outbox, parking
from chassis.business_day import Awaited, Due
from chassis.clock import Clock
from chassis.database import TRANSIENT, Connection, Database
from chassis.entities import Entities
from chassis.failpoints import fp
from chassis.metrics import metrics
from chassis.outbox import Marker, Wake
from chassis.parking import Parked
from chassis.record import Record
from chassis.service import Batch, Fact, Service
from chassis.tracing import span_of

ACCOUNTS_AT_ONCE = 500
DAYS_AT_ONCE_MAX = 100

log = structlog.get_logger()


class Turner:
    """Turns the days of one service; safe to run in any number of workers."""

    def __init__(
        self,
        service: Service,
        database: Database,
        entities: Entities,
        clock: Clock,
        wake: Wake,
        partitions: int,
        patience: timedelta | None = None,
    ) -> None:
        self._service = service
        self._database = database
        self._entities = entities
        self._clock = clock
        self._wake = wake
        self._partitions = partitions
        self._patience = patience
        self._awaited = Awaited.of(service.subscriptions, entities, partitions)

    async def turn_all_due(self, leave: Callable[[], bool] = lambda: False) -> int:
        """
        Turn every day whose markers have been met, one after the other; return how many were turned.

        Asks between two transactions whether to `leave`: whoever looks next goes on.
        """
        turned = 0
        while turned < DAYS_AT_ONCE_MAX and not leave():
            async with self._database.pool.acquire() as db:
                due = await business_day.days_due(db, self._awaited, self._entities, self._clock(), self._patience)
            if not due:
                break
            for one in due:
                with metrics.turn_seconds.labels(one.entity).time(), span_of(self._service.name, None, "turn day"):
                    turned += await self._turn(one, leave)
        return turned

    async def _turn(self, due: Due, leave: Callable[[], bool]) -> bool:
        """Do the work of one day and open it; False when another worker was faster, or when told to leave."""
        while not leave():
            async with self._database.transaction() as db:
                fp("day.locked")
                day = await business_day.lock_to_turn(db, due)
                if day is None or not await self._still_due(db, due):
                    return False
                finished = await self._work(db, due)
                if finished:
                    await self._open(db, due)
            fp("day.chunk")
            self._wake.set()
            if finished:
                metrics.show_open_day(due.entity, due.day)
                fp("day.passed_on")
                return True
        return False

    async def _still_due(self, db: Connection, due: Due) -> bool:
        """Look again under the lock: another worker may have put something aside that belongs before this day."""
        again = await business_day.days_due(db, self._awaited, self._entities, self._clock(), self._patience)
        return any(one.entity == due.entity and one.day == due.day for one in again)

    async def _work(self, db: Connection, due: Due) -> bool:
        """Judge the next chunk of accounts; True when none is left."""
        work = self._service.day_work
        if work is None:
            return True
        after = await business_day.cursor(db, due.entity)
        accounts = await work.accounts(db, due.entity, due.day, after, ACCOUNTS_AT_ONCE)
        if accounts:
            batch = Batch(self._service.name, self._clock(), self._entities, {due.entity: due.day})
            facts = await self._judge(db, due, accounts, batch)
            await outbox.add(db, self._service, facts, batch)
        if len(accounts) < ACCOUNTS_AT_ONCE:
            return True
        await business_day.keep_turning(db, due, accounts[-1])
        fp("day.turning")
        return False

    async def _judge(self, db: Connection, due: Due, accounts: Sequence[str], batch: Batch) -> list[Fact]:
        """Run the work in a savepoint; where it fails for good, halve the accounts until the culprit stands alone and park it."""
        work = self._service.day_work
        assert work is not None  # _work has looked.
        try:
            async with db.transaction():
                return await work.work(db, due.entity, due.day, accounts, batch)
        except TRANSIENT:
            raise
        except Exception as error:  # Anything a rule may raise about an account's books.
            if len(accounts) == 1:
                await self._park(db, due, accounts[0], error, batch)
                return []
            half = len(accounts) // 2
            return await self._judge(db, due, accounts[:half], batch) + await self._judge(db, due, accounts[half:], batch)

    async def _park(self, db: Connection, due: Due, account: str, error: Exception, batch: Batch) -> None:
        key = f"{due.entity}|{account}"
        log.error("day.account_parked", entity=due.entity, day=str(due.day), account=account, error=type(error).__name__)
        forward = [topic for topic in self._service.subscriptions.forward if topic.startswith("receivables.")]
        detail = f"work of {due.day} failed: {type(error).__name__}: {error}"
        topics = forward or [self._service.topic]  # Ingress has keys of its own: nothing to block there, but it is seen and counted.
        parked = [Parked(Record(topic, -1, -1, None, None, []), key, parking.DAY_WORK, detail) for topic in topics]
        await parking.park(db, parked, batch.now)

    async def _open(self, db: Connection, due: Due) -> None:
        if due.missing:
            await self._tell_missing(db, due)
        await business_day.open_day(db, due)
        if self._service.passes_on:
            markers = [Marker(self._service.topic, partition, due.entity, due.day) for partition in range(self._partitions)]
            await outbox.add_markers(db, markers, self._clock())

    async def _tell_missing(self, db: Connection, due: Due) -> None:
        metrics.days_opened_without.labels(due.entity).inc()
        log.error("day.opened_without", entity=due.entity, day=str(due.day), missing=len(due.missing))
        missing = [MissingMarker(topic=topic, partition=partition) for topic, partition in due.missing]
        fact = DayOpenedWithout(entity=due.entity, date=due.day, service=self._service.name, missing=missing)
        batch = Batch(self._service.name, self._clock(), self._entities, {due.entity: due.day})
        await outbox.add(db, self._service, [Fact(fact, due.entity, f"{due.entity}|day", due.day)], batch)
