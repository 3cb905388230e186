"""
How fast business days turn: the pace of a player of histories, who stays at most a week ahead of what the read model calls complete.

Once with no facts at all, once with four a day (two invoices, two receipts), each day's facts behind its markers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from launcher.trouble import Trouble

from bench import books, floor
from bench.case import FLOOR, Case, Round
from bench.race import Race

EMPTY: Final = "days_empty"
SPARSE: Final = "days_4_facts"
NAMES: Final = (EMPTY, SPARSE)
AHEAD_DAYS_MAX: Final = 7
_LOOK_SECONDS: Final = 0.02
_STUCK_SECONDS: Final = 60
_ONE_DAY: Final = timedelta(days=1)


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Turn days that are empty, then days with facts."""
    return [await _play(race, name) for name in NAMES if name in wanted]


async def _play(race: Race, name: str) -> Case:
    """Play so many days from the first one not started yet; the floor takes every record that this caused in any topic."""
    case, track = Case(name, "days"), race.track
    pairs = 2 if name == SPARSE else 0
    calibration = race.noise.look()
    since = await track.kafka.ends()
    first, last = track.started_on + _ONE_DAY, track.started_on + race.sizes.days * _ONE_DAY
    with race.bar(f"{name}: {race.sizes.days} days", race.sizes.days) as bar:
        async with track.measured() as usage:
            for n in range(race.sizes.days):
                await _wait_until_complete(race, first + (n - 1 - AHEAD_DAYS_MAX) * _ONE_DAY)
                await track.start_day(first + n * _ONE_DAY)
                if pairs:
                    await _landed(race)
                    await track.kafka.publish([*track.told.issue(pairs), *track.told.pay(pairs)])
                bar.step()
            await _wait_until_complete(race, last - _ONE_DAY)
        await track.catch_up()
    case.differences += await books.differences(track)
    records, seconds = await floor.race(track.kafka.bootstrap, track.urls.databases["reporting"], since, await track.kafka.ends())
    case.subject.append(replace(usage.round_of(race.sizes.days), noisy=race.noise.is_noisy(calibration)))
    case.references = {FLOOR: [Round(race.sizes.days, seconds)]}
    case.notes["records_a_day"] = round(records / race.sizes.days, 1)
    return case


async def _wait_until_complete(race: Race, day: date) -> None:
    """Wait until the read model has closed a day."""

    async def is_complete() -> bool:
        return await race.track.complete_up_to() >= day

    await _until(race, is_complete, _LOOK_SECONDS, f"{day} to be complete")


async def _landed(race: Race) -> None:
    """Wait until the invoice service has sent the markers that it queued."""

    async def is_empty() -> bool:
        return not (await race.track.standing("invoice"))[1]

    await _until(race, is_empty, _LOOK_SECONDS / 4, "markers to be sent")


async def _until(race: Race, come: Callable[[], Awaitable[bool]], look_seconds: float, awaited: str) -> None:
    """:raises Trouble: it has not come within a minute."""
    deadline = time.monotonic() + _STUCK_SECONDS
    while not await come():
        if time.monotonic() > deadline:
            raise Trouble(f"{_STUCK_SECONDS} s were not enough for {awaited}: look at the logs in {race.track.logs}.")
        await asyncio.sleep(look_seconds)
