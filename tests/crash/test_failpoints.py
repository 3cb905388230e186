"""A service killed at any named point goes on where it was: nothing lost, nothing doubled, nothing out of order."""

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from chassis import failpoints
from testkit.crash import documents, model, notices
from testkit.crash.documents import Documents
from testkit.crash.flow import Flow, Wiring
from testkit.crash.model import Model
from testkit.crash.notices import Notices
from testkit.crash.tally import Tally

pytestmark = pytest.mark.kafka

TIER = "named points"
MakeFlow = Callable[[Wiring], Flow]

HITS = (1, 2, 7)
STOP_S_MAX = 20
OF_A_LONG_DAY = ("day.turning",)
OF_A_REBUILD = tuple(sorted(name for name in failpoints.NAMES if name.startswith("rebuild.")))
OF_DOCUMENTS = tuple(sorted(failpoints.NAMES - {*OF_A_LONG_DAY, *OF_A_REBUILD}))
IN_A_BATCH = tuple(f"consumer.{name}" for name in ("pos_locked", "inbox_inserted", "handled", "before_commit", "after_commit"))
"""Died at again later in every run, when it is money that is followed: documents are told from their repeats by their numbers as well."""
NOT_REACHED = {
    f"{name}:{hit}": "a rebuild switches once, and its process ends"
    for name in ("rebuild.before_switch", "rebuild.after_switch")
    for hit in (2, 7)
}


def hits_of(*names: str) -> list[Any]:
    """Every hit of these points that can be; all but the first only where there is time."""
    return [
        pytest.param(name, hit, id=f"{name}:{hit}", marks=[pytest.mark.torture] if hit > 1 else [])
        for name in names
        for hit in HITS
        if f"{name}:{hit}" not in NOT_REACHED
    ]


@pytest.mark.parametrize(("name", "hit"), hits_of(*OF_DOCUMENTS) + [pytest.param(name, 4, id=f"{name}:4") for name in IN_A_BATCH])
def test_a_service_killed_anywhere_goes_on_where_it_was(flow: MakeFlow, tally: Tally, name: str, hit: int) -> None:
    rounds = hit if hit in HITS else 1
    told = Documents(flow(documents.WIRING), rounds)
    told.publish()
    with told.flow.process(f"{name}:{hit}:kill") as process:
        if told.live_through(process, jostled=rounds > 1) and f"{name}:{hit}" == "relay.producer_closed:1":
            process.terminate()
        assert process.wait() == -signal.SIGKILL, f"{name}:{hit} was not reached: {told.flow.told()}"
    with tally.killed(TIER), told.flow.process() as process:
        assert told.live_through(process, jostled=False), told.flow.told()
        told.assert_nothing_lost_doubled_or_inverted(process)


@pytest.mark.parametrize(("name", "hit"), hits_of(*OF_A_LONG_DAY))
def test_a_service_killed_while_a_long_day_turns_goes_on_where_it_stopped(flow: MakeFlow, tally: Tally, name: str, hit: int) -> None:
    told = Notices(flow(notices.WIRING), chunks=hit)
    told.publish()
    with told.flow.process(f"{name}:{hit}:kill") as process:
        assert process.wait() == -signal.SIGKILL, f"{name}:{hit} was not reached: {told.flow.told()}"
    with tally.killed(TIER), told.flow.process() as process:
        told.assert_every_account_has_its_notice_once(process)


@pytest.mark.parametrize(("name", "hit"), hits_of(*OF_A_REBUILD))
def test_a_rebuild_killed_anywhere_leaves_a_whole_model_and_can_be_begun_again(flow: MakeFlow, tally: Tally, name: str, hit: int) -> None:
    told = Model(flow(model.WIRING))
    told.publish()
    with told.flow.process() as live:
        told.wait_for_rest(live)
        assert told.rebuild(f"{name}:{hit}:kill") == -signal.SIGKILL, f"{name}:{hit} was not reached: {told.flow.told()}"
        with tally.killed(TIER):
            told.assert_right()
            assert (told.rebuild(), told.was_the_same) == (0, True)
            told.assert_right()
            assert live.is_alive


@pytest.mark.torture
@pytest.mark.parametrize("place", sorted(NOT_REACHED))
def test_a_hit_that_is_said_not_to_come_does_not_come(flow: MakeFlow, tally: Tally, place: str) -> None:
    told = Model(flow(model.WIRING))
    assert told.rebuild(f"{place}:kill") == 0, told.flow.told()
    tally.note(TIER, f"{place} does not come: {NOT_REACHED[place]}")


def test_a_service_told_to_stop_under_load_ends_well_and_its_next_life_goes_on(flow: MakeFlow) -> None:
    told = Documents(flow(documents.WIRING), rounds=1)
    told.publish()
    with told.flow.process() as process:
        assert told.flow.wait_until(process, told.has_begun)
        told_at = time.monotonic()
        process.terminate()
        assert process.wait() == 0, told.flow.told()
        assert time.monotonic() - told_at < STOP_S_MAX
    with told.flow.process() as process:
        assert told.live_through(process, jostled=False), told.flow.told()
        told.assert_nothing_lost_doubled_or_inverted(process)
