"""
Latency at 50 facts a second, from the instant a fact was due to be published until a reader of the read model sees its effect.

An open loop: the schedule is fixed, and a fact that leaves late is still timed from when it should have left. Every second fact is an
invoice, seen when its item is there; the others are receipts, seen when the item they pay is closed. The reader asks every few
milliseconds, and what it sees is committed. The floor follows the same topics at the same time: one COPY into one table.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from bench import books
from bench.case import Case, percentiles_ms
from bench.facts import Record
from bench.floor import Follower
from bench.race import Race

NAME: Final = "latency"
FACTS_A_SECOND: Final = 50
_LOOK_SECONDS: Final = 0.004
_PATIENCE_SECONDS: Final = 30
_KINDS: Final = {"erp.documents": "invoice", "bank.entries": "receipt"}
_SEEN: Final = """
    SELECT i.item FROM chk.item i JOIN unnest($1::text[], $2::boolean[]) AS w (item, closes) USING (item)
    WHERE (i.open_minor = 0) = w.closes
"""


async def run(race: Race) -> list[Case]:
    """Publish on schedule, watch the read model, compare with the floor."""
    case = Case(NAME, "facts")
    track, told = race.track, race.track.told
    facts = FACTS_A_SECOND * race.sizes.seconds
    with race.bar(f"{NAME} at {FACTS_A_SECOND} facts/s for {race.sizes.seconds} s", 2) as bar:
        await track.kafka.publish(told.issue(facts // 2))  # To be paid.
        await track.catch_up()
        bar.step()
        receipts, invoices = told.pay(facts // 2), told.issue(facts // 2)
        schedule = [one for pair in zip(invoices, receipts, strict=True) for one in pair]
        race.noise.look()
        ends = {tp: end for tp, end in (await track.kafka.ends()).items() if tp.topic in _KINDS}
        follower, reader = Follower(), _Reader(race, len(schedule))
        async with follower.following(track.kafka.bootstrap, track.urls.databases["reporting"], ends), asyncio.TaskGroup() as group:
            group.create_task(_publish(race, schedule, reader))
            group.create_task(reader.read())
        await track.catch_up()
        bar.step()
    case.differences += await books.differences(track)
    if reader.missing:
        case.differences.append(f"{reader.missing} facts were not visible within {_PATIENCE_SECONDS} s")
    case.latency_ms = {
        "all": percentiles_ms(list(reader.latencies.values())),
        **{
            name: percentiles_ms([reader.latencies[one] for one in reader.latencies if one.topic == topic])
            for topic, name in _KINDS.items()
        },
        "floor": percentiles_ms([follower.seen_at[one.id] - at for one, at in reader.due_at.items() if one.id in follower.seen_at]),
    }
    return [case]


async def _publish(race: Race, schedule: Sequence[Record], reader: "_Reader") -> None:
    """Publish each fact at its instant, without waiting for the acknowledgement of those before."""
    began_at = time.perf_counter() + 0.5
    async with asyncio.TaskGroup() as group:
        for n, one in enumerate(schedule):
            at = began_at + n / FACTS_A_SECOND
            await asyncio.sleep(at - time.perf_counter())
            reader.due_at[one] = at
            group.create_task(race.track.kafka.publish([one]))


class _Reader:
    """Asks the read model for what was due and has not been seen; an invoice and a receipt of the schedule never share an item."""

    def __init__(self, race: Race, facts: int) -> None:
        self._db = race.track.dbs["reporting"]
        self._facts = facts
        self.due_at: dict[Record, float] = {}
        self.latencies: dict[Record, float] = {}

    @property
    def missing(self) -> int:
        return self._facts - len(self.latencies)

    async def read(self) -> None:
        """Ask until everything was seen, or nothing new for half a minute."""
        moved_at = time.perf_counter()
        while self.missing and time.perf_counter() - moved_at < _PATIENCE_SECONDS:
            waiting = {one.item: one for one in self.due_at if one not in self.latencies}
            if waiting:
                closes = [one.topic == "bank.entries" for one in waiting.values()]
                rows = await self._db.fetch(_SEEN, list(waiting), closes)
                now = time.perf_counter()
                for row in rows:
                    one, moved_at = waiting[row["item"]], now
                    self.latencies[one] = now - self.due_at[one]
            await asyncio.sleep(_LOOK_SECONDS)
