"""Teeth of the checker: sound evidence gives no finding, and each corruption gives the alarm that is meant."""

import pytest
from torture.check.invariants import INVARIANTS, findings
from torture.check.seen import seen_in
from torture.check.selftest.bending import Corruption
from torture.check.selftest.corruptions import CORRUPTIONS
from torture.check.selftest.example import evidence
from torture.figures import MUST_HAPPEN


def test_sound_evidence_gives_no_finding() -> None:
    assert [str(finding) for finding in findings(evidence())] == []


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
def test_a_corruption_gives_the_alarm_that_is_meant(corruption: Corruption) -> None:
    found = findings(corruption.bend(evidence()))
    assert set(corruption.noticed_by) <= {finding.invariant for finding in found}, [str(finding) for finding in found]


def test_every_invariant_gives_an_alarm_for_some_corruption() -> None:
    silent = set(INVARIANTS)
    for corruption in CORRUPTIONS:
        bent = corruption.bend(evidence())
        silent -= {invariant for invariant in silent if any(invariant(bent))}
    assert not silent


def test_what_a_run_has_to_see_of_money_is_counted_as_the_log_tells_it() -> None:
    seen = seen_in(evidence())
    assert {name: times for name, times in seen.items() if times} == {
        "money transferred by hand": 1,
        "money spread at a turn": 1,
        "deposit drawn": 1,
        "payment billed anew": 1,
        "document of a child on its parent's account": 1,
    }
    assert len(seen.keys() & set(MUST_HAPPEN)) == 7
