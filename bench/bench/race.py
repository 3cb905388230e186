"""What every case is given: the track, how much to do, and how to say how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench.machine import Noise
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
    """How much: `n` events a round and `rounds` rounds for throughput, `seconds` for latency, `days` for the turning of days."""

    n: int
    rounds: int
    seconds: int
    days: int


@dataclass(frozen=True, slots=True)
class Race:
    """One run."""

    track: Track
    console: Console
    sizes: Sizes
    noise: Noise

    @contextmanager
    def bar(self, name: str, parts: int) -> Iterator[Bar]:
        """Show a bar of so many parts while the block runs; off a terminal say the name once."""
        if not self.console.is_terminal:
            self.console.print(f"{name} …")
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bars:
            yield Bar(bars, bars.add_task(name, total=parts), name)
