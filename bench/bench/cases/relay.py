"""The relay's end of the outbox: read in order, hand over, delete. Publishing itself goes nowhere and costs nothing here."""

import asyncio
import time
from collections.abc import Collection
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from chassis import outbox
from chassis.clock import system_clock
from chassis.outbox import Wake
from chassis.relay import ROWS_MAX, Relay
from chassis.service import Batch, Fact
from invoice.app import SERVICE as INVOICE
from launcher.topics import PARTITIONS

from bench.case import Case, Round, Target
from bench.contest import contest
from bench.facts import ENTITY
from bench.history import issue_of
from bench.ledger import Ledger
from bench.race import Race
from bench.station import Station, as_a_service, emptied, station

NAME: Final = "relay_drain"
NAMES: Final = (NAME,)
_SELECT: Final = "select"
_COLUMNS: Final = "topic, key, partition, headers, value, queued_at"
_KEEP: Final = "CREATE SCHEMA bench; CREATE TABLE bench.kept AS SELECT * FROM chassis.outbox; CREATE UNIQUE INDEX ON bench.kept (id)"
_REFILL: Final = f"INSERT INTO chassis.outbox ({_COLUMNS}) SELECT {_COLUMNS} FROM bench.kept ORDER BY id"
_PAGE: Final = f"SELECT id, {_COLUMNS} FROM bench.kept WHERE id > $1 ORDER BY id LIMIT {ROWS_MAX}"


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Fill the outbox with the facts of n invoices and time how long it takes to be empty; beside it, only reading the same rows."""
    async with station(race.track, INVOICE, "relay") as one, one.database.pool.acquire() as db:
        await _fill(one, race.sizes.n)
        await db.execute(_KEEP)
        await db.execute("TRUNCATE chassis.outbox")
        wake = Wake()
        relay = Relay(one.database.url, _Nowhere, wake, PARTITIONS)
        relaying = asyncio.create_task(relay.run())

        async def drain() -> Round:
            await db.execute(_REFILL)
            began_at = time.perf_counter()
            wake.set()
            await emptied(db)
            return Round(race.sizes.n, time.perf_counter() - began_at)

        async def select() -> Round:
            after, began_at = 0, time.perf_counter()
            while rows := await db.fetch(_PAGE, after):
                after = rows[-1]["id"]
            return Round(race.sizes.n, time.perf_counter() - began_at)

        try:
            with race.bar(NAME, race.sizes.rounds) as bar, as_a_service():
                rounds = await contest(race, {NAME: drain, _SELECT: select}, bar)
        finally:
            await relay.stop()
            await relaying
    return [Case(NAME, "facts", rounds[NAME], {_SELECT: rounds[_SELECT]}, (Target(19, 0.25, 0.5, _SELECT),))]


async def _fill(one: Station, n: int) -> None:
    issued = Ledger(n, max(1, n // 20), 0).spread_out()
    facts = [Fact(issue_of(billed), ENTITY, f"{ENTITY}|{billed.account}", billed.issued_on) for billed in issued]
    async with one.database.transaction() as db:
        await outbox.add(db, one.service, facts, Batch(one.service.name, system_clock(), one.worker.delivery.entities, {}))


class _Nowhere(AIOKafkaProducer):
    """A producer that fills its batches and then forgets them."""

    def __init__(self) -> None:
        super().__init__(compression_type="lz4", enable_idempotence=True, acks="all", max_batch_size=1_000_000)  # type: ignore[no-untyped-call]

    async def start(self) -> None:
        """There is nobody to connect to."""

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> "asyncio.Future[None]":
        """Take it for sent."""
        batch.close()
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent

    async def stop(self) -> None:
        """Close what was never opened, so that nobody complains of it."""
        await self.client.close()
        self._closed = True
