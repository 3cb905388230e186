"""How rounds become a verdict."""

import pytest
from bench.case import Case, Round, percentiles_ms


def a_case(*pairs: tuple[float, float], target: float = 0.03) -> Case:
    """Rounds of one event each, from pairs of seconds: the subject's and its floor's."""
    subject, floor = [Round(1, one) for one, _ in pairs], [Round(1, other) for _, other in pairs]
    case = Case("pipeline", "events", subject=subject, floor=floor, target=target)
    case.judge()
    return case


def test_the_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_the_best() -> None:
    ratio = a_case((1, 0.02), (4, 0.2), (1, 0.1)).ratio
    assert ratio is not None
    assert (ratio.median, ratio.min, ratio.max) == (0.05, 0.02, 0.1)


@pytest.mark.parametrize(
    ("shares", "passed"),
    [((0.03, 0.04, 0.05), True), ((0.022, 0.04, 0.05), True), ((0.02, 0.04, 0.05), False), ((0.01, 0.029, 0.05), False)],
)
def test_a_target_is_met_by_the_median_unless_the_worst_round_misses_it_by_far(shares: tuple[float, ...], passed: bool) -> None:
    assert a_case(*((1.0, share) for share in shares)).passed is passed


def test_a_case_whose_books_do_not_close_says_so_to_machines() -> None:
    case = a_case((1, 0.1))
    assert case.for_machines()["books_ok"] is True
    case.differences.append("reporting: {'USD': 1} open instead of {} (minor units)")
    assert case.for_machines()["books_ok"] is False


def test_percentiles_are_by_nearest_rank_in_milliseconds() -> None:
    assert percentiles_ms([n / 1000 for n in range(1, 101)]) == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
