"""
The business day as a watermark, an account's day as a set: docs/messaging.md sections 10 and 11 as a model that is run (no servers).

Three services and two legal entities exchange facts over partitioned logs; relays lag and repeat themselves, days turn in chunks, people
give commands at any moment, and chance picks who does the next step. What of a poll may be handled is decided by the very function the
services use (`chosen.choose`), and what a day waits for by theirs too (`Awaited`); the tables around them are played by dictionaries.

Promised at every step: no fact is published behind the marker of a later day. At the end: every day has been opened everywhere, and the
books each service closed a day with are exactly the facts booked before it. Without commands (their day is when they were given), every
schedule of a history ends in the same books and notices. Each rule left out is caught.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from chassis.business_day import Awaited, OpenDay
from chassis.chosen import Chosen, Item, choose
from chassis.record import Fresh, MarkerMet, Record
from events.envelope import Envelope

PARTITIONS, DAYS, AT_ONCE = 2, 5, 2
ENTITIES = ("X", "Y")
ACCOUNTS = tuple(f"{entity}{n}" for entity in ENTITIES for n in range(3))
BEFORE = date(2026, 1, 4)  # What comes before the first marker is booked on this day.
RULES = {
    "feedback": "a day waits for the feedback of the day before",
    "outbox": "a marker leaves behind what was queued before it",
    "set": "an account's day is settled as a set",
    "partitions": "a day waits for its marker in every partition",
    "holding": "a record behind the marker of a day to come is held",
    "overtaking": "nothing of an entity overtakes what is held of it",
    "booking": "what feedback causes is booked on the day open here",
    "release": "what is held is released in the order it came",
    "opening": "no day opens while something is held behind an earlier one",
    "turning": "commands and feedback wait while the day turns",
    "repeats": "what was heard before has no second effect",
}
Place = tuple[str, int]


class PromiseBroken(Exception):
    """The protocol did what it must never do."""


class Said(NamedTuple):
    """A fact: `day` is the business day it is booked on, none for what comes from outside; `number` counts those of a key."""

    kind: str
    id: str
    account: str
    day: date | None = None
    due: date = BEFORE
    amount: int = 0
    number: int = 0


class Marked(NamedTuple):
    """A day marker for one partition."""

    entity: str
    day: date
    partition: int


def partition_of(account: str) -> int:
    return (ord(account[0]) + int(account[1:])) % PARTITIONS


@dataclass
class World:
    """The logs, and everybody who writes to them; `left_out` names the rule that nobody keeps."""

    chance: random.Random
    left_out: str = ""
    log: dict[Place, list[Item]] = field(default_factory=lambda: defaultdict(list))
    said: dict[tuple[str, int, int], Said] = field(default_factory=dict)
    once: dict[tuple[str, str], Said] = field(default_factory=dict)  # Each fact once, however often it was sent.

    def append(self, topic: str, what: Said | Marked) -> None:
        place = (topic, what.partition if isinstance(what, Marked) else partition_of(what.account))
        record = Record(*place, len(self.log[place]), None, None, ())
        if isinstance(what, Marked):
            self.log[place].append(MarkerMet(record, what.entity, what.day))
            return
        entity = what.account[0]
        marked = [item.day for item in self.log[place] if isinstance(item, MarkerMet) and item.entity == entity]
        if (topic, what.id) not in self.once and what.day is not None and marked and what.day < max(marked):
            raise PromiseBroken(f"{what} stands behind the marker of {max(marked)}")
        self.said[record.place] = self.once[topic, what.id] = what
        self.log[place].append(Fresh(record, Envelope(what.id, what.kind, "model"), b"", None, entity, what.account))

    def facts(self, *topics: str) -> list[Said]:
        return [what for (topic, _), what in self.once.items() if topic in topics]


class Service:
    """What every service is: positions, markers met, what is held, an open day per entity, an outbox, and books of its own."""

    topic: str
    awaited: Awaited

    def __init__(self, world: World) -> None:
        self.world = world
        heard = (*self.awaited.forward, *self.awaited.feedback)
        self.positions: dict[Place, int] = {(topic, p): 0 for topic in heard for p in range(PARTITIONS)}
        self.days = {entity: OpenDay(BEFORE, None) for entity in ENTITIES}
        self.met: dict[tuple[str, int, str], date] = {}
        self.held: list[tuple[Record, str, date]] = []
        self.heard: dict[tuple[str, str], int] = {}
        self.inbox: set[str] = set()
        self.judged: dict[str, int] = dict.fromkeys(ENTITIES, 0)
        self.outbox: list[Said | Marked] = []
        self.numbers: dict[str, int] = defaultdict(int)
        self.closed: dict[tuple[date, str], Any] = {}

    def leaves_out(self, rule: str) -> bool:
        return self.world.left_out == rule

    # --- what it may do next ---

    def steps(self) -> Iterator[Callable[[], None]]:
        if any(position < len(self.world.log[place]) for place, position in self.positions.items()):
            yield partial(self.take, hold=False)
            yield partial(self.take, hold=True)
        if any(behind <= self.days[entity].open_on for _, entity, behind in self.held):
            yield self.release
        yield from (partial(self.turn, entity) for entity in ENTITIES if self.is_due(entity))
        if self.outbox:
            yield self.relay

    def take(self, *, hold: bool) -> None:
        """One micro-batch of some partitions, as `Delivery.take` does it."""
        chance = self.world.chance
        polled = {
            place: list(islice(self.world.log[place], position, position + chance.randint(1, 12)))
            for place, position in self.positions.items()
            if chance.random() < 0.7
        }
        chosen = self._choose(polled, hold=hold)
        for item in chosen.apply:
            self._handle(item.record)
        self.held += chosen.hold
        self.met.update(chosen.markers)
        self.positions.update(chosen.reached)

    def _choose(self, polled: Mapping[Place, list[Item]], *, hold: bool) -> Chosen:
        held = {(record.topic, record.partition, entity): behind for record, entity, behind in self.held}
        days = {entity: replace(day, turning_on=None) for entity, day in self.days.items()} if self.leaves_out("turning") else self.days
        return choose(
            polled,
            self.positions,
            days,
            dict(self.met),
            {} if self.leaves_out("overtaking") else held,
            holding_topics=frozenset() if self.leaves_out("holding") else frozenset(self.awaited.forward),
            hold=hold,
            limit=self.world.chance.choice((3, 500)),
        )

    def release(self) -> None:
        """The oldest held records whose day has opened, as `Delivery.release` does it."""
        free = [one for one in self.held if self.days[one[1]].turning_on is None and one[2] <= self.days[one[1]].open_on]
        free.sort(key=lambda one: one[0].place, reverse=self.leaves_out("release"))
        for one in free[: self.world.chance.randint(1, 4)]:
            self.held.remove(one)
            self._handle(one[0])

    def is_due(self, entity: str) -> bool:
        """Whether the next day can be opened, as `days_due` says it."""
        day = self.days[entity].open_on + timedelta(1)
        if not self.leaves_out("opening") and any(whose == entity and behind < day for _, whose, behind in self.held):
            return False
        met = {(topic, p): seen for (topic, p, whose), seen in self.met.items() if whose == entity}
        awaited = self.awaited
        if self.leaves_out("feedback") or self.days[entity].open_on == BEFORE:
            awaited = replace(awaited, feedback=())
        missing = awaited.missing(met, day)
        if self.leaves_out("partitions"):
            return all(any((topic, p) not in missing for p in range(PARTITIONS)) for topic in awaited.forward)
        return not missing

    def turn(self, entity: str) -> None:
        """One chunk of the day's work, and the day itself with the last."""
        day = self.days[entity].open_on + timedelta(1)
        accounts = [account for account in ACCOUNTS if account[0] == entity]
        for account in accounts[self.judged[entity] : self.judged[entity] + AT_ONCE]:
            self.close(account, day)
        self.judged[entity] += AT_ONCE
        if self.judged[entity] < len(accounts):
            self.days[entity] = replace(self.days[entity], turning_on=day)
            return
        self.judged[entity], self.days[entity] = 0, OpenDay(day, None)
        self.outbox += [Marked(entity, day, partition) for partition in range(PARTITIONS)]

    def relay(self) -> None:
        """Send what is queued, in order; sometimes die before it is forgotten, and send it again."""
        chance = self.world.chance
        if self.leaves_out("outbox") and chance.random() < 0.3:
            self.outbox.sort(key=lambda what: not isinstance(what, Marked))
        rows = self.outbox[: chance.randint(1, 8)]
        for what in rows:
            self.world.append(self.topic, what)
        if chance.random() < 0.9:
            del self.outbox[: len(rows)]

    # --- what it is told and what it says ---

    def _handle(self, record: Record) -> None:
        what = self.world.said[record.place]
        if what.day is None:  # From outside: known by its id.
            if what.id in self.inbox and not self.leaves_out("repeats"):
                return
            self.inbox.add(what.id)
        else:
            stream = (record.topic, what.account)
            if what.number <= self.heard.get(stream, 0) and not self.leaves_out("repeats"):
                return
            if what.number > self.heard.get(stream, 0) + 1:
                raise PromiseBroken(f"{self.topic}: {what} came after number {self.heard.get(stream, 0)}")
            self.heard[stream] = max(what.number, self.heard.get(stream, 0))
        self.on(what, self.days[what.account[0]].open_on)

    def say(self, kind: str, id: str, account: str, day: date, due: date, amount: int) -> None:
        self.numbers[account] += 1
        self.outbox.append(Said(kind, id, account, day, due, amount, self.numbers[account]))

    def on(self, what: Said, open_on: date) -> None:
        raise NotImplementedError

    def close(self, account: str, day: date) -> None:
        raise NotImplementedError

    def command(self, account: str, id: str) -> None:
        """A person asks for something, unless the day is being turned: then they wait."""


