"""Two results side by side: what matters is how the ratios changed, because rates do not travel."""

from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bench.results import Result

WORSE_FLAGGED: Final = 0.15


@dataclass(frozen=True, slots=True)
class Change:
    """How the median ratio of a case to one of its references went from one result to another."""

    case: str
    reference: str
    before: float
    after: float
    noisy: bool

    @property
    def times(self) -> float:
        """The new ratio over the old one: 0.85 is 15 % worse."""
        return self.after / self.before

    @property
    def is_worse(self) -> bool:
        """Whether it got worse by more than 15 %."""
        return self.times < 1 - WORSE_FLAGGED


def changes(before: Result, after: Result) -> list[Change]:
    """Compare what stands in both, in the order of the second; `noisy` where a round of either was."""
    known = {case["name"]: case for case in before["cases"]}
    return [
        Change(
            case["name"],
            reference,
            known[case["name"]]["ratios"][reference]["median"],
            ratio["median"],
            any(one["noisy"] for side in (known[case["name"]], case) for one in side["subject"]["rounds"]),
        )
        for case in after["cases"]
        if case["name"] in known
        for reference, ratio in case["ratios"].items()
        if reference in known[case["name"]]["ratios"]
    ]


def table_of(found: list[Change], before: Result, after: Result) -> Table:
    """Lay the changes out for a terminal."""
    table = Table("case", "beside", before["git"] or "before", after["git"] or "after", "change", "", title="ratios, median of the rounds")
    for change in found:
        flag = ("worse" if change.is_worse else "") + (" (noisy)" if change.noisy else "")
        percent = f"{(change.times - 1) * 100:+.0f} %"
        table.add_row(change.case, change.reference, f"{change.before:.4g}", f"{change.after:.4g}", percent, flag.strip())
    return table
