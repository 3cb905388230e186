"""`python -m chassis <service> api|worker|all|migrate`: one command starts anything."""

import argparse
import asyncio
import contextlib
import gc
import importlib
import os
import signal
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from chassis import business_day, failpoints, logs, tracing
from chassis.clock import system_clock
from chassis.database import TRANSIENT, Database
from chassis.entities import Entities, EntitiesFileInvalid, load_entities
from chassis.intake import MustStop
from chassis.metrics import metrics
from chassis.outbox import Wake
from chassis.readiness import Readiness, Vitals, database_check
from chassis.service import Service
from chassis.serving import HttpServer, PortTaken, bind, closed
from chassis.settings import ServiceSettings, SettingsInvalid, load_settings
from chassis.strangers import note_a_strangers_error
from chassis.worker import Worker

ROLES = {
    "api": "serve HTTP",
    "worker": "consume, relay and turn days; health and metrics on the same port",
    "all": "both in one process, for development",
    "rebuild": "make a read model anew from its facts, beside the live one, and switch",
    "migrate": "bring the database to the newest revision and leave",
}
STOP_S_MAX = 20
DATABASE_S_MAX = 60
DATABASE_PAUSE_S = 1
DATABASE_HINT = "is Postgres up, and DATABASE_URL right?"
GARBAGE_AFTER = 50_000  # Objects. A batch makes tens of thousands and no cycles; by default the collector would look at them every 700.

log = structlog.get_logger()


def main() -> int:
    """Start one role of one service; exit status 0 after SIGTERM, 1 when it cannot go on, 2 when told something wrong."""
    parser = argparse.ArgumentParser(prog="python -m chassis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("service", help="invoice, payment, credit, dunning or reporting")
    parser.add_argument("role", choices=ROLES, help="; ".join(f"{name}: {does}" for name, does in ROLES.items()))
    told = parser.parse_args()
    try:
        settings = load_settings(told.service, os.environ)
        failpoints.arm(settings.fp, production=settings.is_production)
        service: Service = importlib.import_module(f"{told.service}.app").SERVICE
        if told.role == "migrate":
            return _migrate(told.service, settings)
        entities = load_entities(settings.entities_file)
        logs.set_up(told.service, level=settings.log_level)
        if told.role == "rebuild":
            return _run(_rebuild(service, settings, entities))
        tracing.set_up(told.service)
        return _run(_serve(service, told.role, settings, entities))
    except (SettingsInvalid, EntitiesFileInvalid, failpoints.FailpointsRefused, PortTaken) as error:
        print(f"{told.service}: {error}", file=sys.stderr)  # noqa: T201 - for whoever started it
        return 2
    except ModuleNotFoundError as error:
        if error.name not in (told.service, f"{told.service}.app"):
            raise
        print(f"there is no service {told.service}: one of invoice, payment, credit, dunning, reporting", file=sys.stderr)  # noqa: T201
        return 2


def _migrate(service: str, settings: ServiceSettings) -> int:
    from chassis.migrate import migrate

    package = Path(importlib.import_module(service).__file__ or "").parent
    migrate(package.parent / "migrations" / "versions", settings.database_url.get_secret_value())
    return 0


async def _rebuild(service: Service, settings: ServiceSettings, entities: Entities) -> int:
    from chassis.rebuild import Rebuild, RebuildRefused

    try:
        database = await Database.open(settings.database_url.get_secret_value())
        rebuild = Rebuild(service, database, entities, system_clock)
        kafka = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False, isolation_level="read_committed")
        await kafka.start()
        rebuilt = await rebuild.run(kafka, settings.topic_partitions)
        await kafka.stop()
        await database.close()
    except (RebuildRefused, KafkaError, OSError, asyncpg.exceptions.PostgresError) as error:
        print(f"{service.name}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    found = (
        f"these tables were not what the facts say: {', '.join(rebuilt.differing)}" if rebuilt.differing else "it was the same, row by row"
    )
    print(f"{service.name}: rebuilt from {rebuilt.facts} facts; {found}")  # noqa: T201
    return 0


def _run(role: Coroutine[Any, Any, int]) -> int:
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 20, 20)
    try:
        import uvloop
    except ImportError:  # Not on every platform; asyncio's own loop does.
        return asyncio.run(role)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(role)


