"""
The simulated Postgres does what the real one does: random statements of two sessions, compared answer by answer and table by table.

Otherwise the schedules would prove something of a database that nobody runs. Waiting for locks, deadlocks, savepoints and failed
transactions are compared too.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from typing import Any

import asyncpg
import pytest
from chassis import business_day, calendar, outbox, parking, relay, streams
from chassis.business_day import Awaited, Due
from chassis.outbox import Marker
from chassis.parking import Parked
from chassis.protocol import protocol_sql
from chassis.record import Fresh, Record
from chassis.service import Batch, Fact
from events.envelope import Envelope
from events.invoice import Reason
from launcher.databases import Cluster
from simulation import services
from simulation.loop import Actor
from simulation.process import NOW, OPENS_ON, entities_named
from simulation.services import Trouble
from simulation.store import statements
from simulation.store.driver import Connection
from simulation.store.session import Store
from simulation.world import World

pytestmark = pytest.mark.db
PROGRAMS, STEPS = 60, 60
DEPTH_MAX = 2  # Of a savepoint within a savepoint Postgres gives row locks back later than it could: the simulated one does at once.
TABLES = ("position", "met", "held", "day", "calendar", "stream_seen", "stream_head", "outbox", "inbox", "refused", "parked")
OURS = ("effect", "work")
NAMES, KEYS, THINGS = ("erp.documents", "receivables.invoice"), ("US01|A", "US01|B"), ("R-1", "R-2")
ENTITIES = entities_named({"US01": "JPY", "JP01": "JPY"})
INTAKE = services.intake(Trouble(set()), awaits_feedback=True)
_numbers = count(1)
BLOCKED = "SELECT cardinality(pg_blocking_pids($1)) > 0"

Call = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True)
class Step:
    """What one session does next: begin (a savepoint within a transaction), commit, roll back, or ask something."""

    session: int
    name: str
    call: Call | None = None


@dataclass
class Draw:
    """Draws arguments small enough to meet again."""

    chance: random.Random

    def place(self) -> tuple[str, int]:
        return self.chance.choice(NAMES), self.chance.randrange(2)

    def places(self) -> list[tuple[str, int]]:
        return sorted({self.place() for _ in range(self.chance.randint(1, 3))})

    def day(self) -> date:
        return OPENS_ON + timedelta(self.chance.randint(-2, 3))

    def entity(self) -> str:
        return self.chance.choice(("US01", "JP01"))

    def key(self) -> str:
        return self.chance.choice(KEYS)

    def record(self) -> Record:
        value = self.chance.choice((b"{}", None))
        return Record(*self.place(), self.chance.randrange(4), self.chance.choice((b"k", None)), value, [("ce_id", b"1")])

    def parked(self) -> Parked:
        reason = self.chance.choice(("failed", "gap", "waits"))
        return Parked(self.record(), self.key(), reason, "why", self.chance.choice(THINGS) if reason == "waits" else None)

    def fresh(self) -> Fresh:
        context = Envelope(id=self.chance.choice(THINGS), type="t", source="/s")
        return Fresh(self.record(), context, self.chance.choice((b"1", b"2")), None, "US01", "k")

    def ids(self) -> list[int]:
        return sorted(self.chance.sample(range(1, 9), 3))

    def fact(self) -> Fact:
        return Fact(services.issued("US01", "D", "A", 1), "US01", self.key(), OPENS_ON)


def calls(draw: Draw) -> dict[str, Call]:
    """Everything the chassis and the simulated services ask, with arguments drawn now."""
    chance, place, places, key, entity, day = draw.chance, draw.place(), draw.places(), draw.key(), draw.entity(), draw.day()
    ids, thing, due, number = draw.ids(), chance.choice(THINGS), Due(entity, day), chance.randint(1, 5)
    held = list({record.place: (record, draw.entity(), draw.day()) for record in (draw.record() for _ in range(2))}.values())
    parked, fresh = [draw.parked() for _ in range(2)], [draw.fresh() for _ in range(2)]
    days, batch = {"US01": draw.day(), "JP01": draw.day()}, Batch("invoice", NOW, ENTITIES, {"US01": OPENS_ON})
    waits = Awaited(NAMES[:1], NAMES[1:], 2)
    account, facts = chance.choice("ABC"), [draw.fact() for _ in range(chance.randint(1, 3))]
    patience = chance.choice((None, timedelta(0)))
    effects = (["s"], [place[0]], [key], [number], [entity], [account], [thing], [number], [day], [day])
    return {
        "start positions": lambda db: streams.start_positions(db, places),
        "lock positions": lambda db: streams.lock_positions(db, places),
        "lock parked stream": lambda db: streams.lock_parked_stream(db, place[0], key),
        "advance positions": lambda db: streams.advance_positions(db, dict.fromkeys(places, number)),
        "marks": lambda db: streams.marks(db, places),
        "hold": lambda db: streams.hold(db, held),
        "held counts": lambda db: streams.held_counts(db),
        "places to release": lambda db: streams.places_to_release(db, places),
        "take held": lambda db: streams.take_held(db, places, days, number),
        "heard": lambda db: streams.heard(db, [(place[0], key)]),
        "hear": lambda db: streams.hear(db, {(place[0], key): number}),
        "enter inbox": lambda db: streams.enter_inbox(db, fresh),
        "park": lambda db: parking.park(db, parked, NOW),
        "keep refused": lambda db: parking.keep_refused(db, [(parked[0].record, [Reason(code="C", field="f")])], NOW),
        "lock awaited": lambda db: parking.lock_awaited(db, [thing]),
        "streams awaiting": lambda db: parking.streams_awaiting(db, [thing]),
        "parked of": lambda db: parking.parked_of(db, place[0], key),
        "refused of": lambda db: parking.refused_of(db, number),
        "mark parked": lambda db: parking.mark_parked(db, ids, "redriven"),
        "park on": lambda db: parking.park_on(db, [(number, parked[0])]),
        "stop waiting": lambda db: parking.stop_waiting(db, place[0], key, [thing], "no"),
        "mark redriven": lambda db: parking.mark_redriven(db, number, NOW),
        "parked stream": lambda db: db.fetchrow("SELECT topic, key FROM chassis.parked WHERE id = $1 AND state = 'parked'", number),
        "declare": lambda db: business_day.declare(db, ENTITIES),
        "share": lambda db: business_day.share(db, [entity]),
        "days due": lambda db: business_day.days_due(db, waits, ENTITIES, NOW, patience),
        "lock to turn": lambda db: business_day.lock_to_turn(db, due),
        "cursor": lambda db: business_day.cursor(db, entity),
        "keep turning": lambda db: business_day.keep_turning(db, due, account),
        "open day": lambda db: business_day.open_day(db, due),
        "meet": lambda db: business_day.meet(db, {(*place, entity): day}),
        "count late": lambda db: business_day.count_late(db, [entity]),
        "start days": lambda db: calendar.start_days(db, ENTITIES, entity, day, NOW, 1),
        "add": lambda db: outbox.add(db, INTAKE, facts, batch),
        "add markers": lambda db: outbox.add_markers(db, [Marker(*place, entity, day)], NOW),
        "notify": lambda db: outbox.notify(db),
        "lead": lambda db: db.fetchval("SELECT pg_try_advisory_lock($1)", relay.LEADER_LOCK),
        "queued": lambda db: db.fetch(
            "SELECT id, topic, key, partition, headers, value, queued_at FROM chassis.outbox ORDER BY id LIMIT $1", number
        ),
        "forget": lambda db: db.execute("DELETE FROM chassis.outbox WHERE id = ANY($1)", ids),
        "note effects": lambda db: db.execute(services.NOTE_EFFECTS, *effects),
        "are there": lambda db: db.fetch(services.ARE_THERE, [thing]),
        "accounts": lambda db: db.fetch(services.ACCOUNTS, entity, "", number),
        "sum up": lambda db: db.fetch(services.SUM_UP, entity, ["A", "B"]),
        "note work": lambda db: db.execute(services.NOTE_WORK, entity, day, [account], [number]),
    }


def program(seed: int) -> list[Step]:
    """Steps of two sessions; whether a step can be taken is found out when it is its turn."""
    chance = random.Random(seed)
    steps = [Step(0, "declare", lambda db: business_day.declare(db, ENTITIES))]
    for _ in range(STEPS):
        name = chance.choice(("begin", "commit", "rollback", *["ask"] * 9))
        if name == "ask":
            name, call = chance.choice(list(calls(Draw(chance)).items()))
            steps.append(Step(chance.randrange(2), name, call))
        else:
            steps.append(Step(chance.randrange(2), name))
    return steps


@dataclass
class Side:
    """One of the two databases: its sessions, and how to find out that one of them waits."""

    connections: Sequence[Any]
    settle: Callable[[int, "asyncio.Task[Any]"], Awaitable[None]]
    open: list[list[Any]] = field(default_factory=lambda: [[], []])
    waiting: list["asyncio.Task[Any] | None"] = field(default_factory=lambda: [None, None])
    told: list[str] = field(default_factory=list)

    async def run(self, steps: Sequence[Step]) -> list[str]:
        """Take every step that can be taken, and tell what came of each."""
        for number, step in enumerate(steps):
            if self.waiting[step.session] is None:
                await self._take(step.session, f"{number} {step.session} {step.name}", self._work(step))
                await self._look_at_waiting()
        for session in sorted((0, 1), key=lambda one: self.waiting[one] is not None):
            while self.open[session]:
                await self._take(session, f"end {session}", self.open[session].pop().rollback())
                await self._look_at_waiting()
        return self.told

    def _work(self, step: Step) -> Any:
        connection, open_here = self.connections[step.session], self.open[step.session]
        if step.call is not None:
            return step.call(connection)
        if step.name == "begin":
            if len(open_here) == DEPTH_MAX:
                return asyncio.sleep(0)
            open_here.append(connection.transaction())
            return open_here[-1].start()
        if not open_here:
            return asyncio.sleep(0)
        transaction = open_here.pop()
        return transaction.commit() if step.name == "commit" else transaction.rollback()

    async def _take(self, session: int, name: str, work: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(work)
        await self.settle(session, task)
        if task.done():
            self.told.append(f"{name}: {_outcome(task)}")
        else:
            self.waiting[session] = task
            self.told.append(f"{name}: waits")

    async def _look_at_waiting(self) -> None:
        for session, task in enumerate(self.waiting):
            if task is not None:
                await self.settle(session, task)
                if task.done():
                    self.waiting[session] = None
                    self.told.append(f"{session} went on: {_outcome(task)}")


def _outcome(task: "asyncio.Task[Any]") -> str:
    error = task.exception()
    if error is not None:
        return type(error).__name__
    result = task.result()
    if isinstance(result, str):
        return "done"  # What a command tag says is nobody's business.
    if isinstance(result, list) and result and isinstance(result[0], tuple):
        result = set(result)  # Places come in no order.
    return repr(_canonical(result))


def _canonical(result: Any) -> Any:
    """An answer with what has no order put into one."""
    if isinstance(result, dict | asyncpg.Record):
        return sorted(((key, _canonical(value)) for key, value in result.items()), key=repr)
    if isinstance(result, set):
        return sorted(result)
    if isinstance(result, list) or type(result) is tuple:
        return [_canonical(one) for one in result]
    return result


@asynccontextmanager
async def real_side(address: str) -> AsyncIterator[Side]:
    """Two sessions of a real Postgres, and a third that watches them."""
    connections = [await asyncpg.connect(address) for _ in range(2)]
    watcher = await asyncpg.connect(address)
    looked_for_circles: set[asyncio.Task[Any]] = set()

    async def settle(session: int, task: "asyncio.Task[Any]") -> None:
        this, other = (connections[one].get_server_pid() for one in (session, 1 - session))
        while not task.done():
            await asyncio.wait((task,), timeout=0.002)
            if not task.done() and await watcher.fetchval(BLOCKED, this) and not await watcher.fetchval(BLOCKED, other):
                if task not in looked_for_circles:
                    looked_for_circles.add(task)
                    await asyncio.wait((task,), timeout=0.03)  # So that it is the second to wait who finds a circle.
                return
            # Where both wait for each other, one of them is about to be told.

    try:
        yield Side(connections, settle)
    finally:
        for connection in (*connections, watcher):
            await connection.close()


async def on_the_real_one(address: str, steps: Sequence[Step]) -> tuple[list[str], dict[str, list[str]]]:
    async with real_side(address) as side:
        everything = ", ".join([f"chassis.{table}" for table in TABLES] + list(OURS))
        await side.connections[0].execute(f"TRUNCATE {everything} RESTART IDENTITY")
        told = await side.run(steps)
        tables = {}
        for table in (*TABLES, *OURS):
            rows = await side.connections[0].fetch(f"SELECT * FROM {'chassis.' * (table in TABLES)}{table}")
            tables[table] = sorted(repr(sorted(dict(row).items())) for row in map(_decoded, rows))
    return told, tables


def _decoded(row: asyncpg.Record) -> dict[str, Any]:
    return {name: json.loads(value) if name == "reasons" else value for name, value in row.items()}


def on_the_simulated_one(steps: Sequence[Step]) -> tuple[list[str], dict[str, list[str]]]:
    world = World(0)
    store = Store(world, "simulated", lock_timeout_s=1e6)

    async def settle(session: int, task: "asyncio.Task[Any]") -> None:
        await asyncio.wait((task,), timeout=2)

    async def run() -> list[str]:
        actor = Actor("test")
        return await Side([Connection(store, actor) for _ in range(2)], settle).run(steps)

    told = world.loop.run(run(), until=100_000)
    tables = {table: sorted(repr(sorted(row.items())) for row in store.rows(table)) for table in (*TABLES, *OURS)}
    return told, tables


@pytest.fixture
def address(postgres_server: Cluster) -> Any:
    """An empty database with the protocol's tables and the simulated services', in which deadlocks are found at once."""
    name = f"receivables_test_simulation_{next(_numbers)}"
    postgres_server.drop(name)
    made = postgres_server.create(name, "invoice")

    async def prepare() -> None:
        admin = await asyncpg.connect(postgres_server.admin_dsn)
        await admin.execute(f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '10ms'")
        await admin.close()
        connection = await asyncpg.connect(made)
        await connection.execute(protocol_sql())
        await connection.execute(services.TABLES)
        await connection.close()

    asyncio.run(prepare())
    yield made
    postgres_server.drop(name)


def test_the_simulated_postgres_answers_as_the_real_one_does(address: str) -> None:
    waited = 0
    for seed in range(PROGRAMS):
        steps = program(seed)
        real, simulated = asyncio.run(on_the_real_one(address, steps)), on_the_simulated_one(steps)
        differ = [pair for pair in zip(real[0], simulated[0], strict=False) if pair[0] != pair[1]]
        assert not differ, f"program {seed}: the real one says {differ[0][0]}, the simulated one {differ[0][1]}"
        assert simulated[1] == real[1], f"program {seed}"
        waited += sum("waits" in told.rpartition(": ")[2] for told in real[0])
    assert waited > PROGRAMS // 4


def test_who_completes_a_circle_of_waiting_is_told_so(address: str) -> None:
    first, second = [(NAMES[0], 0)], [(NAMES[0], 1)]
    steps = [Step(0, "start positions", lambda db: streams.start_positions(db, first + second)), Step(0, "begin"), Step(1, "begin")]
    for session, places in ((0, first), (1, second), (0, second), (1, first), (1, first)):
        steps.append(Step(session, "lock positions", lambda db, places=places: streams.lock_positions(db, places)))
    real, simulated = asyncio.run(on_the_real_one(address, steps)), on_the_simulated_one(steps)
    assert real == simulated
    assert any("DeadlockDetectedError" in told for told in real[0])
    assert any("InFailedSQLTransactionError" in told for told in real[0])


def test_every_statement_taught_is_compared() -> None:
    asked = {step.name for seed in range(PROGRAMS) for step in program(seed)}
    assert asked >= calls(Draw(random.Random(0))).keys()


def test_a_statement_nobody_taught_is_an_error() -> None:
    with pytest.raises(statements.UnknownStatement, match="teach the simulation"):
        statements.statement_of("SELECT 1")
