"""What a run looks like on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from bench.case import Case


def show(console: Console, cases: Sequence[Case], noise: dict[str, Any]) -> None:
    """Print rates beside their references, then latency, memory, where the CPU went, and what the books say."""
    rates = [case for case in cases if case.ratios]
    if rates:
        console.print(_rates(rates))
    for counted in _alike([case for case in cases if case.subject and case.subject[-1].cpu_us]):
        console.print(_cpu(counted))
    timed = {f"{case.name}, {what}": found.percentiles_ms() for case in cases for what, found in case.latency.items()}
    if timed:
        console.print(_figures("how long it took, ms", timed, "what", 2))
    for case in cases:
        if case.memory_kib:
            console.print(_figures("memory, MiB", _in_mib(case.memory_kib), "process", 1))
    calibrations, load = f"{noise['calib_best']:.3f} to {noise['calib_worst']:.3f} s", noise["load_before"]
    noisy = "; this machine was not left alone: compare the ratios, not the rates" if noise["noisy"] else ""
    console.print(f"noise: load {load} before, {noise['steal']:.1%} stolen, calibration loop {calibrations}{noisy}")
    for case in cases:
        for difference in case.differences:
            console.print(f"{case.name}: {difference}", style="red", markup=False)
    close = all(case.books_close for case in cases)
    console.print("books close after every part: " + ("yes" if close else "no"), style=None if close else "red")


def _rates(cases: Sequence[Case]) -> Table:
    """A line for every reference; what was wanted of its ratio by the rows of the targets, and whether that was met."""
    case_column = Column("case", no_wrap=True)  # A terminal is narrow, but names must be legible.
    table = Table(case_column, "a second", "beside", "ratio", "wanted", title="rates, and ratios to what stands beside")
    for case in cases:
        rate = case.rate.median if case.rate else 0.0
        for reference, ratio in case.ratios.items():
            spread = f"{ratio.median:.3g}" + (f" ({ratio.min:.3g} to {ratio.max:.3g})" if len(case.subject) > 1 else "")
            judged = [(target, verdict) for target, verdict in case.verdicts.items() if target.reference == reference]
            wanted = "\n".join(f"{target.must:.3g}, {target.ambitious:.3g}: {verdict}" for target, verdict in judged)
            table.add_row(case.name, f"{rate:,.4g}", reference, spread, wanted)
    return table


def _alike(cases: Sequence[Case]) -> list[list[Case]]:
    """Group the cases whose CPU is counted by the same kind of parts: stages of one process, or processes."""
    groups: dict[bool, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.name.startswith("stages_"), []).append(case)
    return list(groups.values())


def _cpu(cases: Sequence[Case]) -> Table:
    """Where the CPU went: the last round's microseconds an event."""
    names = sorted({name for case in cases for name in case.subject[-1].cpu_us})
    table = Table("part", *(_broken(case.name) for case in cases), title="CPU, µs an event (a day)")
    for name in names:
        table.add_row(name, *(f"{case.subject[-1].cpu_us.get(name, 0):,.0f}" for case in cases))
    table.add_row("all", *(f"{sum(case.subject[-1].cpu_us.values()):,.0f}" for case in cases))
    return table


def _broken(name: str) -> str:
    return name.replace("_", "\n", 1)  # A terminal is narrow.


def _figures(title: str, rows: dict[str, dict[str, float]], what: str, decimals: int) -> Table:
    columns = list(next(iter(rows.values())))
    table = Table(what, *columns, title=title)
    for name, figures in rows.items():
        table.add_row(name, *(f"{figures[column]:,.{decimals}f}" for column in columns))
    return table


def _in_mib(rows: dict[str, dict[str, int | None]]) -> dict[str, dict[str, float]]:
    return {name: {kind: (kib or 0) / 1024 for kind, kib in figures.items()} for name, figures in rows.items()}
