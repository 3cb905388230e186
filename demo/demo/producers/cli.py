"""`python -m demo publish`: documents of a billing system, as JSON files, told to a running stack."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer
from events.fact import kind_of
from launcher.trouble import Trouble
from rich.console import Console
from rich.table import Table

from demo import stack
from demo.mapping import Unreadable
from demo.producers.draft import Books
from demo.producers.systems import System
from demo.producers.telling import Telling, Told, read_files, tell
from demo.report import grouped

EXIT_REFUSED = 1

console = Console(highlight=False)


class PublishInterrupted(Trouble):
    """Somebody pressed Ctrl-C while documents were told."""

    def __init__(self) -> None:
        super().__init__(
            "Interrupted: what was sent is in the books or will be in a moment; run the same command again, nothing counts twice."
        )


def publish(
    files: Annotated[list[Path], typer.Argument(help="JSON files, each a document or a list of them, as docs/producers.md says.")],
    system: Annotated[System, typer.Option("--from", help="The system they come from.")],
    entity: Annotated[str, typer.Option(help="The legal entity whose books they go into, as the entities file calls it.")],
    currency: Annotated[
        str | None, typer.Option(help="The currency of documents that state none (QuickBooks and Xero with a single currency).")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Where instants become days (Stripe states no days).")] = "UTC",
    json_to: Annotated[Path | None, typer.Option("--json", help="Also write the result as JSON to this file.")] = None,
    dry: Annotated[bool, typer.Option("--dry", "--dry-run", help="Send nothing: print the facts, one JSON object a line.")] = False,
) -> None:
    """
    Tell documents of QuickBooks, Xero, Stripe, ERPNext or Odoo to the running stack (`make up`), and say what the service answers.

    Running it again sends only what is not answered yet.

    Exit status: 0 nothing was refused, 1 something was or failed, 2 a file cannot be read, 130 interrupted.
    """
    if json_to and not json_to.absolute().parent.is_dir():
        raise Unreadable(f"There is no folder {json_to.absolute().parent} to write {json_to.name} to.")
    today = datetime.fromtimestamp(time.time(), UTC).date()
    tellings, refused = read_files(system, files, Books(entity, currency, _zone(time_zone)), today)
    if dry:
        told = [Told(telling.place, "read", telling) for telling in tellings]
        for telling in tellings:
            console.print(json.dumps(_fact(telling, system), ensure_ascii=False), markup=False, soft_wrap=True)
    else:
        try:
            told = asyncio.run(tell(tellings, system, entity, stack.running(), stack.operator_token()))
        except KeyboardInterrupt:
            raise PublishInterrupted from None
        console.print(_table([*told, *refused], system))
    for one in refused if dry else ():
        typer.echo(f"{one.place}: refused: {'; '.join(one.reasons)}", err=True)
    everything = [*told, *refused]
    if json_to:
        json_to.write_text(json.dumps(for_machines(everything, system), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    raise typer.Exit(EXIT_REFUSED if any(one.verdict == "refused" for one in everything) else 0)


def for_machines(told: Sequence[Told], system: System) -> dict[str, Any]:
    """Return the result as JSON knows it: how many of each verdict, and every fact with what became of it."""
    return {
        "from": str(system),
        "verdicts": dict(sorted(Counter(one.verdict for one in told).items())),
        "facts": [
            {
                "place": one.place,
                "verdict": one.verdict,
                "reasons": list(one.reasons),
                **(_fact(one.telling, system) if one.telling else {}),
            }
            for one in told
        ],
    }


def _fact(telling: Telling, system: System) -> dict[str, Any]:
    kind = kind_of(type(telling.event))
    return {
        "type": kind.type,
        "source": system.source,
        "id": telling.source_id,
        "topic": kind.topic,
        "data": msgspec.to_builtins(telling.event),
    }


def _table(told: Sequence[Told], system: System) -> Table:
    table = Table(title=f"From {system}", title_justify="left")
    for name in ("where", "fact", "number", "customer", "total", "became", "because"):
        table.add_column(name, justify="right" if name == "total" else "left", overflow="fold")
    for one in told:
        fact, number, customer, total = _cells(one.telling)
        table.add_row(one.place, fact, number, customer, total, one.verdict, "; ".join(one.reasons))
    return table


def _cells(telling: Telling | None) -> tuple[str, str, str, str]:
    """Return name, number, customer and total of a fact for people."""
    if telling is None:
        return "", "", "", ""
    total, currency = getattr(telling.event, "total", None), getattr(telling.event, "currency", "")
    return type(telling.event).__name__, telling.number or "", telling.customer, f"{grouped(total)} {currency}" if total else ""


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unreadable(f"There is no time zone {name}: say one as Europe/Berlin.") from None
