"""
The real delivery protocol keeps its promises under thousands of schedules and faults (docs/messaging.md sections 1 to 4 and 10).

A seed that breaks a promise is kept in `seeds.txt` and played ever after; `python -m simulation --from SEED --seeds 1 --trace` shows it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import simulation
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from simulation.case import ACCOUNTS, ENTITIES, FACTS_S_MAX, FAULTS, FAULTS_S_MAX, KINDS, NATURES, PROCESSES, Case, Fault, Said, case_of
from simulation.play import play
from simulation.sweep import sweep

pytestmark = pytest.mark.schedules
SEEDS, EXAMPLES = int(os.environ.get("SCHEDULES") or 300), 100  # Whatever must happen has happened five times by the 120th.
KEPT = Path(__file__).with_name("seeds.txt")
MUST_HAPPEN = (
    "append lost",
    "append twice",
    "broker down",
    "commit unanswered, applied",
    "commit unanswered, not applied",
    "cut",
    "held or released",
    "kill",
    "lock waited for",
    "offset commit of a former member",
    "offset commit refused",
    "parked as behind",
    "parked as day_work",
    "parked as failed",
    "parked as waits",
    "pause",
    "produce applied",
    "produce lost",
    "produce twice",
    "producer built",
    "rebalance",
    "redrive kept waiting",
    "redriven",
    "repeat in the log",
    "session expired",
    "slow",
)

moments = st.integers(0, int(FACTS_S_MAX * 20)).map(lambda n: n / 20)
said = st.builds(
    Said,
    at=moments,
    kind=st.sampled_from(KINDS),
    entity=st.sampled_from(ENTITIES),
    account=st.sampled_from(ACCOUNTS),
    nature=st.just(""),
    repeats=st.lists(moments, max_size=2).map(tuple),
) | st.builds(
    Said,
    at=moments,
    kind=st.just("document"),
    entity=st.sampled_from(ENTITIES),
    account=st.sampled_from(ACCOUNTS),
    nature=st.sampled_from(NATURES),
    repeats=st.lists(moments, max_size=1).map(tuple),
)
faults = st.builds(
    Fault,
    at=st.integers(0, int(FAULTS_S_MAX * 20)).map(lambda n: n / 20),
    kind=st.sampled_from(FAULTS),
    process=st.sampled_from(PROCESSES),
    seconds=st.sampled_from((0.01, 0.2, 0.6, 1.6, 2.5)),
)
cases = st.builds(
    Case,
    seed=st.integers(0, 2**16),
    entities=st.just(2),
    awaits_feedback=st.booleans(),
    days_at=st.lists(moments, min_size=1, max_size=3).map(lambda days: tuple(sorted(days))),
    said=st.lists(said, min_size=1, max_size=12).map(tuple),
    faults=st.lists(faults, max_size=6).map(tuple),
)


def test_every_schedule_keeps_every_promise() -> None:
    done = sweep(range(1, SEEDS + 1))
    assert not done.broken, "\n".join(f"seed {seed}: {outcome.broken[0]}" for seed, outcome in done.broken.items())
    assert not [what for what in MUST_HAPPEN if not done.counts[what]], "these never happened, so nothing was proven of them"


@pytest.mark.parametrize("seed", [int(line.split()[0]) for line in KEPT.read_text().splitlines() if line and not line.startswith("#")])
def test_a_seed_that_once_broke_a_promise_keeps_them(seed: int) -> None:
    assert play(case_of(seed)).broken == ()


@given(cases)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_whatever_is_said_and_goes_wrong_every_promise_is_kept(case: Case) -> None:
    outcome = play(case)
    note("\n".join(outcome.trace))
    assert outcome.broken == ()


def test_the_same_seed_takes_the_same_course() -> None:
    for seed in range(1, 21):
        assert play(case_of(seed)).trace_hash == play(case_of(seed)).trace_hash
    assert len({play(case_of(seed)).trace_hash for seed in range(1, 21)}) == 20


def test_the_order_in_which_sets_are_walked_decides_nothing() -> None:
    script = (
        "from simulation.case import case_of; from simulation.play import play; print(*[play(case_of(n)).trace_hash for n in range(1, 31)])"
    )
    paths = os.pathsep.join([str(Path(simulation.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    courses = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(courses) == 1
