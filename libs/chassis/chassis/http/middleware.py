"""What every request passes on its way in: figures and the last net for failures, who asks, and what a body may be."""

import contextlib
import json
import re
import time
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import tracing
from chassis.clock import Clock
from chassis.http.auth import Keys, TokenRefused
from chassis.http.problems import Problem, answer, unexpected
from chassis.metrics import metrics
from chassis.settings import ServiceSettings

BODY_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 32
DIGITS_MAX = 19
METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OPEN_PATHS: Final = frozenset(("/health/live", "/health/ready"))
SECURITY_HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NUL_ESCAPE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_LONG_NUMBER: Final = re.compile(rf"\d{{{DIGITS_MAX + 1}}}")
_NO_JSON: Final = re.compile(r"NaN|Infinity")
_BRACKETS: Final = re.compile(r"[\[\]{}]")


class Observed:
    """Outermost: counts and times every answer, remembers the trace it came with, and turns what nobody caught into a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the answer carries the security headers unless the route has set its own."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = time.perf_counter(), 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            with tracing.inbound(Headers(scope=scope).get("traceparent")):
                await self._app(scope, receive, send_noted)
        except Exception as error:
            if status:  # The answer has begun: only cutting the connection is left.
                raise
            await unexpected(error)(scope, receive, send_noted)
        finally:
            _count(scope, status, time.perf_counter() - began_s)


def _count(scope: Scope, status: int, seconds: float) -> None:
    if scope["path"] in OPEN_PATHS or scope["path"] == "/metrics":
        return
    method = scope["method"] if scope["method"] in METHODS else "other"
    route = getattr(scope.get("route"), "path", "-")
    metrics.http_requests.labels(method, route, str(status or "cut")).inc()
    metrics.http_seconds.labels(method, route).observe(seconds)


class Gate:
    """
    Nobody passes without a token, but for health and, in development, reads from this machine on a loopback address.

    Puts the principal into the scope.
    """

    def __init__(self, app: ASGIApp, *, keys: Keys, settings: ServiceSettings, clock: Clock) -> None:
        self._app = app
        self._keys = keys
        self._clock = clock
        self._reads_open = not settings.is_production and settings.binds_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or answer it with 401."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            self._admit(scope)
        except Problem as problem:
            await answer(problem)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        given = Headers(scope=scope).getlist("authorization")
        if not given:
            if self._reads_open and scope["method"] in ("GET", "HEAD") and _is_local(scope):
                return
            raise Problem(401, "TOKEN_MISSING", "A bearer token is needed.", headers={"WWW-Authenticate": "Bearer"})
        scheme, _, token = given[0].partition(" ")
        if len(given) != 1 or scheme.lower() != "bearer":
            raise _invalid("TOKEN_INVALID")
        try:
            scope["principal"] = self._keys.principal(token.strip(), self._clock())
        except TokenRefused as error:
            raise _invalid(str(error)) from error


def _invalid(code: str) -> Problem:
    detail = "The token has expired." if code == "TOKEN_EXPIRED" else "The token is not valid here."
    return Problem(401, code, detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False


class Bounds:
    """
    Innermost: refuses addresses and bodies that no route should have to think about.

    The body is read here, at most 1 MB of it, and handed on whole. JSON is at most 32 deep, numbers have at most 19 digits, and U+0000,
    which Postgres cannot keep, is nowhere.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or answer it with 400, 413, 415 or 422."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_address(scope)
            body = await _body(scope, receive)
            if body is None:
                return
            if body:
                _check_json(Headers(scope=scope).get("content-type", ""), body)
        except Problem as problem:
            await answer(problem)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


def _check_address(scope: Scope) -> None:
    if "\0" in scope["path"] or b"\0" in unquote_to_bytes(scope.get("query_string", b"")):
        raise Problem(400, "ADDRESS_INVALID", "The address contains U+0000.")


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or None when the client has gone before its end; raises Problem 413 as soon as it is too long."""
    too_long = Problem(413, "BODY_TOO_LARGE", f"The body is larger than {BODY_BYTES_MAX} bytes.", headers={"Connection": "close"})
    announced = Headers(scope=scope).get("content-length", "0")
    if not announced.isdecimal() or int(announced[:20]) > BODY_BYTES_MAX:
        raise too_long
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            raise too_long
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _check_json(content_type: str, body: bytes) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "CONTENT_TYPE_UNSUPPORTED", "Bodies are application/json.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(400, "JSON_INVALID", "The body is not UTF-8.") from error
    if "\0" in text or _NUL_ESCAPE.search(text):
        raise Problem(422, "JSON_OUT_OF_BOUNDS", "The body contains U+0000.")
    bare = _STRINGS.sub("", text)
    if _NO_JSON.search(bare):
        raise Problem(400, "JSON_INVALID", "NaN and Infinity are not JSON.")
    if _LONG_NUMBER.search(bare):
        raise Problem(422, "JSON_OUT_OF_BOUNDS", f"A number has more than {DIGITS_MAX} digits.")
    depth = 0
    for bracket in _BRACKETS.findall(bare):
        depth += 1 if bracket in "[{" else -1
        if depth > DEPTH_MAX:
            raise Problem(422, "JSON_OUT_OF_BOUNDS", f"The body is nested more than {DEPTH_MAX} deep.")
    if _SURROGATE.search(text):
        _check_pairs(text)


def _check_pairs(text: str) -> None:
    """Refuse half of a surrogate pair: Python reads it as a character that no database and no fact can hold."""
    with contextlib.suppress(json.JSONDecodeError):  # The route says what is no JSON.
        try:
            json.dumps(json.loads(text), ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise Problem(422, "JSON_OUT_OF_BOUNDS", "The body contains half of a surrogate pair.") from error
