"""
What one event costs, stage by stage, in microseconds of CPU: the real code of a service in this process, its Postgres backends apart.

`decode` reads the envelopes, `sift` the contents, and tells new from known; `handler` decides; `write` is the client's side of every
statement, reads included; `relay` takes the facts that follow to the real Kafka. `pg_write` and `pg_relay` are what Postgres did for them.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from chassis.record import Record
from chassis.service import Service
from credit.app import SERVICE as CREDIT
from dunning.app import SERVICE as DUNNING
from invoice.app import SERVICE as INVOICE
from launcher import topics
from payment.app import SERVICE as PAYMENT
from reporting.app import SERVICE as REPORTING

from bench import floor
from bench.case import FLOOR, Case, Round
from bench.contest import ATTEMPTS_MAX, contest
from bench.facts import OPENS_ON, Told
from bench.facts import Record as ToldRecord
from bench.history import History, Published, entry_of
from bench.ledger import Billed, Ledger
from bench.race import Race
from bench.scratch import backends_of
from bench.stages import SIFT, StageClock, WatchedDatabase, watched
from bench.station import AT_ONCE, Station, as_a_service, station
from bench.track import APPLICATION

_DECODE: Final = "decode"
_TOPIC: Final = "bench.relay"  # Nobody listens: the relay's own cost, and nobody's books.
Telling = Callable[[int], Sequence[ToldRecord | Published]]


@dataclass(frozen=True, slots=True)
class _Stream:
    """What a service is fed: `prepare` without being measured, `tell` as what counts; both get the number of facts."""

    service: Service
    unit: str
    tell: Telling
    prepare: Telling | None = None


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Feed each service what it mostly hears; beside it, the floor does the least with the same records."""
    await asyncio.to_thread(topics.ensure, race.track.urls.kafka, [_TOPIC])
    return [await _measure(race, name, stream) for name, stream in _streams(race).items() if name in wanted]


def _streams(race: Race) -> dict[str, _Stream]:
    told, most = Told(), race.sizes.n * (race.sizes.rounds + 1) * ATTEMPTS_MAX
    receipts = _Receipts(most)
    return {
        "stages_invoice": _Stream(INVOICE, "invoices", told.issue),
        "stages_payment": _Stream(PAYMENT, "receipts", receipts.pay, receipts.issue),
        "stages_credit": _Stream(CREDIT, "facts", History(Ledger.of_facts(2 * most).spread_out()).take),
        "stages_dunning": _Stream(DUNNING, "facts", History(Ledger.of_facts(2 * most).spread_out()).take),
        "stages_reporting": _Stream(REPORTING, "facts", History(Ledger.of_facts(2 * most).spread_out()).take),
    }


NAMES: Final = ("stages_invoice", "stages_payment", "stages_credit", "stages_dunning", "stages_reporting")


class _Receipts:
    """Items all issued on the first day, and the receipts that pay them in full."""

    def __init__(self, most: int) -> None:
        ledger = Ledger(most, max(1, most // 20), 0).spread_out()
        self._items = map(_on_the_first_day, ledger)
        self._issued: list[Billed] = []
        self._history = History(self._remembered())

    def issue(self, n: int) -> Sequence[Published]:
        return self._history.take(n)

    def pay(self, n: int) -> Sequence[Published]:
        paid, self._issued = self._issued[:n], self._issued[n:]
        return [entry_of(billed) for billed in paid]

    def _remembered(self) -> Iterator[Billed]:
        for billed in self._items:
            self._issued.append(billed)
            yield billed


def _on_the_first_day(billed: Billed) -> Billed:
    due_on = OPENS_ON + timedelta(days=30)
    return replace(billed, issued_on=OPENS_ON, booked_on=OPENS_ON - timedelta(days=1), due_on=due_on, paid=None)


async def _measure(race: Race, name: str, stream: _Stream) -> Case:
    clock, last = StageClock(), list[Record]()
    service = watched(replace(stream.service, topic=_TOPIC), clock)
    async with station(race.track, service, name, lambda url: WatchedDatabase.opened(url, clock)) as one:

        async def subject() -> Round:
            if stream.prepare:
                await one.take(one.receive(stream.prepare(race.sizes.n)))
                await one.relay()
            last[:] = one.receive(stream.tell(race.sizes.n))
            return await _staged(race, one, clock, last, backends_of(name))

        async def beside() -> Round:
            async with race.track.measured() as usage:
                seconds = await floor.copy(one.database.url, last)
            used = usage.per(len(last))
            return Round(len(last), seconds, {"decode_and_copy": used[APPLICATION], "pg_copy": used.get(backends_of(name), 0.0)})

        with race.bar(name, race.sizes.rounds) as bar:
            rounds = await contest(race, {name: subject, FLOOR: beside}, bar)
        case = Case(name, stream.unit, rounds[name], {FLOOR: rounds[FLOOR]})
        aside = await one.database.pool.fetchrow(
            "SELECT (SELECT count(*) FROM chk.parked) AS parked, (SELECT count(*) FROM chk.refused) AS refused"
        )
    if any(aside.values()):
        case.differences.append(f"{stream.service.name}: {dict(aside)}")
    return case


async def _staged(race: Race, one: Station, clock: StageClock, records: Sequence[Record], backends: str) -> Round:
    """Take the records in under the clock, then relay what follows from them."""
    n, cpu_us = len(records), dict[str, float]()
    clock.seconds.clear()
    with as_a_service():
        async with race.track.measured() as taking:
            began_at = time.perf_counter()
            for first in range(0, n, AT_ONCE):
                with clock.stage(_DECODE):
                    one.keep(records[first : first + AT_ONCE])
                with clock.stage(SIFT):
                    await one.work_off()
            seconds = time.perf_counter() - began_at
        cpu_us |= clock.per_us(n) | {"pg_write": taking.per(n).get(backends, 0.0)}
        async with race.track.measured() as relaying:
            relayed = await one.relay()
    if relayed:
        cpu_us |= {"relay": relaying.per(n)[APPLICATION], "pg_relay": relaying.per(n).get(backends, 0.0)}
    return Round(n, seconds, cpu_us)
