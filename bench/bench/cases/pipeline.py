"""Throughput: ERP invoices, then bank receipts, from Kafka through all services into the read model."""

from collections.abc import Collection, Sequence
from typing import Final

from bench import books, floor
from bench.case import Case, Round
from bench.facts import Record
from bench.race import Bar, Race

INVOICES: Final = "pipeline_invoices"
RECEIPTS: Final = "pipeline_receipts"
_RATIO_LEAST: Final = 0.03
_WARM_UP_SHARE: Final = 5


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """
    Publish n invoices, wait until every service has them, then n receipts that pay them; round after round, the books growing.

    The floor takes the bytes of each part right after it. The warm-up round is smaller and not reported, nor are the invoices that only
    receipts need.
    """
    invoices = Case(INVOICES, "invoices", target=_RATIO_LEAST)
    receipts = Case(RECEIPTS, "receipts", target=_RATIO_LEAST)
    told = race.track.told
    with race.bar("pipeline", (race.sizes.rounds + 1) * (2 if RECEIPTS in wanted else 1)) as bar:
        for n in (race.sizes.n // _WARM_UP_SHARE, *[race.sizes.n] * race.sizes.rounds):
            kept = n == race.sizes.n
            await _part(race, invoices, told.issue(n), bar, kept=kept and INVOICES in wanted)
            if RECEIPTS in wanted:
                await _part(race, receipts, told.pay(n), bar, kept=kept)
    return [case for case in (invoices, receipts) if case.name in wanted]


async def _part(race: Race, case: Case, records: Sequence[Record], bar: Bar, *, kept: bool) -> None:
    track, calibration = race.track, race.noise.look()
    since = await track.kafka.ends()
    async with track.measured() as usage:
        await track.kafka.publish(records)
        await track.catch_up(lambda handled: bar.tell(f"{len(records)} {case.unit}, {handled} records handled so far"))
    case.differences += await books.differences(track)
    if kept:
        until = {tp: end for tp, end in (await track.kafka.ends()).items() if tp.topic == records[0].topic}
        n, seconds = await floor.race(track.kafka.bootstrap, track.urls.databases["reporting"], since, until)
        case.subject.append(Round(len(records), usage.seconds, usage.per(len(records)), race.noise.is_noisy(calibration)))
        case.floor.append(Round(n, seconds))
    bar.step()
