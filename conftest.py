"""Fixtures every test may use: a real Postgres and a real Kafka, by the launcher's one switch."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import structlog
from events.topics import TOPICS
from hypothesis import settings
from launcher.choice import Way, choose
from launcher.databases import Cluster
from testkit.servers import SharedServers

import bench  # noqa: F401 - see demo
import demo  # noqa: F401 - before pytest names a test folder after the package it lies in
import torture  # noqa: F401 - see demo

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

settings.register_profile("unhurried", settings(), deadline=None)  # What an example takes, beside all else, tells of the machine.
settings.load_profile("unhurried")
structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer()])  # No rich tracebacks: slow.


def pytest_report_header() -> str:
    """Print which servers the tests run against, and why."""
    return choose(os.environ).line


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Run tests side by side where each process can have servers of its own, else one after the other."""
    choice = choose(os.environ)
    return 0 if Way.GIVEN in (choice.kafka, choice.postgres) else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "Scheduling":
    """Say which process runs which tests."""
    from testkit import side_by_side  # Here, because most runs are of one process and need none of it.

    return side_by_side.FromBothEnds(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Arrange the tests of a run side by side; one after the other they keep their order."""
    if hasattr(config, "workerinput"):
        from testkit import side_by_side

        side_by_side.arrange(items)


@pytest.fixture(scope="session")
def shared_servers() -> Iterator[SharedServers]:
    """The servers of this session, started when first asked for, stopped at the end."""
    servers = SharedServers()
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def postgres_server(shared_servers: SharedServers) -> Cluster:
    """A real Postgres, seen by its superuser."""
    return shared_servers.postgres()


@pytest.fixture(scope="session")
def kafka_server(shared_servers: SharedServers) -> str:
    """`host:port` of a real broker."""
    return shared_servers.kafka()


@pytest.fixture
def database_url(shared_servers: SharedServers) -> Iterator[Callable[[str], str]]:
    """A factory: `database_url("payment")` is the address of a fresh, migrated database for the service's own role, gone after the test."""
    made = []

    def fresh(service: str) -> str:
        name, dsn = shared_servers.fresh_database(service)
        made.append(name)
        return dsn

    yield fresh
    for name in made:
        shared_servers.postgres().drop(name)


@pytest.fixture
def topics(shared_servers: SharedServers) -> Callable[..., str]:
    """A factory: `topics("erp.documents", partitions=3)` empties the topics it names (all when none) and returns `host:port`."""

    def fresh(*names: str, partitions: int = 3) -> str:
        return shared_servers.fresh_topics(names or TOPICS, partitions=partitions)

    return fresh
