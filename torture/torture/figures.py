"""The figures of a run: what was asked, what was done to the stack, what was seen to happen, and what did not come out right."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from torture.nemesis.strike import Struck
from torture.watch import Probe

SCHEMA: Final = 1

MUST_HAPPEN: Final = (
    "duplicate delivered",
    "rebalance with a batch in flight",
    "ambiguous COMMIT that had applied",
    "ambiguous COMMIT that had not applied",
    "ambiguous produce that had appended",
    "fact twice in Kafka",
    "zombie woken",
    "producer rebuilt",
    "batch bisected",
    "key parked and redriven",
    "answered from the idempotency store",
    "request cut by its client",
    "told to stop under load",
    "died inside",
    "command begun again",
    "money transferred by hand",
    "money spread at a turn",
    "deposit drawn",
    "payment billed anew",
    "suggestion accepted",
    "credit taken off by a person",
    "document of a child on its parent's account",
)
"""What a run has to see at least once: where one of these never happened, it has proved nothing about that."""


@dataclass(slots=True)
class Figures:
    """A run in figures; `broken` lists everything that makes it fail, `invalid` what makes it prove nothing."""

    seed: int
    git: str
    faults: dict[str, int]
    seconds: float
    operations: Mapping[str, int]
    counts: dict[str, int]
    audit: Mapping[str, Any]
    recoveries_s: dict[str, list[float]]
    quiesce_s: float | None
    availability: dict[str, dict[str, float]]
    samples: int
    broken: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.broken and not self.invalid

    def for_machines(self) -> dict[str, Any]:
        """Return the whole as JSON takes it."""
        return {"schema": SCHEMA, "is_sound": self.is_sound} | {name: getattr(self, name) for name in self.__dataclass_fields__}


def recoveries_by_kind(strokes: Sequence[Struck]) -> dict[str, list[float]]:
    """
    Seconds from the heal until every instance was ready, all that was queued then was sent and all that was in Kafka then was heard.

    By kind where a stroke was one fault alone; strokes of several are under `several`.
    """
    times: dict[str, list[float]] = defaultdict(list)
    for stroke in strokes:
        if stroke.recovery_s is not None:
            times[stroke.kinds[0] if len(stroke.kinds) == 1 else "several"].append(round(stroke.recovery_s, 2))
    return dict(sorted(times.items()))


def spread(seconds: Sequence[float]) -> tuple[int, float, float, float]:
    """How many, median, 95th percentile and maximum."""
    ordered = sorted(seconds)
    return len(ordered), round(statistics.median(ordered), 2), ordered[round(0.95 * (len(ordered) - 1))], ordered[-1]


def availability(probes: Sequence[Probe], strokes: Sequence[Struck]) -> dict[str, dict[str, float]]:
    """Share of probes that a service answered within two seconds: while something was hurt or recovering, and otherwise."""
    windows = [(stroke.began_at, stroke.healed_at + (stroke.recovery_s or 0)) for stroke in strokes]
    answered: dict[str, dict[str, list[bool]]] = defaultdict(lambda: {"inside": [], "outside": []})
    for probe in probes:
        inside = any(began <= probe.at <= ended for began, ended in windows)
        answered[probe.service]["inside" if inside else "outside"].append(probe.answered)
    return {
        service: {where: round(sum(all_) / len(all_), 4) for where, all_ in sides.items() if all_} for service, sides in answered.items()
    }
