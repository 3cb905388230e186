"""How the processes fared: memory, open files, connections and complaints, over the samples of a run."""

import re
import resource
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = resource.getpagesize()
_NEVER: Final = re.compile(
    r"(?:Task|Future) exception was never retrieved|coroutine .{1,200} was never awaited|Task was destroyed but it is pending"
)
_TRACEBACK: Final = "Traceback (most recent call last)"


@dataclass(frozen=True, slots=True)
class Vital:
    """One look at a process: `at_s` by a monotonic clock, resident bytes, open files. A process started anew has another pid."""

    instance: str
    pid: int
    at_s: float
    rss_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """
    All looks of a run.

    `connections` are the most that were ever open by service, `pools` how many it may have at all its instances. `complaints` are lines of
    logs that say that somebody forgot an exception, by instance; `tracebacks` counts printed ones.
    """

    looks: tuple[Vital, ...] = ()
    connections: Mapping[str, int] = field(default_factory=dict)
    pools: Mapping[str, int] = field(default_factory=dict)
    complaints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tracebacks: Mapping[str, int] = field(default_factory=dict)

    def lives(self) -> Mapping[tuple[str, int], list[Vital]]:
        """The looks at each process, in order of time."""
        lives: dict[tuple[str, int], list[Vital]] = defaultdict(list)
        for one in sorted(self.looks, key=lambda look: look.at_s):
            lives[one.instance, one.pid].append(one)
        return lives


def look_at(instance: str, pid: int, at_s: float) -> Vital | None:
    """Look at a process through /proc; None where it is gone."""
    home = Path("/proc") / str(pid)
    try:
        resident = int((home / "statm").read_text().split()[1]) * _PAGE_BYTES
        return Vital(instance, pid, at_s, resident, sum(1 for _ in (home / "fd").iterdir()))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def slope_bytes_per_minute(looks: Iterable[Vital], *, warm_s: float) -> float | None:
    """
    Fit a line through resident memory, least squares, leaving out the first `warm_s` seconds of the process.

    None where fewer than ten looks or less than a minute are left: nothing can be said then.
    """
    life = list(looks)
    steady = [one for one in life if one.at_s >= life[0].at_s + warm_s] if life else []
    if len(steady) < 10 or steady[-1].at_s - steady[0].at_s < 60:
        return None
    mean_at = sum(one.at_s for one in steady) / len(steady)
    mean_rss = sum(one.rss_bytes for one in steady) / len(steady)
    spread = sum((one.at_s - mean_at) ** 2 for one in steady)
    return 60 * sum((one.at_s - mean_at) * (one.rss_bytes - mean_rss) for one in steady) / spread


def complaints_in(log: Path) -> Iterator[str]:
    """Yield the lines of a log that say that an exception or a coroutine was forgotten."""
    if not log.exists():
        return
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if _NEVER.search(line):
                yield line.strip()[:400]


def tracebacks_in(log: Path) -> int:
    """Count the printed tracebacks of a log: what is caught and told stands there as a field of a line instead."""
    if not log.exists():
        return 0
    with log.open(encoding="utf-8", errors="replace") as lines:
        return sum(_TRACEBACK in line for line in lines)
