"""The hand of the nemesis: strikes as planned, heals in the planned order, and measures how long recovering took."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from torture.cancellation import only_our_own
from torture.nemesis.kind import Ground, Heal
from torture.nemesis.plan import PlannedWound, Stroke
from torture.nemesis.servers import bring_back

HEAL_S_MAX = 120.0
RECOVERY_S_MAX = 180.0

Recovered = Callable[[], Awaitable[Callable[[], Awaitable[str | None]]]]
"""Called at the moment of healing; gives a question to be asked until it answers None: what is still behind."""


@dataclass(frozen=True, slots=True)
class Struck:
    """One stroke as it went: monotonic seconds from the first fault to the last heal, and how long it took until all was well again."""

    kinds: tuple[str, ...]
    targets: tuple[str, ...]
    began_at: float
    healed_at: float
    recovery_s: float | None


async def strike(ground: Ground, stroke: Stroke, recovered: Recovered, say: Callable[[str], None]) -> Struck:
    """Do one stroke: all its wounds, their time, their heals; then wait until all is well. `recovery_s` is None when that never came."""
    began_at = time.monotonic()
    async with asyncio.TaskGroup() as group:
        striking = [group.create_task(_wound(ground, wound, say)) for wound in stroke.wounds]
        not_struck = []
        for index in stroke.heal_order:
            until = began_at + stroke.wounds[index].begins_after_s + stroke.wounds[index].lasts_s
            await asyncio.sleep(max(0.0, until - time.monotonic()))
            if striking[index].done():
                await _heal(ground, stroke.wounds[index], striking[index].result())
            else:
                not_struck.append(index)  # It cannot even strike while another fault of the stroke lasts: that one is healed first.
        for index in not_struck:
            await _heal(ground, stroke.wounds[index], await striking[index])
    healed_at = time.monotonic()
    still_behind = await recovered()
    behind: str | None = "not asked"
    while behind is not None and time.monotonic() - healed_at < RECOVERY_S_MAX:
        behind = await still_behind()
        if behind is not None:
            await asyncio.sleep(0.1)
    kinds = tuple(wound.kind.name for wound in stroke.wounds)
    if behind is not None:
        ground.troubles.append(f"after {', '.join(kinds)} not recovered within {RECOVERY_S_MAX:.0f} s: {behind}")
    took = None if behind is not None else time.monotonic() - healed_at
    return Struck(kinds, tuple(wound.target for wound in stroke.wounds), began_at, healed_at, took)


async def _wound(ground: Ground, wound: PlannedWound, say: Callable[[str], None]) -> Heal | None:
    await asyncio.sleep(wound.begins_after_s)
    say(f"{wound.kind.name} {wound.target} {wound.lasts_s:.1f} s")
    try:
        with only_our_own():
            heal = await wound.kind.strike(ground, wound.target)
    except Exception as error:  # Another fault of the same stroke may be why this one cannot strike: noted, not counted.
        ground.counts[f"could not strike: {wound.kind.name}"] += 1
        say(f"{wound.kind.name} {wound.target} could not strike: {type(error).__name__}: {error}")
        return None
    ground.struck[wound.kind.name] += 1
    return heal


async def _heal(ground: Ground, wound: PlannedWound, heal: Heal | None) -> None:
    if heal is None:
        return
    try:
        with only_our_own():
            async with asyncio.timeout(HEAL_S_MAX):
                await heal()
    except Exception as error:  # Told with the others in the end: the run has failed, but what it shows is still wanted.
        ground.troubles.append(f"{wound.kind.name} of {wound.target} could not be healed: {type(error).__name__}: {error}")


async def heal_all(ground: Ground) -> None:
    """Whatever is still hurt after the last stroke: links, processes, servers."""
    for name in ground.cluster.names:
        ground.cluster.link(name, "kafka").heal()
        ground.cluster.link(name, "postgres").heal()
    for server in (ground.cluster.postgres, ground.cluster.kafka):
        server.resume()
        await bring_back(server)
    for name in ground.cluster.names:
        ground.cluster.instance(name).resume()
        await ground.cluster.instance(name).start()
