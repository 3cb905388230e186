"""`python -m demo`: read a ledger, bring the stack up, play, compare, report."""

import asyncio
import json
import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from launcher.stack import Urls
from launcher.trouble import Trouble
from rich.console import Console

from demo import books, report, stack
from demo.generate import SHIPPED_LEDGER
from demo.kafka import connected
from demo.ledger import Ledger
from demo.mapping import Unreadable
from demo.migration.cli import LoadInterrupted, load_lines, load_opening
from demo.people import People
from demo.player import Played, Player
from demo.producers.cli import PublishInterrupted, publish
from demo.progress import shown
from demo.reading import read_ledger
from demo.services import Services

EXIT_DIFFERENT = EXIT_FAILED = 1


class Interrupted(Trouble):
    """Somebody pressed Ctrl-C."""

    def __init__(self) -> None:
        super().__init__("Interrupted; what was started goes on running, and `make demo` begins again with clean books.")


_EXIT_OF = {Unreadable: 2, Interrupted: 130, LoadInterrupted: 130, PublishInterrupted: 130}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command("load-opening")(load_opening)
app.command("load-lines")(load_lines)
app.command("publish")(publish)
console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)


@app.callback(invoke_without_command=True)
def play(
    context: typer.Context,
    ledger: Annotated[
        Path,
        typer.Option(
            help="A CSV of invoices with their settlement dates, or in the format of demo/README.md.", show_default="demo/ledger.csv"
        ),
    ] = SHIPPED_LEDGER,
    mapping: Annotated[
        Path | None, typer.Option(help="Which column means what (TOML); by default the shipped one that fits the header.")
    ] = None,
    json_to: Annotated[Path | None, typer.Option("--json", help="Also write the result as JSON to this file.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Play the first so many days only.")] = None,
    shuffle: Annotated[
        int | None, typer.Option(metavar="SEED", help="Publish each day's facts in an order of chance, across topics and keys.")
    ] = None,
    duplicate: Annotated[bool, typer.Option("--duplicate", help="Publish every fact twice. The digest must not change.")] = False,
    port_base: Annotated[
        int | None, typer.Option(help="Port of the first service; the others follow. By default that of the last time, else 8001.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Play nothing: compare the books of the running stack with the ledger.")] = False,
) -> None:
    """
    Play a ledger through the five services, as an ERP and a bank would: by publishing CloudEvents to Kafka, day by day.

    Starts a real Kafka, a real PostgreSQL and the services on this machine with clean books, and compares the result with what the CSV
    alone says. Exit status: 0 it ties, 1 it does not or something failed, 2 the ledger cannot be read, 130 interrupted.

    The commands load somebody's extract into the running stack instead.
    """
    if context.invoked_subcommand:
        return
    try:
        read, fitting = read_ledger(ledger, mapping)
        read = read.first_days(days) if days else read
        _refuse_beforehand(read, json_to)
        currencies, span = " and ".join(read.currencies), f"{read.opens_on} to {read.ends_on}"
        _say(f"{ledger} (mapping {fitting.name}): {len(read.entries)} facts in {currencies}, {span}")
        urls = stack.running() if check else stack.bring_up(read.house, read.opens_on, port_base, _say)
        result = asyncio.run(_run(read, urls, check=check, shuffle=shuffle, duplicate=duplicate))
    except KeyboardInterrupt:
        raise Interrupted from None
    report.show(console, result, urls.services)
    if json_to:
        json_to.write_text(json.dumps(report.for_machines(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    raise typer.Exit(0 if result.checked.ties else EXIT_DIFFERENT)


async def _run(ledger: Ledger, urls: Urls, *, check: bool, **order: Any) -> report.Result:
    services = Services(urls.services, stack.operator_token(), ledger.house.entity)
    try:
        played, latency_ms = (None, None) if check else await _play(ledger, urls, services, **order)
        console.print("comparing the books with the ledger …")
        return report.Result(ledger, await books.check(ledger, services), played, latency_ms)
    finally:
        await services.close()


async def _play(
    ledger: Ledger, urls: Urls, services: Services, *, shuffle: int | None, duplicate: bool
) -> tuple[Played, dict[str, int] | None]:
    async with connected(urls.kafka, ledger.house.entity) as (publisher, markers):
        with shown(console) as watch:
            people = People(services, stack.token_of)
            player = Player(ledger, services, publisher, markers, people, shuffle=shuffle, twice=duplicate, watch=watch)
            played = await player.play()
    return played, await books.latency_ms(urls.databases["reporting"], publisher.sent_at)


def _refuse_beforehand(ledger: Ledger, json_to: Path | None) -> None:
    """
    Look before anything is started.

    :raises Unreadable: the ledger reaches beyond today, where no business day can begin yet, or the result could not be written.
    """
    today = datetime.fromtimestamp(time.time(), UTC).date()
    if ledger.ends_on > today:
        raise Unreadable(f"The ledger reaches {ledger.ends_on}, which is after today ({today}): only what has happened can be played.")
    if json_to and not json_to.absolute().parent.is_dir():
        raise Unreadable(f"There is no folder {json_to.absolute().parent} to write {json_to.name} to.")


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def main() -> None:
    """Run; trouble becomes one sentence on stderr and an exit status."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL + 1)  # What goes wrong there is said once, by us.
    try:
        app()
    except Trouble as trouble:
        complaints.print(str(trouble), markup=False, soft_wrap=True, style=None if isinstance(trouble, Unreadable) else "red")
        sys.exit(next((status for kind, status in _EXIT_OF.items() if isinstance(trouble, kind)), EXIT_FAILED))
