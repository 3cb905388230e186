"""The nemesis: a seed decides what is hurt and when, and every kind comes up."""

import pytest
from torture.nemesis.kind import Wanted
from torture.nemesis.kinds import KINDS
from torture.nemesis.plan import TOGETHER_MAX, plan


def kinds_of(seed: int, faults: int, *, is_long: bool = False, disks: bool = False, only: tuple[str, ...] = ()) -> list[str]:
    return [wound.kind.name for stroke in plan(seed, faults, is_long=is_long, disks=disks, only=only) for wound in stroke.wounds]


def test_the_same_seed_is_the_same_plan_and_another_is_another() -> None:
    assert plan(5, 60, is_long=False, disks=False) == plan(5, 60, is_long=False, disks=False)
    assert plan(5, 60, is_long=False, disks=False) != plan(6, 60, is_long=False, disks=False)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_that_may_strike_does(seed: int) -> None:
    assert set(kinds_of(seed, 250, is_long=True, disks=True)) == KINDS.keys()
    assert len(kinds_of(seed, 250)) == 250
    assert {KINDS[name].wanted for name in kinds_of(seed, 250)} == {Wanted.ALWAYS}


@pytest.mark.parametrize("seed", range(50))
def test_nothing_is_hurt_twice_at_once_and_what_stands_alone_does(seed: int) -> None:
    for stroke in plan(seed, 100, is_long=True, disks=True):
        targets = [wound.target for wound in stroke.wounds]
        assert 1 <= len(targets) == len(set(targets)) <= TOGETHER_MAX
        assert len(targets) == 1 or not any(wound.kind.is_alone for wound in stroke.wounds)
        assert sorted(stroke.heal_order) == list(range(len(targets)))


def test_what_is_rare_stays_rare() -> None:
    assert kinds_of(1, 250, is_long=True, disks=True).count("broker_down_long") == 1


def test_only_some_kinds() -> None:
    assert set(kinds_of(1, 30, only=("service_killed", "poison"))) == {"service_killed", "poison"}
    with pytest.raises(ValueError, match="there is no fault kitchen_fire"):
        plan(1, 3, is_long=False, disks=False, only=("kitchen_fire",))
