"""What a kind of fault is: how it strikes, what heals it, and what it may stand beside."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random
from typing import TypeAlias

from torture.load.poison import Poison, Poisoned
from torture.rig.cluster import Cluster
from torture.rig.disk import SmallDisk

Heal: TypeAlias = Callable[[], Awaitable[None]]


class Wanted(Enum):
    """When a kind may come up."""

    ALWAYS = auto()
    IN_LONG_RUNS = auto()
    ON_SMALL_DISKS = auto()


@dataclass(slots=True)
class Ground:
    """What the nemesis may touch, and what it notes: `counts` are things that have been seen to happen."""

    cluster: Cluster
    random: Random
    disks: dict[str, SmallDisk] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    poisons_left: list[Poison] = field(default_factory=list)
    poisoned: list[Poisoned] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


Strike: TypeAlias = Callable[[Ground, str], Awaitable[Heal]]


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of fault: `strike(ground, target)` does it and returns what heals it.

    `lasts_s` is how long it stays, `lasts_s_in_life` in long runs. `touches` are targets that nothing else may hurt meanwhile; a kind that
    `is_alone` stands beside no other.
    """

    name: str
    says: str
    strike: Strike
    targets: Sequence[str]
    lasts_s: tuple[float, float] = (0.5, 3.0)
    lasts_s_in_life: tuple[float, float] = (0.5, 5.0)
    weight: int = 4
    at_most: int | None = None
    wanted: Wanted = Wanted.ALWAYS
    touches: Sequence[str] = ()
    is_alone: bool = False


async def nothing_to_heal() -> None:
    """The heal of a fault that is over as soon as it has struck."""