async def _serve(service: Service, role: str, settings: ServiceSettings, entities: Entities) -> int:
    """Run until SIGTERM or until a part cannot go on."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(note_a_strangers_error)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        database = await _opened(settings, entities, stopping)
    except (*TRANSIENT, asyncpg.exceptions.PostgresError) as error:
        if isinstance(error, asyncpg.exceptions.UndefinedTableError):
            log.error("service.not_migrated", hint=f"run: python -m chassis {service.name} migrate")
        else:
            log.error("service.no_database", error=f"{type(error).__name__}: {error}", hint=DATABASE_HINT)
        return 1
    if database is None:
        return 0
    try:
        return await _until_stopped(Parts(service, role, settings, entities, database), stopping)
    finally:
        await database.close()
        await asyncio.to_thread(tracing.shut_down, service.name)


async def _opened(settings: ServiceSettings, entities: Entities, stopping: asyncio.Event) -> Database | None:
    """
    Open the database and declare the entities in it; None when told to stop before.

    One that is away or just starting is waited for: in which order servers and services come up is nobody's business. Whatever it refuses
    for another reason is raised at once.
    """
    until_s = time.monotonic() + DATABASE_S_MAX
    while not stopping.is_set():
        database = None
        try:
            database = await Database.open(settings.database_url.get_secret_value())
            async with database.transaction() as db:
                await business_day.declare(db, entities)  # Before anybody can ask for anything: a command needs a day to be booked on.
        except (*TRANSIENT, asyncpg.exceptions.PostgresError) as error:
            if database is not None:
                await database.close()
            if not isinstance(error, TRANSIENT) or time.monotonic() > until_s:
                raise
            log.warning("service.waits_for_database", error=f"{type(error).__name__}: {error}", hint=DATABASE_HINT)
        else:
            return database
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), DATABASE_PAUSE_S)
    return None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process is made of."""

    service: Service
    role: str
    settings: ServiceSettings
    entities: Entities
    database: Database


async def _until_stopped(parts: Parts, stopping: asyncio.Event) -> int:
    """Serve and work until told to stop or until a part fails; readiness goes off first."""
    wake, readiness = Wake(), Readiness()
    readiness.add("database", database_check(parts.database))
    worker = None
    if parts.role in ("worker", "all"):
        worker = Worker(parts.service, parts.settings, parts.database, parts.entities, system_clock, wake)
        readiness.add("worker", worker.progress)
    server = HttpServer(_app(parts, wake, readiness), bind(parts.settings.http_host, parts.settings.http_port))
    serving = asyncio.create_task(server.run(), name="http")
    working = asyncio.create_task(worker.run(), name="worker") if worker else None
    asked = asyncio.create_task(stopping.wait(), name="asked")
    running = [task for task in (serving, working, asked) if task is not None]
    log.info("service.started", role=parts.role, port=parts.settings.http_port, pid=os.getpid())
    ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    by_itself = asked not in ended
    readiness.leave()
    server.stop()
    if worker is not None and working is not None:
        worker.stop()
        await closed(working, STOP_S_MAX - 2)
    await closed(serving, STOP_S_MAX - 2)
    asked.cancel()
    status = _status_of([task for task in (serving, working) if task is not None])
    if by_itself and status == 0:
        log.error(
            "service.ended_by_itself", part=", ".join(sorted(task.get_name() for task in ended)), hint="nobody asked it to; start it again"
        )
        return 1
    return status


def _app(parts: Parts, wake: Wake, readiness: Readiness) -> Any:
    """The application to serve: routes for the api, health and figures alone for a pure worker, which imports no web framework."""
    if parts.role == "worker":
        return Vitals(readiness, metrics)
    from chassis.http.app import create_app

    return create_app(parts.service, parts.database, parts.entities, parts.settings, system_clock, wake, readiness)


def _status_of(tasks: "list[asyncio.Task[None]]") -> int:
    status = 0
    for task in tasks:
        failed = None if task.cancelled() or not task.done() else task.exception()
        if failed is None:
            continue
        status = 1
        causes = failed.exceptions if isinstance(failed, BaseExceptionGroup) else (failed,)
        for cause in causes:
            if isinstance(cause, MustStop):
                log.error("service.must_stop", why=str(cause))
            else:
                log.error("service.failed", part=task.get_name(), error=type(cause).__name__, exc_info=cause)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
