"""Playing one case: the servers, the processes, those who tell and those who hurt, until everything is at rest."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from chassis import business_day, calendar, outbox
from chassis.business_day import DayTurning
from chassis.database import TRANSIENT, Connection
from chassis.service import Batch, Fact

from simulation import services
from simulation.case import ACCOUNTS, ENTITIES, FAULTS_S_MAX, Case, Fault, Said
from simulation.checks import Checks
from simulation.kafka.broker import Broker, Message
from simulation.loop import Actor
from simulation.messages import Told, tell
from simulation.nemesis import Nemesis, Operator
from simulation.process import NOW, OPENS_ON, PARTITIONS, Process, database_of, entities_named
from simulation.services import INTAKE, LEDGER, Trouble
from simulation.store.session import Store
from simulation.world import World

TOPICS = ("erp.documents", "bank.entries", "receivables.invoice", "receivables.payment")
_LOOK_EVERY_S = 0.1
_REST_S = 0.4  # Long enough for what was sent twice to be handled twice.


class Stage:
    """The world of one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.world = World(f"schedule {case.seed}", case.seed)
        self.entities = entities_named(dict.fromkeys(ENTITIES[: case.entities], "JPY"))
        self.trouble = Trouble(set())
        self.services = {INTAKE: services.intake(self.trouble, awaits_feedback=case.awaits_feedback), LEDGER: services.ledger(self.trouble)}
        self.stores = {name: Store(self.world, name) for name in self.services}
        self.broker = Broker(self.world, TOPICS, PARTITIONS)
        self.processes = {
            name: Process(self.world, self.stores[service], self.broker, self.services[service], self.entities, name)
            for name, service in (("intake", INTAKE), ("ledger-1", LEDGER), ("ledger-2", LEDGER))
        }
        self.nemesis = Nemesis(self.world, self.broker, self.stores, self.processes, self.trouble)
        self.operator = Operator(self.world, self.stores, self.services, self.entities)
        self.checks = Checks(self.world, self.stores, self.broker, self.services)
        self.told: list[Told] = []
        self._office = Actor("office")
        self._errands: list[asyncio.Task[None]] = []
        self._days_told = 0
        self._at_once: dict[str, Told] = {}
        self.broker.watchers.append(self._answer)

    async def play(self) -> None:
        """Play the case to its end; what breaks stands in `world.broken`."""
        loop = self.world.loop
        for process in self.processes.values():
            process.start()
        for number, said in enumerate(self.case.said):
            self._plan(said, number)
        for at in self.case.days_at:
            loop.after(at, self._send_out, self._start_day)
        for fault in self.case.faults:
            loop.after(fault.at, self._hurt, fault)
        last = max([0.0, *(fault.at + fault.seconds for fault in self.case.faults), *(said.at for said in self.case.said)])
        await asyncio.sleep(min(last, FAULTS_S_MAX) + _LOOK_EVERY_S)
        self.nemesis.heal()
        await self._rest()
        if not self.world.broken:
            await asyncio.sleep(_REST_S)
            await self._rest()
        if not self.world.broken:
            self.checks.at_rest(self.told, self._last_day, awaits_feedback=self.case.awaits_feedback)

    @property
    def _last_day(self) -> Any:
        return OPENS_ON + timedelta(len(self.case.days_at) - 1)

    async def _rest(self) -> None:
        while not self.world.broken and not self._is_at_rest():
            self.operator.redrive_what_failed()
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_at_rest(self) -> bool:
        is_busy = any(not errand.done() for errand in self._errands) or self.operator.is_at_work
        return not is_busy and all(self._has_come_through(name) for name in self.services)

    def standing(self) -> str:
        """Where every service stands, for whoever asks why it is not at rest."""
        told = []
        for name, store in self.stores.items():
            parked = [f"{row['reason']} {row['key']}" for row in store.rows("parked") if row["state"] == "parked"]
            days = {row["entity"]: str(row["turning_on"] or row["open_on"]) for row in store.rows("day")}
            queued, held = len(store.rows("outbox")), len(store.rows("held"))
            positions = {f"{row['topic']}/{row['partition']}": row["next_offset"] for row in store.rows("position")}
            told.append(f"{name}: days {days}, {queued} queued, {held} held, parked {parked}, positions {positions}")
        ends = {f"{place.topic}/{place.partition}": len(log) for place, log in self.broker.logs.items()}
        return "; ".join([*told, f"ends {ends}"])

    def _has_come_through(self, service: str) -> bool:
        """Whether a service has read everything, opened every day, and keeps nothing back."""
        store, topics = self.stores[service], self.services[service].subscriptions.topics
        if store.tables.get("outbox") or store.tables.get("held"):
            return False
        if any(row["state"] == "parked" for row in store.rows("parked")):
            return False
        days = store.rows("day")
        if not days or any(row["open_on"] != self._last_day for row in days):
            return False
        positions = store.tables.get("position", {})
        ends = ((place, len(log)) for place, log in self.broker.logs.items() if place.topic in topics)
        return all(place in positions and positions[place]["next_offset"] == end for place, end in ends)

    def _hurt(self, fault: Fault) -> None:
        if fault.kind == "redrive":
            self.operator.redrive_something(INTAKE if fault.process == "intake" else LEDGER)
        else:
            self.nemesis.hurt(fault)

    # --- what is told ---

    def _plan(self, said: Said, number: int) -> None:
        """Have something told when its time comes; what waits for an entry gets it some time, too."""
        loop = self.world.loop
        if said.kind == "command":
            loop.after(said.at, self._send_out, lambda: self._command(said, number))
            return
        told = tell(said, number)
        self.told.append(told)
        if said.nature in ("poison here", "poison there"):
            self.trouble.names.add(told.number if said.nature == "poison here" else f"{services.TROUBLE}-{told.number}")
        for at in (said.at, *said.repeats):
            loop.after(at, self._append, told)
        if said.nature == "waits":
            self._plan_what_is_awaited(said, told, number)

    def _plan_what_is_awaited(self, said: Said, told: Told, number: int) -> None:
        """Have the entry told that a document waits for: some time, or in the moment in which the ledger hears of the document."""
        chance = self.world.chance
        at = said.at + chance.uniform(0, 0.9) if chance.random() < 0.4 else chance.uniform(0, FAULTS_S_MAX)
        entry = Said(at, "entry", said.entity, chance.choice(ACCOUNTS))
        brought = tell(entry, number, ref=services.names_awaited(told.number))
        self.told.append(brought)
        if chance.random() < 0.5:
            self._at_once[told.number] = brought
        else:
            self.world.loop.after(at, self._append, brought)

    def _answer(self, message: Message) -> None:
        """Tell at once what is awaited by what was just said."""
        if self._at_once and message.topic == "receivables.invoice" and message.value is not None:
            for number in [number for number in self._at_once if number.encode() in message.value]:
                requests = self.world.chance.randrange(16)  # Of the batch that takes it: it may be anywhere between its first and last.
                self.world.loop.after(sum(self.world.delay() for _ in range(requests)), self._append, self._at_once.pop(number))

    def _append(self, told: Told) -> None:
        self.world.note("outside", f"tells {told.number}")
        self.broker.append(told.place, [(told.key, told.value, told.headers)])

    def _send_out(self, errand: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._errands.append(self.world.loop.begin(self._office, errand(), "errand"))

    async def _start_day(self) -> None:
        """Start the next day of every entity, as an operator does over HTTP."""
        day = OPENS_ON + timedelta(self._days_told)
        self._days_told += 1

        async def start(db: Connection) -> None:
            for entity in sorted(self.entities.by_id):
                markers = await calendar.start_days(db, self.entities, entity, day, NOW, PARTITIONS)
                await outbox.add_markers(db, [one for one in markers if one.topic in TOPICS], NOW)
            await outbox.notify(db)

        await self._until_done(start)
        self.world.note("office", f"starts {day}")

    async def _command(self, said: Said, number: int) -> None:
        """A document by another door: the day is shared, and the fact queued in the transaction of the command."""

        async def command(db: Connection) -> None:
            open_on = await business_day.share_day(db, said.entity)
            batch = Batch(INTAKE, NOW, self.entities, {said.entity: open_on})
            told = services.issued(said.entity, f"COMMAND-{number:02}", said.account, number + 1)
            await outbox.add(db, self.services[INTAKE], [Fact(told, said.entity, f"{said.entity}|{said.account}", open_on)], batch)
            await outbox.notify(db)

        await self._until_done(command)

    async def _until_done(self, work: Callable[[Connection], Coroutine[Any, Any, None]]) -> None:
        """Do something in a transaction of the intake, again where it could not be done; whoever asks never loses its connection."""
        database = database_of(self.stores[INTAKE], self._office)
        while True:
            try:
                async with database.transaction() as db:
                    await work(db)
                return
            except (DayTurning, *TRANSIENT):
                await asyncio.sleep(0.05)
