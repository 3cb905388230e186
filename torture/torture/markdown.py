"""The figures of several runs as the Markdown tables of docs/reliability.md."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torture.figures import spread

Run = Mapping[str, Any]


def tables_of(runs: Sequence[Run]) -> str:
    """Return four tables: the runs, recovery by kind of fault, how often a service answered, what was seen to happen."""
    return "\n".join((_of_runs(runs), _of_recovery(runs), _of_availability(runs), _of_counts(runs)))


def _of_runs(runs: Sequence[Run]) -> str:
    head = (
        "seed",
        "commit",
        "faults",
        "operations ok, refused, unsure then resolved",
        "facts",
        "lost",
        "double",
        "inverted",
        "minor units off",
    )
    rows = []
    for run in runs:
        asked, audit = run["operations"], run["audit"]
        operations = f"{asked['ok']:,} / {asked['fail']:,} / {asked['resolved']:,}"
        harm = (audit["lost"], audit["double"], audit["inversions"], audit["residual_minor"])
        dropped, rest = run["counts"].get("duplicate delivered", 0), run["quiesce_s"]
        rows.append(
            (
                run["seed"],
                run["git"],
                sum(run["faults"].values()),
                operations,
                f"{audit['events']:,}",
                *harm,
                f"{dropped:,}",
                rest,
                _verdict(run),
            )
        )
    return _table((*head, "repeats dropped", "s to rest", "verdict"), rows)


def _verdict(run: Run) -> str:
    if run["is_sound"]:
        return "sound"
    return "broken" if run["broken"] else "proved too little"


def _of_recovery(runs: Sequence[Run]) -> str:
    times: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for kind, seconds in run["recoveries_s"].items():
            times[kind] += seconds
    rows = [(f"`{kind}`", *spread(seconds)) for kind, seconds in sorted(times.items())]
    return _table(("fault", "n", "p50 s", "p95 s", "max s"), rows)


def _of_availability(runs: Sequence[Run]) -> str:
    services = {service for run in runs for service in run["availability"]}
    rows = [
        (service, *(_mean(run["availability"][service][side] for run in runs if side in run["availability"][service]) for side in _SIDES))
        for service in sorted(services)
    ]
    return _table(("service", "while hurt or recovering", "otherwise"), rows)


_SIDES = ("inside", "outside")


def _mean(shares: Iterable[float]) -> str:
    known = list(shares)
    return f"{sum(known) / len(known):.1%}" if known else ""


def _of_counts(runs: Sequence[Run]) -> str:
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run["counts"])
    return _table(("seen to happen", "times"), [(what, f"{n:,}") for what, n in sorted(counts.items())])


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)
