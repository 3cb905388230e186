"""
Real servers for tests, chosen by the launcher's one switch: given addresses, containers when asked for, else local processes.

Local processes live in a slot below `.local/test` and are stopped when the session ends.
"""

import os
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from events.topics import TOPICS
from launcher import topics
from launcher.choice import Choice, Way, choose
from launcher.databases import TEST_PREFIX, Cluster
from launcher.servers import Servers

from testkit.slots import SLOTS, Slot


class SharedServers:
    """
    The servers of one test session, each started when first asked for.

    :param durable: have Postgres wait for the disk, for tests that kill it.
    :param say: gets a line of text whenever something has been done.
    """

    def __init__(self, *, folder: Path | None = None, durable: bool = False, say: Callable[[str], None] = lambda _: None) -> None:
        self.choice: Choice = choose(os.environ)
        self._folder = folder or SLOTS
        self._durable = durable
        self._say = say
        self._slot: Slot | None = None
        self._servers: Servers | None = None
        self._cluster: Cluster | None = None
        self._bootstrap: str | None = None
        self._templates: dict[str, str] = {}
        self._numbers = count(1)

    def postgres(self) -> Cluster:
        """Return the database server, started now if it does not run."""
        if self._cluster is None:
            self._cluster = self._started().start_postgres()
            if self.choice.postgres is Way.LOCAL:
                self._cluster.drop_all(TEST_PREFIX)  # What a killed session left; on a given server it may be somebody's.
        return self._cluster

    def kafka(self) -> str:
        """Return `host:port` of the broker, started now if it does not run."""
        if self._bootstrap is None:
            servers = self._started()
            bootstrap = servers.begin_kafka()
            servers.wait_for_kafka(bootstrap)
            self._bootstrap = bootstrap
        return self._bootstrap

    def fresh_database(self, service: str) -> tuple[str, str]:
        """Copy the service's migrated template; return the copy's name and its address for the service's own role."""
        cluster = self.postgres()
        if service not in self._templates:
            self._templates[service] = cluster.template(service)  # Named by its sources, which a session reads once.
        name = f"{TEST_PREFIX}{service}_{os.getpid()}_{next(self._numbers)}"
        return name, cluster.create(name, service, self._templates[service])

    def fresh_topics(self, names: Sequence[str] = TOPICS, *, partitions: int = 3) -> str:
        """Delete and create the topics, so that they are empty; return `host:port`. Few partitions are quick to create."""
        bootstrap = self.kafka()
        topics.recreate(bootstrap, names, partitions=partitions)
        return bootstrap

    def close(self) -> None:
        """Stop what runs in our slot and leave it to the next session."""
        if self._servers is not None:
            self._servers.stop()
        if self._slot is not None:
            self._slot.leave()
        self._servers = self._slot = self._cluster = self._bootstrap = None
        self._templates.clear()

    def _started(self) -> Servers:
        if self._servers is None:
            self._slot = Slot(self._folder)
            self._servers = Servers(self._slot.state, os.environ, self._say, durable=self._durable)
        return self._servers
