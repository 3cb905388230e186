"""The machine and its noise: without them a figure means nothing."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import asyncpg
from launcher import jars

_PACKAGES: Final = ("aiokafka", "asyncpg", "msgspec", "uvloop", "fastapi", "opentelemetry-sdk")
_CALIBRATION_LOOPS: Final = 4_000_000
NOISY_CALIBRATION: Final = 1.6  # A round whose calibration took that many times the best one.
NOISY_STEAL: Final = 0.15
NOISY_LOAD: Final = 1.0  # Somebody else is at work.


def calibrate() -> float:
    """Return the seconds of a fixed amount of work, about 0.2 on the machine it was written on."""
    began_at = time.perf_counter()
    total = 0
    for n in range(_CALIBRATION_LOOPS):
        total += n & 7
    return time.perf_counter() - began_at


@dataclass(slots=True)
class Noise:
    """How steady the machine was: its load when we came, every calibration, and what the hypervisor took since the start."""

    load_before: float = field(default_factory=lambda: os.getloadavg()[0])
    calibrations: list[float] = field(default_factory=list)
    began: tuple[int, int] = field(default_factory=lambda: _steal_and_all())

    def look(self) -> float:
        """Calibrate now; return the seconds."""
        self.calibrations.append(calibrate())
        return self.calibrations[-1]

    def steal(self) -> float:
        """Return the share of all CPU time since the start that went to other guests of the host."""
        steal, everything = _steal_and_all()
        return (steal - self.began[0]) / max(1, everything - self.began[1])

    def is_noisy(self, calibration: float) -> bool:
        """Whether a round with this calibration stands out."""
        return calibration > NOISY_CALIBRATION * min(self.calibrations)

    def for_machines(self) -> dict[str, Any]:
        """Return the `noise` part of the JSON."""
        steal = round(self.steal(), 4)
        return {
            "calib_best": round(min(self.calibrations), 4),
            "calib_worst": round(max(self.calibrations), 4),
            "steal": steal,
            "load_before": round(self.load_before, 2),
            "noisy": self.load_before > NOISY_LOAD or steal > NOISY_STEAL or self.is_noisy(max(self.calibrations)),
        }


async def describe(dsn: str) -> dict[str, Any]:
    """Return the `host` part of the JSON."""
    db = await asyncpg.connect(dsn)
    try:
        postgres = await db.fetchval("SHOW server_version")
    finally:
        await db.close()
    memory_kib = int(_first_of("/proc/meminfo", "MemTotal").split()[0])
    return {
        "cpu": _first_of("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "mem_gib": round(memory_kib / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgres": postgres,
        "kafka": jars.KAFKA.rpartition(":")[2],
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }


def commit(folder: Path) -> str:
    """Return the commit that was measured, with `+` behind it when files differ from it; empty outside of a repository."""
    try:
        head = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _first_of(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def _steal_and_all() -> tuple[int, int]:
    fields = [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return fields[7], sum(fields)
