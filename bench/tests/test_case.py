"""How rounds become a verdict."""

import pytest
from bench.case import FLOOR, Case, Round, Target, Verdict
from bench.histogram import Histogram

SHARE = Target(1, 0.03, 0.06)


def a_case(*pairs: tuple[float, float], target: Target = SHARE) -> Case:
    """Rounds of one event each, from pairs of seconds: the subject's and its floor's."""
    subject, floor = [Round(1, one) for one, _ in pairs], [Round(1, other) for _, other in pairs]
    case = Case("pipeline", "events", subject=subject, references={FLOOR: floor}, targets=(target,))
    case.judge()
    return case


def test_the_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_the_best() -> None:
    ratio = a_case((1, 0.02), (4, 0.2), (1, 0.1)).ratios[FLOOR]
    assert (ratio.median, ratio.min, ratio.max) == (0.05, 0.02, 0.1)


@pytest.mark.parametrize(
    ("shares", "verdict"),
    [
        ((0.03, 0.04, 0.05), Verdict.MET),
        ((0.022, 0.04, 0.05), Verdict.MET),
        ((0.02, 0.04, 0.05), Verdict.MISSED),
        ((0.01, 0.029, 0.05), Verdict.MISSED),
        ((0.05, 0.06, 0.07), Verdict.AMBITIOUS),
        ((0.04, 0.06, 0.07), Verdict.MET),
    ],
)
def test_a_target_is_met_by_the_median_unless_the_worst_round_misses_it_by_far(shares: tuple[float, ...], verdict: Verdict) -> None:
    case = a_case(*((1.0, share) for share in shares))
    assert case.verdicts == {SHARE: verdict}
    assert case.passed is (verdict is not Verdict.MISSED)


def test_a_target_whose_reference_was_not_taken_is_not_judged() -> None:
    case = a_case((1, 0.1), target=Target(2, 15, 40, "naive"))
    assert (case.verdicts, case.passed) == ({}, None)


def test_a_case_whose_books_do_not_close_says_so_to_machines() -> None:
    case = a_case((1, 0.1))
    assert case.for_machines()["books_ok"] is True
    case.differences.append("reporting: {'USD': 1} open instead of {} (minor units)")
    assert case.for_machines()["books_ok"] is False


def test_machines_are_told_the_first_reference_as_the_ratio_and_all_of_them_by_name() -> None:
    case = a_case((1, 0.5))
    case.references["naive"] = [Round(1, 20)]
    case.latency["answer"] = Histogram([0.25])
    told = case.for_machines()
    assert (told["ratio"]["median"], told["ratios"]["naive"]["median"]) == (0.5, 20)
    assert (told["target"][0]["row"], told["target"][0]["verdict"], told["pass"]) == (1, "ambitious", True)
    assert told["latency"]["answer"]["p50"] == 250
