"""Rounds: who runs when, and what a noisy machine leads to."""

import dataclasses
from collections.abc import Sequence
from typing import cast

from bench.case import Round
from bench.contest import ATTEMPTS_MAX, Contender, contest
from bench.machine import Noise
from bench.race import QUICK, Race
from bench.track import Track
from rich.console import Console


class Scripted(Noise):
    """A machine whose calibrations are known beforehand; the last one goes on for ever."""

    def __init__(self, calibrations: Sequence[float]) -> None:
        super().__init__()
        self._script = list(calibrations)

    def look(self) -> float:
        self.calibrations.append(self._script.pop(0) if len(self._script) > 1 else self._script[0])
        return self.calibrations[-1]


async def run(rounds: int, calibrations: Sequence[float] = (0.2,), *, warm_up: bool = True) -> tuple[list[str], dict[str, list[Round]]]:
    """Let a, b and c run, none of which needs a stack; return who ran in which order, and what was kept."""
    order: list[str] = []
    race = Race(cast(Track, None), Console(quiet=True), dataclasses.replace(QUICK, rounds=rounds), Scripted(calibrations))

    def contender(name: str) -> Contender:
        async def once() -> Round:
            order.append(name)
            return Round(len(order), 1.0)

        return once

    with race.bar("test", rounds) as bar:
        return order, await contest(race, {name: contender(name) for name in "abc"}, bar, warm_up=warm_up)


async def test_the_order_is_rotated_and_the_warm_up_is_dropped() -> None:
    order, kept = await run(3)
    assert "".join(order) == "abc" + "abc" + "bca" + "cab"
    assert [one.n for one in kept["a"]] == [4, 9, 11]
    assert not any(one.noisy for rounds in kept.values() for one in rounds)


async def test_a_noisy_round_is_repeated_and_only_the_quiet_one_is_kept() -> None:
    order, kept = await run(2, [0.2, 0.5, 0.2], warm_up=False)
    assert "".join(order) == "abc" + "bca" + "bca"
    assert [one.n for one in kept["b"]] == [2, 7]
    assert not any(one.noisy for one in kept["b"])


async def test_a_round_that_stays_noisy_is_kept_and_marked() -> None:
    order, kept = await run(2, [0.2, 0.5], warm_up=False)
    assert len(order) == 3 + 3 * ATTEMPTS_MAX
    assert [one.noisy for one in kept["c"]] == [False, True]
