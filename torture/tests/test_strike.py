"""The hand of the nemesis: what goes wrong with a fault is told and counted, and ends nothing but that fault."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, cast

import pytest
from torture.cancellation import EndedByItself, only_our_own
from torture.nemesis.kind import Ground, Heal, Kind, nothing_to_heal
from torture.nemesis.plan import PlannedWound, Stroke
from torture.nemesis.strike import strike


async def cancelled_client() -> None:
    """What a Kafka client does whose broker dies while it stops: it waits for a task of its own that it has cancelled."""
    own = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    own.cancel()
    await own


async def cannot_strike(ground: Ground, target: str) -> Heal:
    await cancelled_client()
    return nothing_to_heal


async def cannot_be_healed(ground: Ground, target: str) -> Heal:
    return cancelled_client


async def recovered() -> Callable[[], Awaitable[str | None]]:
    async def still_behind() -> None:
        return None

    return still_behind


def ground_of_nothing() -> Ground:
    return Ground(cluster=cast(Any, None), random=Random(1))


def one(kind: Kind) -> Stroke:
    return Stroke([PlannedWound(kind, "invoice", 0.0, 0.0)], [0])


async def test_a_fault_whose_kafka_client_cancels_itself_is_counted_and_the_run_goes_on() -> None:
    ground = ground_of_nothing()

    struck = await strike(ground, one(Kind("storm", "", cannot_strike, ["invoice"])), recovered, lambda line: None)

    assert struck.recovery_s is not None
    assert ground.counts == {"could not strike: storm": 1}
    assert not ground.troubles


async def test_a_heal_that_cancels_itself_is_told_in_the_end() -> None:
    ground = ground_of_nothing()

    await strike(ground, one(Kind("storm", "", cannot_be_healed, ["invoice"])), recovered, lambda line: None)

    assert ground.troubles == ["storm of invoice could not be healed: EndedByItself: cancelled by one of its own tasks"]


async def test_somebody_who_ends_the_rig_is_heard() -> None:
    async def work() -> None:
        with only_our_own():
            await asyncio.sleep(60)

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working


async def test_a_clients_own_cancellation_is_an_error_like_others() -> None:
    with pytest.raises(EndedByItself), only_our_own():
        await cancelled_client()
