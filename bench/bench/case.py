"""A case: a subject beside its floor, in interleaved rounds, and what is written about it."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

SCHEMA: Final = 1
_PERCENTILES: Final = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))


@dataclass(frozen=True, slots=True)
class Round:
    """One timing: events, seconds, and CPU microseconds per event by process (the floor counts none)."""

    n: int
    seconds: float
    cpu_us: dict[str, float] = field(default_factory=dict)
    noisy: bool = False

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.n / self.seconds

    def for_machines(self) -> dict[str, Any]:
        return {"rate": round(self.rate, 1), **asdict(self), "seconds": round(self.seconds, 4)}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of some figures."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        return cls(statistics.median(figures), min(figures), max(figures))


@dataclass(slots=True)
class Case:
    """
    What was measured under one name.

    :ivar target: the least median ratio to the floor that is acceptable; None where there is none.
    :ivar latency_ms: percentiles by what was measured.
    :ivar memory_kib: kinds of memory by process.
    :ivar notes: further figures by name.
    :ivar differences: what the books check found; the case counts only if that is nothing.
    """

    name: str
    unit: str
    subject: list[Round] = field(default_factory=list)
    floor: list[Round] = field(default_factory=list)
    target: float | None = None
    latency_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    memory_kib: dict[str, dict[str, int | None]] = field(default_factory=dict)
    notes: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    passed: bool | None = None

    @property
    def ratio(self) -> Spread | None:
        """The subject's rate as a share of the floor's, round by round."""
        shares = [one.rate / other.rate for one, other in zip(self.subject, self.floor, strict=False)]
        return Spread.of(shares) if shares else None

    @property
    def books_close(self) -> bool:
        """Whether the books checks behind this case's parts found nothing."""
        return not self.differences

    @property
    def rate(self) -> Spread | None:
        return Spread.of([one.rate for one in self.subject]) if self.subject else None

    def judge(self) -> None:
        """Pass or fail the target by the median; the worst round may miss it by 30 %."""
        ratio = self.ratio
        if self.target is not None and ratio is not None:
            self.passed = ratio.median >= self.target and ratio.min >= 0.7 * self.target

    def for_machines(self) -> dict[str, Any]:
        """Return this case's part of the JSON."""
        ratio = self.ratio
        return {
            "name": self.name,
            "n": self.subject[0].n if self.subject else None,
            "unit": self.unit,
            "subject": {"rounds": [one.for_machines() for one in self.subject]},
            "references": {"floor": {"rounds": [one.for_machines() for one in self.floor]}},
            "ratio": {name: round(figure, 4) for name, figure in asdict(ratio).items()} if ratio else None,
            "latency_ms": self.latency_ms,
            "memory_kib": self.memory_kib,
            "notes": self.notes,
            "target": self.target,
            "pass": self.passed,
            "books_ok": self.books_close,
            "differences": self.differences,
        }


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p90, p99 and the longest in milliseconds, by nearest rank."""
    ordered = sorted(seconds)
    return {name: round(ordered[math.ceil(share * len(ordered)) - 1] * 1000, 1) for name, share in _PERCENTILES}
