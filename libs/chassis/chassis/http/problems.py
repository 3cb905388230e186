"""
Refusals as RFC 9457 problems: what is wrong, as a stable `code`, and every reason at once; never what was sent.

fastapi-problem gives the problem itself. Its exception handlers are left out: they repeat the input of a validation error and the text of
an unexpected exception, and do not reach the middlewares that refuse before a route is found.
"""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from events.invoice import Reason
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_problem.error import Problem as Rfc9457Problem
from opentelemetry import trace
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
FIELD_LENGTH_MAX = 64
UNAVAILABLE: tuple[type[Exception], ...] = (
    asyncpg.exceptions.PostgresConnectionError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.TooManyConnectionsError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.QueryCanceledError,
    asyncpg.exceptions.InternalClientError,
    asyncpg.exceptions.InterfaceError,
    ConnectionError,
    TimeoutError,
)
"""Failures of the database, not of the request: 503, and worth another try."""

_REPEATING = frozenset(("union_tag_invalid", "value_error", "assertion_error"))  # Their messages quote what was sent.
_log = structlog.get_logger()


class Problem(Rfc9457Problem):
    """
    A request that is refused: HTTP status, a code in UPPER_SNAKE, one sentence, and the reasons by field.

    Raised inside a command it rolls back everything. `headers` go out with the answer (`Retry-After`, `WWW-Authenticate`).
    """

    def __init__(
        self, status: int, code: str, detail: str, reasons: Sequence[Reason] = (), *, headers: Mapping[str, str] | None = None
    ) -> None:
        found = [{"code": reason.code, "field": reason.field} for reason in reasons]
        super().__init__(
            title=HTTPStatus(status).phrase,
            type_=f"urn:receivables:problem:{code.lower().replace('_', '-')}",
            detail=detail,
            status=status,
            headers=dict(headers or {}),
            code=code,
            **({"reasons": found} if found else {}),
        )
        self.code = code


def answer(problem: Problem) -> Response:
    """Render a problem; a failure of ours names the trace to look for."""
    content: dict[str, Any] = problem.marshal()
    context = trace.get_current_span().get_span_context()
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR and context.is_valid:
        content["trace_id"] = f"{context.trace_id:032x}"
    return Response(json.dumps(content), problem.status, problem.headers, MEDIA_TYPE)


def unexpected(error: Exception) -> Response:
    """Log a failure of ours and render it without its internals."""
    _log.error("http.unexpected", exc_info=error)
    return answer(Problem(500, "UNEXPECTED", "Something failed on our side; the request had no effect or can be repeated with its key."))


def install(app: FastAPI) -> None:
    """Have every refusal of the application answered as a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for failure in UNAVAILABLE:
        app.add_exception_handler(failure, _on_unavailable)


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error)


async def _on_unavailable(_request: Request, error: Exception) -> Response:
    _log.warning("http.unavailable", exc_info=error)
    return answer(Problem(503, "UNAVAILABLE", "The database does not answer at present.", headers={"Retry-After": "2"}))


async def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    details = {404: "There is nothing under this address.", 405: "This address does not know that method.", 400: "The body cannot be read."}
    return answer(Problem(status, status.name, details.get(status, status.description or status.phrase), headers=error.headers))


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return answer(Problem(400, "JSON_INVALID", "The body is not JSON."))
    problem = Problem(422, "INVALID", "The request does not fit the schema; every reason is listed.")
    problem.extras["reasons"] = [
        {"code": str(fault["type"]).upper(), "field": _field(fault["loc"]), "message": _message(fault)} for fault in faults
    ]
    return answer(problem)


def _field(place: Sequence[str | int]) -> str:
    """The path of a fault without its source (`body`, `query`, ...); a name the client made up is shown only if it looks like a field."""
    parts = [str(part) for part in (place[1:] or place)]
    safe = [part if part.isascii() and part.replace("-", "_").replace("_", "a").isalnum() and len(part) <= 40 else "?" for part in parts]
    return ".".join(safe)[:FIELD_LENGTH_MAX]


def _message(fault: Mapping[str, Any]) -> str:
    return "Not an allowed value." if fault["type"] in _REPEATING else str(fault["msg"])
