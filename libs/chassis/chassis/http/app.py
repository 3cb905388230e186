"""The application of one service: its own routes, the operator's routes, health, figures, and nothing open that is not named here."""

import inspect
from collections.abc import Sequence
from functools import cache
from importlib import import_module

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from chassis import tracing
from chassis.clock import Clock
from chassis.database import Database
from chassis.entities import Entities
from chassis.http import calendar, operation, problems
from chassis.http.auth import Keys
from chassis.http.contract import PROBLEMS, completed
from chassis.http.edge import Edge
from chassis.http.middleware import Bounds, Gate, Observed
from chassis.metrics import metrics
from chassis.outbox import Wake
from chassis.readiness import Readiness, Vitals, database_check
from chassis.service import Service
from chassis.settings import ServiceSettings

VITALS = ("/health/live", "/health/ready", "/metrics")
API_VERSION = "1.0.0"


def create_app(
    service: Service,
    database: Database,
    entities: Entities,
    settings: ServiceSettings,
    clock: Clock,
    wake: Wake,
    readiness: Readiness | None = None,
) -> FastAPI:
    """
    Compose the HTTP side of a service. `readiness` is the runner's; the check of the database is added to it.

    Serve it with `access_log=False, log_config=None, proxy_headers=False, server_header=False`.

    :raises KeysRefused: the key file cannot be used, or holds development keys in production.
    """
    readiness = readiness or Readiness()
    readiness.add("database", database_check(database))
    edge = Edge(service, database, entities, settings, clock, wake, Keys(settings), readiness)
    routes = _routes_of(service.router, is_calendar_owner=service.name == entities.calendar_owner)
    app = FastAPI(
        title=f"Receivables: {service.name}",
        version=API_VERSION,
        description=inspect.getdoc(import_module(service.router.partition(":")[0])) or "",
        docs_url=None,  # Their pages load scripts from elsewhere; the document itself is at /openapi.json.
        redoc_url=None,
        telemetry={
            "tracer_provider": tracing.provider_of(service.name),
            "tracing": tracing.provider_of(service.name) is not None,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "exclude": _is_vital,
        },
    )
    app.state.edge = edge
    problems.install(app)
    app.router.routes.extend(routes)
    vitals = Vitals(readiness, metrics)
    app.router.routes.extend(Route(path, vitals, methods=["GET"], include_in_schema=False) for path in VITALS)
    app.add_middleware(Bounds)
    app.add_middleware(Gate, keys=edge.keys, settings=settings, clock=clock)
    app.add_middleware(Observed)
    app.openapi = completed(app.openapi)  # type: ignore[method-assign]  # FastAPI's documented way to extend it.
    return app


@cache
def _routes_of(place: str, *, is_calendar_owner: bool) -> Sequence[BaseRoute]:
    """
    Compose the routes of a service, whose own are at `place` (`module:name`).

    Once a process, whatever applications it makes: FastAPI works out what a route takes and gives when it is first asked for, which costs
    more than most requests, and keeps it with these objects.
    """
    module, _, name = place.partition(":")
    own = getattr(import_module(module), name)
    assert isinstance(own, APIRouter), f"{place} is no APIRouter"
    whole = APIRouter()
    for router in (own, operation.router, calendar.reading, *([calendar.starting] if is_calendar_owner else [])):
        whole.include_router(router, responses=PROBLEMS)
    return whole.routes


def _is_vital(scope: Scope) -> bool:
    return scope["path"] in VITALS
