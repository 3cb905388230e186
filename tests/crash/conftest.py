"""A flow for each test on servers of its own; and the crash tiers tell at the end of a run at how many places they have killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from testkit.crash.flow import Flow, Wiring
from testkit.crash.tally import Tally
from testkit.tokens import TestKeys
from testkit.topic_log import PARTITIONS

_TALLY = pytest.StashKey[Tally]()


@pytest.fixture
def flow(database_url: Callable[[str], str], topics: Callable[..., str], tmp_path: Path) -> Iterator[Callable[[Wiring], Flow]]:
    """A factory: a service with empty books and empty topics."""
    keys = TestKeys()

    def fresh(wiring: Wiring) -> Flow:
        bootstrap = topics(*wiring.topics, partitions=PARTITIONS)
        return Flow.of(wiring, bootstrap=bootstrap, database_url=database_url(wiring.service), folder=tmp_path, keys=keys)

    yield fresh
    keys.forget()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """The figures of this run."""
    return pytestconfig.stash.setdefault(_TALLY, Tally())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures."""
    tally = config.stash.get(_TALLY, None)
    if tally is not None and (lines := tally.lines()):
        terminalreporter.section("crashes")
        for line in lines:
            terminalreporter.write_line(line)