class Invoicing(Service):
    """Turns documents and the fees of notices into items; closes a day by what it has said."""

    topic, awaited = "inv", Awaited(("erp",), ("col",), PARTITIONS)

    def on(self, what: Said, open_on: date) -> None:
        day = what.day if self.leaves_out("booking") and what.day is not None else open_on
        self.say("item", f"{what.kind}-{what.id}", what.account, day, what.due, what.amount)

    def close(self, account: str, day: date) -> None:
        self.closed[day, account] = self.numbers[account]

    def command(self, account: str, id: str) -> None:
        self.say("item", id, account, self.days[account[0]].open_on, BEFORE, 4)


class Payments(Service):
    """Settles the day of each account as a set, and says what differs from what it said before."""

    topic, awaited = "pay", Awaited(("bank", "inv"), (), PARTITIONS)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.items: dict[str, dict[str, tuple[date, int]]] = defaultdict(dict)
        self.money: dict[str, dict[str, int]] = defaultdict(dict)
        self.pinned: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)  # Of closed days.
        self.booked: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)

    def on(self, what: Said, open_on: date) -> None:
        if what.kind == "receipt":
            self.money[what.account][what.id] = self.money[what.account].get(what.id, 0) + what.amount
        else:
            self.items[what.account][what.id] = (what.due, self.items[what.account].get(what.id, (BEFORE, 0))[1] + what.amount)
        self._book(what.account, open_on)

    def _book(self, account: str, day: date) -> None:
        settled = self.booked[account] if self.leaves_out("set") else self.pinned[account]
        wanted, had = settle(self.items[account], self.money[account], settled), self.booked[account]
        for pair in sorted(wanted.keys() | had.keys()):
            if change := wanted.get(pair, 0) - had.get(pair, 0):
                self.say("applied", f"{account}-{self.numbers[account]}|{pair[1]}", account, day, BEFORE, change)
        self.booked[account] = wanted

    def close(self, account: str, day: date) -> None:
        self.pinned[account] = dict(self.booked[account])
        self.closed[day, account] = self.numbers[account]


