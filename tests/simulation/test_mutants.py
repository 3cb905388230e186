"""The sweep has teeth: with one rule of the protocol left out, some schedule breaks a promise."""

from pathlib import Path

import pytest
from simulation.mutation import try_mutant
from testkit.mutants import Mutant, read_mutants, write_mutated

SEEDS = 1000
MUTANTS = read_mutants(Path(__file__).with_name("mutants.toml"))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mutant_is_still_one(mutant: Mutant, tmp_path: Path) -> None:
    write_mutated(mutant, tmp_path)  # Raises MutantStale where the code has moved on.
    assert any((tmp_path / "chassis" / edit.file).read_text().count(edit.new) for edit in mutant.edits)


@pytest.mark.teeth
@pytest.mark.torture
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mutant_is_caught(mutant: Mutant, tmp_path: Path) -> None:
    verdict = try_mutant(mutant, tmp_path, seeds=SEEDS)
    assert verdict.is_caught, f"{mutant.why} Nobody noticed: {verdict.said}"
