"""Faults of processes: killed, stopped and woken, told to go, killed at a named place, short of processor time."""

import asyncio
import multiprocessing
import os
import time

from torture.nemesis.kind import Ground, Heal

READY_S_MAX = 60.0
EXIT_S_MAX = 20.0
HOGS = 3

PLACES = tuple(
    [f"relay.{place}" for place in ("leader_got", "read", "sent_some", "sent_all", "before_delete", "after_delete")]
    + [
        f"consumer.{place}"
        for place in (
            "polled",
            "pos_locked",
            "inbox_inserted",
            "handled",
            "before_commit",
            "after_commit",
            "before_kafka_commit",
            "revoked",
        )
    ]
    + [
        f"api.{place}"
        for place in ("idem_inserted", "locked", "head_bumped", "outbox_inserted", "before_commit", "after_commit", "before_answer")
    ]
    + ["day.locked", "day.chunk", "day.passed_on"]
)
"""Where a process dies by its own hand (`FP`); what a service never reaches kills nobody, and the next life goes on unarmed."""


async def kill(ground: Ground, target: str) -> Heal:
    """SIGKILL; started again when healed."""
    ground.cluster.instance(target).kill()
    return lambda: bring_back(ground, target)


async def stop_and_wake(ground: Ground, target: str) -> Heal:
    """SIGSTOP for longer than the group waits, then SIGCONT: a zombie goes on with what it knew."""
    instance = ground.cluster.instance(target)
    instance.pause()

    async def wake() -> None:
        instance.resume()
        ground.counts["zombie woken"] += 1
        await bring_back(ground, target)

    return wake


async def terminate(ground: Ground, target: str) -> Heal:
    """SIGTERM under load: the process has to end by itself, with status 0, within 20 seconds."""
    instance = ground.cluster.instance(target)
    asked_at = time.monotonic()
    instance.terminate()

    async def see_it_gone() -> None:
        status = await instance.ended(EXIT_S_MAX)
        took_s = time.monotonic() - asked_at
        ground.counts["told to stop under load"] += 1
        if status != 0:
            ground.troubles.append(
                f"{target} was told to stop and ended with {status} after {took_s:.1f} s (wanted: 0 within {EXIT_S_MAX:.0f} s)"
            )
            if instance.running:
                instance.kill()
        await bring_back(ground, target)

    return see_it_gone


async def die_inside(ground: Ground, target: str) -> Heal:
    """Have the process kill itself at a named place of the protocol, once more work reaches it."""
    instance = ground.cluster.instance(target)
    place, hit = ground.random.choice(PLACES), ground.random.choice((1, 2, 7))
    instance.kill()
    await instance.start({"FP": f"{place}:{hit}:kill"})

    async def go_on() -> None:
        if instance.running:
            instance.kill()
        else:
            ground.counts[f"died at {place}"] += 1
            ground.counts["died inside"] += 1
        await bring_back(ground, target)

    return go_on


async def starve(ground: Ground, target: str) -> Heal:
    """Take the processors away: busy neighbours at a higher priority than everything of ours."""
    spawn = multiprocessing.get_context("spawn")
    hogs = [spawn.Process(target=_burn, daemon=True) for _ in range(HOGS)]
    for hog in hogs:
        hog.start()

    async def send_away() -> None:
        for hog in hogs:
            hog.kill()
            await asyncio.to_thread(hog.join)

    return send_away


def _burn() -> None:
    os.nice(-5 if os.geteuid() == 0 else 0)
    while True:
        pass


async def bring_back(ground: Ground, target: str) -> None:
    """Start an instance unless it runs; what was told to end is waited for."""
    await ground.cluster.instance(target).start()
