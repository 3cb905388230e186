"""A simulated process: the consumer, the relay and the turner of one service on one wake, as `chassis.worker` puts them together."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import asyncpg
from chassis import business_day
from chassis.consumer import Consumer
from chassis.database import TRANSIENT, Database
from chassis.delivery import Delivery
from chassis.entities import Entities, Entity
from chassis.outbox import Wake
from chassis.relay import Relay
from chassis.service import Service
from chassis.turning import Turner

from simulation.kafka.broker import Broker
from simulation.kafka.consumer import KafkaConsumer
from simulation.kafka.producer import Producer
from simulation.loop import Actor
from simulation.store.driver import Pool, connector
from simulation.store.session import Store
from simulation.world import World

PARTITIONS = 2
OPENS_ON = date(2026, 1, 5)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)  # Long after every day that is started: no date is refused as one to come.
_SESSION_END_S_MAX = 0.05


def entities_named(names: Mapping[str, str]) -> Entities:
    """Entities by id and currency, their days started by telling, served by the two simulated services."""
    by_id = {name: Entity(name, currency, ZoneInfo("UTC"), "", OPENS_ON, frozenset(), "told") for name, currency in names.items()}
    return Entities(by_id, ("invoice", "payment"))


def clock() -> datetime:
    """The instant for `recorded` columns; nothing is decided by it."""
    return NOW


def database_of(store: Store, actor: Actor) -> Database:
    """A database as the chassis knows it, for one process."""
    return Database(cast(Any, Pool(store, actor)), "simulated")


class Process:
    """One worker of a service: it can be killed and started again, stopped and resumed."""

    def __init__(self, world: World, store: Store, broker: Broker, service: Service, entities: Entities, name: str) -> None:
        self.name = name
        self._world = world
        self._store = store
        self._broker = broker
        self._service = service
        self._entities = entities
        self._incarnations = 0
        self.actor = Actor(name)
        self.actor.is_alive = False

    def start(self) -> None:
        """Start, unless it runs."""
        if self.actor.is_alive:
            return
        self._incarnations += 1
        self.actor = Actor(self.name)
        self._world.loop.begin(self.actor, self._run(self.actor), "main")
        self._world.note(self.name, "started")

    def kill(self) -> None:
        """End at once, as SIGKILL does; what was already on its way to a server may still arrive."""
        if not self.actor.is_alive:
            return
        actor = self.actor
        self._world.loop.kill(actor)
        self._world.note(self.name, "killed")
        for session in list(self._store.sessions):
            if session.actor is actor:
                self._world.loop.after(self._world.chance.choice((0.0, 0.001, _SESSION_END_S_MAX)), session.close)

    def cut(self) -> None:
        """Lose every connection to the database."""
        for session in list(self._store.sessions):
            if session.actor is self.actor:
                session.close()

    async def _run(self, actor: Actor) -> None:
        database, wake, service = database_of(self._store, actor), Wake(), self._service
        delivery = Delivery(service, database, self._entities, clock, wake)
        turner = Turner(service, database, self._entities, clock, wake, PARTITIONS)
        group, member = f"receivables-{service.name}", f"{self.name}-{self._incarnations}"
        consumer = Consumer(
            lambda: cast(Any, KafkaConsumer(self._broker, actor, group, member)), delivery, turner, PARTITIONS, self._world.jitter.uniform
        )
        relay = Relay("simulated", lambda: cast(Any, Producer(self._broker, actor)), wake, PARTITIONS, connector(self._store, actor))
        try:
            await self._declare(database)
            async with asyncio.TaskGroup() as group_of_tasks:
                group_of_tasks.create_task(relay.run(), name=f"{self.name}/relay")
                await consumer.run()
        except Exception as error:
            self._world.breaks(f"{self.name} gave up: {_told(error)}")
            raise

    async def _declare(self, database: Database) -> None:
        while True:
            try:
                async with database.transaction() as db:
                    await business_day.declare(db, self._entities)
                return
            except (*TRANSIENT, asyncpg.exceptions.PostgresError):
                await asyncio.sleep(0.1)


def _told(error: BaseException) -> str:
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
    return "; ".join(f"{type(one).__name__}: {one}" for one in inner)
