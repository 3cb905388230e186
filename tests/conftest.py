"""The running system for all tests that speak to it from outside: started once, when first asked for."""

import os
import random
from collections.abc import Iterator
from datetime import date

import pytest
from testkit import told
from testkit.otlp import OtlpSink
from testkit.stream import STORIES, STREAM
from testkit.world import House, World, running

COPIES = ("O", *map(str, range(6)))
"""How often the stream can be told: once in order, and in six disorders (`tests/scenarios/conftest.py`)."""
TRACED, BROKEN, COMMANDED = (
    House("TRACE", date(2026, 4, 1)),
    House("BAD", date(2026, 4, 1), ("/erp/books", "/bank/main")),
    House("HTTP", date(2026, 4, 1)),
)


@pytest.fixture(scope="session")
def sink() -> Iterator[OtlpSink]:
    """Where the services send their spans."""
    with OtlpSink() as sink:
        yield sink


@pytest.fixture(scope="session")
def world(sink: OtlpSink) -> Iterator[World]:
    """Five services on a real Kafka and Postgres; every story has an entity of its own, those of the stream one for each telling."""
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    houses = [House(name, story(name).opens_on) for name, story in STORIES.items()]
    houses += [House(f"{name}-{copy}", story(name).opens_on) for name, story in STREAM.items() for copy in COPIES]
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with running([*houses, TRACED, BROKEN, COMMANDED], seed=seed, environment=environment) as world:
        yield world


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests had to tell."""
    told.tell(terminalreporter)
