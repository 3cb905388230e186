"""What one sees while a ledger is played: a bar on a terminal, a line now and then anywhere else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from demo.player import Pace

_LINE_SECONDS: Final = 5


@contextmanager
def shown(console: Console) -> Iterator[Callable[[Pace], None]]:
    """Yield what is to be called with the pace, often; it shows the newest one."""
    if console.is_terminal:
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), console=console
        ) as progress:
            task = progress.add_task("starting")
            yield lambda pace: progress.update(task, description=described(pace), completed=pace.days_done, total=pace.days_all)
    else:
        yield _Lines(console).tell


class _Lines:
    """Says how it goes every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_at = 0.0

    def tell(self, pace: Pace) -> None:
        """Print the pace unless it was printed a moment ago."""
        now = time.monotonic()
        if now >= self._next_at:
            self._next_at = now + _LINE_SECONDS
            self._console.print(f"{described(pace)} ({pace.days_done} of {pace.days_all} days complete)", highlight=False)


def described(pace: Pace) -> str:
    """Return the business date, facts a second and lag as one short line."""
    return f"{pace.day}  {pace.facts} facts, {pace.facts_per_s}/s  lag {pace.behind_days} days, {pace.behind_facts} facts"
