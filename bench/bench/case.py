"""A case: a subject beside its references, in interleaved rounds, and what is written about it."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from bench.histogram import Histogram

SCHEMA: Final = 1
FLOOR: Final = "floor"
_WORST_SHARE: Final = 0.7  # Of a target, that the worst round has to reach.


@dataclass(frozen=True, slots=True)
class Round:
    """One timing: events, seconds, CPU microseconds per event by process or stage, resident MiB by process (where they were looked at)."""

    n: int
    seconds: float
    cpu_us: dict[str, float] = field(default_factory=dict)
    rss_mib: dict[str, float] = field(default_factory=dict)
    noisy: bool = False

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.n / self.seconds

    def for_machines(self) -> dict[str, Any]:
        return {"rate": round(self.rate, 1), **asdict(self), "seconds": round(self.seconds, 6)}


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and most of some figures."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        return cls(statistics.median(figures), min(figures), max(figures))

    def for_machines(self) -> dict[str, float]:
        return {name: float(f"{figure:.4g}") for name, figure in asdict(self).items()}


class Verdict(StrEnum):
    """What became of a target."""

    AMBITIOUS = "ambitious"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Target:
    """
    The least ratio to a reference that is wanted.

    `row` is its number in the table of targets that the results quote; more of a ratio is always better.
    """

    row: int
    must: float
    ambitious: float
    reference: str = FLOOR

    def judge(self, ratio: Spread) -> Verdict:
        """Judge by the median; the worst round may miss by 30 %."""
        for least, verdict in ((self.ambitious, Verdict.AMBITIOUS), (self.must, Verdict.MET)):
            if ratio.median >= least and ratio.min >= _WORST_SHARE * least:
                return verdict
        return Verdict.MISSED


@dataclass(slots=True)
class Case:
    """
    What was measured under one name.

    :ivar references: what the subject stands beside, by name, one round for each of its own; the first is the one that counts most.
    :ivar latency: how long things took, by what was measured.
    :ivar memory_kib: kinds of memory by process.
    :ivar notes: further figures by name.
    :ivar differences: what the books check found; the case counts only if that is nothing.
    """

    name: str
    unit: str
    subject: list[Round] = field(default_factory=list)
    references: dict[str, list[Round]] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    latency: dict[str, Histogram] = field(default_factory=dict)
    memory_kib: dict[str, dict[str, int | None]] = field(default_factory=dict)
    notes: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    passed: bool | None = None

    @property
    def ratios(self) -> dict[str, Spread]:
        """The subject's rate over that of each reference, round by round; a reference without rounds is left out."""
        shares = {
            name: [one.rate / other.rate for one, other in zip(self.subject, rounds, strict=False)]
            for name, rounds in self.references.items()
        }
        return {name: Spread.of(found) for name, found in shares.items() if found}

    @property
    def verdicts(self) -> dict[Target, Verdict]:
        """What became of each target that could be judged."""
        ratios = self.ratios
        return {target: target.judge(ratios[target.reference]) for target in self.targets if target.reference in ratios}

    @property
    def books_close(self) -> bool:
        """Whether the books checks behind this case's parts found nothing."""
        return not self.differences

    @property
    def rate(self) -> Spread | None:
        return Spread.of([one.rate for one in self.subject]) if self.subject else None

    def judge(self) -> None:
        """Pass when no target is missed; cases without targets keep what they were given."""
        if verdicts := self.verdicts:
            self.passed = Verdict.MISSED not in verdicts.values()

    def for_machines(self) -> dict[str, Any]:
        """Return this case's part of the JSON."""
        ratios = {name: ratio.for_machines() for name, ratio in self.ratios.items()}
        verdicts = self.verdicts
        return {
            "name": self.name,
            "n": self.subject[0].n if self.subject else None,
            "unit": self.unit,
            "subject": {"rounds": [one.for_machines() for one in self.subject]},
            "references": {name: {"rounds": [one.for_machines() for one in rounds]} for name, rounds in self.references.items()},
            "ratio": next(iter(ratios.values()), None),
            "ratios": ratios,
            "latency": {name: histogram.for_machines() for name, histogram in self.latency.items()},
            "memory_kib": self.memory_kib,
            "notes": self.notes,
            "target": [{**asdict(target), "verdict": verdicts.get(target)} for target in self.targets],
            "pass": self.passed,
            "books_ok": self.books_close,
            "differences": self.differences,
        }
