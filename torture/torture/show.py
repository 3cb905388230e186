"""What a run looks like on the terminal."""

from rich.console import Console
from rich.table import Table

from torture.figures import Figures, spread


def show(console: Console, figures: Figures) -> None:
    """Print what was asked, done and seen, and the verdict."""
    console.print(_pairs("operations", figures.operations))
    console.print(_pairs("faults", figures.faults))
    console.print(_pairs("seen to happen", figures.counts))
    table = Table("after", "n", "p50 s", "p95 s", "max s", title="recovery: ready, outboxes empty, all heard")
    for kind, seconds in figures.recoveries_s.items():
        table.add_row(kind, *(f"{figure:g}" for figure in spread(seconds)))
    console.print(table)
    sides = Table("service", "while hurt", "otherwise", title="share of reads answered within 2 s")
    for service, shares in figures.availability.items():
        sides.add_row(service, *(f"{shares[side]:.1%}" if side in shares else "" for side in ("inside", "outside")))
    console.print(sides)
    console.print(_pairs("audit", {name: value for name, value in figures.audit.items() if isinstance(value, int | float | str)}))
    at_rest = f"at rest after {figures.quiesce_s} s" if figures.quiesce_s is not None else "never at rest"
    console.print(f"seed {figures.seed}, commit {figures.git}, {figures.seconds} s, {figures.samples} samples, {at_rest}")
    for line in (*figures.broken, *figures.invalid):
        console.print(line, style="red", markup=False, soft_wrap=True)
    console.print(
        "sound: nothing lost, doubled or reordered" if figures.is_sound else "NOT SOUND", style=None if figures.is_sound else "red"
    )


def _pairs(title: str, pairs: object) -> Table:
    table = Table("what", "how often", title=title)
    for name, n in sorted(dict(pairs).items()):  # type: ignore[call-overload]
        table.add_row(str(name), f"{n:,}" if isinstance(n, int) else str(n))
    return table
