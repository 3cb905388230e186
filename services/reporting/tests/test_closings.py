"""What closed days leave behind, on a real Postgres: nothing a report answers may depend on it, and a rebuild must find the same."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chassis.database import Connection, Database
from reporting.domain import (
    CREDITED,
    DISCOUNTED,
    MEMO,
    ON_ACCOUNT,
    REALISED,
    REFUNDED,
    REVERSED,
    SETTLED,
    UNAPPLIED,
    UNIDENTIFIED,
    Deltas,
    Posting,
    Standing,
)
from reporting.queries import closings, exchange, figures, folds, gathering, matching, standings

pytestmark = pytest.mark.db

OPENS_ON = date(2026, 1, 5)
DAYS = 110
NOW = datetime(2026, 1, 5, tzinfo=UTC)
ENTITIES = ("US01", "JP01")
OF_MONEY = (UNAPPLIED, ON_ACCOUNT, MEMO, REVERSED, REFUNDED)
MADE_ANEW = ("item", "cube", "account_delta", "closing", "account_closing", "receipt_day", "exchange_delta")


@pytest.fixture
async def database(database_url: Callable[[str], str]) -> AsyncIterator[Database]:
    opened = await Database.open(database_url("reporting"))
    yield opened
    await opened.close()


@dataclass(frozen=True)
class Entry:
    """One fact of a random business: what it adds, under which dates; heard on `heard_on`, when that day or an earlier one is open."""

    entity: str
    account: str | None
    currency: str
    measure: str
    minor: int
    due_on: date
    effective_on: date
    booked_on: date
    heard_on: date
    number: int

    def add_to(self, deltas: Deltas) -> None:
        to = Posting(self.entity, self.account, self.currency, self.effective_on, self.booked_on)
        if self.account is None or self.measure in OF_MONEY:
            deltas.post(to, self.measure, self.minor)
            deltas.receipt(to, f"{self.entity}|R-{self.number}").free_minor += self.minor
            if self.account is not None:
                deltas.differ(to, REALISED, self.minor - 5_000)
        elif self.measure == "invoiced":
            deltas.issue(to, f"{self.entity}|{self.number}|1", self.account, self.due_on, self.minor)
        else:
            deltas.settle(to, self.measure, f"{self.entity}|{self.number}|1", self.account, self.due_on, self.minor)


def a_business(seed: int) -> list[Entry]:
    """Several hundred entries, each booked on the day it is heard or a later one, many effective before or after that."""
    dice, entries = random.Random(seed), []
    for number in range(500):
        heard_on = OPENS_ON + timedelta(days=dice.randrange(DAYS))
        booked_on = heard_on + timedelta(days=dice.choice([0, 0, 0, 0, 2]))
        effective_on = booked_on + timedelta(days=dice.choice([0, 0, 0, -1, -3, -45, 4, 40]))
        due_on = dice.choice([effective_on + timedelta(days=dice.randrange(-100, 90)), date.max])
        entity = dice.choice(ENTITIES)
        account, currency = dice.choice("ABCDEFab"), dice.choice(["USD", "USD", "EUR"])
        minor = dice.randrange(1, 10_000)

        def told(measure: str, amount: int, on: int = 0, owner: str | None = account, *, of: tuple[Any, ...] = ()) -> Entry:
            named, paid_in, n, due, effective, booked, heard = of
            later = timedelta(days=on)
            return Entry(named, owner, paid_in, measure, amount, due, effective + later, booked + later, heard + later, n)

        of = (entity, currency, number, due_on, effective_on, booked_on, heard_on)
        what = dice.randrange(5)
        if what < 3:
            entries.append(told("invoiced", minor, of=of))
        if what in (1, 2, 3):
            after = dice.randrange(40)  # Of 3 the item never comes: it stands with a negative open amount.
            entries.append(told(dice.choice([SETTLED, CREDITED, DISCOUNTED]), minor if what == 1 else minor // 2, after, of=of))
        if what == 4:
            entries.append(told(dice.choice(OF_MONEY), minor, of=of))
            entries.append(told(UNIDENTIFIED, minor, owner=None, of=of))
            entries.append(told(UNIDENTIFIED, -minor, dice.randrange(3), None, of=of))
    return entries


async def add(database: Database, entries: Sequence[Entry]) -> None:
    deltas = Deltas()
    for entry in entries:
        entry.add_to(deltas)
    async with database.transaction() as db:
        await folds.add_to_items(db, deltas.items, folded_at=NOW)
        await folds.add_to_accounts(db, deltas.accounts)
        await matching.add_to_receipts(db, deltas.receipts)
        await exchange.add_differences(db, deltas.exchange)
        await folds.add_to_cube(db, deltas.cube)


async def close(database: Database, day: date) -> None:
    """Close a day of both entities, as turning to the next does."""
    async with database.transaction() as db:
        for entity in ENTITIES:
            await closings.close(db, entity, day)
            await db.execute(
                "INSERT INTO chassis.day (entity, open_on) VALUES ($1, $2) ON CONFLICT (entity) DO UPDATE SET open_on = excluded.open_on",
                entity,
                day + timedelta(days=1),
            )


async def answers(db: Connection, entity: str, as_of: date, known_at: date | None) -> list[Any]:
    """Everything that is read off closings."""
    first, last = as_of.replace(day=1), as_of
    return [
        await standings.standing_of_entity(db, entity, as_of, known_at),
        *[
            await standings.standing_of_accounts(db, entity, as_of, known_at, order=order, limit=limit)
            for order in standings.ORDERS
            for limit in (None, 1, 3)
        ],
        await figures.roll_forward(db, entity, first, last, known_at),
        await figures.sold_and_written_off(db, entity, as_of, 20, known_at),
    ]


async def rows(db: Connection, schema: str = "public") -> dict[str, list[tuple[Any, ...]]]:
    found = {}
    for table in MADE_ANEW:
        of_table = await db.fetch(f"SELECT * FROM {schema}.{table}")
        found[table] = sorted([tuple(value for name, value in row.items() if name != "folded_at") for row in of_table], key=repr)
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_answer_depends_on_which_days_were_closed(database: Database, seed: int) -> None:
    """RPT-01, RPT-02, RPT-08: on several days, for random pairs of dates, with the closings and, in a transaction rolled back, without."""
    dice, business, compared = random.Random(seed), a_business(seed), 0
    for n in range(DAYS):
        day = OPENS_ON + timedelta(days=n)
        today = [entry for entry in business if entry.heard_on == day]
        half = dice.randrange(len(today) + 1)
        await add(database, today[:half])
        await close(database, day - timedelta(days=1))  # What is heard before the day opens is booked on it or later all the same.
        await add(database, today[half:])
        if n % 18 != 17:
            continue
        anywhere = [(OPENS_ON + timedelta(days=dice.randrange(-50, DAYS + 60))) for _ in range(6)]
        closed_on = day - timedelta(days=1)
        pairs = [(closed_on, None), (closed_on, day), (closed_on, closed_on - timedelta(days=20)), (day, None)]
        pairs += [(as_of, dice.choice([None, *anywhere])) for as_of in anywhere]
        for entity in ENTITIES:
            async with database.transaction() as db:
                with_closings = [await answers(db, entity, *pair) for pair in pairs]
                assert await closings.last_closing(db, entity) == closed_on  # So the first two pairs are read off it.
                await db.execute("DELETE FROM closing")
                without = [await answers(db, entity, *pair) for pair in pairs]
                await close_again(db, day)
            assert with_closings == without
            compared += sum(len(answer) for answer in with_closings)
    assert compared > 100


async def close_again(db: Connection, day: date) -> None:
    """Put back what a test has deleted."""
    await db.execute("DELETE FROM account_closing")
    for entity in ENTITIES:
        await closings.derive_for(db, entity, day - timedelta(days=1))


async def test_closings_day_by_day_are_those_of_a_rebuild(database: Database) -> None:
    """R1, R2: whatever order the facts come in and however they are cut, down to the row."""
    business = a_business(seed=5)
    for n in range(DAYS):
        day = OPENS_ON + timedelta(days=n)
        await add(database, [entry for entry in business if entry.heard_on == day])
        if n not in (40, 54, 55):  # Two times the closing fails, once at the end of February and the day after.
            await close(database, day)

    heard = [entry for entry in business if entry.heard_on < OPENS_ON + timedelta(days=DAYS)]
    random.Random(1).shuffle(heard)
    async with database.transaction() as db:
        await db.execute("CREATE SCHEMA rebuild; SET LOCAL search_path TO rebuild, public")
        for table in MADE_ANEW:
            await db.execute(f"CREATE TABLE rebuild.{table} (LIKE public.{table})")
        await gathering.prepare(db)
        for first in range(0, len(heard), 130):
            deltas = Deltas()
            for entry in heard[first : first + 130]:
                entry.add_to(deltas)
            await gathering.gather(db, deltas)
        await gathering.add_up(db, NOW)
        live, anew = await rows(db), await rows(db, "rebuild")
    assert all(live.values())
    for table in MADE_ANEW:
        assert anew[table] == live[table], table


async def test_a_currency_in_which_all_is_paid_is_still_answered_for_once_the_day_has_closed(database: Database) -> None:
    deltas, to = Deltas(), Posting("US01", "A", "EUR", OPENS_ON, OPENS_ON)
    deltas.issue(to, "US01|1|1", "A", OPENS_ON, 100)
    deltas.settle(to, SETTLED, "US01|1|1", "A", OPENS_ON, 100)
    deltas.post(Posting("US01", "A", "USD", OPENS_ON, OPENS_ON), UNAPPLIED, 70)
    async with database.transaction() as db:
        await folds.add_to_items(db, deltas.items, folded_at=NOW)
        await folds.add_to_accounts(db, deltas.accounts)
        await folds.add_to_cube(db, deltas.cube)
    await close(database, OPENS_ON)

    async with database.reading() as db:
        assert [one.currency for one in await standings.standing_of_entity(db, "US01", OPENS_ON, None)] == ["EUR", "USD"]
        assert [one.currency for one in await standings.standing_of_accounts(db, "US01", OPENS_ON, None)] == ["USD"]


async def test_closings_are_kept_of_months_ends_and_of_the_last_day(database: Database) -> None:
    deltas = Deltas()
    deltas.issue(Posting("US01", "A", "USD", OPENS_ON, OPENS_ON), "US01|1|1", "A", OPENS_ON + timedelta(days=30), 100)
    async with database.transaction() as db:
        await folds.add_to_items(db, deltas.items, folded_at=NOW)
        await folds.add_to_accounts(db, deltas.accounts)
        await folds.add_to_cube(db, deltas.cube)
    for n in range(60):
        await close(database, OPENS_ON + timedelta(days=n - 2))

    async with database.reading() as db:
        days = [row["closed_on"] for row in await db.fetch("SELECT DISTINCT closed_on FROM closing ORDER BY 1")]
        assert await closings.last_closing(db, "US01") == date(2026, 3, 3)
    assert days == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 3)]


@pytest.mark.parametrize(
    ("days_past_due", "place"), [(-5, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (400, 4)]
)
async def test_an_item_ages_from_bucket_to_bucket_while_days_close(database: Database, days_past_due: int, place: int) -> None:
    """RPT-01: by the closing alone, which moves it on the day it is due for that."""
    due_on = date(2026, 2, 1)
    deltas = Deltas()
    deltas.issue(Posting("US01", "A", "USD", OPENS_ON, OPENS_ON), "US01|1|1", "A", due_on, 100)
    async with database.transaction() as db:
        await folds.add_to_items(db, deltas.items, folded_at=NOW)
        await folds.add_to_accounts(db, deltas.accounts)
        await folds.add_to_cube(db, deltas.cube)
    day, last = OPENS_ON, due_on + timedelta(days=days_past_due)
    while day <= last:
        await close(database, day)
        day += timedelta(days=1)

    async with database.reading() as db:
        (found,) = await standings.standing_of_accounts(db, "US01", last, None)
    buckets = [0, 0, 0, 0, 0]
    buckets[place] = 100
    assert found == Standing("USD", "A", tuple(buckets), 0, 0, 0)
