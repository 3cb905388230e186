"""Memory of every process: idle after the start, and the highest resident size by the end of all cases."""

import asyncio
from collections.abc import Collection
from typing import Final

from bench.case import Case
from bench.processes import Memory, memory_of
from bench.race import Race

NAME: Final = "memory"
NAMES: Final = (NAME,)
_SETTLE_SECONDS: Final = 3
_IDLE_MIB_MAX: Final = 120
_PEAK_MIB_MAX: Final = 250


async def look_idle(race: Race) -> None:
    """Let the processes settle, then look."""
    await asyncio.sleep(_SETTLE_SECONDS)
    race.idle = await _look(race)


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Look again and put both together; a service may use 120 MiB idle and 250 at its highest (row 20 of the targets)."""
    case, now = Case(NAME, "KiB"), await _look(race)
    for name, memory in race.idle.items():
        end = now.get(name, memory)
        case.memory_kib[name] = {
            "idle_rss": memory.rss_kib,
            "idle_pss": memory.pss_kib,
            "end_pss": end.pss_kib,
            "peak_rss": end.rss_peak_kib,
        }
    services = race.track.services
    case.notes = {
        "largest_idle_mib": round(max(race.idle[service].rss_kib for service in services) / 1024, 1),
        "largest_peak_mib": round(max(now[service].rss_peak_kib for service in services) / 1024, 1),
    }
    case.passed = case.notes["largest_idle_mib"] <= _IDLE_MIB_MAX and case.notes["largest_peak_mib"] <= _PEAK_MIB_MAX
    return [case]


async def _look(race: Race) -> dict[str, Memory]:
    """Look at the services and the broker; Postgres backends share most of what they show, so they are left out."""
    wanted = {*race.track.services, "kafka"}
    return {name: memory for pid, name in (await race.track.names()).items() if name in wanted and (memory := memory_of(pid)) is not None}
