"""One case played, and what came of it."""

from collections import Counter
from dataclasses import dataclass

from simulation.case import Case
from simulation.limits import small
from simulation.loop import BEGAN_AT, Stuck
from simulation.stage import Stage

AT_REST_S_MAX = 90.0  # The slowest of some thousand seeds need 25 s.


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of a case: the promises broken (none: it went well), what happened how often, a hash of the whole course.

    `took_s` is virtual time.
    """

    broken: tuple[str, ...]
    counts: Counter[str]
    trace_hash: str
    trace: tuple[str, ...]
    took_s: float


def play(case: Case) -> Outcome:
    """Play a case; the same case takes the same course."""
    with small():
        stage = Stage(case)
        world = stage.world
        try:
            world.loop.run(stage.play(), until=AT_REST_S_MAX)
        except Stuck as stuck:
            world.breaks(f"{stuck}; {stage.standing()}")
        for complaint in world.loop.complaints:
            world.breaks(complaint)
    trace = tuple(f"{at - BEGAN_AT:9.4f} {who:9} {what}" for at, who, what in world.events)
    return Outcome(tuple(world.broken), world.counts, world.trace_hash(), trace, world.loop.time() - BEGAN_AT)
