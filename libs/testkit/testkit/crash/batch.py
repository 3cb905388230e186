"""Batch handling from the first record to the last: records out of memory, books in a real Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module
from typing import Any, Final

import msgspec
from chassis import business_day, streams, turning
from chassis.database import Connection, Database
from chassis.delivery import Delivery
from chassis.intake import Intake
from chassis.outbox import Wake
from chassis.service import Service
from chassis.turning import Turner
from events.invoice import CreditMemoIssued, InvoiceIssued

from testkit import toy
from testkit.crash import polls
from testkit.crash.lines import Books
from testkit.crash.polls import Poll
from testkit.service import FIRST_DAY, NOON, two_entities

_ACCOUNTS_AT_ONCE: Final = 2
_GIVEN: Final = ("id", "document_id", "place")
"""Columns with numbers that the database gives: a rollback uses them up."""


@dataclass(frozen=True, slots=True)
class DocumentsHandled:
    """The invoice service's handling of `polls.documents_and_money`; `url` is a database of its own."""

    url: str
    packages: Sequence[str] = ("chassis", "invoice")

    async def reset(self, db: Connection) -> None:
        await empty(db)

    async def go_on(self) -> None:
        service: Service = import_module("invoice.app").SERVICE
        await work_off(service, self.url, polls.documents_and_money())

    async def books(self, db: Connection) -> Books:
        return await books_of(db)

    def assert_right(self, books: Books) -> None:
        """Each document and each amount once, in order; what cannot be taken in set aside; the day open with all that waited for it."""
        opens = {row["item"]: row["open_minor"] for row in books["chk.item"]}
        assert opens == {"US01|D1|1": 900, "US01|D2|1": 1000, "US01|D3|1": 800, "US01|D4|1": 1000, "JP01|D3|1": 10}
        booked = {row["document"]: date.fromisoformat(row["booked_on"]) for row in books["chk.document"]}
        days = {"US01|D1": polls.DAY_BEFORE, "US01|D2": polls.DAY_BEFORE, "JP01|D3": polls.DAY_BEFORE}
        assert booked == {**days, "US01|D3": FIRST_DAY, "US01|D4": FIRST_DAY}
        assert sorted(row["reason"] for row in books["chk.parked"]) == ["behind", "failed", "gap"]
        assert len(books["chk.refused"]) == 2
        assert books["chk.held"] == []
        assert [(row["entity"], row["open_on"]) for row in books["chk.day"]] == [("JP01", str(polls.DAY_BEFORE)), ("US01", str(FIRST_DAY))]
        issued = [row["value"] for row in books["outbox"] if b'"instalments"' in row["value"]]
        said = ["US01|D1", "US01|D2", "JP01|D3", "US01|D3", "US01|D4"]
        assert [msgspec.json.decode(value, type=InvoiceIssued).invoice for value in issued] == said


@dataclass(frozen=True, slots=True)
class WaitsHandled:
    """The toy's handling of `polls.waits_and_days`, two accounts at once when the day turns; `url` is a database of its own."""

    url: str
    packages: Sequence[str] = ("chassis",)

    async def reset(self, db: Connection) -> None:
        await db.execute(toy.TABLES)
        await empty(db)

    async def go_on(self) -> None:
        toy.broken.add("C-4")
        turning.ACCOUNTS_AT_ONCE = _ACCOUNTS_AT_ONCE
        await work_off(toy.TOY, self.url, polls.waits_and_days())

    async def books(self, db: Connection) -> Books:
        return await books_of(db)

    def assert_right(self, books: Books) -> None:
        """Every fact once; what waited right after what it waited for, before what stood behind it; every account judged once but one."""
        numbers = [row["document_no"] for row in books["public.effect"]]
        assert sorted(numbers) == ["N-C-2", "N-C-3", "N-C-4", "N1", "N2", "R-1", "WAIT:X1", "X1"]
        judged = {row["account"]: row["effects"] for row in books["public.work"]}
        assert judged == {"C-1": 2, "C-2": 2, "C-3": 1, "X1": 1}
        parked = [(row["topic"], row["key"], row["reason"], row["state"]) for row in books["chk.parked"]]
        assert sorted(parked, key=repr) == [
            (polls.INVOICES, "US01|C-1", "behind", "redriven"),
            (polls.INVOICES, "US01|C-1", "waits", "redriven"),
            (polls.INVOICES, "US01|C-4", "day_work", "parked"),
        ]
        said = [row["value"] for row in books["outbox"] if row["key"] == "US01|C-1"]
        assert [msgspec.json.decode(value, type=CreditMemoIssued).document_no for value in said] == ["WAIT:X1", "N1", "N2"]
        assert [row["open_on"] for row in books["chk.day"]] == [str(polls.DAY_BEFORE), str(FIRST_DAY)]


async def work_off(service: Service, url: str, told: Sequence[Poll]) -> None:
    """Take in what the positions say is yet to be read, poll by poll, as a worker does from its start on."""
    database = await Database.open(url, connections_max=2)
    entities, wake = two_entities(), Wake()
    intake = Intake(Delivery(service, database, entities, _clock, wake), Turner(service, database, entities, _clock, wake, 1))
    places = [(topic, 0) for topic in service.subscriptions.topics]
    async with database.transaction() as db:
        await business_day.declare(db, entities)
        positions = await streams.start_positions(db, places)
    for poll in told:
        for place, records in poll.items():
            intake.keep(place, [record for record in records if record.offset >= positions[place]])
        await intake.work_off(places)
    await database.close()


def _clock() -> datetime:
    return NOON


async def empty(db: Connection) -> None:
    """Delete all rows of a service's database; its migrations stay."""
    tables = await db.fetch(
        """
        SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace IN ('chassis'::regnamespace, 'public'::regnamespace) AND relname <> 'alembic_version'
        ORDER BY NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'f')  -- Before what they refer to.
        """
    )
    await db.execute("; ".join(f"DELETE FROM {row['name']}" for row in tables))


async def books_of(db: Connection) -> Books:
    """Read all rows of the tables and `chk` views of a service's database, sorted, the outbox in its order."""
    names = await db.fetch(
        """
        SELECT relnamespace::regnamespace || '.' || relname AS name FROM pg_class
        WHERE (relkind = 'r' AND relnamespace IN ('chassis'::regnamespace, 'public'::regnamespace) AND relname <> 'outbox')
            OR (relkind = 'v' AND relnamespace = 'chk'::regnamespace)
        """
    )
    books: dict[str, list[Any]] = {row["name"]: [] for row in names}
    each = [f"SELECT '{name}' AS name, to_jsonb(kept) - $1::text[] AS content FROM {name} AS kept" for name in books]
    for row in await db.fetch(f"{' UNION ALL '.join(each)} ORDER BY name, content", list(_GIVEN)):
        books[row["name"]].append(msgspec.json.decode(row["content"]))
    outbox = await db.fetch("SELECT topic, key, partition, headers, value FROM chassis.outbox ORDER BY id")
    return {**books, "outbox": [dict(row) for row in outbox]}
