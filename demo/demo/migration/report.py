"""What a load says at the end: a tie-out for people, JSON for machines, and the refused rows as a CSV."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from events.invoice import Reason
from money import format_minor, scale
from rich.console import Console
from rich.table import Table

from demo.figures import BUCKETS
from demo.migration.documents import Sheet
from demo.migration.extract import RefusedRow
from demo.migration.load import Outcome
from demo.migration.opening import Days
from demo.migration.plan import Plan
from demo.migration.tie_out import Aged, Control, TieOut
from demo.report import grouped

_REFUSED_SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Result:
    """
    All that is known at the end of a load; `tied` is None where nothing was sent.

    `figures` are those of the kind of extract, ready for machines.
    """

    plan: Plan
    outcome: Outcome
    tied: TieOut | None
    figures: Mapping[str, Any]

    @property
    def refused(self) -> list[RefusedRow]:
        """Every row that was not loaded, in the order of the file: refused here, or by the service with all rows of its document."""
        answered = [RefusedRow(row, reasons) for document, reasons in self.outcome.refused for row in document.rows]
        return sorted([*self.plan.sheet.refused, *answered], key=lambda one: one.row.line)

    @property
    def succeeded(self) -> bool:
        """Whether every row is in the books and ties; of a file that was only read, whether every row can be."""
        return self.tied.ties if self.tied else not self.refused


def write_refused(path: Path, header: Sequence[str], delimiter: str, refused: Sequence[RefusedRow]) -> None:
    """
    Write refused rows: the line of the file, the reasons (`CODE field; CODE field`), and the row as it was.

    Columns may be looked up by name, so a corrected copy can be loaded with the same mapping. Where nothing was refused, there is no file,
    not even one of an earlier run.
    """
    if not refused:
        path.unlink(missing_ok=True)
        return
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        rows.writerow(["refused_line", "refused_because", *header])
        rows.writerows([one.row.line, written(one.reasons), *one.row.cells] for one in refused)


def written(reasons: Sequence[Reason]) -> str:
    """Write reasons on one line."""
    return "; ".join(f"{reason.code} {reason.field}" for reason in reasons)


def for_machines(result: Result) -> dict[str, Any]:
    """Return the result as JSON knows it; amounts are decimal strings, those of the file with as many decimals as it has."""
    plan, sheet, outcome, tied = result.plan, result.plan.sheet, result.outcome, result.tied
    return {
        "ties": tied.ties if tied else None,
        "entity": plan.entity,
        "ledger": plan.ledger.name,
        "mapping": plan.mapping,
        "rows": sheet.rows,
        "documents": len(sheet.documents),
        "accepted": len(outcome.accepted),
        "already_there": len(outcome.there),
        "refused_rows": len(result.refused),
        "duplicates": sheet.duplicates,
        "nothing_open": sheet.nothing_open,
        "cut_over_on": str(plan.days.cut_over_on),
        "as_of": str(plan.days.as_of),
        "books_hold_nothing_else": tied.alone if tied else None,
        "control": [_control_for_machines(control) for control in tied.controls] if tied else _file_for_machines(sheet),
        "aging": [_aged_for_machines(aged) for aged in tied.aging] if tied else [],
        **result.figures,
        "refused": [
            {"line": one.row.line, "reasons": [{"code": reason.code, "field": reason.field} for reason in one.reasons]}
            for one in result.refused
        ],
    }


def _file_for_machines(sheet: Sheet) -> list[dict[str, Any]]:
    totals = [(currency, sheet.exact[currency], sheet.refused_exact[currency]) for currency in sheet.currencies]
    return [
        {"currency": currency, "file": exactly(read + refused, currency), "refused": exactly(refused, currency)}
        for currency, read, refused in totals
    ]


def _control_for_machines(control: Control) -> dict[str, Any]:
    currency = control.currency
    return {
        "currency": currency,
        "agrees": control.agrees,
        "file": exactly(control.file, currency),
        "refused": exactly(control.refused, currency),
        "rounding": exactly(control.rounding, currency),
        "already_there": format_minor(control.there, currency),
        "accepted": format_minor(control.accepted, currency),
        "books": format_minor(control.books, currency),
        "beside": format_minor(control.beside, currency),
        "difference": format_minor(control.difference, currency),
    }


def _aged_for_machines(aged: Aged) -> dict[str, Any]:
    currency = aged.currency
    return {
        "currency": currency,
        "agrees": aged.agrees,
        "file": {
            "buckets": {
                name: {"n": aged.items.get(name, 0), "amount": format_minor(aged.file.buckets[name], currency)} for name in BUCKETS
            },
            "open": format_minor(aged.file.open, currency),
            "on_account": format_minor(aged.file.on_account, currency),
        },
        "books": {
            "buckets": {name: format_minor(aged.books.buckets[name], currency) for name in BUCKETS},
            "open": format_minor(aged.books.open, currency),
            "on_account": format_minor(aged.books.on_account, currency),
            "unapplied": format_minor(aged.books.unapplied, currency),
        },
    }


def show(console: Console, result: Result, refused_path: Path) -> None:
    """Print the end of a load."""
    sheet, outcome, tied = result.plan.sheet, result.outcome, result.tied
    _say(
        console,
        f"{sheet.rows} rows: {len(outcome.accepted)} documents accepted, {len(outcome.there)} in the books before; "
        f"{len(result.refused)} rows refused, {sheet.duplicates} duplicates, {sheet.nothing_open} with nothing open",
    )
    if tied:
        _show_tie_out(console, tied, result.plan.days)
    else:
        for total in _file_for_machines(sheet):
            _say(console, f"control total {total['currency']}: {grouped(total['file'])}, of which refused {grouped(total['refused'])}")
        _say(console, "nothing was sent")
    if result.refused:
        _say(console, f"{len(result.refused)} rows were refused; they are in {refused_path} with their reasons. The first of them:")
    for one in result.refused[:_REFUSED_SHOWN_MAX]:
        _say(console, f"  line {one.row.line}: {written(one.reasons)}")
    if tied:
        if outcome.there and not outcome.accepted:
            _say(console, "nothing was sent that is in the books already: this run has changed nothing")
        style = "bold green" if tied.ties else "bold red"
        console.print(f"ties to the file: {'yes' if tied.ties else 'no'}", style=style, highlight=False)


def _show_tie_out(console: Console, tied: TieOut, days: Days) -> None:
    for control in tied.controls:
        console.print(_control_table(control, days.cut_over_on))
    for aged in tied.aging:
        console.print(_aging_table(aged, days.as_of, alone=tied.alone))
    if any(aged.file.on_account > aged.books.on_account + aged.books.unapplied for aged in tied.aging):
        _say(console, "credit was applied to items by policy: open and credit are less by the same amount")
    if not tied.alone:
        _say(console, "the books hold other documents, too: the aging compares what this run has added")


def _control_table(control: Control, cut_over_on: date) -> Table:
    currency = control.currency
    table = Table(title=f"Control total, {currency}, on {cut_over_on}", title_justify="left", show_header=False)
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    rows = {
        "the file": exactly(control.file, currency),
        "less refused": exactly(-control.refused, currency),
        "rounding": exactly(control.rounding, currency),
        "= in the books, from before": format_minor(control.there, currency),
        "+ accepted by this run": format_minor(control.accepted, currency),
        "reporting says": format_minor(control.books, currency),
        "of which other documents": format_minor(control.beside, currency),
        "difference": format_minor(control.difference, currency),
    }
    for said, amount in rows.items():
        table.add_row(said, grouped(amount), end_section=said in ("rounding", "+ accepted by this run", "of which other documents"))
    return table


def _aging_table(aged: Aged, as_of: date, *, alone: bool) -> Table:
    table = Table(title=f"Aging, {aged.currency}, as of {as_of}", title_justify="left")
    for name in ("days past due", "items", "the file" if alone else "this run", "the books" if alone else "the books, more"):
        table.add_column(name, justify="left" if name == "days past due" else "right", no_wrap=True)
    for name in BUCKETS:
        amounts = (grouped(format_minor(side.buckets[name], aged.currency)) for side in (aged.file, aged.books))
        table.add_row("not due" if name == "current" else name, str(aged.items.get(name, 0)), *amounts)
    table.add_section()
    for said, file, books in (
        ("open", aged.file.open, aged.books.open),
        ("credit on account", aged.file.on_account, aged.books.on_account + aged.books.unapplied),
    ):
        table.add_row(said, "", grouped(format_minor(file, aged.currency)), grouped(format_minor(books, aged.currency)))
    return table


def exactly(minor: Fraction, currency: str) -> str:
    """Write minor units with all decimals they need, at least those of the currency: 12 1/2 cents are 0.125."""
    decimals = scale(currency)
    while (minor * 10 ** (decimals - scale(currency))).denominator != 1:
        decimals += 1
    digits = str(abs(int(minor * 10 ** (decimals - scale(currency))))).zfill(decimals + 1)
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"


def _say(console: Console, line: str) -> None:
    """Print a line as it is, however wide the terminal."""
    console.print(line, highlight=False, markup=False, soft_wrap=True)
