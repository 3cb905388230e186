"""
The read model made anew from its facts: by the live projector on an empty database, and by the rebuild beside a live model.

The facts are those of a ledger, told straight into the domain topics as the invoice and the payment service would have published them.
Everything else is stopped and the topics are emptied first, so this case comes last: the stack's own books are gone afterwards.
"""

import asyncio
import time
from collections.abc import Collection
from contextlib import AsyncExitStack
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from chassis.clock import system_clock
from chassis.database import Database
from chassis.entities import load_entities
from chassis.rebuild import Rebuild, RebuildRefused
from launcher import topics
from launcher.topics import PARTITIONS
from launcher.trouble import Trouble
from reporting.app import SERVICE as REPORTING

from bench import floor, kafka, scratch
from bench.case import FLOOR, Case, Round, Target
from bench.contest import Contender, contest
from bench.history import History
from bench.kafka import Ends, Kafka
from bench.ledger import Ledger, Outcome
from bench.race import Bar, Race
from bench.station import as_a_service
from bench.track import APPLICATION

REBUILD: Final = "rebuild"
LIVE: Final = "replay"
NAMES: Final = (LIVE, REBUILD)
_LABEL: Final = "replay"
_AT_ONCE: Final = 20_000
_LOOK_SECONDS: Final = 0.02
_STUCK_SECONDS: Final = 60
_OPEN: Final = "SELECT currency, sum(open_minor)::bigint AS minor FROM chk.item GROUP BY currency"
_BALANCE: Final = "SELECT currency, sum(balance_minor)::bigint AS minor FROM chk.balance GROUP BY currency"


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """
    Tell so many facts, then let the live projector, the rebuild and the floor take all of them, round after round.

    The projector's clock starts at its first committed batch, which does not count: what comes before is the start of a process. The
    rebuild's ends when the new model has been compared with the live one and has replaced it.
    """
    live = Case(LIVE, "facts", targets=(Target(8, 0.20, 0.33),))
    rebuild = Case(REBUILD, "facts", targets=(Target(8, 0.20, 0.33), Target(9, 2.5, 5, LIVE)))
    with race.bar(f"{LIVE} and {REBUILD} of {race.sizes.facts:,} facts", race.sizes.rounds) as bar:
        bootstrap = await _clear(race)
        async with kafka.connected(bootstrap, PARTITIONS) as client:
            outcome = await _tell(client, race.sizes.facts, bar)
            ends = {tp: end for tp, end in (await client.ends()).items() if end}
        models = _Models(race, ends, outcome, (live, rebuild))
        try:
            contenders: dict[str, Contender] = {LIVE: models.live, REBUILD: models.rebuild, FLOOR: models.floor}
            rounds = await contest(race, contenders, bar, warm_up=False)
        finally:
            await models.drop()
    live.subject, live.references = rounds[LIVE], {FLOOR: rounds[FLOOR]}
    rebuild.subject, rebuild.references = rounds[REBUILD], {FLOOR: rounds[FLOOR], LIVE: rounds[LIVE]}
    return [case for case in (live, rebuild) if case.name in wanted]


async def _clear(race: Race) -> str:
    """Stop every service and empty the topics; return the broker's address."""
    await asyncio.to_thread(race.track.stack.fleet.stop)
    bootstrap = race.track.urls.kafka
    await asyncio.to_thread(topics.recreate, bootstrap)
    return bootstrap


async def _tell(client: Kafka, n: int, bar: Bar) -> Outcome:
    history = History(Ledger.of_facts(n).spread_out())
    while facts := history.take(_AT_ONCE):
        await client.pour(facts)
        bar.tell(f"{history.outcome.facts:,} facts told")
    return history.outcome


class _Models:
    """The contenders. The projector leaves its model for the rebuild, which puts the same in its place."""

    def __init__(self, race: Race, ends: Ends, outcome: Outcome, cases: tuple[Case, Case]) -> None:
        self._race = race
        self._ends = ends
        self._outcome = outcome
        self._of_live, self._of_rebuild = cases
        self._opened = AsyncExitStack()
        self._dsn = ""

    async def live(self) -> Round:
        """Start the service on an empty database and wait until it has everything."""
        await self.drop()
        self._dsn = await self._opened.enter_async_context(scratch.database(self._race.track, REPORTING.name, _LABEL))
        db = await asyncpg.connect(self._dsn, server_settings={"application_name": APPLICATION})
        try:
            async with scratch.process(self._race.track, "replay", ["chassis", REPORTING.name, "worker"], self._dsn):
                await self._until(db, 1)
                async with self._race.track.measured() as usage:
                    first = await self._until(db, 1)  # Once more: the projector did not wait for us to start counting.
                    n = await self._until(db, sum(self._ends.values())) - first
            await self._check(db, self._of_live)
        finally:
            await db.close()
        return usage.round_of(n)

    async def rebuild(self) -> Round:
        """Rebuild beside that model, in this process."""
        track = self._race.track
        database, entities = await Database.open(self._dsn), load_entities(track.stack.entities.path)
        reader = AIOKafkaConsumer(bootstrap_servers=track.urls.kafka, enable_auto_commit=False, isolation_level="read_committed")
        await reader.start()
        try:
            with as_a_service():
                async with track.measured() as usage:
                    rebuilt = await Rebuild(REPORTING, database, entities, system_clock).run(reader, PARTITIONS)
            if rebuilt.differing:
                self._of_rebuild.differences.append(f"reporting: rebuilt differently: {', '.join(rebuilt.differing)}")
            async with database.pool.acquire() as db:
                await self._check(db, self._of_rebuild)
        except RebuildRefused as refused:
            raise Trouble(f"The read model could not be rebuilt: {refused}.") from refused
        finally:
            await reader.stop()
            await database.close()
        return usage.round_of(rebuilt.facts)

    async def floor(self) -> Round:
        """Decode and COPY everything."""
        track = self._race.track
        return Round(*await floor.race(track.kafka.bootstrap, self._dsn, dict.fromkeys(self._ends, 0), self._ends))

    async def drop(self) -> None:
        """Drop the model."""
        await self._opened.aclose()

    async def _until(self, db: asyncpg.Connection, wanted: int) -> int:
        """Wait until so many records were handled; return how many there are then. Trouble when nothing moves for a minute."""
        moved_at, last = time.monotonic(), 0
        while True:
            handled: int = await db.fetchval("SELECT coalesce(sum(next_offset), 0)::bigint FROM chk.position")
            if handled >= wanted:
                return handled
            if handled > last:
                last, moved_at = handled, time.monotonic()
            elif time.monotonic() - moved_at > _STUCK_SECONDS:
                raise Trouble(f"The read model stands at {handled} of {wanted} records: look at the logs in {self._race.track.logs}.")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _check(self, db: asyncpg.Connection, case: Case) -> None:
        """Compare the books with what was told."""
        expected = {currency: minor for currency, minor in self._outcome.open_minor.items() if minor}
        for what, query in (("open", _OPEN), ("a balance of", _BALANCE)):
            found = {row["currency"]: row["minor"] for row in await db.fetch(query) if row["minor"]}
            if found != expected:
                case.differences.append(f"reporting: {what} {found} instead of {expected} (minor units)")
        items, parked = await db.fetchrow("SELECT (SELECT count(*) FROM chk.item), (SELECT count(*) FROM chk.parked)")
        if (items, parked) != (self._outcome.items, 0):
            case.differences.append(f"reporting: {items} items instead of {self._outcome.items}, {parked} facts parked")
