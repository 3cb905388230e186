"""A result as the tables of docs/performance.md."""

from collections.abc import Iterator
from typing import Any, Final

from bench.results import Result

_PERCENTILES: Final = ("p50", "p90", "p99", "p99_9", "max")
_MODES: Final = {"quick": " --quick", "usual": "", "full": " --full"}


def tables_of(result: Result) -> str:
    """Return the machine, the sizes and how to repeat it, then ratios, latencies, CPU and memory."""
    parts = [_about(result), *_ratios(result["cases"]), *_latencies(result["cases"]), *_cpu(result["cases"]), *_memory(result["cases"])]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _about(result: Result) -> list[str]:
    host, config, noise = result["host"], result["config"], result["noise"]
    clean = "the machine was noisy" if noise["noisy"] else "the machine was quiet"
    return [
        f"{result['measured_at'][:10]}, commit `{result['git']}`; {host['cpu']}, {host['cores']} cores, {host['mem_gib']} GiB, "
        f"Python {host['python']}, PostgreSQL {host['postgres']}, Kafka {host['kafka']}; {clean} ({noise['steal']:.1%} stolen, "
        f"calibration {noise['calib_best']:.3f} to {noise['calib_worst']:.3f} s). {config['n']:,} events a round, "
        f"{config['rounds']} rounds, {config['facts']:,} facts replayed. Repeat: `python -m bench{_MODES[config['mode']]}`."
    ]


def _ratios(cases: list[dict[str, Any]]) -> Iterator[list[str]]:
    lines = ["| case | a second | beside | ratio, median (worst to best) | must | ambitious | |", "|---|---|---|---|---|---|---|"]
    for case in cases:
        if not case["ratios"]:
            continue
        rates = sorted(one["rate"] for one in case["subject"]["rounds"])
        rate = f"{_short(rates[len(rates) // 2])} {case['unit']}"
        for reference, ratio in case["ratios"].items():
            spread = f"{_short(ratio['median'])} ({_short(ratio['min'])} to {_short(ratio['max'])})"
            targets = [target for target in case["target"] if target["reference"] == reference] or [None]
            for target in targets:
                wanted = (
                    f"{_short(target['must'])} | {_short(target['ambitious'])} | row {target['row']}: {target['verdict']}"
                    if target
                    else "| |"
                )
                lines.append(f"| `{case['name']}` | {rate} | {reference} | {spread} | {wanted} |")
    if len(lines) > 2:
        yield lines


def _latencies(cases: list[dict[str, Any]]) -> Iterator[list[str]]:
    lines = ["| ms | n | " + " | ".join(name.replace("_", ".") for name in _PERCENTILES) + " |", "|---|---|" + "---|" * len(_PERCENTILES)]
    for case in cases:
        for what, found in case["latency"].items():
            figures = " | ".join(f"{found[name]:.3g}" for name in _PERCENTILES)
            lines.append(f"| `{case['name']}`, {what} | {found['n']} | {figures} |")
    if len(lines) > 2:
        yield lines


def _cpu(cases: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Where the CPU went, median of the rounds: stages of one process in one table, processes in another."""
    for is_staged in (True, False):
        counted = [case for case in cases if case["name"].startswith("stages_") is is_staged]
        used = {case["name"]: found for case in counted if (found := _medians(case["subject"]["rounds"]))}
        if used:
            parts = sorted({part for one in used.values() for part in one})
            rows = [
                f"| {part} | " + " | ".join(f"{one[part]:.1f}" if one.get(part) else "" for one in used.values()) + " |" for part in parts
            ]
            sums = "| all | " + " | ".join(f"{sum(one.values()):.0f}" for one in used.values()) + " |"
            yield ["| CPU, µs an event | " + " | ".join(f"`{name}`" for name in used) + " |", "|---|" + "---|" * len(used), *rows, sums]


def _medians(rounds: list[dict[str, Any]]) -> dict[str, float]:
    parts = {part for one in rounds for part in one["cpu_us"]}
    return {part: sorted(one["cpu_us"].get(part, 0.0) for one in rounds)[len(rounds) // 2] for part in parts}


def _memory(cases: list[dict[str, Any]]) -> Iterator[list[str]]:
    for case in cases:
        if case["memory_kib"]:
            kinds = list(next(iter(case["memory_kib"].values())))
            yield [
                "| MiB | " + " | ".join(kind.replace("_", " ") for kind in kinds) + " |",
                "|---|" + "---|" * len(kinds),
                *(
                    f"| {name} | " + " | ".join("" if found[kind] is None else f"{found[kind] / 1024:.0f}" for kind in kinds) + " |"
                    for name, found in case["memory_kib"].items()
                ),
            ]


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
