"""The rig itself, short: one seed, fifteen faults, everything real. The long runs are `make torture`."""

from pathlib import Path

import pytest
from torture.run import Wish, run

pytestmark = pytest.mark.kafka
SEED, FAULTS = 2387, 15


async def test_fifteen_faults_lose_double_and_reorder_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """M1-M9, D1, D2, E1-E7, R2, W1, S1, O1 under kills, pauses, cuts, ambiguous commits, poison (EVT-02, EVT-03, EVT-06)."""

    def tell(line: str, done: int, planned: int) -> None:
        with capsys.disabled():
            print(f"torture {done}/{planned}: {line}")

    figures = await run(Wish(SEED, FAULTS, needs_counts=False), tmp_path, tell)
    assert figures.is_sound, "\n".join(figures.broken)
    assert figures.audit["lost"] == figures.audit["double"] == figures.audit["inversions"] == figures.audit["residual_minor"] == 0
    assert sum(figures.faults.values()) == FAULTS, "a fault that could not strike proves nothing"
    assert figures.counts["duplicate delivered"] and figures.counts["answered from the idempotency store"]
