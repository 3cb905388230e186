"""When what is hurt: a plan made from a seed alone, so that the same seed hurts the same things in the same order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from torture.nemesis.kind import Kind, Wanted
from torture.nemesis.kinds import KINDS

TOGETHER_MAX = 3
ALONE, IN_PAIRS = 0.5, 0.8
"""Shares: half of the strokes are one fault, whose recovery can be told apart, three tenths two at once, the rest three."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """Faults that are there at the same time: each of a kind, on a target, for so many seconds; healed in the order of `heal_order`."""

    wounds: Sequence["PlannedWound"]
    heal_order: Sequence[int]


@dataclass(frozen=True, slots=True)
class PlannedWound:
    """One fault of the plan."""

    kind: Kind
    target: str
    lasts_s: float
    begins_after_s: float


def plan(seed: int, faults: int, *, is_long: bool, disks: bool, only: Sequence[str] = ()) -> list[Stroke]:
    """
    Lay out so many faults; every kind that may strike comes up at least once where there are enough of them.

    `is_long` lets faults last as long as they do in life: minutes without a broker. `disks` says that the servers stand on small disks.

    :raises ValueError: `only` names no kind.
    """
    random = Random(f"nemesis {seed}")
    kinds = _drawn(random, faults, _eligible(only, is_long=is_long, disks=disks))
    strokes: list[Stroke] = []
    while kinds:
        many = _how_many(random)
        together: list[PlannedWound] = []
        busy: set[str] = set()
        for kind in list(kinds):
            if len(together) == many:
                break
            target = _target(random, kind, busy)
            if target is None or (together and (kind.is_alone or together[0].kind.is_alone)):
                continue
            kinds.remove(kind)
            busy |= {target, *kind.touches}
            low, high = kind.lasts_s_in_life if is_long else kind.lasts_s
            together.append(PlannedWound(kind, target, round(random.uniform(low, high), 2), round(random.uniform(0, 1.5), 2)))
        order = random.sample(range(len(together)), len(together))
        strokes.append(Stroke(together, order))
    return strokes


def _eligible(only: Sequence[str], *, is_long: bool, disks: bool) -> Mapping[str, Kind]:
    if unknown := sorted(set(only) - KINDS.keys()):
        raise ValueError(f"there is no fault {', '.join(unknown)}; there are {', '.join(KINDS)}")
    wanted = {name: kind for name, kind in KINDS.items() if not only or name in only}
    return {
        name: kind
        for name, kind in wanted.items()
        if (kind.wanted is not Wanted.ON_SMALL_DISKS or disks) and (kind.wanted is not Wanted.IN_LONG_RUNS or is_long)
    }


def _drawn(random: Random, faults: int, eligible: Mapping[str, Kind]) -> list[Kind]:
    """Each kind once, shuffled, then more of them by weight; rare ones never more often than they may."""
    drawn = random.sample(list(eligible.values()), len(eligible))[:faults]
    while left := [kind for kind in eligible.values() if kind.at_most is None or drawn.count(kind) < kind.at_most]:
        if len(drawn) == faults:
            break
        drawn += random.choices(left, [one.weight for one in left])
    random.shuffle(drawn)
    return drawn


def _how_many(random: Random) -> int:
    draw = random.random()
    return 1 if draw < ALONE else 2 if draw < IN_PAIRS else TOGETHER_MAX


def _target(random: Random, kind: Kind, busy: set[str]) -> str | None:
    free = [target for target in kind.targets if target not in busy and not busy & set(kind.touches)]
    return random.choice(free) if free else None
