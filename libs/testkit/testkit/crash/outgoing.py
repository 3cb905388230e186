"""The relay from a full outbox to an empty one: rows in a real Postgres, and a broker whose log is a file."""

import asyncio
import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from chassis import outbox, relay
from chassis.database import Connection
from chassis.outbox import Marker, Wake
from chassis.record import Record
from chassis.relay import Relay
from chassis.service import Batch, Fact, Service, subscribe
from events import envelope as cloudevents
from events.invoice import CreditMemoIssued

from testkit.crash.batch import empty
from testkit.crash.lines import Books
from testkit.crash.polls import DAY_BEFORE
from testkit.patience import until
from testkit.service import FIRST_DAY, NOON, two_entities
from testkit.topic_log import days_of, is_whole

PARTITIONS: Final = 2
_TOPIC: Final = "receivables.invoice"
_SERVICE: Final = Service("invoice", _TOPIC, subscribe(forward=()), router="")
_KEYS: Final = ("US01|C-1", "US01|C-2", "US01|C-3")
_DAYS: Final = (DAY_BEFORE, FIRST_DAY)
_FACTS, _MARKERS = 2 * len(_KEYS) * len(_DAYS), PARTITIONS * len(_DAYS)
_ROWS_AT_ONCE: Final = 6
_RECORDS_PER_BATCH: Final = 2
_UNANSWERED: Final = 3  # Which batch of a producer's life, from 1, is written but not acknowledged, if it is its process's first producer.


class FileLog:
    """The log of a broker: what was appended stays, whoever is killed then. A batch is there as a whole or not at all."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def append(self, topic: str, partition: int, batch: Sequence[Any]) -> None:
        line = msgspec.json.encode((topic, partition, batch)) + b"\n"
        out = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(out, line)
        finally:
            os.close(out)

    def read(self) -> list[Record]:
        """Everything that stands there, partition by partition."""
        ends: dict[tuple[str, int], int] = {}
        records = []
        for line in self._path.read_bytes().splitlines():
            topic, partition, batch = msgspec.json.decode(line)
            for key, value, headers in batch:
                offset = ends[topic, partition] = ends.get((topic, partition), -1) + 1
                unpacked = [(name, base64.b64decode(content)) for name, content in headers]
                records.append(Record(topic, partition, offset, base64.b64decode(key), base64.b64decode(value), unpacked))
        return sorted(records, key=lambda record: record.place)


class FileBatch:
    """As much as one request carries."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def append(self, *, key: bytes, value: bytes, timestamp: None, headers: Sequence[tuple[str, bytes]]) -> object | None:
        """Take a record in; None when there is no room."""
        if len(self.records) == _RECORDS_PER_BATCH:
            return None
        self.records.append((key, value, headers))
        return self


class FileProducer:
    """
    What the relay asks of an idempotent producer. Batches are written when the loop comes round, in the order they were given.

    Where an answer fails to come, the sequence number of the batch is burnt: the producer writes nothing any more.
    """

    def __init__(self, log: FileLog, unanswered: int | None) -> None:
        self._log = log
        self._unanswered = unanswered
        self._batches = 0
        self._is_burnt = False

    async def start(self) -> None:
        await asyncio.sleep(0)

    async def stop(self) -> None:
        await asyncio.sleep(0)

    def create_batch(self) -> FileBatch:
        return FileBatch()

    async def send_batch(self, batch: FileBatch, topic: str, *, partition: int) -> "asyncio.Future[object]":
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[object] = loop.create_future()
        loop.call_soon(self._write, batch, topic, partition, acknowledged)
        return acknowledged

    def _write(self, batch: FileBatch, topic: str, partition: int, acknowledged: "asyncio.Future[object]") -> None:
        self._batches += 1
        if not self._is_burnt:
            self._log.append(topic, partition, batch.records)
        self._is_burnt |= self._batches == self._unanswered
        if self._is_burnt:
            acknowledged.set_exception(KafkaTimeoutError())
        else:
            acknowledged.set_result(None)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """
    A relay at work on a full outbox; `url` is a database of its own, `log` the broker's file.

    The outbox takes several reads, and the first producer of each process loses an answer.
    """

    url: str
    log: str
    packages: Sequence[str] = ("chassis",)

    async def reset(self, db: Connection) -> None:
        FileLog(Path(self.log)).clear()
        await empty(db)
        async with db.transaction():
            for day in _DAYS:
                batch = Batch(_SERVICE.name, NOON, two_entities(), {"US01": day})
                facts = [Fact(_memo(f"{day}-{n}-{key}"), "US01", key, day) for n in range(2) for key in _KEYS]
                await outbox.add(db, _SERVICE, facts, batch)
                next_day = day + timedelta(days=1)
                await outbox.add_markers(db, [Marker(_TOPIC, n, "US01", next_day) for n in range(PARTITIONS)], NOON)

    async def go_on(self) -> None:
        relay.ROWS_MAX = _ROWS_AT_ONCE
        unanswered = iter([_UNANSWERED])
        sends = Relay(
            self.url, lambda: cast(AIOKafkaProducer, FileProducer(FileLog(Path(self.log)), next(unanswered, None))), Wake(), PARTITIONS
        )
        db = await asyncpg.connect(self.url)
        running = asyncio.create_task(sends.run())
        await until(lambda: _is_empty(db))
        await sends.stop()
        await running
        await db.close()

    async def books(self, db: Connection) -> Books:
        """What stands in each partition, repeats left out; what was repeated in other words; what is left to say."""
        said: dict[int, dict[str, Record]] = {}
        reworded = []
        for record in FileLog(Path(self.log)).read():
            name = cloudevents.read(record.headers, record.value)[0].id
            first = said.setdefault(record.partition, {}).setdefault(name, record)
            if (first.value, first.headers) != (record.value, record.headers):
                reworded.append(name)
        firsts = [record for records in said.values() for record in records.values()]
        left = await db.fetchval("SELECT rows FROM chk.unpublished")
        heads = {row["key"]: row["sequence"] for row in await db.fetch("SELECT key, sequence FROM chk.stream_head")}
        return {
            "said": {partition: list(records) for partition, records in said.items()},
            "reworded": reworded,
            "left": left,
            "is whole": is_whole(firsts, heads),
            "days": days_of(firsts),
        }

    def assert_right(self, books: Books) -> None:
        """Every fact was said, in the order of its stream, no marker before what was booked before it, and nothing is left."""
        assert (books["is whole"], books["reworded"], books["left"]) == (True, [], 0)
        assert sum(map(len, books["said"].values())) == _FACTS + _MARKERS
        assert [days == sorted(days) for days in books["days"].values()] == [True] * PARTITIONS


async def _is_empty(db: asyncpg.Connection) -> bool:
    return bool(await db.fetchval("SELECT rows = 0 FROM chk.unpublished"))


def _memo(number: str) -> CreditMemoIssued:
    return CreditMemoIssued(
        entity="US01",
        memo=f"US01|{number}",
        document_no=number,
        type="381",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=FIRST_DAY,
        total="1.00",
    )