def settle(
    items: Mapping[str, tuple[date, int]], money: Mapping[str, int], settled: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], int]:
    """Apply what is left of the money to what is open, oldest first, on top of what is settled: {(money, item): amount}."""
    out = dict(settled)
    for receipt in sorted(money):
        for item in sorted(items, key=lambda one: (items[one][0], one)):
            spent = sum(amount for (whose, _), amount in out.items() if whose == receipt)
            paid = sum(amount for (_, whose), amount in out.items() if whose == item)
            part = min(money[receipt] - spent, items[item][1] - paid)
            if part > 0:
                out[receipt, item] = out.get((receipt, item), 0) + part
    return out


class Dunning(Service):
    """Closes each day by the balances of the account, and sends a notice with a fee where something is overdue."""

    topic, awaited = "col", Awaited(("inv", "pay"), (), PARTITIONS)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.balances: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.due: dict[str, date] = {}
        self.noticed: dict[str, date] = {}

    def on(self, what: Said, open_on: date) -> None:
        fold(self.balances[what.account], what)
        if what.kind == "item":
            self.due[what.id] = what.due

    def close(self, account: str, day: date) -> None:
        standing = {item: amount for item, amount in self.balances[account].items() if amount}
        self.closed[day, account] = standing
        owed = sum(amount for item, amount in standing.items() if self.due.get(item, day) + timedelta(1) < day)
        if owed > 0 and day - self.noticed.get(account, date.min) >= timedelta(2):
            self.noticed[account] = day
            self.say("notice", f"{account}-{day}", account, day, day, 5)

    def command(self, account: str, id: str) -> None:
        self.say("request", id, account, self.days[account[0]].open_on, BEFORE, 2)


