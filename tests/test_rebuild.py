"""The read model can be made anew from the first fact on, and equals the live one row by row (EVT-05, R1)."""

import asyncio
import signal

import asyncpg
import pytest
from testkit.stories import partial_payments
from testkit.world import World

pytestmark = pytest.mark.scenario


@pytest.fixture(autouse=True)
def books(world: World) -> None:
    """There is something to rebuild, whichever tests have run before."""
    world.tell(partial_payments("S01"))


def sql(world: World, statement: str) -> str:
    async def run() -> str:
        connection = await asyncpg.connect(world.stack.urls().databases["reporting"])
        try:
            return await connection.execute(statement)  # type: ignore[no-any-return]
        finally:
            await connection.close()

    return asyncio.run(run())


def test_a_rebuild_equals_the_live_model_row_by_row(world: World) -> None:
    done = world.rebuild()
    assert (done.returncode, done.stderr) == (0, "")
    assert "it was the same, row by row" in done.stdout
    assert "rebuilt from 0 facts" not in done.stdout


def test_a_wrong_cent_in_the_live_model_is_found_and_mended(world: World) -> None:
    one = "SELECT ctid FROM account_delta LIMIT 1"
    assert sql(world, f"UPDATE account_delta SET delta_minor = delta_minor + 1 WHERE ctid = ({one})") == "UPDATE 1"
    assert world.rebuild().stdout.strip().endswith("these tables were not what the facts say: account_delta")
    assert "it was the same, row by row" in world.rebuild().stdout


@pytest.mark.parametrize("place", ["read", "before_switch", "after_switch"])
def test_a_rebuild_that_is_killed_leaves_a_whole_model(world: World, place: str) -> None:
    assert world.rebuild(failpoint=f"rebuild.{place}:1:kill").returncode == -signal.SIGKILL
    assert "it was the same, row by row" in world.rebuild().stdout


def test_a_service_whose_books_are_the_source_cannot_be_rebuilt(world: World) -> None:
    refused = world.rebuild("payment")
    assert refused.returncode == 1
    assert refused.stderr.strip() == "payment: payment has no read model: its books are the source"
