"""
Mutants: the chassis with one rule left out, which a sweep has to notice.

A mutant is applied to a copy of the chassis in a folder of its own, which a process of its own imports instead of ours.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from testkit.mutants import Mutant, write_mutated

import simulation
from simulation.__main__ import BROKEN

SECONDS_MAX = 60.0


class MutantDoesNotRun(Exception):
    """The mutated chassis could not even be run; that proves nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sweep said of a mutant: whether it noticed, after how many seconds, and its last words."""

    is_caught: bool
    seconds: float
    said: str


def try_mutant(mutant: Mutant, folder: Path, *, seeds: int) -> Verdict:
    """
    Sweep with a mutated chassis until a promise is broken, or for that many seeds.

    :raises MutantStale: see `write_mutated`.
    :raises MutantDoesNotRun: the sweep ended in another way than by keeping or breaking promises.
    """
    write_mutated(mutant, folder)
    paths = [str(folder), str(Path(simulation.__file__).parents[1])]
    began_at = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "simulation", "--seeds", str(seeds), "--until-failure"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    if ran.returncode not in (0, BROKEN):
        raise MutantDoesNotRun(f"{mutant.id}: {ran.stderr[-2000:]}")
    return Verdict(ran.returncode == BROKEN, time.monotonic() - began_at, ran.stdout)
