"""A sweep kills at every line of a work, and tells a work that can be gone on with from one that cannot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from chassis.database import Connection, Database
from testkit.crash.lines import Books, Sweeper

pytestmark = pytest.mark.db


@dataclass(frozen=True)
class Entries:
    """Two rows that belong together, written in one transaction or, carelessly, in two."""

    url: str
    is_careful: bool
    packages: Sequence[str] = ("chassis",)

    async def reset(self, db: Connection) -> None:
        await db.execute("DELETE FROM chassis.calendar")

    async def go_on(self) -> None:
        database = await Database.open(self.url)
        async with database.transaction() as db:
            begun = await db.fetchval("SELECT count(*) > 0 FROM chassis.calendar")
            if not begun:
                await write(db, "A")
                if self.is_careful:
                    await write(db, "B")
        if not begun and not self.is_careful:
            async with database.transaction() as db:
                await write(db, "B")
        await database.close()

    async def books(self, db: Connection) -> Books:
        return {"entities": [row["entity"] for row in await db.fetch("SELECT entity FROM chassis.calendar ORDER BY entity")]}

    def assert_right(self, books: Books) -> None:
        assert books == {"entities": ["A", "B"]}


async def write(db: Connection, entity: str) -> None:
    await db.execute("INSERT INTO chassis.calendar (entity, started_on) VALUES ($1, '2026-01-05')", entity)


@pytest.mark.parametrize("is_careful", [True, False])
def test_work_in_two_transactions_is_found_out_and_work_in_one_is_not(
    database_url: Callable[[str], str], tmp_path: Path, is_careful: bool
) -> None:
    with Sweeper(Entries(database_url("invoice"), is_careful), tmp_path / "lines.json") as sweeper:
        executed = sweeper.executed()
        assert {place.partition(":")[0] for _, place in executed} == {"database.py"}
        faults = [fault for line in range(len(executed)) if (fault := sweeper.die_at(line)) is not None]
        assert set(faults) == (set() if is_careful else {"entities: ['A'] instead of ['A', 'B']"})
        assert sweeper.die_at(len(executed)) == "the work was over before"
