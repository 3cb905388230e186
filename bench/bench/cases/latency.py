"""
Latency from the instant a fact was due to be published until a reader of the read model sees its effect; and how old the outbox grows.

An open loop: the schedule is fixed, and a fact that leaves late is still timed from when it should have left. An invoice is seen when its
item is there, a receipt when the item it pays is closed. The reader asks every few milliseconds, and what it sees is committed. The floor
follows the same topics at the same time: one hop, one COPY into one table.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import Final

import asyncpg

from bench import books
from bench.case import Case, Round, Target
from bench.cases import pipeline
from bench.facts import Record
from bench.floor import Follower
from bench.histogram import Histogram
from bench.race import Race

MIXED: Final = "latency"
AT_5: Final = "latency_5_percent"
AT_50: Final = "latency_50_percent"
OUTBOX_AGE: Final = "outbox_age"
NAMES: Final = (MIXED, AT_5, AT_50, OUTBOX_AGE)
FACTS_A_SECOND: Final = 50
_HOPS: Final = 2
_LOOK_SECONDS: Final = 0.004
_AGE_LOOK_SECONDS: Final = 0.01
_PATIENCE_SECONDS: Final = 30
_KINDS: Final = {"erp.documents": "invoice", "bank.entries": "receipt"}
_SEEN: Final = """
    SELECT i.item FROM chk.item i JOIN unnest($1::text[], $2::boolean[]) AS w (item, closes) USING (item)
    WHERE (i.open_minor = 0) = w.closes
