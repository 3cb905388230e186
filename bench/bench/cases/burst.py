"""A burst of more than the pipeline can take, and how fast what has piled up is cleared."""

import asyncio
import time
from collections.abc import Collection
from typing import Final

from bench import books
from bench.case import Case, Round, Target
from bench.cases import pipeline
from bench.contest import contest
from bench.race import Race

NAME: Final = "burst_drain"
NAMES: Final = (NAME,)
_PEAK: Final = "peak"
_MEAN_SHARE: Final = 0.2  # Of the peak rate, so that ten times the mean is twice what can be taken.
_TIMES_THE_MEAN: Final = 10
_STEP_SECONDS: Final = 0.05
_SECONDS_MAX: Final = 10
_HEARD: Final = "receivables.invoice"


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """
    Publish ten times the mean for some seconds, then time until every service has all of it; beside it, the peak rate of the same round.

    What counts is what the read model had not heard of when the burst ended.
    """
    case, track = Case(NAME, "invoices", targets=(Target(7, 0.8, 0.95, _PEAK),)), race.track
    rate = await pipeline.peak(race) * _MEAN_SHARE * _TIMES_THE_MEAN
    seconds = max(2, min(_SECONDS_MAX, race.sizes.seconds // 6))

    async def issue_all() -> Round:
        return await pipeline.Part(race, case, lambda: pipeline.issue(race)).subject()

    async def burst() -> Round:
        await _publish_paced(race, rate, seconds)
        began_at = time.perf_counter()
        backlog = track.told.invoices - (await track.standing("reporting"))[0][_HEARD] + marks
        await track.catch_up()
        took = time.perf_counter() - began_at
        case.differences += await books.differences(track)
        return Round(max(1, backlog), took)

    marks = (await track.standing("reporting"))[0][_HEARD] - track.told.invoices  # Markers, where days were turned before.
    with race.bar(f"{NAME}: {rate:,.0f} invoices/s for {seconds} s", race.sizes.rounds) as bar:
        rounds = await contest(race, {NAME: burst, _PEAK: issue_all}, bar, warm_up=False)
    case.subject, case.references = rounds[NAME], {_PEAK: rounds[_PEAK]}
    return [case]


async def _publish_paced(race: Race, rate: float, seconds: int) -> None:
    """Publish on schedule; where the broker takes less, as fast as it does, until the burst is out."""
    began_at, sent, wanted = time.perf_counter(), 0, int(rate * seconds)
    while sent < wanted:
        due = min(wanted, int((time.perf_counter() - began_at + _STEP_SECONDS) * rate))
        await race.track.kafka.publish(race.track.told.issue(due - sent))
        sent = due
        await asyncio.sleep(max(0, began_at + sent / rate - _STEP_SECONDS - time.perf_counter()))
