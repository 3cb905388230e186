"""`python -m torture run`: one run on this machine; `faults`: what can be done to the stack."""

import asyncio
import json
import logging
import random
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from launcher.folders import checkout
from launcher.trouble import Trouble
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from torture import markdown, show
from torture.figures import Figures
from torture.nemesis.kinds import KINDS
from torture.run import RATE_PER_S, Tell, Wish, run

_EXIT_UNSOUND: Final = 1
_EXIT_INTERRUPTED: Final = 130

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
console = Console(highlight=False)


@app.command("run")
def run_once(
    seed: Annotated[int | None, typer.Option(help="Decides everything that is random; by default another one each time, printed.")] = None,
    faults: Annotated[int, typer.Option(min=0, help="How many faults; fifteen take about three minutes, 250 half an hour and more.")] = 15,
    long: Annotated[
        bool, typer.Option("--long/--short", help="Let faults last as long as in life: five minutes without a broker.")
    ] = False,
    disks: Annotated[
        bool, typer.Option("--disks/--no-disks", help="Put the servers on small disks (tmpfs, needs root) and fill them.")
    ] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only this kind of fault; repeat for more. See `faults`.")] = None,
    rate: Annotated[float, typer.Option(min=1, help="Operations a second.")] = RATE_PER_S,
    code: Annotated[Path | None, typer.Option(help="A folder put before ours on the services' path: mutants, older versions.")] = None,
    json_to: Annotated[Path | None, typer.Option("--json", help="Also write the figures as JSON to this file.")] = None,
) -> None:
    """
    Torture the five services once and prove their books.

    Everything runs as processes of this machine, in a folder of its own under .local/torture, and is stopped in the end. Exit status 0 when
    nothing was lost, doubled or reordered and no minor unit is missing; 1 otherwise, or when the run has proved nothing.
    """
    if unknown := sorted(set(only or ()) - KINDS.keys()):
        raise typer.BadParameter(f"there is no fault {', '.join(unknown)}; `faults` lists them", param_hint="--only")
    chosen = seed if seed is not None else random.SystemRandom().randrange(10**6)
    folder = checkout() / ".local" / "torture" / f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{chosen}"
    folder.mkdir(parents=True)
    wish = Wish(chosen, faults, long, disks, tuple(only or ()), rate, code, needs_counts=not only and faults >= 10)
    console.print(f"seed {chosen}, {faults} faults; logs and history in {folder.relative_to(checkout())}", markup=False)
    figures = _run(wish, folder)
    (folder / "figures.json").write_text(json.dumps(figures.for_machines(), indent=1, default=str) + "\n")
    if json_to:
        json_to.write_text(json.dumps(figures.for_machines(), indent=1, default=str) + "\n")
    show.show(console, figures)
    raise typer.Exit(0 if figures.is_sound else _EXIT_UNSOUND)


@app.command("faults")
def list_faults(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """List the kinds of faults."""
    if as_json:
        console.print_json(data={name: {"says": kind.says, "targets": list(kind.targets)} for name, kind in KINDS.items()})
        return
    for name, kind in KINDS.items():
        console.print(f"{name:24} {kind.says}", markup=False)


@app.command("table")
def print_table(results: list[Path]) -> None:
    """Print the figures of runs (their JSON) as the Markdown tables of docs/reliability.md."""
    print(markdown.tables_of([json.loads(path.read_text()) for path in results]), end="")


def _run(wish: Wish, folder: Path) -> Figures:
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("starting", total=wish.faults)
            return asyncio.run(_interruptible(wish, folder, lambda line, done, _: progress.update(task, description=line, completed=done)))
    began_at = time.monotonic()
    return asyncio.run(
        _interruptible(
            wish,
            folder,
            lambda line, done, all_: console.print(f"{time.monotonic() - began_at:6.1f} s  {done}/{all_}  {line}", markup=False),
        )
    )


async def _interruptible(wish: Wish, folder: Path, tell: Tell) -> Figures:
    """Run; SIGTERM ends it like Ctrl-C does, with everything stopped that was started."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await run(wish, folder, tell)


def main() -> None:
    """Run; trouble becomes one sentence and exit status 1."""
    for name in ("aiokafka", "asyncio", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # What goes wrong there is what was wanted.
    try:
        app()
    except Trouble as trouble:
        console.print(str(trouble), style="red", markup=False, soft_wrap=True)
        sys.exit(_EXIT_UNSOUND)
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("interrupted: everything that was started is stopped", markup=False)
        sys.exit(_EXIT_INTERRUPTED)
