"""Batch handling and relay, killed at every line they execute: nothing lost, nothing doubled, nothing out of order."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from testkit.crash.batch import DocumentsHandled, WaitsHandled
from testkit.crash.lines import Subject, sweep
from testkit.crash.outgoing import Outgoing
from testkit.crash.tally import Tally

pytestmark = [
    pytest.mark.db,
    pytest.mark.parametrize(
        "is_short", [pytest.param(True, id="every third turn"), pytest.param(False, id="every line", marks=pytest.mark.torture)]
    ),
]

SIDE_BY_SIDE = 2


@pytest.fixture
def databases(database_url: Callable[[str], str]) -> list[str]:
    return [database_url("invoice") for _ in range(SIDE_BY_SIDE)]


@pytest.fixture
def sweep_whole(tmp_path: Path, tally: Tally, is_short: bool) -> Callable[[str, Sequence[Subject]], None]:
    """Sweep, count, and tell what was wrong."""

    def swept_whole(what: str, subjects: Sequence[Subject]) -> None:
        swept = sweep(subjects, tmp_path, is_short=is_short)
        tier = f"{what}, {'once in every third turn' if is_short else 'every line'}"
        tally.count(tier, killed=len(swept.places), passed=len(swept.places) - len(swept.faults))
        tally.note(tier, f"{len(set(swept.places))} different lines of {len({place.partition(':')[0] for place in swept.places})} modules")
        assert swept.places
        assert swept.faults == []

    return swept_whole


def test_a_batch_killed_at_a_line_is_handled_by_the_next_process(databases: list[str], sweep_whole: Callable[..., None]) -> None:
    sweep_whole("batch handling", [DocumentsHandled(url) for url in databases])


def test_what_waits_and_a_day_killed_at_a_line_are_gone_on_with(databases: list[str], sweep_whole: Callable[..., None]) -> None:
    sweep_whole("waits and days", [WaitsHandled(url) for url in databases])


def test_a_relay_killed_at_a_line_is_followed_by_one_that_says_the_rest(
    databases: list[str], sweep_whole: Callable[..., None], tmp_path: Path
) -> None:
    sweep_whole("relay", [Outgoing(url, str(tmp_path / f"broker-{n}.log")) for n, url in enumerate(databases)])
