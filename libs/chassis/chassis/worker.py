"""The worker of one service: consumer, relay and, where it owns the calendar, the clock that starts business days."""

import asyncio
import contextlib
from datetime import timedelta

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis import business_day, calendar, idempotency, outbox
from chassis.clock import Clock
from chassis.consumer import Consumer
from chassis.database import TRANSIENT, Database
from chassis.delivery import Delivery
from chassis.entities import Entities
from chassis.metrics import metrics
from chassis.outbox import Wake
from chassis.relay import Relay
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.turning import Turner

HOUSEKEEPING_EVERY_S = 5.0
PURGE_EVERY_S = 3600.0
STALLED_S_MAX = 60.0
STOP_BATCH_S_MAX = 5.0

log = structlog.get_logger()


class Worker:
    """Everything of a service that is not HTTP."""

    def __init__(
        self, service: Service, settings: ServiceSettings, database: Database, entities: Entities, clock: Clock, wake: Wake
    ) -> None:
        self.service = service
        self._settings = settings
        self._database = database
        self._entities = entities
        self._clock = clock
        self._wake = wake
        partitions = settings.topic_partitions
        self.delivery = Delivery(service, database, entities, clock, wake)
        self.turner = Turner(service, database, entities, clock, wake, partitions, settings.patience or None)
        self.consumer = Consumer(self._build_consumer, self.delivery, self.turner, partitions)
        self.relay = Relay(settings.database_url.get_secret_value(), self._build_producer, wake, partitions)
        self._stopping = asyncio.Event()

    def _build_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap,
            group_id=f"receivables-{self.service.name}",
            client_id=f"receivables-{self.service.name}",
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",  # What an ERP took back in a Kafka transaction was never said.
            fetch_max_wait_ms=self._settings.fetch_wait_ms,
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=self._settings.session_timeout_ms // 3,
            max_poll_interval_ms=300_000,
        )

    def _build_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka_bootstrap,
            client_id=f"receivables-{self.service.name}",
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=1_000_000,
            max_request_size=4_000_000,
            request_timeout_ms=10_000,
        )

    async def run(self) -> None:
        """Run until stopped; raises MustStop or whatever a part cannot survive."""
        async with self._database.transaction() as db:
            await business_day.declare(db, self._entities)
        async with asyncio.TaskGroup() as group:
            relay = group.create_task(self.relay.run(), name="relay")
            housekeeping = group.create_task(self._keep_house(), name="housekeeping")
            try:
                await self.consumer.run()
            finally:
                self._stopping.set()
                await self.relay.stop()
                await asyncio.wait([relay, housekeeping], timeout=STOP_BATCH_S_MAX)
                for task in (relay, housekeeping):
                    task.cancel()

    def stop(self) -> None:
        """Stop polling, finish the transaction in flight, commit offsets, drain what was acknowledged, leave."""
        self._stopping.set()
        self.consumer.stop()

    async def _keep_house(self) -> None:
        """Start days by the clock where the calendar is ours, show what waits, and forget old idempotency keys."""
        owns_calendar = self._entities.calendar_owner == self.service.name
        purged_at = 0.0
        while not self._stopping.is_set():
            try:
                if owns_calendar:
                    await self._start_days()
                await self._show_figures()
                if asyncio.get_running_loop().time() - purged_at > PURGE_EVERY_S:
                    purged_at = asyncio.get_running_loop().time()
                    async with self._database.transaction() as db:
                        await idempotency.purge(db, self._clock())
            except calendar.DayRefused as error:
                log.error("worker.day_not_started", why=str(error))
            except (*TRANSIENT, asyncpg.exceptions.PostgresError) as error:
                log.warning("worker.housekeeping_retry", error=f"{type(error).__name__}: {error}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), HOUSEKEEPING_EVERY_S)

    async def _start_days(self) -> None:
        async with self._database.transaction() as db:
            now = self._clock()
            markers = await calendar.start_days_by_clock(db, self._entities, now, self._settings.topic_partitions)
            await outbox.add_markers(db, markers, now)
        if markers:
            self._wake.set()

    async def _show_figures(self) -> None:
        async with self._database.pool.acquire() as db:
            row = await db.fetchrow(
                "SELECT oldest_at, (SELECT count(*) FROM chk.parked WHERE state = 'parked') AS parked FROM chk.unpublished"
            )
            held = await db.fetch("SELECT topic, sum(rows) AS rows FROM chk.held GROUP BY topic")
        age = self._clock() - row["oldest_at"] if row["oldest_at"] else timedelta(0)
        metrics.outbox_age.set(age.total_seconds())
        metrics.parked.set(row["parked"])
        metrics.held.clear()
        for one in held:
            metrics.held.labels(one["topic"]).set(float(one["rows"]))
        metrics.worker_progress.set(self._clock().timestamp())

    async def progress(self) -> str | None:
        """A readiness check: None while the consumer has partitions and its loop comes round."""
        if not self.consumer.is_assigned:
            return "the consumer has no partitions yet"
        idle_s = asyncio.get_running_loop().time() - self.consumer.alive_at
        return f"the consumer has not come round for {idle_s:.0f} s" if idle_s > STALLED_S_MAX else None