def fold(balances: dict[str, int], what: Said) -> None:
    """What an item or an application does to the open amount of its item."""
    item = what.id if what.kind == "item" else what.id.partition("|")[2]
    balances[item] = balances.get(item, 0) + (what.amount if what.kind == "item" else -what.amount)


def history_of(seed: int) -> dict[Place, list[Said | Marked]]:
    """Days of documents and receipts, some of them sent twice, with the markers of both entities behind each day in every partition."""
    chance = random.Random(seed)
    queues: dict[Place, list[Said | Marked]] = {(topic, p): [] for topic in ("erp", "bank") for p in range(PARTITIONS)}
    for n in range(1, DAYS + 2):
        day = BEFORE + timedelta(n)
        for topic, kind, most in (("erp", "document", 8), ("bank", "receipt", 5)):
            for number in range(chance.randint(1, most)):
                account = chance.choice(ACCOUNTS)
                due = day + timedelta(chance.randint(-4, 1))
                what = Said(kind, f"{chance.randrange(10**6):06}-{n}-{number}", account, None, due, chance.randint(1, 20))
                queues[topic, partition_of(account)] += [what] * chance.choice((1, 1, 1, 2))
        for (_, p), queue in queues.items():
            queue += [Marked(entity, day, p) for entity in chance.sample(ENTITIES, 2)]
    return queues


def play(history: int, schedule: str, *, commands: bool, left_out: str = "") -> tuple[object, ...]:
    """
    Let chance decide every step until nothing is left to do; return the closed books and the notices.

    :raises PromiseBroken: a promise was seen broken.
    """
    world = World(random.Random(schedule), left_out)
    arriving = history_of(history)
    services = (Invoicing(world), Payments(world), Dunning(world))
    given = 0
    while True:
        steps: list[Callable[[], None]] = [partial(_arrive, world, place[0], queue) for place, queue in arriving.items() if queue]
        steps += [step for service in services for step in service.steps()]
        if not steps:
            break
        world.chance.choice(steps)()
        if commands and world.chance.random() < 0.05:
            given += 1
            asked, account = world.chance.choice((services[0], services[2])), world.chance.choice(ACCOUNTS)
            if asked.days[account[0]].turning_on is None or left_out == "turning":
                asked.command(account, f"command-{given:04}")
    for service in services:
        _check(service)
    return services[2].closed, sorted(what.id for what in world.facts("col") if what.kind == "notice")


def _arrive(world: World, topic: str, queue: list[Said | Marked]) -> None:
    world.append(topic, queue.pop(0))


def _check(service: Service) -> None:
    """Every day is open, nothing is held, and each closed day holds exactly the facts booked before it."""
    reached = {day.open_on for day in service.days.values()}
    if reached != {BEFORE + timedelta(DAYS + 1)} or service.held:
        raise PromiseBroken(f"{service.topic} stands at {reached} with {len(service.held)} held")
    facts = service.world.facts("inv", "pay") if isinstance(service, Dunning) else service.world.facts(service.topic)
    for (day, account), books in service.closed.items():
        before = [what for what in facts if what.account == account and what.day is not None and what.day < day]
        balances: dict[str, int] = {}
        for what in before:
            fold(balances, what)
        told = {item: amount for item, amount in balances.items() if amount} if isinstance(service, Dunning) else len(before)
        if books != told:
            raise PromiseBroken(f"{service.topic} closed {account} for {day} with {books}, and the log says {told}")
