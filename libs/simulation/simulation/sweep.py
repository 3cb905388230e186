"""Playing one seed after the other."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from simulation.case import case_of
from simulation.play import Outcome, play


@dataclass
class Sweep:
    """What came of many seeds: how many were played in how many seconds of this process' CPU, which broke what, what happened how often."""

    played: int = 0
    cpu_s: float = 0.0
    broken: dict[int, Outcome] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def per_minute(self) -> int:
        """Schedules a minute of CPU."""
        return round(self.played / self.cpu_s * 60) if self.cpu_s else 0


def sweep(seeds: Iterable[int], *, until_failure: bool = False) -> Sweep:
    """Play seeds; with `until_failure` stop at the first that breaks a promise."""
    done = Sweep()
    began_at = time.process_time()
    for seed, outcome in _play_all(seeds):
        done.played += 1
        done.counts.update(outcome.counts)
        if outcome.broken:
            done.broken[seed] = outcome
            if until_failure:
                break
    done.cpu_s = time.process_time() - began_at
    return done


def _play_all(seeds: Iterable[int]) -> Iterator[tuple[int, Outcome]]:
    for seed in seeds:
        yield seed, play(case_of(seed))
