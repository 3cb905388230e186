"""The whole thing on one machine: two servers, a database per service, the topics, the services."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from events.topics import TOPICS

from launcher import keys, ports, topics
from launcher.databases import Cluster, begin_migration, wait_for_migration
from launcher.entities import Entities, read_entities
from launcher.folders import State, checkout
from launcher.servers import Servers
from launcher.services import PORT_BASE, Fleet, Settings, is_ready, port_of
from launcher.trouble import Trouble

Migrations = Mapping[str, subprocess.Popen[bytes]]


@dataclass(frozen=True, slots=True)
class Urls:
    """Where everything answers. Database addresses carry passwords: do not print them."""

    kafka: str
    services: Mapping[str, str]
    databases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One line of `make status`."""

    name: str
    running: bool
    ready: bool
    pid: int | None
    address: str | None
    log: Path


class Stack:
    """
    Start, stop and clean the stack of one state folder. All methods block; each can be repeated, and repairs what an interrupted one left.

    :param entities: the entities file; by default the one of the last `up`, else `entities.toml` of the checkout.
    :param port_base: the port of the first service; by default the one of the last `up`, else 8001.
    :param partitions: of every topic; by default as at the last `up`, else 12.
    :param say: gets a line of text whenever something has been done.
    :param environment: more settings for every service process (tracing, failpoints).
    :param full_jit: let the broker's compiler optimise, for benchmarks.
    """

    def __init__(
        self,
        *,
        entities: Path | None = None,
        state: Path | None = None,
        port_base: int | None = None,
        partitions: int | None = None,
        say: Callable[[str], None] = lambda _: None,
        environment: Mapping[str, str] | None = None,
        full_jit: bool = False,
    ) -> None:
        self.state = State(state)
        self._say = say
        last = self.state.recall("stack")
        self._entities = entities or (Path(last["entities"]) if "entities" in last else checkout() / "entities.toml")
        self._port_base: int = port_base or last.get("port_base", PORT_BASE)
        self._partitions: int = partitions or last.get("partitions", topics.PARTITIONS)
        self._more = dict(environment or {})
        self._servers = Servers(self.state, os.environ, say, full_jit=full_jit)
        self.fleet = Fleet(self.state, say)

    @property
    def entities(self) -> Entities:
        """The entities this stack runs for."""
        return read_entities(self._entities)

    @property
    def partitions(self) -> int:
        """Partitions of every topic."""
        return self._partitions

    def up(self, *, clean: bool = False) -> Urls:
        """
        Bring everything up and wait until every service is ready; what runs already and is as wanted is left alone.

        :param clean: with empty books: databases and topics made anew. An interrupted cleaning is finished by the next `up`.
        :raises Trouble: with one sentence that says what to do.
        """
        with self.state.alone():
            entities = self.entities
            self._say(self._servers.choice.line)
            clean = clean or self._cleaning.exists()
            if clean:
                self._stop_services()
            self.fleet.check_ports(entities.deployed, self._port_base)
            about = {"entities": str(entities.path), "port_base": self._port_base, "partitions": self._partitions}
            self.state.remember("stack", {**self.state.recall("stack"), **about})
            keys.ensure_key(self.state)
            wanted = self._bring_servers(entities, clean=clean)
            self.fleet.start(wanted)
            self.fleet.wait(wanted)
            self._say(f"{len(wanted)} services are ready: {', '.join(f'{one.service} {ports.HOST}:{one.port}' for one in wanted)}")
            return self.urls()

    def reset(self) -> None:
        """Give the stack clean books: services stopped, databases and topics made anew, servers running."""
        with self.state.alone():
            self._stop_services()
            self._bring_servers(self.entities, clean=True)
            self._say("the books are clean; `make up` starts the services")

    def down(self) -> list[str]:
        """Stop the services, then the servers that are ours; return what ran. The books stay."""
        with self.state.alone():
            stopped = self.fleet.stop()
            return stopped + self._servers.stop()

    def urls(self) -> Urls:
        """
        Return the addresses of the running stack.

        :raises Trouble: it was never started.
        """
        last = self.state.recall("stack")
        if "kafka" not in last:
            raise Trouble("The stack was not started yet: run `make up`.")
        cluster = self._servers.known_cluster()
        deployed = self.entities.deployed
        services = {service: f"http://{ports.HOST}:{port_of(service, self._port_base)}" for service in deployed}
        return Urls(last["kafka"], services, {service: cluster.dsn(service) for service in deployed})

    def token(self, subject: str, roles: Sequence[str], *, now: int) -> str:
        """Return a development bearer token; `now` in seconds since 1970."""
        self.state.prepare()
        return keys.sign(self.state, subject=subject, roles=roles, now=now)

    def status(self) -> list[Part]:
        """Look at every part, without starting anything."""
        parts = []
        for name, identity in (("kafka", self._servers.kafka.running()), ("postgres", self._servers.postgres.running())):
            port = self.state.recall("ports").get(name)
            address = f"{ports.HOST}:{port}" if port else None
            ready = identity is not None and port is not None and ports.answers(port)
            pid = identity.pid if identity else None
            parts.append(Part(name, identity is not None, ready, pid, address, self.state.logs / f"{name}.log"))
        with httpx.Client(timeout=5, trust_env=False) as http:
            for service in self.entities.deployed:
                found, port = self.fleet.running(service), port_of(service, self._port_base)
                ready = found is not None and is_ready(http, port)
                address = f"http://{ports.HOST}:{port}"
                parts.append(Part(service, found is not None, ready, found.pid if found else None, address, self.fleet.log(service)))
        return parts

    @property
    def _cleaning(self) -> Path:
        """Exists while databases and topics are not of the same age: books of one must never meet facts of the other."""
        return self.state.run / "cleaning"

    def _stop_services(self) -> None:
        stopped = self.fleet.stop()
        if stopped:
            self._say(f"stopped {', '.join(stopped)}")

    def _bring_servers(self, entities: Entities, *, clean: bool) -> list[Settings]:
        """Start the servers, make databases and topics, and return what the services must be told. The broker boots while they migrate."""
        bootstrap = self._servers.begin_kafka()
        cluster = self._servers.start_postgres()
        wanted = [self._settings(service, cluster, bootstrap, entities) for service in entities.deployed]
        if clean:
            self._cleaning.touch()
        migrations = self._begin_databases(cluster, wanted, clean=clean)
        self._servers.wait_for_kafka(bootstrap)
        if clean:
            topics.recreate(bootstrap, partitions=self._partitions)
        else:
            topics.ensure(bootstrap, partitions=self._partitions)
        for service, migration in migrations.items():
            wait_for_migration(migration, service, self.state)
        if clean:
            for service in entities.deployed:
                cluster.keep_as_template(service)
            self._cleaning.unlink()
        databases = f"{len(entities.deployed)} databases {'made anew' if clean else 'migrated'}"
        self._say(f"{databases}, {len(TOPICS)} topics of {self._partitions} partitions")
        self.state.remember("stack", {**self.state.recall("stack"), "kafka": bootstrap})
        return wanted

    def _begin_databases(self, cluster: Cluster, wanted: Sequence[Settings], *, clean: bool) -> Migrations:
        """Make the databases and start the migrations that are needed: not of a copied template, nor under a service of today's code."""
        services = [one.service for one in wanted]
        cluster.ensure(services)
        done = (
            {service for service in services if cluster.clean(service)}
            if clean
            else {one.service for one in wanted if self.fleet.runs_as(one)}
        )
        return {service: begin_migration(service, cluster.dsn(service), self.state) for service in services if service not in done}

    def _settings(self, service: str, cluster: Cluster, bootstrap: str, entities: Entities) -> Settings:
        port = port_of(service, self._port_base)
        told = {
            "ENV": "dev",
            "DATABASE_URL": cluster.dsn(service),
            "KAFKA_BOOTSTRAP": bootstrap,
            "ENTITIES_FILE": str(entities.path),
            "HTTP_HOST": ports.HOST,
            "HTTP_PORT": str(port),
            "JWT_KEYS_FILE": str(self.state.keys / "jwks.json"),
            "TOPIC_PARTITIONS": str(self._partitions),
            "PYTHONUNBUFFERED": "1",
        }
        return Settings(service, port, {**told, **self._more})
