"""Virtual time: nobody waits, what is stopped waits for its own, and what is killed reaches the world no more."""

import asyncio
import time

import pytest
from simulation.loop import BEGAN_AT, Actor, Stuck, VirtualLoop
from simulation.store.driver import Connection
from simulation.store.session import Store
from simulation.world import World


def test_time_jumps_to_the_next_timer() -> None:
    loop, began_at = VirtualLoop(), time.monotonic()  # type: ignore[abstract]

    async def wait_an_hour() -> float:
        await asyncio.sleep(3600)
        return loop.time()

    assert loop.run(wait_an_hour(), until=4000) == BEGAN_AT + 3600
    assert time.monotonic() - began_at < 1


def test_who_waits_for_ever_is_named() -> None:
    loop = VirtualLoop()  # type: ignore[abstract]

    async def main() -> None:
        await asyncio.wait([loop.create_task(asyncio.Event().wait(), name="sleeper")])

    with pytest.raises(Stuck, match="nothing is left to happen.*sleeper"):
        loop.run(main(), until=10)


def test_who_takes_too_long_is_named() -> None:
    loop = VirtualLoop()  # type: ignore[abstract]
    with pytest.raises(Stuck, match="not at rest after 10 s.*world"):
        loop.run(asyncio.sleep(20), until=10)


def test_a_stopped_process_goes_on_late_with_all_that_waited_for_it() -> None:
    loop, actor, told = VirtualLoop(), Actor("stopped"), []  # type: ignore[abstract]

    async def tick() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            told.append(loop.time() - BEGAN_AT)

    async def main() -> None:
        loop.begin(actor, tick(), "tick")
        loop.after(1.5, loop.pause, actor)
        loop.after(5, loop.resume, actor)
        await asyncio.sleep(10)

    loop.run(main(), until=20)
    assert told == [1, 5, 6]


def test_what_a_killed_process_still_does_reaches_no_database() -> None:
    world, actor = World(1), Actor("killed")
    store = Store(world, "books")

    async def work() -> None:
        db = Connection(store, actor)
        async with db.transaction():
            try:
                await asyncio.sleep(1)
            finally:
                await db.execute(
                    "INSERT INTO chassis.calendar (entity, started_on) VALUES ($1, $2) ON CONFLICT (entity) DO NOTHING", "X", None
                )

    async def main() -> list[object]:
        task = world.loop.begin(actor, work(), "work")
        await asyncio.sleep(0.9)
        world.loop.kill(actor)
        await asyncio.sleep(5)
        assert task.cancelled()
        return list(store.sessions[0].rows("calendar"))

    assert world.loop.run(main(), until=20) == []
