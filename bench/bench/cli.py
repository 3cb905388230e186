"""`python -m bench`: bring a stack of its own up, run the cases, check the books after each, print and write the figures, stop."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Final

import structlog
import typer
import uvloop
from launcher.folders import checkout
from launcher.topics import PARTITIONS
from launcher.trouble import Trouble
from rich.console import Console

from bench import compare as comparing
from bench import machine, markdown, results, show, track
from bench.case import SCHEMA, Case
from bench.cases import (
    aging,
    burst,
    cash_application,
    codec,
    days,
    due,
    http_commit,
    latency,
    memory,
    otel,
    pipeline,
    rebuild,
    relay,
    stages,
    step,
    suggestions,
    writes,
)
from bench.machine import Noise
from bench.race import FULL, QUICK, USUAL, Population, Race, Sizes

Outcome = tuple[results.Result, list[Case]]
Part = tuple[tuple[str, ...], Callable[[Race, Collection[str]], Awaitable[list[Case]]]]
PARTS: Final[
    tuple[Part, ...]
] = (  # Days while the books are small; memory after all load; the rebuild last, because it takes the stack apart.
    (codec.NAMES, codec.run),
    (writes.NAMES, writes.run),
    (step.NAMES, step.run),
    (due.NAMES, due.run),
    (cash_application.NAMES, cash_application.run),
    (suggestions.NAMES, suggestions.run),
    (stages.NAMES, stages.run),
    (relay.NAMES, relay.run),
    (otel.NAMES, otel.run),
    (days.NAMES, days.run),
    (pipeline.NAMES, pipeline.run),
    (latency.NAMES, latency.run),
    (burst.NAMES, burst.run),
    (http_commit.NAMES, http_commit.run),
    (memory.NAMES, memory.run),
    (aging.NAMES, aging.run),
    (rebuild.NAMES, rebuild.run),
)
CASES: Final = tuple(name for names, _ in PARTS for name in names)
_SIZES: Final = {"quick": QUICK, "usual": USUAL, "full": FULL}
_PORT_BASE: Final = 8101
_BOOKS_OPEN: Final = 1
_WORSE: Final = 1
_TERMINATED: Final = 128 + signal.SIGTERM
_CUSTOMERS_SHARE: Final = 20

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False)


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    only: Annotated[list[str] | None, typer.Option(help=f"Run this case; repeat for more. There are {', '.join(CASES)}.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer events and one round: about three minutes, for a first look.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Five rounds, a million facts, ten million open items: about an hour and a half.")
    ] = False,
    n: Annotated[int | None, typer.Option(min=100, help="Events a round: 20 000, quick 5 000.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of every case: 3, quick 1, full 5.")] = None,
    facts: Annotated[int | None, typer.Option(min=100, help="Facts of the replay: 200 000, quick 30 000, full a million.")] = None,
    open_items: Annotated[list[int] | None, typer.Option(min=100, help="Ask about so many open items; repeat for more sizes.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the figures in bench/results, which is in git.")] = False,
    json_to: Annotated[Path | None, typer.Option("--json", help="Also write everything as JSON to this file.")] = None,
    port_base: Annotated[int, typer.Option(help="Port of the bench's own first service; the others follow.")] = _PORT_BASE,
) -> None:
    """
    Measure the pipeline and its parts, each figure beside a reference taken in the same run.

    Kafka, PostgreSQL and the five services run as processes of this machine in a state folder of their own (.local/bench), with clean
    books, and are stopped in the end. Exit status: 0, or 1 where the books did not close after some part or something failed.
    """
    if context.invoked_subcommand:
        return
    wanted = tuple(only or CASES)
    if unknown := sorted(set(wanted) - set(CASES)):
        raise typer.BadParameter(f"there is no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    mode = "quick" if quick else "full" if full else "usual"
    sizes = _resized(_SIZES[mode], n, rounds, facts, open_items)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # The loop the services have.
            result, cases = runner.run(_until_told(_race(wanted, mode, sizes, port_base)))
    except asyncio.CancelledError:
        raise typer.Exit(_TERMINATED) from None
    show.show(console, cases, result["noise"])
    for path in [path for path in (json_to, results.kept_as(result) if keep else None) if path]:
        results.write(result, path)
    raise typer.Exit(0 if all(case.books_close for case in cases) else _BOOKS_OPEN)


@app.command()
def compare(before: Path, after: Path) -> None:
    """Say how the ratios changed between two results; exit status 1 where one got worse by more than 15 %."""
    old, new = results.read(before), results.read(after)
    found = comparing.changes(old, new)
    console.print(comparing.table_of(found, old, new))
    raise typer.Exit(_WORSE if any(change.is_worse for change in found) else 0)


@app.command()
def table(result: Path) -> None:
    """Print a result as the Markdown tables of docs/performance.md."""
    print(markdown.tables_of(results.read(result)), end="")


def _resized(sizes: Sizes, n: int | None, rounds: int | None, facts: int | None, open_items: list[int] | None) -> Sizes:
    aging_over = tuple(Population(items, max(1, items // _CUSTOMERS_SHARE), 1) for items in open_items or ())
    return replace(sizes, n=n or sizes.n, rounds=rounds or sizes.rounds, facts=facts or sizes.facts, aging=aging_over or sizes.aging)


async def _until_told(racing: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Have SIGTERM end a run as Ctrl-C does, with everything stopped that was started."""
    task = asyncio.ensure_future(racing)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


async def _race(wanted: Collection[str], mode: str, sizes: Sizes, port_base: int) -> Outcome:
    async with track.opened(track.build(port_base, _say)) as ground:
        race = Race(ground, console, sizes, Noise())
        race.noise.look()
        if memory.NAME in wanted:
            await memory.look_idle(race)
        cases: list[Case] = []
        for names, run_part in PARTS:
            if set(names) & set(wanted):
                cases += await run_part(race, wanted)
        for case in cases:
            case.judge()
        return await _result(race, mode, cases), cases


async def _result(race: Race, mode: str, cases: list[Case]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "git": machine.commit(checkout()),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "host": await machine.describe(race.track.urls.databases["reporting"]),
        "config": {
            "mode": mode,
            **asdict(race.sizes),
            "services": race.track.services,
            "partitions": PARTITIONS,
            "latency_facts_a_second": latency.FACTS_A_SECOND,
        },
        "noise": race.noise.for_machines(),
        "cases": [case.for_machines() for case in cases],
    }


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def main() -> None:
    """Run; trouble becomes one sentence and exit status 1."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)  # What goes wrong there is said once, by us.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))  # Services in this process only complain.
    try:
        app()
    except Trouble as trouble:
        console.print(str(trouble), style="red", markup=False, soft_wrap=True)
        sys.exit(1)
