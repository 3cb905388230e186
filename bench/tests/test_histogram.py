"""Percentiles out of buckets."""

import random

import pytest
from bench.histogram import Histogram


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 0.999])
def test_a_percentile_is_that_of_the_durations_to_two_percent(share: float) -> None:
    drawn = random.Random(7)
    seconds = [drawn.lognormvariate(-6, 2) for _ in range(5_000)]
    exact = sorted(seconds)[int(share * len(seconds)) - 1]
    assert exact <= Histogram(seconds).percentile(share) <= exact * 1.021


def test_the_longest_is_kept_as_it_was_and_no_percentile_exceeds_it() -> None:
    histogram = Histogram([0.001, 0.7234561])
    assert histogram.percentile(1) == histogram.percentile(0.99) == 0.7234561


def test_of_a_hundred_the_fiftieth_is_the_median() -> None:
    histogram = Histogram(n / 1000 for n in range(1, 101))
    assert histogram.percentiles_ms() == {
        "p50": pytest.approx(50, rel=0.02),
        "p90": pytest.approx(90, rel=0.02),
        "p99": pytest.approx(99, rel=0.02),
        "p99_9": 100,
        "max": 100,
    }


def test_what_is_too_short_to_tell_counts_and_nothing_at_all_has_percentiles_of_zero() -> None:
    assert Histogram([0.0, 1e-9]).n == 2
    assert Histogram([0.0]).percentile(0.5) == 0
    assert Histogram().percentiles_ms()["p99"] == 0


def test_the_buckets_add_up() -> None:
    told = Histogram([0.001] * 3 + [2.0]).for_machines()
    assert sum(count for _, count in told["buckets_ms"]) == told["n"] == 4
