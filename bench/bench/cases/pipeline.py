"""Throughput: ERP invoices, then bank receipts, from Kafka through all services into the read model."""

import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

from bench import books, floor, scratch
from bench.case import FLOOR, Case, Round, Target
from bench.contest import Contender, contest
from bench.facts import Record
from bench.kafka import Ends
from bench.naive.hop import Hop, fewer
from bench.race import Bar, Race
from bench.track import APPLICATION

INVOICES: Final = "pipeline_invoices"
RECEIPTS: Final = "pipeline_receipts"
NAMES: Final = (INVOICES, RECEIPTS)
_NAIVE: Final = "naive_pipeline"
_LABEL: Final = "naive"
_ON_FLOOR: Final = Target(1, 0.03, 0.06)
_ON_NAIVE: Final = Target(2, 15, 40, _NAIVE)


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """
    Publish n invoices and wait until every service has them, round after round, the books growing; then n receipts that pay them.

    The floor takes the bytes of the part before it. The naive pipeline is computed from what one naive hop costs: as many hops as there are
    services, every core busy with nothing else, the way through Kafka for nothing. A real one would be slower.
    """
    cases: list[Case] = []
    told, n = race.track.told, race.sizes.n
    with race.bar("pipeline", 2 * race.sizes.rounds) as bar:
        if INVOICES in wanted:
            case = Case(INVOICES, "invoices", targets=(_ON_FLOOR, _ON_NAIVE))
            async with scratch.database(race.track, "invoice", _LABEL) as dsn, Hop.opened(dsn) as hop:
                part = Part(race, case, lambda: issue(race))
                await _fill(race, case, part, bar, {_NAIVE: lambda: _naive_pipeline(race, hop)})
            race.peak = case.rate.median if case.rate else None
            cases.append(case)
        if RECEIPTS in wanted:
            case = Case(RECEIPTS, "receipts", targets=(_ON_FLOOR,))

            async def pay() -> Sequence[Record]:
                missing = n - (told.invoices - told.receipts)
                if missing > 0:
                    await race.track.kafka.publish(told.issue(missing))
                    await race.track.catch_up()
                return told.pay(n)

            await _fill(race, case, Part(race, case, pay), bar, {})
            cases.append(case)
    return cases


async def peak(race: Race) -> float:
    """Return the invoices a second that the pipeline takes; measured now where that was not done before."""
    if race.peak is None:
        case = Case(INVOICES, "invoices")
        part = Part(race, case, lambda: issue(race))
        await part.subject()  # Warm-up.
        race.peak = (await part.subject()).rate
    return race.peak


async def issue(race: Race) -> Sequence[Record]:
    """Return the next n invoices."""
    return race.track.told.issue(race.sizes.n)


class Part:
    """Publishes what `make` gives and waits until every service has handled it; the floor then takes the same bytes."""

    def __init__(self, race: Race, case: Case, make: Callable[[], Awaitable[Sequence[Record]]]) -> None:
        self._race = race
        self._case = case
        self._make = make
        self._span: tuple[Ends, Ends] = ({}, {})

    async def subject(self) -> Round:
        track = self._race.track
        records = await self._make()
        since = await track.kafka.ends()
        async with track.measured() as usage:
            await track.kafka.publish(records)
            await track.catch_up()
        self._case.differences += await books.differences(track)
        self._span = since, {tp: end for tp, end in (await track.kafka.ends()).items() if tp.topic == records[0].topic}
        return usage.round_of(len(records))

    async def floor(self) -> Round:
        track = self._race.track
        return Round(*await floor.race(track.kafka.bootstrap, track.urls.databases["reporting"], *self._span))


async def _fill(race: Race, case: Case, part: Part, bar: Bar, others: Mapping[str, Contender]) -> None:
    rounds = await contest(race, {case.name: part.subject, FLOOR: part.floor, **others}, bar)
    case.subject = rounds.pop(case.name)
    case.references = rounds


async def _naive_pipeline(race: Race, hop: Hop) -> Round:
    n = fewer(race.sizes.n)
    async with race.track.measured() as usage:
        await hop.take(n)
    hop_us = sum(used for name, used in usage.cpu_us.items() if name in (APPLICATION, scratch.backends_of(_LABEL))) / n
    cores = len(os.sched_getaffinity(0))
    seconds = n * len(race.track.services) * hop_us / 1e6 / cores
    return Round(n, seconds, {"naive_hop": round(hop_us, 1)})
