"""Figures: recovery by kind, answers inside and outside fault windows, and tables made of several runs."""

from torture.figures import Figures, availability, recoveries_by_kind, spread
from torture.markdown import tables_of
from torture.nemesis.strike import Struck
from torture.watch import Probe

STROKES = [
    Struck(("broker_killed",), ("kafka",), 100.0, 101.0, 2.5),
    Struck(("broker_killed",), ("kafka",), 200.0, 201.0, 1.5),
    Struck(("poison", "service_killed"), ("wire", "credit-1"), 300.0, 302.0, 4.0),
    Struck(("postgres_killed",), ("postgres",), 400.0, 401.0, None),
]


def test_recovery_is_told_by_kind_where_one_fault_stood_alone() -> None:
    assert recoveries_by_kind(STROKES) == {"broker_killed": [2.5, 1.5], "several": [4.0]}


def test_the_spread_of_seconds() -> None:
    assert spread([3.0, 1.0, 2.0]) == (3, 2.0, 3.0, 3.0)
    assert spread([float(n) for n in range(101)]) == (101, 50.0, 95.0, 100.0)


def test_a_probe_counts_as_hurt_until_all_had_recovered() -> None:
    probes = [Probe(99.0, "credit", True), Probe(103.0, "credit", False), Probe(103.4, "credit", True), Probe(104.0, "credit", True)]
    assert availability(probes, STROKES) == {"credit": {"inside": 0.5, "outside": 1.0}}


def a_run(seed: int, **changes: object) -> Figures:
    audit = {"events": 1000, "lost": 0, "double": 0, "inversions": 0, "residual_minor": 0}
    fields = {
        "seed": seed,
        "git": "abc",
        "faults": {"poison": 2},
        "seconds": 60.0,
        "operations": {"ok": 900, "fail": 50, "info": 0, "resolved": 10},
        "counts": {"duplicate delivered": 7},
        "audit": audit,
        "recoveries_s": {"poison": [0.5, 1.5]},
        "quiesce_s": 1.0,
        "availability": {"credit": {"inside": 0.5, "outside": 1.0}},
        "samples": 50,
        **changes,
    }
    return Figures(**fields)  # type: ignore[arg-type]


def test_several_runs_make_one_table_each() -> None:
    text = tables_of([a_run(1).for_machines(), a_run(2, broken=["M1 something"]).for_machines()])
    assert "| 1 | abc | 2 | 900 / 50 / 10 | 1,000 | 0 | 0 | 0 | 0 | 7 | 1.0 | sound |" in text
    assert "| 2 | abc | 2 | 900 / 50 / 10 | 1,000 | 0 | 0 | 0 | 0 | 7 | 1.0 | broken |" in text
    assert "| `poison` | 4 | 1.0 | 1.5 | 1.5 |" in text
    assert "| credit | 50.0% | 100.0% |" in text
    assert "| duplicate delivered | 14 |" in text


def test_a_run_is_sound_only_when_nothing_is_broken_and_everything_was_seen() -> None:
    assert a_run(1).is_sound
    assert not a_run(1, broken=["x"]).is_sound
    assert not a_run(1, invalid=["never seen: x"]).is_sound
