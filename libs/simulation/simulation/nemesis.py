"""Whoever hurts the world, and whoever mends it: faults as a case names them, and the operator who redrives what was parked."""

import asyncio
from collections.abc import Mapping

from chassis import business_day, outbox
from chassis.business_day import DayTurning
from chassis.database import TRANSIENT
from chassis.delivery import Delivery
from chassis.entities import Entities
from chassis.outbox import Wake
from chassis.service import Service

from simulation.case import ACCOUNTS, ENTITIES, Fault
from simulation.kafka.broker import Broker
from simulation.loop import Actor
from simulation.process import Process, clock, database_of
from simulation.services import INTAKE, LEDGER, Poisonous, Trouble
from simulation.store.session import Store
from simulation.world import World

_STORM_EVERY_S = 0.3


class Nemesis:
    """Carries out faults."""

    def __init__(
        self, world: World, broker: Broker, stores: Mapping[str, Store], processes: Mapping[str, Process], trouble: Trouble
    ) -> None:
        self._world = world
        self._broker = broker
        self._stores = stores
        self._processes = processes
        self._trouble = trouble

    def hurt(self, fault: Fault) -> None:
        """Do what a fault says; what has an end ends by itself."""
        world, process = self._world, self._processes[fault.process]
        world.count(fault.kind)
        world.note(fault.process, f"{fault.kind} {fault.seconds}")
        if fault.kind == "kill":
            process.kill()
            world.loop.after(fault.seconds, process.start)
        elif fault.kind == "pause":
            world.loop.pause(process.actor)
            world.loop.after(fault.seconds, world.loop.resume, process.actor)
        elif fault.kind == "pause all":  # Whatever has piled up is then taken by all of them in the same moment.
            for one in self._processes.values():
                world.loop.pause(one.actor)
                world.loop.after(fault.seconds, world.loop.resume, one.actor)
        elif fault.kind == "cut":
            process.cut()
        elif fault.kind == "slow":
            world.slow_until[fault.process] = world.loop.time() + fault.seconds
        elif fault.kind == "account in trouble":
            self._trouble.names.add(f"{ENTITIES[0]}|{ACCOUNTS[int(fault.seconds * 10) % len(ACCOUNTS)]}")
        else:
            self._hurt_servers(fault)

    def _hurt_servers(self, fault: Fault) -> None:
        broker, service = self._broker, INTAKE if fault.process == "intake" else LEDGER
        if fault.kind in ("commit applied", "commit lost"):
            self._stores[service].commit_fates.setdefault(fault.process, []).append(fault.kind == "commit applied")
        elif fault.kind.startswith("append "):
            for process in self._processes:  # Whoever leads now.
                if (process == "intake") == (service == INTAKE):
                    broker.append_fates.setdefault(process, []).append(fault.kind.removeprefix("append "))
        elif fault.kind == "broker down":
            broker.is_up = False
            self._world.loop.after(fault.seconds, setattr, broker, "is_up", True)
        elif fault.kind == "rebalance":
            for n in range(1 + int(fault.seconds / _STORM_EVERY_S)):
                self._world.loop.after(n * _STORM_EVERY_S, broker.rebalance, broker.group(f"receivables-{service}"))
        else:
            broker.commits_refused[fault.process] = broker.commits_refused.get(fault.process, 0) + 1

    def heal(self) -> None:
        """Take back every fault."""
        self._trouble.names.clear()
        self._world.slow_until.clear()
        self._broker.is_up = True
        self._broker.append_fates.clear()
        self._broker.commits_refused.clear()
        for store in self._stores.values():
            store.commit_fates.clear()
        for process in self._processes.values():
            self._world.loop.resume(process.actor)
            process.start()


class Operator:
    """Redrives what is parked, as `POST /v1/parked/{id}/redrive` does."""

    def __init__(self, world: World, stores: Mapping[str, Store], services: Mapping[str, Service], entities: Entities) -> None:
        self._world = world
        self._stores = stores
        self._services = services
        self._entities = entities
        self._actor = Actor("operator")
        self._at_work: list[asyncio.Task[None]] = []

    def redrive_something(self, service: str) -> None:
        """Redrive whatever of a service chance picks, if anything is parked; two people do it at once."""
        ids = [row["id"] for row in self._stores[service].rows("parked") if row["state"] == "parked"]
        if ids:
            id = self._world.chance.choice(ids)
            self._begin(service, id)
            self._begin(service, id)

    def redrive_what_failed(self) -> None:
        """Redrive every stream that has not to wait for another fact; what has is released by that."""
        if self.is_at_work:
            return
        for service, store in self._stores.items():
            first: dict[tuple[str, str], tuple[int, str]] = {}
            for row in store.rows("parked"):
                if row["state"] == "parked":
                    first.setdefault((row["topic"], row["key"]), (row["id"], row["reason"]))
            for id, reason in first.values():
                if reason != "waits":
                    for _ in range(self._world.chance.choice((1, 2))):
                        self._begin(service, id)

    @property
    def is_at_work(self) -> bool:
        self._at_work = [task for task in self._at_work if not task.done()]
        return bool(self._at_work)

    def _begin(self, service: str, id: int) -> None:
        self._world.count("redrive tried")
        self._at_work.append(self._world.loop.begin(self._actor, self._redrive(service, id), f"redrive {service} {id}"))

    async def _redrive(self, service: str, id: int) -> None:
        database = database_of(self._stores[service], self._actor)
        delivery = Delivery(self._services[service], database, self._entities, clock, Wake())
        while True:
            try:
                async with database.transaction() as db:
                    days = await business_day.share(db, list(self._entities.by_id))
                    if any(day.turning_on is not None for day in days.values()):
                        raise DayTurning(service)
                    row = await db.fetchrow("SELECT topic, key FROM chassis.parked WHERE id = $1 AND state = 'parked'", id)
                    if row is None:
                        return
                    left = await delivery.redrive_stream(db, row["topic"], row["key"], {name: day.open_on for name, day in days.items()})
                    await outbox.notify(db)
                self._world.count("redriven" if left else "redrive kept waiting")
                self._world.note("operator", f"redrove {left} of {row['key']} in {service}")
                return
            except (DayTurning, *TRANSIENT):
                await asyncio.sleep(0.1)
            except Poisonous:
                return  # 409 STILL_FAILS: nothing was changed.
