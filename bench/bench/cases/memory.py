"""Memory of every process: idle after the start, and the highest resident size by the end of all cases."""

import asyncio
from typing import Final

from bench.case import Case
from bench.processes import Memory, memory_of
from bench.race import Race

NAME: Final = "memory"
_SETTLE_SECONDS: Final = 3
_IDLE_MIB_MAX: Final = 120


async def look_idle(race: Race) -> dict[str, Memory]:
    """Let the processes settle, then look."""
    await asyncio.sleep(_SETTLE_SECONDS)
    return await _look(race)


async def run(race: Race, idle: dict[str, Memory]) -> list[Case]:
    """Look again after everything else and put both together; a service may use 120 MiB idle."""
    case, now = Case(NAME, "KiB"), await _look(race)
    for name, memory in idle.items():
        end = now.get(name, memory)
        case.memory_kib[name] = {
            "idle_rss": memory.rss_kib,
            "idle_pss": memory.pss_kib,
            "end_pss": end.pss_kib,
            "peak_rss": end.rss_peak_kib,
        }
    case.passed = all(idle[service].rss_kib <= _IDLE_MIB_MAX * 1024 for service in race.track.services)
    return [case]


async def _look(race: Race) -> dict[str, Memory]:
    """Look at the services and the broker; Postgres backends share most of what they show, so they are left out."""
    wanted = {*race.track.services, "kafka"}
    return {name: memory for pid, name in (await race.track.names()).items() if name in wanted and (memory := memory_of(pid)) is not None}
