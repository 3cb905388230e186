"""What a run looks like on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.case import Case


def show(console: Console, cases: Sequence[Case], noise: dict[str, Any]) -> None:
    """Print a table of rates beside their floors, then latency, memory, where the CPU went, and what the books say."""
    rates = [case for case in cases if case.subject]
    if rates:
        console.print(_rates(rates))
        console.print(_cpu(rates))
    for case in cases:
        if case.latency_ms:
            console.print(_figures("publish to visible, ms", case.latency_ms, "of"))
        if case.memory_kib:
            console.print(_figures("memory, MiB", _in_mib(case.memory_kib), "process"))
    calibrations, load = f"{noise['calib_best']:.3f} to {noise['calib_worst']:.3f} s", noise["load_before"]
    noisy = "; this machine was not left alone: compare the shares, not the rates" if noise["noisy"] else ""
    console.print(f"noise: load {load} before, {noise['steal']:.1%} stolen, calibration loop {calibrations}{noisy}")
    for case in cases:
        for difference in case.differences:
            console.print(f"{case.name}: {difference}", style="red", markup=False)
    close = all(case.books_close for case in cases)
    console.print("books close after every part: " + ("yes" if close else "no"), style=None if close else "red")


def _rates(cases: Sequence[Case]) -> Table:
    table = Table("case", "a second", "least", "most", "floor", "share", "wanted", title="events a second, and their share of the floor")
    for case in cases:
        rate, ratio = case.rate, case.ratio
        if rate is None or ratio is None:
            continue
        floor = sum(one.rate for one in case.floor) / len(case.floor)
        wanted = "" if case.target is None else f"{case.target:.2f} {'met' if case.passed else 'missed'}"
        rates = (f"{figure:,.0f}" for figure in (rate.median, rate.min, rate.max, floor))
        table.add_row(_broken(case.name), *rates, f"{ratio.median:.3f}", wanted)
    return table


def _cpu(cases: Sequence[Case]) -> Table:
    """Where the CPU went, by process: the last round's microseconds an event."""
    counted = [case for case in cases if case.subject[-1].cpu_us]
    names = sorted({name for case in counted for name in case.subject[-1].cpu_us})
    table = Table("process", *(_broken(case.name) for case in counted), title="CPU, µs an event (a day)")
    for name in names:
        table.add_row(name, *(f"{case.subject[-1].cpu_us.get(name, 0):,.0f}" for case in counted))
    table.add_row("all", *(f"{sum(case.subject[-1].cpu_us.values()):,.0f}" for case in counted))
    return table


def _broken(name: str) -> str:
    return name.replace("_", "\n", 1)  # A terminal is narrow.


def _figures(title: str, rows: dict[str, dict[str, float]], what: str) -> Table:
    columns = list(next(iter(rows.values())))
    table = Table(what, *columns, title=title)
    for name, figures in rows.items():
        table.add_row(name, *(f"{figures[column]:,.1f}" for column in columns))
    return table


def _in_mib(rows: dict[str, dict[str, int | None]]) -> dict[str, dict[str, float]]:
    return {name: {kind: (kib or 0) / 1024 for kind, kib in figures.items()} for name, figures in rows.items()}
