"""
Five services as processes on a real Kafka and a real Postgres, spoken to as an ERP, a bank and people do: over Kafka and HTTP only.

Stories are told to it day by day, in order or in disorder; what chance decides, a seed repeats.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import msgspec
from chassis.record import Fresh, Record, classify
from events.fact import Event, kind_of
from events.topics import DOMAIN, INGRESS
from launcher import ports
from launcher.entities import SERVICES
from launcher.processes import last_words
from launcher.stack import Stack, Urls

from testkit.ingress import Message, in_binary_mode, in_structured_mode
from testkit.slots import SLOTS, Slot
from testkit.story import Story
from testkit.wire import Wire

EventT = TypeVar("EventT", bound=Event)

PARTITIONS: Final = 3
"""Enough to have keys apart; a day takes a marker in each partition of every topic, so fewer are quicker."""
STUCK_S_MAX: Final = 30
TESTER: Final = "tester"
SLEEPERS: Final = ("payment", "credit", "dunning", "reporting")
_SLEEPS_DAYS: Final = 3
_PAUSES_S: Final = (0, 0, 0.03, 0.1)
_LOOK_S: Final = 0.05
_ONE_DAY: Final = timedelta(days=1)
_BUSY_TRIES_MAX: Final = 20
_REBUILD_S_MAX: Final = 120
_PORTS_FROM: Final = 12_000
_PORTS_A_SLOT: Final = 200


@dataclass(frozen=True, slots=True)
class House:
    """A legal entity to declare: in dollars, its days started by telling; `sources` may speak for it, empty: any."""

    entity: str
    opens_on: date
    sources: tuple[str, ...] = ()


def declare(path: Path, houses: Iterable[House], deployed: Sequence[str] = SERVICES) -> Path:
    """Write an entities file and return its path."""
    lines = [f"deployed = {json.dumps(list(deployed))}"]  # JSON strings and lists are TOML, too.
    for house in houses:
        lines += [
            f"[entities.{json.dumps(house.entity)}]",
            'currency = "USD"',
            'time_zone = "UTC"',
            'calendar = "US"',
            f"opens_on = {house.opens_on}",
            f"sources = {json.dumps(list(house.sources))}",
            'day_starts = "told"',
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@contextmanager
def running(
    houses: Iterable[House], *, deployed: Sequence[str] = SERVICES, seed: int = 0, environment: Mapping[str, str] | None = None
) -> Iterator["World"]:
    """
    Bring services up with clean books, and stop everything at the end.

    Takes some seconds, so a test session has one world for all its stories, each with entities of its own.

    :param seed: of everything left to chance: which facts come in structured mode, and the orders of disorder.
    :param environment: more settings for every service process.
    """
    slot = Slot(SLOTS / "world")
    for log in slot.state.logs.iterdir():
        log.unlink()  # An earlier session's.
    entities = slot.state.folder / "entities.toml"
    declared = {house.entity: house for house in houses}
    declare(entities, declared.values(), deployed)
    stack = Stack(
        entities=entities, state=slot.state.folder, port_base=_free_ports(slot), partitions=PARTITIONS, environment=environment, say=print
    )
    try:
        urls = stack.up(clean=True)
        with Wire(urls.kafka) as wire, httpx.Client(timeout=30, trust_env=False) as http:
            yield World(stack, urls, wire, http, declared, seed)
    finally:
        stack.down()
        slot.leave()


class World:
    """The running system, as those around it see it; `running` makes one."""

    def __init__(self, stack: Stack, urls: Urls, wire: Wire, http: httpx.Client, houses: dict[str, House], seed: int) -> None:
        self.stack = stack
        self.services = tuple(urls.services)
        self.seed = seed
        self._urls = urls
        self._wire = wire
        self._http = http
        self._houses = houses
        self._chance = random.Random(seed)
        self._told: dict[str, date] = {}

    @property
    def logs(self) -> list[Path]:
        """The log files of servers and services."""
        return sorted(self.stack.state.logs.iterdir())

    def let_speak(self, entity: str, *sources: str) -> None:
        """Declare anew who may speak for an entity, and start the invoice service again: it reads the file at its start."""
        self._houses[entity] = replace(self._houses[entity], sources=sources)
        declare(self.stack.entities.path, self._houses.values(), self.services)
        self.stack.fleet.stop(["invoice"])
        self.stack.up()

    # --- telling ---

    def publish(self, *facts: Event, traceparent: str | None = None) -> None:
        """Publish facts as their sender would, each in binary or in structured mode, and return when the broker has them."""
        self.publish_messages([_carried(fact, self._chance, traceparent) for fact in facts])

    def publish_messages(self, messages: Sequence[Message]) -> None:
        """Publish records as they are."""
        self._wire.publish(messages)

    def start_day(self, entity: str, day: date) -> None:
        """Have a business day start, with those skipped before it; return when facts published from now on stand behind its start."""
        calendar_owner = "invoice" if "invoice" in self.services else "payment"
        answer = self.post(calendar_owner, "/v1/business-days", {"entity": entity, "date": str(day)}, roles=("operator",))
        assert answer.status_code == 201, answer.text
        self._wire.wait_for_markers(INGRESS, entity, day)

    def close_day(self, entity: str, day: date) -> None:
        """Start the day after, and return when the day is closed in every service. AssertionError when that stands still for 30 s."""
        self.start_day(entity, day + _ONE_DAY)
        moved_at, before = time.monotonic(), ""
        while any(self.read(service, "/v1/business-days", entity)["complete_up_to"] < str(day) for service in self.services):
            standing = self._standing(entity)
            if standing != before:
                moved_at, before = time.monotonic(), standing
            assert time.monotonic() < moved_at + STUCK_S_MAX, f"{entity} stands still before {day} is closed:\n{standing}"
            time.sleep(_LOOK_S)

    def tell(self, story: Story, *, up_to: date | None = None) -> None:
        """Tell a story in order, as far as the end of a day (default: its end), going on where it was left."""
        ends_on, told_on = up_to or story.ends_on, self._told.get(story.entity, date.min)
        for day in (day for day in story.eventful_days if told_on < day <= ends_on):
            self.act(story, day)
            self.start_day(story.entity, day)
            self.publish(*story.days.get(day, ()))
        if told_on < ends_on:
            self.close_day(story.entity, ends_on)
            self._told[story.entity] = ends_on

    def act(self, story: Story, day: date, *, times: int = 1) -> None:
        """
        Do what the people of a story do on a day, once the day before is closed everywhere: before anything of their own day is told.

        Each command is sent so many `times` under one key, which is to do it once. A person sees what the ledger had booked two days
        before; what it books a day before may still be on its way.
        """
        if day in story.acts:
            self.close_day(story.entity, day - _ONE_DAY)
        answered: dict[str, Any] = {}
        for number, act in enumerate(story.acts.get(day, ())):
            path, key = act.path.format_map(answered), f"{story.entity}|{day}|{number}"
            for _ in range(times):
                answer = self.post(act.service, path, act.body, key=key, sub=act.by, roles=(act.role,))
                assert answer.status_code == act.status, f"{path}: {answer.status_code} {answer.text}"
            answered |= answer.json()

    def tell_in_disorder(self, stories: Sequence[Story], *, seed: str) -> None:
        """
        Tell stories as one stream in which nothing but the days is in order; the same seed, the same order.

        Between the markers of a day every fact comes twice, the bank's before all others for the first time, otherwise shuffled across
        topics, keys and entities, in portions with pauses between, so that services meet them apart. All the while one service or another
        sleeps, and finds several days at once when it wakes; none while people act, who do everything twice, too. Before the last day
        closes, what the services have said of it all is said again, as by a relay that did not get its acknowledgements.
        """
        chance = random.Random(seed)
        asleep: list[int] = []
        try:
            for number, day in enumerate(sorted({day for story in stories for day in story.eventful_days})):
                speaking = [story for story in stories if day in story.eventful_days]
                if any(day in story.acts for story in speaking):
                    _wake(asleep)
                    asleep = []
                elif number % _SLEEPS_DAYS == 0:
                    asleep = self._let_another_sleep(asleep, chance)
                for story in speaking:
                    self.act(story, day, times=2)
                    self.start_day(story.entity, day)
                for portion in _portions([_carried(fact, chance) for story in speaking for fact in story.days.get(day, ())], chance):
                    self.publish_messages(portion)
                    time.sleep(chance.choice(_PAUSES_S))
        finally:
            _wake(asleep)
        said = self._said_of([story.entity for story in stories])
        chance.shuffle(said)
        self.publish_messages(said)
        for story in stories:
            self.close_day(story.entity, story.ends_on)

    def _said_of(self, entities: Collection[str]) -> list[Message]:
        """The records of the facts that the services have published about these entities by now."""
        records = [record for topic in DOMAIN for record in self.log(topic)]
        ours = [one.record for one in map(classify, records) if isinstance(one, Fresh) and one.entity in entities]
        return [Message(one.topic, one.key, one.value, [(name, text or b"") for name, text in one.headers], one.partition) for one in ours]

    def _let_another_sleep(self, asleep: Sequence[int], chance: random.Random) -> list[int]:
        """Wake the service that sleeps and stop another, or none; never the one that starts the days."""
        _wake(asleep)
        service = chance.choice((*SLEEPERS, None))
        found = self.stack.fleet.running(service) if service else None
        if found is None:
            return []
        os.kill(found.pid, signal.SIGSTOP)
        return [found.pid]

    # --- asking ---

    def post(
        self,
        service: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        roles: Collection[str] = ("clerk",),
        sub: str = TESTER,
        **headers: str,
    ) -> httpx.Response:
        """Send a command as somebody with these roles; the day turning (503) is waited for, as a client should."""
        return self._command("POST", service, path, body, key, self._token(roles, sub), headers)

    def put(self, service: str, path: str, body: Any, *, key: str | None = None, roles: Collection[str], **headers: str) -> httpx.Response:
        """Send a PUT as `post` does."""
        return self._command("PUT", service, path, body, key, self._token(roles), headers)

    def _command(
        self, method: str, service: str, path: str, body: Any, key: str | None, token: str, headers: Mapping[str, str]
    ) -> httpx.Response:
        known = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {}), **headers}
        for _ in range(_BUSY_TRIES_MAX):
            answer = self._http.request(method, self._urls.services[service] + path, json=body, headers=known)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        return answer

    def _token(self, roles: Collection[str], sub: str = TESTER) -> str:
        return self.stack.token(sub, sorted(roles), now=int(time.time()))

    def get(self, service: str, path: str, *, roles: Collection[str] = (), **query: object) -> httpx.Response:
        """Ask a service something; without roles as anybody on this machine."""
        headers = {"Authorization": f"Bearer {self._token(roles)}"} if roles else {}
        asked = {name: str(value) for name, value in query.items() if value is not None}
        return self._http.get(self._urls.services[service] + path, params=asked, headers=headers)

    def read(self, service: str, path: str, entity: str, **query: object) -> dict[str, Any]:
        """Read something of an entity that must be there."""
        answer = self.get(service, path, roles=(), entity=entity, **query)
        assert answer.status_code == 200, f"{service} {path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def aging(self, entity: str, as_of: date, *, known_at: date | None = None) -> dict[tuple[str, str], dict[str, Any]]:
        """Reporting's rows by (customer, currency); customers that are all zero are not there."""
        rows = self.read("reporting", "/v1/aging", entity, as_of=as_of, known_at=known_at, by="customer")["rows"]
        return {(row.pop("customer"), row.pop("currency")): row for row in rows}

    def balance(self, entity: str, customer: str, as_of: date) -> dict[str, Any]:
        """Reporting's row of a customer that has one currency."""
        (row,) = self.read("reporting", f"/v1/customers/{customer}/balance", entity, as_of=as_of)["rows"]
        assert isinstance(row, dict)
        return row

    def exposure(self, entity: str, account: str) -> str:
        """The credit service's exposure of an account that has one currency."""
        (row,) = self.read("credit", f"/v1/accounts/{account}", entity)["currencies"]
        return str(row["exposure"])

    def open_of(self, entity: str, account: str | None = None) -> dict[str, str]:
        """What is open of every item, by document number and instalment, as the settlement ledger has it."""
        items = self.read("payment", "/v1/items", entity, account=account, limit="1000")["items"]
        return {one["item"].removeprefix(f"{entity}|"): one["open"] for one in items}

    def receipt(self, entity: str, bank_ref: str) -> dict[str, Any]:
        """Where a receipt's money is."""
        return self.read("payment", f"/v1/receipts/{bank_ref}", entity)

    def notices(self, entity: str, account: str | None = None) -> list[dict[str, Any]]:
        """The notices that were sent, in their order."""
        found: list[dict[str, Any]] = self.read("dunning", "/v1/notices", entity, account=account, limit="1000")["notices"]
        return found

    def log(self, topic: str) -> list[Record]:
        """Everything that stands in a topic by now, but for day markers."""
        return self._wire.read(topic)

    def facts(self, kind: type[EventT], entity: str) -> list[EventT]:
        """The facts of a kind that stand in its topic about an entity, each once."""
        found = [one for one in map(classify, self.log(kind_of(kind).topic)) if isinstance(one, Fresh) and one.entity == entity]
        data = {one.envelope.id: one.data for one in found if one.envelope.type == kind_of(kind).type}
        return [msgspec.json.decode(text, type=kind) for text in data.values()]

    def rebuild(self, service: str = "reporting", *, failpoint: str = "") -> subprocess.CompletedProcess[str]:
        """Make a read model anew from offset 0, in a process of its own beside the running service."""
        told = {
            "DATABASE_URL": self._urls.databases[service],
            "KAFKA_BOOTSTRAP": self._urls.kafka,
            "ENTITIES_FILE": str(self.stack.entities.path),
            "TOPIC_PARTITIONS": str(self.stack.partitions),
            "FP": failpoint,
        }
        command = [sys.executable, "-m", "chassis", service, "rebuild"]
        return subprocess.run(command, env={**os.environ, **told}, capture_output=True, text=True, timeout=_REBUILD_S_MAX, check=False)

    def _standing(self, entity: str) -> str:
        """Say how far every service is, and the last words of each."""
        lines = []
        for service in self.services:
            lines.append(f"{service}: {json.dumps(self.read(service, '/v1/business-days', entity))}")
            lines.append(f"    {last_words(self.stack.fleet.log(service))}")
        return "\n".join(lines)


def _portions(messages: Sequence[Message], chance: random.Random) -> list[list[Message]]:
    """Every message twice: those of the bank once before all others, the rest shuffled and cut into small portions."""
    from_bank = [one for one in messages if one.topic == "bank.entries"]
    others = [one for one in messages if one.topic != "bank.entries"] + list(messages)
    chance.shuffle(from_bank)
    chance.shuffle(others)
    size = chance.randint(1, 6)
    return [portion for portion in (from_bank, *(others[n : n + size] for n in range(0, len(others), size))) if portion]


def _carried(fact: Event, chance: random.Random, traceparent: str | None = None) -> Message:
    """The record that carries a fact, in one of the two modes."""
    carry = in_structured_mode if chance.random() < 0.5 else in_binary_mode
    return carry(fact, traceparent=traceparent)


def _wake(pids: Iterable[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def _free_ports(slot: Slot) -> int:
    """Find ports in a row for the services that nobody uses; worlds that start at the same time look in different places."""
    first = _PORTS_FROM + (slot.number - 1) * _PORTS_A_SLOT
    bases = range(first, first + _PORTS_A_SLOT, 10)
    return next(base for base in bases if all(ports.is_free(base + n) for n in range(len(SERVICES))))
