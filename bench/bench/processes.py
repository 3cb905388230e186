"""What processes use: CPU and memory by name, read from /proc (Linux)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICK_US: Final = 1_000_000 // os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in KiB: resident now and at its highest, and the proportional share of what it shares (None where hidden)."""

    rss_kib: int
    rss_peak_kib: int
    pss_kib: int | None


def cpu_us(pids: Mapping[int, str]) -> dict[int, int]:
    """Return the CPU time each process has used so far, user and system, in microseconds; those that are gone are left out."""
    used = {}
    for pid in pids:
        fields = _stat(pid)
        if fields:
            used[pid] = (int(fields[11]) + int(fields[12])) * _TICK_US
    return used


def used_by_name(before: Mapping[int, int], after: Mapping[int, int], names: Mapping[int, str]) -> dict[str, int]:
    """Sum what was used between two looks by name; a process that came in between counts whole."""
    sums: dict[str, int] = {}
    for pid, used in after.items():
        sums[names[pid]] = sums.get(names[pid], 0) + used - before.get(pid, 0)
    return sums


def children_of(pid: int) -> list[int]:
    """Return the processes that one has started."""
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields and int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def memory_of(pid: int) -> Memory | None:
    """Look at a process's memory; None when it is gone."""
    try:
        status = dict(line.split(":", 1) for line in (_PROC / str(pid) / "status").read_text().splitlines())
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Memory(_kib(status["VmRSS"]), _kib(status["VmHWM"]), _pss_kib(pid))


def _pss_kib(pid: int) -> int | None:
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return _kib(line.removeprefix("Pss:"))
    except OSError:  # Another user's process, or gone.
        return None
    return None


def _kib(text: str) -> int:
    return int(text.split()[0])


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat behind the name: state, parent, …; user and system time are the 12th and 13th."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
