"""What one sees while documents are told: a bar on a terminal, a line now and then anywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from demo.migration.load import Watch

_LINE_SECONDS: Final = 5


@contextmanager
def shown(console: Console, documents: int) -> Iterator[Watch]:
    """Yield what is to be called with the counts of sent and answered documents, often."""
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("answered", total=documents)
            yield lambda sent, answered: progress.update(task, description=f"{sent} sent, answered", completed=answered)
    else:
        next_at = time.monotonic() + _LINE_SECONDS

        def tell(sent: int, answered: int) -> None:
            nonlocal next_at
            if time.monotonic() >= next_at:
                next_at = time.monotonic() + _LINE_SECONDS
                console.print(f"{sent} sent, {answered} answered, of {documents}")

        yield tell
