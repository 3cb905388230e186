"""The system under torture: a Kafka, a Postgres and seven service processes of its own, every connection between them through a proxy."""

import asyncio
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

from launcher import databases, keys, ports, topics
from launcher.folders import State
from launcher.kafka import Kafka
from launcher.postgres import Postgres

from torture.rig.disk import SmallDisk
from torture.rig.guard import begin_guard, end_all
from torture.rig.instance import Instance
from torture.rig.process import Process
from torture.rig.proxy import HOST, Link
from torture.rig.server import Broker, Database, Server, wal_settings

ServerKind = Literal["kafka", "postgres"]

__all__ = ["INSTANCES", "Cluster", "Instance", "Process", "Server", "ServerKind"]

INSTANCES = ("invoice-1", "invoice-2", "payment-1", "payment-2", "credit-1", "dunning-1", "reporting-1")
_SERVERS: tuple[ServerKind, ...] = ("kafka", "postgres")
_SERVICES = tuple(dict.fromkeys(name.partition("-")[0] for name in INSTANCES))
_TOLD = {
    "ENV": "dev",
    "HTTP_HOST": HOST,
    "LOG_LEVEL": "INFO",
    "PYTHONUNBUFFERED": "1",
    "SESSION_TIMEOUT_MS": "1500",  # A killed member keeps its partitions that long.
    "FETCH_WAIT_MS": "20",
}
_READY_S_MAX = 120.0  # Of one instance, while six others start on the same two cores.
_STOP_S_MAX = 10.0


