"""
Plays a ledger: one business day after the other, as an ERP and a bank would have told it.

A day's entries are published after its markers have landed in the topics, and the next day is started once the broker has acknowledged
them, so that every entry is booked on its own date. The player runs at most a week ahead of what the read model calls complete.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from launcher.trouble import Trouble

from demo.facts import Record, to_record
from demo.kafka import Markers, Publisher
from demo.ledger import Act, Ledger
from demo.people import People
from demo.services import Services

AHEAD_DAYS_MAX: Final = 7
_ONE_DAY: Final = timedelta(days=1)
_LOOK_SECONDS: Final = 0.1
_SUSPECT_SECONDS: Final = 5
_STUCK_SECONDS: Final = 90


class Stuck(Trouble):
    """The read model's days stopped becoming complete."""

    def __init__(self, waited_for: date, standing: str) -> None:
        super().__init__(
            f"Nothing has become complete for {_STUCK_SECONDS} s while waiting for {waited_for} ({standing}): look at the log of the "
            "service that is behind with `make logs S=…`; `make demo` begins again with clean books."
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How far the player is: the day and the facts told, and what of it the read model has not closed yet."""

    day: date
    days_done: int
    days_all: int
    facts: int
    facts_per_s: int
    behind_days: int
    behind_facts: int


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it: facts of the ledger (repeats not counted) and seconds from the first day's start until all were complete."""

    facts: int
    seconds: float


def arrange(records: Sequence[Record], chance: random.Random | None, *, twice: bool) -> list[Record]:
    """Return a day's records as they are published: as told, or in an order of chance across topics and keys; each once or twice."""
    arranged = list(records) * (2 if twice else 1)
    if chance:
        chance.shuffle(arranged)
    return arranged


class Player:
    """Tells one ledger once."""

    def __init__(
        self,
        ledger: Ledger,
        services: Services,
        publisher: Publisher,
        markers: Markers,
        people: People,
        *,
        shuffle: int | None,
        twice: bool,
        watch: Callable[[Pace], None],
    ) -> None:
        self._ledger = ledger
        self._services = services
        self._publisher = publisher
        self._markers = markers
        self._people = people
        self._chance = None if shuffle is None else random.Random(shuffle)
        self._twice = twice
        self._watch = watch
        self._started_on = self._complete_up_to = ledger.opens_on - _ONE_DAY
        self._began_at = self._looked_at = self._moved_at = 0.0
        self._facts = 0
        self._facts_up_to: dict[date, int] = {}

    async def play(self) -> Played:
        """
        Tell everything and wait until it is complete.

        :raises Trouble: Kafka or a service failed, or days stopped becoming complete.
        """
        self._began_at = self._moved_at = time.monotonic()
        for day, entries in self._ledger.by_day().items():
            await self._reach(day)
            await self._have_done([entry for entry in entries if isinstance(entry, Act)], day)
            records = [to_record(entry, self._ledger.house.entity) for entry in entries if not isinstance(entry, Act)]
            await self._publisher.publish(arrange(records, self._chance, twice=self._twice))
            self._facts += len(entries)
            self._facts_up_to[day] = self._facts
            await self._look()
        await self._reach(self._ledger.ends_on + _ONE_DAY)  # The start of the day after closes the last one.
        while self._complete_up_to < self._ledger.ends_on:
            await self._wait(self._ledger.ends_on)
        return Played(self._facts, time.monotonic() - self._began_at)

    async def _have_done(self, acts: Sequence[Act], day: date) -> None:
        """Have people act before anything else of their day happens, when those services are there that decide and that settle."""
        for service in ("invoice", "payment") if acts else ():
            while (await self._services.days_of(service))["open_on"] < str(day):
                await self._wait(day)
        for act in acts:
            await self._people.act(act)

    async def _reach(self, day: date) -> None:
        """Start days up to and including one, as far ahead as allowed, and see their markers land."""
        while self._started_on < day:
            to_start = min(day, self._complete_up_to + AHEAD_DAYS_MAX * _ONE_DAY)
            if to_start <= self._started_on:
                await self._wait(to_start)
                continue
            await self._services.start_day(to_start)
            await self._markers.wait_for(to_start)
            self._started_on = to_start

    async def _wait(self, waited_for: date) -> None:
        await asyncio.sleep(_LOOK_SECONDS / 2)
        await self._look()
        still_seconds = time.monotonic() - self._moved_at
        if still_seconds > _SUSPECT_SECONDS:
            await self._markers.knock()
        if still_seconds > _STUCK_SECONDS:
            raise Stuck(waited_for, await self._standing())

    async def _look(self) -> None:
        """Ask the read model how far it is, a few times a second at most, and tell whoever watches."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        answer = (await self._services.days_of("reporting"))["complete_up_to"]
        complete_up_to = date.fromisoformat(answer) if answer else self._complete_up_to
        if complete_up_to > self._complete_up_to:
            self._complete_up_to, self._moved_at = complete_up_to, now
        self._watch(self._pace(now))

    def _pace(self, now: float) -> Pace:
        opens_on, ends_on = self._ledger.opens_on, self._ledger.ends_on
        done = max((facts for day, facts in self._facts_up_to.items() if day <= self._complete_up_to), default=0)
        seconds = max(now - self._began_at, 0.001)
        return Pace(
            day=min(self._started_on, ends_on),
            days_done=min((self._complete_up_to - opens_on).days + 1, (ends_on - opens_on).days + 1),
            days_all=(ends_on - opens_on).days + 1,
            facts=self._facts,
            facts_per_s=round(self._facts / seconds),
            behind_days=max(0, (min(self._started_on, ends_on) - self._complete_up_to).days),
            behind_facts=self._facts - done,
        )

    async def _standing(self) -> str:
        """Say how far every service is."""
        standing = []
        for service in self._services.urls:
            days = await self._services.days_of(service)
            standing.append(f"{service} {days['open_on']}" + (f" with {days['parked']} facts parked" if days["parked"] else ""))
        return ", ".join(standing)
