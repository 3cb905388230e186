"""`python -m demo load-opening` and `load-lines`: somebody's extract into the books of a running stack, tied out to the cent."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from launcher.trouble import Trouble
from rich.console import Console

from demo import stack
from demo.mapping import Unreadable
from demo.migration import report
from demo.migration.load import Outcome
from demo.migration.plan import Plan, plan_lines, plan_opening
from demo.migration.run import Progress, run

EXIT_DIFFERENT = 1

Ledger: TypeAlias = Annotated[Path, typer.Option(help="The extract: a CSV in UTF-8 with a header, plain or gzipped.")]
MappingFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Which column means what (TOML, docs/migration.md); by default the shipped one that fits the header."),
]
EntityCode: TypeAlias = Annotated[str, typer.Option(help="The legal entity whose books it goes into, as the entities file calls it.")]
AsOf: TypeAlias = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Tie the aging out on this day; by default on the mapping's, else the newest document's."),
]
RefusedFile: TypeAlias = Annotated[
    Path | None, typer.Option(help="Where rows that are refused go, with their reasons.", show_default="LEDGER.refused.csv beside it")
]
JsonFile: TypeAlias = Annotated[Path | None, typer.Option("--json", help="Also write the result as JSON to this file.")]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Send nothing: read the file, write what is refused and say the totals.")
]
Planner = Callable[[Path, Path | None, str, date | None, date], Plan]

console = Console(highlight=False)


class LoadInterrupted(Trouble):
    """Somebody pressed Ctrl-C while a file was loaded."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(
            f"Interrupted: of {progress.to_send} documents to send {progress.sent} were sent and {progress.answered} answered. What was "
            "sent is in the books or will be in a moment; run the same command again: it sends the rest, nothing twice, and ties out."
        )


def load_opening(
    ledger: Ledger,
    entity: EntityCode,
    mapping: MappingFile = None,
    as_of: AsOf = None,
    refused: RefusedFile = None,
    json_to: JsonFile = None,
    dry_run: DryRun = False,
) -> None:
    """
    Load opening balances: the items that are open in the books before ours, one row each, into the running stack (`make up`).

    Every row is told to the invoice service as an ERP would, and is accepted, or refused with every reason. At the end the file's control
    total and its aging are compared with what reporting says. Running it again sends only what is not in the books yet.

    Exit status: 0 every row is in the books and the totals agree, 1 they do not, rows were refused, or something failed, 2 the file or the
    mapping cannot be used, 130 interrupted.
    """
    _load(plan_opening, ledger, mapping, entity, as_of, refused, json_to, dry_run=dry_run)


def load_lines(
    ledger: Ledger,
    entity: EntityCode,
    mapping: MappingFile = None,
    as_of: AsOf = None,
    refused: RefusedFile = None,
    json_to: JsonFile = None,
    dry_run: DryRun = False,
) -> None:
    """
    Load documents from their lines, one row a line, into the running stack (`make up`): invoices, credit memos, adjustments.

    Lines are put together by document number; docs/migration.md has the rules. The rest is as with load-opening, exit statuses too.
    """
    _load(plan_lines, ledger, mapping, entity, as_of, refused, json_to, dry_run=dry_run)


def _load(
    planner: Planner,
    ledger: Path,
    mapping: Path | None,
    entity: str,
    as_of: datetime | None,
    refused: Path | None,
    json_to: Path | None,
    *,
    dry_run: bool,
) -> None:
    refused = refused or ledger.with_name(f"{ledger.name}.refused.csv")
    for path in (refused, json_to):
        if path and not path.absolute().parent.is_dir():
            raise Unreadable(f"There is no folder {path.absolute().parent} to write {path.name} to.")
    today = datetime.fromtimestamp(time.time(), UTC).date()
    plan = planner(ledger, mapping, entity, as_of.date() if as_of else None, today)
    _say(f"{ledger} (mapping {plan.mapping}): {plan.sheet.rows} rows, {len(plan.sheet.documents)} documents")
    if dry_run:
        result = report.Result(plan, Outcome(), None, plan.figures((), {}))
    else:
        progress = Progress()
        try:
            result = asyncio.run(run(plan, stack.running(), stack.operator_token(), console, progress))
        except KeyboardInterrupt:
            raise LoadInterrupted(progress) from None
    report.write_refused(refused, plan.header, plan.delimiter, result.refused)
    report.show(console, result, refused)
    if json_to:
        json_to.write_text(json.dumps(report.for_machines(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    raise typer.Exit(0 if result.succeeded else EXIT_DIFFERENT)


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)
