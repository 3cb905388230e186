"""Rounds: subject and references take turns on the same data, so that a noisy minute hits all of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from bench.case import Round
from bench.machine import NOISY_STEAL, Noise
from bench.race import Bar, Race

Contender = Callable[[], Awaitable[Round]]
"""Does its work once and says how long it took."""

ATTEMPTS_MAX: Final = 4  # A noisy round is repeated at most three times, then kept and marked.


async def contest(race: Race, contenders: Mapping[str, Contender], bar: Bar, *, warm_up: bool = True) -> dict[str, list[Round]]:
    """
    Run as many rounds as the race asks for and return them by contender.

    In every round each contender runs once, in an order that is rotated from round to round. The warm-up round runs in the order given
    and is dropped; so a contender may count on what those before it left there. A round in which the machine was slow is repeated.
    """
    names, kept = list(contenders), {name: list[Round]() for name in contenders}
    if warm_up:
        bar.tell("warm-up")
        await _round(race.noise, contenders, names)
    for number in range(race.sizes.rounds):
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        for attempt in range(1, ATTEMPTS_MAX + 1):
            bar.tell(f"round {number + 1}" + (f", attempt {attempt}: the machine is noisy" if attempt > 1 else ""))
            results, is_noisy = await _round(race.noise, contenders, order)
            if not is_noisy:
                break
        for name, result in results.items():
            kept[name].append(replace(result, noisy=is_noisy))
        bar.step()
    return kept


async def _round(noise: Noise, contenders: Mapping[str, Contender], order: list[str]) -> tuple[dict[str, Round], bool]:
    """Run all once; the calibration stands in the middle, where it tells most about both sides of it."""
    results, meanwhile, calibration = {}, Noise(), 0.0
    for place, name in enumerate(order):
        if place == len(order) // 2:
            calibration = noise.look()
        results[name] = await contenders[name]()
    return results, noise.is_noisy(calibration) or meanwhile.steal() > NOISY_STEAL