"""
_AGE: Final = "SELECT extract(epoch FROM clock_timestamp() - oldest_at)::float8 FROM chk.unpublished"
_P50_ON_HOPS: Final = Target(5, 1 / 4, 1 / 2.5, "hops_p50")
_P99_ON_HOPS: Final = Target(5, 1 / 25, 1 / 12, "hops_p50")
_P99_ON_5: Final = Target(6, 1 / 8, 1 / 4, "p99_at_5_percent")


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """
    Measure at 50 facts a second, half of them receipts, and with invoices alone at 5 % and 50 % of the measured peak.

    The cases `…_p50` and `…_p99` set one percentile beside so many hops of the floor: a commit and a way through Kafka each.
    """
    cases: list[Case] = []
    if MIXED in wanted:
        cases.append(await _mixed(race))
    at_5 = await _share(race, AT_5, 0.05) if {AT_5, AT_50} & set(wanted) else None
    if at_5:
        cases += [at_5, *_beside_hops(at_5)]
    if {AT_50, OUTBOX_AGE} & set(wanted):
        ages = Case(OUTBOX_AGE, "looks")
        at_50 = await _share(race, AT_50, 0.5, ages)
        cases += [at_50, ages]
        if at_5:
            cases.append(
                _beside(f"{AT_50}_p99", _P99_ON_5, at_50.latency["invoice"].percentile(0.99), at_5.latency["invoice"].percentile(0.99))
            )
    return cases


async def _mixed(race: Race) -> Case:
    case, track, told = Case(MIXED, "facts"), race.track, race.track.told
    facts = FACTS_A_SECOND * race.sizes.seconds
    with race.bar(f"{MIXED} at {FACTS_A_SECOND} facts/s for {race.sizes.seconds} s", 2) as bar:
        await track.kafka.publish(told.issue(facts // 2))  # To be paid.
        await track.catch_up()
        bar.step()
        receipts, invoices = told.pay(facts // 2), told.issue(facts // 2)
        await _measure(race, case, [one for pair in zip(invoices, receipts, strict=True) for one in pair], FACTS_A_SECOND)
        bar.step()
    return case


async def _share(race: Race, name: str, share: float, ages: Case | None = None) -> Case:
    """Publish invoices at a share of the peak rate; where asked for, look at the age of the outbox meanwhile."""
    case = Case(name, "invoices")
    rate, seconds = await pipeline.peak(race) * share, max(3, race.sizes.seconds // 3)
    with race.bar(f"{name}: {rate:,.0f} invoices/s for {seconds} s", 1) as bar:
        schedule = race.track.told.issue(int(rate * seconds))
        watching = asyncio.create_task(_watch_outbox(race, ages)) if ages else None
        await _measure(race, case, schedule, rate)
        if watching:
            watching.cancel()
            await asyncio.wait([watching])
        bar.step()
    case.notes["invoices_a_second"] = round(rate, 1)
    return case


async def _measure(race: Race, case: Case, schedule: Sequence[Record], rate: float) -> None:
    """Publish on schedule, watch the read model, compare with the floor."""
    track = race.track
    race.noise.look()
    ends = {tp: end for tp, end in (await track.kafka.ends()).items() if tp.topic in _KINDS}
    follower, reader = Follower(), _Reader(race, len(schedule))
    async with follower.following(track.kafka.bootstrap, track.urls.databases["reporting"], ends), asyncio.TaskGroup() as group:
        group.create_task(_publish(race, schedule, reader, rate))
        group.create_task(reader.read())
    await track.catch_up()
    case.differences += await books.differences(track)
    if reader.missing:
        case.differences.append(f"{reader.missing} facts were not visible within {_PATIENCE_SECONDS} s")
    case.latency = {
        **{
            name: Histogram(reader.latencies[one] for one in reader.latencies if one.topic == topic)
            for topic, name in _KINDS.items()
            if any(one.topic == topic for one in schedule)
        },
        "floor": Histogram(follower.seen_at[one.id] - at for one, at in reader.due_at.items() if one.id in follower.seen_at),
    }


def _beside_hops(case: Case) -> list[Case]:
    hops = _HOPS * case.latency["floor"].percentile(0.5)
    return [
        _beside(f"{case.name}_p50", _P50_ON_HOPS, case.latency["invoice"].percentile(0.5), hops),
        _beside(f"{case.name}_p99", _P99_ON_HOPS, case.latency["invoice"].percentile(0.99), hops),
    ]


def _beside(name: str, target: Target, seconds: float, others: float) -> Case:
    """Set one duration beside another: the ratio is that of their inverses, so more is better here, too."""
    return Case(name, "inverse", [Round(1, seconds)], {target.reference: [Round(1, others)]}, (target,))


async def _watch_outbox(race: Race, ages: Case) -> None:
    """Ask again and again for the age of the oldest fact that waits to be sent; nothing waiting counts as no age."""
    found = ages.latency["invoice"] = Histogram()
    db = await asyncpg.connect(race.track.urls.databases["invoice"])
    try:
        while True:
            found.add(await db.fetchval(_AGE) or 0.0)
            await asyncio.sleep(_AGE_LOOK_SECONDS)
    finally:
        await db.close()


async def _publish(race: Race, schedule: Sequence[Record], reader: "_Reader", rate: float) -> None:
    """Publish each fact at its instant, without waiting for the acknowledgement of those before."""
    began_at = time.perf_counter() + 0.5
    async with asyncio.TaskGroup() as group:
        for n, one in enumerate(schedule):
            at = began_at + n / rate
            await asyncio.sleep(at - time.perf_counter())
            reader.due(one, at)
            group.create_task(race.track.kafka.publish([one]))


class _Reader:
    """Asks the read model for what was due and has not been seen; an invoice and a receipt of the schedule never share an item."""

    def __init__(self, race: Race, facts: int) -> None:
        self._db = race.track.dbs["reporting"]
        self._facts = facts
        self._waiting: dict[str, Record] = {}
        self.due_at: dict[Record, float] = {}
        self.latencies: dict[Record, float] = {}

    @property
    def missing(self) -> int:
        return self._facts - len(self.latencies)

    def due(self, one: Record, at: float) -> None:
        """Expect a fact that was due at this instant."""
        self.due_at[one] = at
        self._waiting[one.item] = one

    async def read(self) -> None:
        """Ask until everything was seen, or nothing new for half a minute."""
        moved_at = time.perf_counter()
        while self.missing and time.perf_counter() - moved_at < _PATIENCE_SECONDS:
            if self._waiting:
                asked = list(self._waiting.values())
                closes = [one.topic == "bank.entries" for one in asked]
                rows = await self._db.fetch(_SEEN, [one.item for one in asked], closes)
                now = time.perf_counter()
                for row in rows:
                    one, moved_at = self._waiting.pop(row["item"]), now
                    self.latencies[one] = now - self.due_at[one]
            await asyncio.sleep(_LOOK_SECONDS)
