"""CPU time charged to stages."""

from bench.stages import StageClock


def test_a_stage_inside_another_takes_from_it_and_what_is_outside_is_not_counted() -> None:
    instants = iter([0.0, 1.0, 3.0, 6.0, 10.0])
    clock = StageClock(lambda: next(instants))
    with clock.stage("handler"):
        with clock.stage("write"):
            pass
    assert clock.per_us(1_000_000) == {"handler": 2 + 4, "write": 3}


def test_a_stage_that_is_entered_twice_is_summed() -> None:
    instants = iter([0.0, 0.0, 1.0, 5.0, 7.0])
    clock = StageClock(lambda: next(instants))
    for _ in range(2):
        with clock.stage("decode"):
            pass
    assert clock.per_us(1_000_000) == {"decode": 1 + 2}
