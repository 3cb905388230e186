"""The running system for all tests that speak to it from outside: started once, when first asked for."""

import os
import random
from collections.abc import Iterator
from datetime import date

import pytest
from testkit.otlp import OtlpSink
from testkit.stories import STORIES
from testkit.world import House, World, running

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
    """Five services on a real Kafka and Postgres; every story has entities to be told of on its own, in order and in disorder."""
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    houses = [House(name + copy, story(name).opens_on) for name, story in STORIES.items() for copy in ("", "I", "X", "Y")]
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with running([*houses, TRACED, BROKEN, COMMANDED], seed=seed, environment=environment) as world:
        yield world
