"""Rebuild: the read model started with an empty database against everything that the domain topics hold."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from launcher.trouble import Trouble

from bench import books, floor
from bench.case import Case, Round
from bench.kafka import by_topic
from bench.race import Bar, Race

NAME: Final = "rebuild"
_SERVICE: Final = "reporting"
_RATIO_LEAST: Final = 0.20
_LOOK_SECONDS: Final = 0.02
_STUCK_SECONDS: Final = 120
_DIGEST = """
    SELECT md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) FROM (
        SELECT concat_ws('|', 'item', item, account, currency, open_minor) AS line FROM chk.item
        UNION ALL SELECT concat_ws('|', 'balance', entity, account, currency, balance_minor) FROM chk.balance
    ) AS lines
"""


async def run(race: Race) -> list[Case]:
    """
    Empty the read model and time its way back. The clock starts at its first committed batch, which does not count: what comes before
    is the start of a process. The rebuilt model must equal the one that was there.
    """
    case, track = Case(NAME, "facts", target=_RATIO_LEAST), race.track
    with race.bar(NAME, 2) as bar:
        before = await track.dbs[_SERVICE].fetchval(_DIGEST)
        subscribed = (await track.standing(_SERVICE))[0]
        ends = await track.kafka.ends()
        calibration = race.noise.look()
        wanted = {topic: n for topic, n in by_topic(ends).items() if topic in subscribed}
        n, seconds = await _rebuild(race, wanted, bar)
        await track.catch_up()
        bar.step()
        if await track.dbs[_SERVICE].fetchval(_DIGEST) != before:
            case.differences.append("reporting: the rebuilt read model differs from the one before")
        case.differences += await books.differences(track)
        until = {tp: end for tp, end in ends.items() if tp.topic in subscribed}
        read, floor_seconds = await floor.race(track.kafka.bootstrap, track.urls.databases[_SERVICE], dict.fromkeys(until, 0), until)
        bar.step()
    case.subject.append(Round(n, seconds, noisy=race.noise.is_noisy(calibration)))
    case.floor.append(Round(read, floor_seconds))
    return [case]


async def _rebuild(race: Race, wanted: Mapping[str, int], bar: Bar) -> tuple[int, float]:
    """
    Restart the service on nothing; return how many records it took after its first batch, and in how many seconds.

    :raises Trouble: it has not caught up within two minutes.
    """
    await race.track.empty(_SERVICE)
    restart = asyncio.create_task(asyncio.to_thread(race.track.stack.up))
    try:
        return await _until_rebuilt(race, wanted, bar)
    finally:
        await restart


async def _until_rebuilt(race: Race, wanted: Mapping[str, int], bar: Bar) -> tuple[int, float]:
    first, began_at, deadline = 0, 0.0, time.monotonic() + _STUCK_SECONDS
    while (handled := await _handled(race, wanted)) < sum(wanted.values()):
        if not first and handled:
            first, began_at = handled, time.perf_counter()
        if time.monotonic() > deadline:
            raise Trouble(f"The read model was not rebuilt after {_STUCK_SECONDS} s: look at the logs in {race.track.logs}.")
        bar.tell(f"{handled} of {sum(wanted.values())} records")
        await asyncio.sleep(_LOOK_SECONDS)
    return handled - first, time.perf_counter() - began_at


async def _handled(race: Race, wanted: Mapping[str, int]) -> int:
    return sum(n for topic, n in (await race.track.standing(_SERVICE))[0].items() if topic in wanted)
