"""A Kafka and a Postgres, however we come by them."""

from collections.abc import Callable, Mapping

from launcher import docker
from launcher.choice import KAFKA_GIVEN, POSTGRES_GIVEN, Choice, Way, choose
from launcher.databases import Cluster
from launcher.folders import State
from launcher.kafka import Kafka, reachable
from launcher.postgres import Postgres
from launcher.topics import wait_until_answering
from launcher.trouble import Trouble


class Servers:
    """
    The two servers of one state folder.

    :param durable: False lets a crash of the machine take the database: for tests.
    :param full_jit: let the broker's compiler optimise, for benchmarks.
    """

    def __init__(
        self,
        state: State,
        environment: Mapping[str, str],
        say: Callable[[str], None],
        *,
        durable: bool = True,
        full_jit: bool = False,
    ) -> None:
        self._state = state
        self._environment = environment
        self.choice: Choice = choose(environment)
        self.kafka = Kafka(state, say, full_jit=full_jit)
        self.postgres = Postgres(state, say, durable=durable)

    def begin_kafka(self) -> str:
        """
        Start the broker where that is ours to do, without waiting for it, and return its `host:port`.

        :raises Trouble: a given one does not listen.
        """
        if self.choice.kafka is Way.LOCAL:
            self.kafka.begin()
            return self.kafka.bootstrap
        if self.choice.kafka is Way.DOCKER:
            return docker.start_kafka(self._state)
        given = self._environment[KAFKA_GIVEN]
        if not reachable(given):
            raise Trouble(f"No broker listens on {given}: start it, or unset {KAFKA_GIVEN} to get a local one.")
        return given

    def wait_for_kafka(self, bootstrap: str) -> None:
        """
        Wait until the broker answers.

        :raises Trouble: it does not.
        """
        if self.choice.kafka is Way.LOCAL:
            self.kafka.wait()
        else:
            wait_until_answering(bootstrap)

    def start_postgres(self) -> Cluster:
        """Return a database server that answers."""
        if self.choice.postgres is Way.LOCAL:
            return Cluster(self.postgres.start(), self._state)
        given = self.choice.postgres is Way.GIVEN
        return Cluster(self._environment[POSTGRES_GIVEN] if given else docker.start_postgres(self._state), self._state)

    def known_cluster(self) -> Cluster:
        """Return the database server as it was started last, without starting anything."""
        if self.choice.postgres is Way.LOCAL:
            return Cluster(self.postgres.admin_dsn, self._state)
        given = self.choice.postgres is Way.GIVEN
        return Cluster(self._environment[POSTGRES_GIVEN] if given else docker.postgres_dsn(self._state), self._state)

    def stop(self) -> list[str]:
        """Stop what this state folder started, whatever would be chosen today; say what there was."""
        stopped = [name for name, ran in (("Kafka", self.kafka.stop()), ("PostgreSQL", self.postgres.stop())) if ran]
        return stopped + [f"container {name}" for name in docker.remove(self._state)]
