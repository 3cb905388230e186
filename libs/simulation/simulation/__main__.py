"""`python -m simulation --seeds 2000 [--from N] [--until-failure] [--trace]`: status 0 when all promises were kept, else 3."""

import argparse
import sys
from collections.abc import Sequence

from simulation.sweep import sweep

BROKEN = 3  # Not 1, which is also how Python ends when the code cannot even be imported.


def main(arguments: Sequence[str]) -> int:
    """Play seeds and tell what came of them."""
    parser = argparse.ArgumentParser(prog="simulation", description="Plays the delivery protocol under seeded schedules.")
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first one")
    parser.add_argument("--until-failure", action="store_true", help="stop at the first promise broken")
    parser.add_argument("--trace", action="store_true", help="print the course of the first seed that breaks a promise")
    asked = parser.parse_args(arguments)
    done = sweep(range(asked.first, asked.first + asked.seeds), until_failure=asked.until_failure)
    for n, (seed, outcome) in enumerate(done.broken.items()):
        if n == 0 and asked.trace:
            _say(*outcome.trace)
        _say(f"seed {seed}: {'; '.join(outcome.broken[:3])}")
    _say(", ".join(f"{what} {n}" for what, n in sorted(done.counts.items())))
    _say(f"{done.played} schedules in {done.cpu_s:.1f} s of CPU, {done.per_minute} a minute; {len(done.broken)} broke a promise")
    return BROKEN if done.broken else 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
