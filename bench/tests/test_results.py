"""Results on disk: read again, compared, and laid out."""

import json
from pathlib import Path
from typing import Any

import pytest
from bench.case import Case, Round, Target
from bench.compare import changes
from bench.histogram import Histogram
from launcher.trouble import Trouble

from bench import markdown, results


def a_result(seconds: float = 1.0, noisy: bool = False, **more: Any) -> results.Result:
    case = Case("pipeline_invoices", "invoices", [Round(100, seconds, {"invoice": 84.0}, noisy=noisy)], {"floor": [Round(100, 0.06)]})
    case.targets = (Target(1, 0.03, 0.06),)
    case.latency["visible"] = Histogram([0.012])
    case.memory_kib["invoice"] = {"idle_rss": 86 * 1024, "idle_pss": None}
    host = {"cpu": "Some CPU", "cores": 2, "mem_gib": 23.0, "python": "3.11", "postgres": "18.4", "kafka": "4.3.1"}
    return {
        "schema": 1,
        "git": "0123456789ab+",
        "measured_at": "2026-01-05T12:30:00Z",
        "host": host,
        "config": {"mode": "full", "n": 100, "rounds": 1, "facts": 1_000_000},
        "noise": {"noisy": noisy, "steal": 0.01, "calib_best": 0.2, "calib_worst": 0.25},
        "cases": [case.for_machines()],
        **more,
    }


def test_a_ratio_that_fell_by_a_fifth_is_flagged_and_one_that_fell_by_a_tenth_is_not() -> None:
    (slower,) = changes(a_result(1.0), a_result(1.25))
    assert (slower.case, slower.reference, round(slower.times, 2), slower.is_worse) == ("pipeline_invoices", "floor", 0.8, True)
    (alike,) = changes(a_result(1.0), a_result(1.1))
    (faster,) = changes(a_result(1.0), a_result(0.5))
    assert not alike.is_worse
    assert (faster.is_worse, round(faster.times, 2)) == (False, 2)


def test_a_change_is_noisy_where_either_side_was() -> None:
    assert [
        changes(a_result(noisy=one), a_result(noisy=other))[0].noisy for one, other in ((True, False), (False, True), (False, False))
    ] == [
        True,
        True,
        False,
    ]


def test_what_stands_in_one_result_only_is_no_change() -> None:
    assert changes(a_result(), a_result(cases=[])) == changes(a_result(cases=[]), a_result()) == []


def test_a_result_is_kept_under_its_instant_and_commit_and_read_again(tmp_path: Path) -> None:
    result = a_result()
    assert results.kept_as(result) == results.KEPT / "20260105T123000Z-0123456789ab.json"
    results.write(result, tmp_path / "kept" / "one.json")
    assert results.read(tmp_path / "kept" / "one.json") == result


@pytest.mark.parametrize("content", [None, "no JSON", json.dumps({"schema": 0})])
def test_what_is_no_result_is_said_to_be_none(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Trouble, match=r"result\.json"):
        results.read(path)


def test_the_tables_name_the_machine_the_sizes_the_ratio_and_what_was_wanted() -> None:
    text = markdown.tables_of(a_result())
    assert "Some CPU, 2 cores" in text
    assert "`python -m bench --full`" in text
    assert "| `pipeline_invoices` | 100 invoices | floor | 0.06 (0.06 to 0.06) | 0.03 | 0.06 | row 1: ambitious |" in text
    assert "| `pipeline_invoices`, visible | 1 | 12 | 12 | 12 | 12 | 12 |" in text
    assert "| invoice | 84.0 |\n| all | 84 |" in text
    assert "| invoice | 86 |  |" in text