class Cluster:
    """
    Own Kafka, own Postgres (fsync on), seven service processes, each reaching both only through proxies of its own.

    One state folder holds it; what runs there from an earlier life is ended first, its books are kept. Everything it starts ends in `stop`,
    or soon after this process has ended in any other way.

    :param entities: the entities file of the services.
    :param partitions: of every topic.
    :param environment: more settings for every service process.
    :param code: a folder put first on the import path of the services: mutants, old versions.
    :param kafka_on: a small disk for the broker's log, mounted by `start`, removed with all it holds by `stop`; `postgres_on` likewise.
    """

    def __init__(
        self,
        folder: Path,
        *,
        entities: Path,
        partitions: int = 6,
        environment: Mapping[str, str] | None = None,
        code: Path | None = None,
        kafka_on: SmallDisk | None = None,
        postgres_on: SmallDisk | None = None,
    ) -> None:
        self.state = State(folder)
        self.state.prepare()
        self._entities = entities.resolve()
        self._partitions = partitions
        self._disks = [disk for disk in (kafka_on, postgres_on) if disk is not None]
        self._guard: subprocess.Popen[bytes] | None = None
        self._links: dict[tuple[str, ServerKind], Link] = {
            (name, server): Link(self._port(f"link_{server}_{name}"), 0, server, seed=number)
            for number, name in enumerate(INSTANCES)
            for server in _SERVERS
        }
        sent_to = {_listener(name): self._links[name, "kafka"].port for name in INSTANCES}
        for port_name in ("kafka", "kafka_controller", "postgres"):  # All of them now: later they are asked for side by side.
            self._port(port_name)
        self._kafka = Kafka(self.state, _silently, advertised=sent_to, data=kafka_on.folder / "kafka" if kafka_on else None)
        self._postgres = (
            Postgres(self.state, _silently, home=postgres_on.folder / "postgres", settings=wal_settings(postgres_on))
            if postgres_on
            else Postgres(self.state, _silently)
        )
        self._databases = databases.Cluster(self._postgres.admin_dsn, self.state)
        self.kafka: Server = Broker(self._kafka, self.state)
        self.postgres: Server = Database(self._postgres, self.state)
        self._instances = {
            name: Instance(name, {**self._told(name), **(environment or {})}, self.state, code and code.resolve()) for name in INSTANCES
        }

    # --- life ---

    async def start(self) -> None:
        """
        Start everything and wait until all of it is ready.

        :raises Trouble: something does not start; what was started is left to `stop`.
        :raises DiskRefused: a small disk is not to be had.
        """
        await asyncio.to_thread(end_all, self.state.run)
        self._guard = begin_guard(self.state.run, [disk.folder for disk in self._disks])
        for disk in self._disks:
            disk.mount()
        keys.ensure_key(self.state)
        await asyncio.gather(self.kafka.start(), self.postgres.start())
        self._aim()
        for link in self._links.values():
            link.open()
        await asyncio.to_thread(self._migrate)
        await self.kafka.wait_ready(_READY_S_MAX)
        await asyncio.to_thread(topics.ensure, self.bootstrap, partitions=self._partitions)
        for instance in self._instances.values():
            await instance.start()
        for instance in self._instances.values():
            await instance.wait_ready(_READY_S_MAX)

    async def stop(self) -> None:
        """End everything, in good order where it goes along, by force where not. Can be repeated."""
        for process in (self.kafka, self.postgres, *self._instances.values()):
            process.resume()
        for link in self._links.values():
            if link.is_open:
                link.heal()
        await self._end(list(self._instances.values()))
        for link in self._links.values():
            await link.close()
        await self._end([self.kafka, self.postgres])
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            await asyncio.to_thread(self._guard.wait)
            self._guard = None
        for disk in self._disks:
            disk.remove()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    # --- parts ---

    @property
    def partitions(self) -> int:
        """Partitions of every topic."""
        return self._partitions

    @property
    def names(self) -> tuple[str, ...]:
        """The instances."""
        return INSTANCES

    def instance(self, name: str) -> Instance:
        return self._instances[name]

    def link(self, instance: str, server: ServerKind) -> Link:
        """The proxy between one instance and one server."""
        return self._links[instance, server]

    # --- addresses ---

    @property
    def bootstrap(self) -> str:
        """`host:port` of the broker, past all proxies."""
        return self._kafka.bootstrap

    def dsn(self, service: str) -> str:
        """The address of a service's database for the service's own role, past all proxies."""
        return self._databases.dsn(service)

    def admin_dsn(self, service: str) -> str:
        """The address of a service's database for the superuser, past all proxies."""
        return urlunsplit(urlsplit(self._postgres.admin_dsn)._replace(path=f"/{databases.database_of(service)}"))

    def url(self, instance: str) -> str:
        """Where an instance answers HTTP."""
        return self._instances[instance].url

    def token(self, subject: str, roles: Sequence[str]) -> str:
        """A bearer token for the APIs, good for twelve hours."""
        return keys.sign(self.state, subject=subject, roles=roles, now=int(time.time()))

    # --- inside ---

    def _port(self, name: str) -> int:
        """Choose a port, once: it is the same after every restart."""
        return ports.keep_or_choose(self.state, name)

    def _aim(self) -> None:
        """Point every link at the server it stands before."""
        for (name, server), link in self._links.items():
            link.target_port = self._kafka.port_behind(_listener(name)) if server == "kafka" else self.state.recall("ports")["postgres"]

    def _told(self, name: str) -> dict[str, str]:
        """What an instance is told: both servers at the addresses of its links."""
        return {
            **_TOLD,
            "DATABASE_URL": self._behind(self.dsn(name.partition("-")[0]), self._links[name, "postgres"]),
            "KAFKA_BOOTSTRAP": f"{HOST}:{self._links[name, 'kafka'].port}",
            "ENTITIES_FILE": str(self._entities),
            "HTTP_PORT": str(self._port(f"http_{name}")),
            "JWT_KEYS_FILE": str(self.state.keys / "jwks.json"),
            "TOPIC_PARTITIONS": str(self._partitions),
        }

    def _behind(self, dsn: str, link: Link) -> str:
        parts = urlsplit(dsn)
        return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{link.host}:{link.port}"))

    def _migrate(self) -> None:
        """Make the databases and bring them to the newest migration, side by side."""
        self._databases.ensure(_SERVICES)
        begun = {service: databases.begin_migration(service, self.dsn(service), self.state) for service in _SERVICES}
        for service, migration in begun.items():
            databases.wait_for_migration(migration, service, self.state)

    async def _end(self, processes: Sequence[Process]) -> None:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.ended(_STOP_S_MAX) for process in processes))
        for process in processes:
            process.kill()
        await asyncio.gather(*(process.ended(_STOP_S_MAX) for process in processes))


def _listener(instance: str) -> str:
    return instance.replace("-", "_")


def _silently(line: str) -> None:
    """The launcher's progress is of no interest here."""
