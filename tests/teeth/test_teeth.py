"""The tests of services and chassis have teeth: with one rule left out, those that are there to notice do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from testkit.mutants import Mutant, read_mutants, write_mutated

ROOT = Path(__file__).parents[2]
MUTANTS = read_mutants(Path(__file__).with_name("mutants.toml"))
SECONDS_MAX = 240
NOTICED = 1
"""pytest's exit status when tests ran and some failed: anything else proves nothing."""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mutant_is_still_one(mutant: Mutant, tmp_path: Path) -> None:
    write_mutated(mutant, tmp_path)  # Raises MutantStale where the code has moved on.
    assert mutant.edits
    assert all((ROOT / path).exists() for path in mutant.noticed_by)


@pytest.mark.teeth
@pytest.mark.torture
@pytest.mark.db
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mutant_is_noticed(mutant: Mutant, tmp_path: Path) -> None:
    write_mutated(mutant, tmp_path)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.noticed_by],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert ran.returncode == NOTICED, f"{mutant.why} Nobody noticed: {ran.stdout[-2000:]}"
    assert re.search(r"\b\d+ failed\b", ran.stdout), f"no test failed, something else did: {ran.stdout[-2000:]}"
