"""`python -m bench`: bring a stack of its own up, run the cases, check the books after each, print and write the figures, stop."""

import asyncio
import json
import logging
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from launcher.folders import checkout
from launcher.topics import PARTITIONS
from launcher.trouble import Trouble
from rich.console import Console

from bench import machine, show, track
from bench.case import SCHEMA, Case
from bench.cases import days, latency, memory, pipeline, rebuild
from bench.machine import Noise
from bench.race import Race, Sizes

CASES: Final = (days.EMPTY, days.SPARSE, pipeline.INVOICES, pipeline.RECEIPTS, latency.NAME, rebuild.NAME, memory.NAME)
_PORT_BASE: Final = 8101
_EXIT_BOOKS_OPEN: Final = 1

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False)


@app.command()
def run(
    only: Annotated[list[str] | None, typer.Option(help=f"Run this case; repeat for more. There are {', '.join(CASES)}.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer events and rounds: about three minutes, for a first look.")] = False,
    n: Annotated[int | None, typer.Option(min=100, help="Invoices, and receipts, a round: 20 000, quick 5 000.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Rounds of the pipeline cases, a warm-up not counted: 3, quick 2.")] = None,
    json_to: Annotated[Path | None, typer.Option("--json", help="Also write everything as JSON to this file.")] = None,
    port_base: Annotated[int, typer.Option(help="Port of the bench's own first service; the others follow.")] = _PORT_BASE,
) -> None:
    """
    Measure the pipeline, each figure beside a floor taken in the same run.

    Kafka, PostgreSQL and the five services run as processes of this machine in a state folder of their own (.local/bench), with clean
    books, and are stopped in the end. Exit status: 0, or 1 where the books did not close after some part or something failed.
    """
    wanted = tuple(only or CASES)
    if unknown := sorted(set(wanted) - set(CASES)):
        raise typer.BadParameter(f"there is no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    sizes = Sizes(n or (5_000 if quick else 20_000), rounds or (2 if quick else 3), 10 if quick else 30, 60 if quick else 200)
    result, cases = asyncio.run(_race(wanted, sizes, Noise(), port_base))
    show.show(console, cases, result["noise"])
    if json_to:
        json_to.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    raise typer.Exit(0 if all(case.books_close for case in cases) else _EXIT_BOOKS_OPEN)


async def _race(wanted: tuple[str, ...], sizes: Sizes, noise: Noise, port_base: int) -> tuple[dict[str, Any], list[Case]]:
    async with track.opened(track.build(port_base, _say)) as ground:
        race = Race(ground, console, sizes, noise)
        noise.look()
        cases = await _run_cases(race, wanted)
        for case in cases:
            case.judge()
        result = {
            "schema": SCHEMA,
            "git": machine.commit(checkout()),
            "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "host": await machine.describe(ground.urls.databases["reporting"]),
            "config": {
                **asdict(sizes),
                "services": ground.services,
                "partitions": PARTITIONS,
                "latency_facts_a_second": latency.FACTS_A_SECOND,
            },
            "noise": noise.for_machines(),
            "cases": [case.for_machines() for case in cases],
        }
        return result, cases


async def _run_cases(race: Race, wanted: tuple[str, ...]) -> list[Case]:
    """Run in a fixed order: days while the books are small, the rebuild when there is something to rebuild, memory around it all."""
    cases: list[Case] = []
    idle = await memory.look_idle(race) if memory.NAME in wanted else {}
    for name in (days.EMPTY, days.SPARSE):
        if name in wanted:
            cases += await days.run(race, name)
    if in_pipeline := {pipeline.INVOICES, pipeline.RECEIPTS} & set(wanted):
        cases += await pipeline.run(race, in_pipeline)
    if latency.NAME in wanted:
        cases += await latency.run(race)
    if memory.NAME in wanted:  # Before the rebuild, which starts one of the processes anew.
        cases += await memory.run(race, idle)
    if rebuild.NAME in wanted:
        cases += await rebuild.run(race)
    return cases


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def main() -> None:
    """Run; trouble becomes one sentence and exit status 1."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)  # What goes wrong there is said once, by us.
    try:
        app()
    except Trouble as trouble:
        console.print(str(trouble), style="red", markup=False, soft_wrap=True)
        sys.exit(1)
