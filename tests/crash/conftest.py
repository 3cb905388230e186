"""A flow for each test on servers of its own, and its part of what the crash tiers tell at the end of a run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from testkit.crash.flow import Flow, Wiring
from testkit.crash.tally import Tally
from testkit.tokens import TestKeys
from testkit.told import CRASHES
from testkit.topic_log import PARTITIONS


@pytest.fixture
def flow(database_url: Callable[[str], str], topics: Callable[..., str], tmp_path: Path) -> Iterator[Callable[[Wiring], Flow]]:
    """A factory: a service with empty books and empty topics."""
    keys = TestKeys()

    def fresh(wiring: Wiring) -> Flow:
        bootstrap = topics(*wiring.topics, partitions=PARTITIONS)
        return Flow.of(wiring, bootstrap=bootstrap, database_url=database_url(wiring.service), folder=tmp_path, keys=keys)

    yield fresh
    keys.forget()


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Iterator[Tally]:
    """The figures of a test; those of all are printed together."""
    tally = Tally()
    yield tally
    record_property(CRASHES, tally.plain())
