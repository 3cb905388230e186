"""What every case is given: the track, how much to do, and how to say how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench.machine import Noise
from bench.processes import Memory
from bench.track import Track


class Bar:
    """The progress of one case: a bar on a terminal, nothing anywhere else."""

    def __init__(self, bars: Progress, task: TaskID, name: str) -> None:
        self._bars = bars
        self._task = task
        self._name = name

    def step(self) -> None:
        """One part is done."""
        self._bars.advance(self._task)
        self._bars.update(self._task, description=self._name)

    def tell(self, what: str) -> None:
        """Say what is being done."""
        self._bars.update(self._task, description=f"{self._name}: {what}")


@dataclass(frozen=True, slots=True)
class Sizes:
    """
    How much.

    :ivar n: events a round of the pipeline; what runs in this process takes as many, what goes one by one far fewer.
    :ivar rounds: of every case that can be repeated, a warm-up not counted.
    :ivar seconds: of a latency measurement.
    :ivar days: that are turned.
    :ivar facts: of the history that the read model is made from anew.
    :ivar aging: the populations that are asked about.
    """

    n: int
    rounds: int
    seconds: int
    days: int
    facts: int
    aging: tuple["Population", ...]


@dataclass(frozen=True, slots=True)
class Population:
    """So many open items of so many customers, and for each open item so many that were paid."""

    open_items: int
    customers: int
    closed_per_open: int

    @property
    def label(self) -> str:
        """Short for the open items: `100k`, `1m`."""
        for size, letter in ((1_000_000, "m"), (1_000, "k")):
            if self.open_items >= size and not self.open_items % size:
                return f"{self.open_items // size}{letter}"
        return str(self.open_items)


_100K: Final = Population(100_000, 10_000, 1)
QUICK: Final = Sizes(5_000, 1, 8, 60, 30_000, (_100K,))
USUAL: Final = Sizes(20_000, 3, 30, 200, 200_000, (_100K, Population(1_000_000, 50_000, 1)))
FULL: Final = Sizes(20_000, 5, 30, 200, 1_000_000, (_100K, Population(1_000_000, 50_000, 3), Population(10_000_000, 200_000, 0)))


@dataclass(slots=True)
class Race:
    """
    One run.

    :ivar idle: what memory the processes had before anything was asked of them.
    :ivar peak: the invoices a second that the pipeline took when it was measured last; None before.
    """

    track: Track
    console: Console
    sizes: Sizes
    noise: Noise
    idle: dict[str, Memory] = field(default_factory=dict)
    peak: float | None = None

    @contextmanager
    def bar(self, name: str, parts: int) -> Iterator[Bar]:
        """Show a bar of so many parts while the block runs; off a terminal say the name once."""
        if not self.console.is_terminal:
            self.console.print(f"{name} …")
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bars:
            yield Bar(bars, bars.add_task(name, total=parts), name)
