"""At how many places a run has killed, and how often all was well afterwards."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

Plain = Mapping[str, tuple[int, int, Sequence[str]]]
"""By tier: killed, passed, notes. What a test says in its report, which may come from another process."""


class Tally:
    """Counts by tier; those of all tests together are the last lines of a run."""

    def __init__(self) -> None:
        self._killed: Counter[str] = Counter()
        self._passed: Counter[str] = Counter()
        self._notes: defaultdict[str, set[str]] = defaultdict(set)

    @contextmanager
    def killed(self, tier: str) -> Iterator[None]:
        """A process of ours was killed; what is checked within the block decides whether that passed."""
        self.count(tier, killed=1, passed=0)
        yield
        self.count(tier, killed=0, passed=1)

    def count(self, tier: str, *, killed: int, passed: int) -> None:
        """So many places were died at, and so often all was well afterwards."""
        self._killed[tier] += killed
        self._passed[tier] += passed

    def note(self, tier: str, text: str) -> None:
        """Something a reader of the figures has to know."""
        self._notes[tier].add(text)

    def plain(self) -> Plain:
        """The counts and notes as values that a report can carry."""
        return {tier: (self._killed[tier], self._passed[tier], sorted(self._notes[tier])) for tier in self._killed.keys() | self._notes}

    def add(self, plain: Plain) -> None:
        """Count what another tally has counted, too."""
        for tier, (killed, passed, notes) in plain.items():
            self.count(tier, killed=killed, passed=passed)
            self._notes[tier].update(notes)

    def lines(self) -> list[str]:
        """The figures, a line for each tier and its notes below."""
        lines = []
        for tier in sorted(self._killed):
            lines.append(f"{tier}: killed at {self._killed[tier]} places, passed {self._passed[tier]}")
            lines += [f"    {text}" for text in sorted(self._notes[tier])]
        return lines
