"""What the edge does with requests before any rule of a service is asked; no database is needed, for none is reached."""

import asyncio
import contextlib
import sys
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
import structlog
from chassis.database import Database
from chassis.entities import SERVICES, Entities
from chassis.http import CommandDep, Problem, ReaderDep
from chassis.http.app import create_app
from chassis.outbox import Wake
from chassis.readiness import Readiness
from chassis.service import Service, subscribe
from chassis.settings import ServiceSettings
from events.invoice import Reason
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from testkit.service import two_entities
from testkit.tokens import TestKeys

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SERVICE = Service("payment", "receivables.payment", subscribe(forward=()), router="chassis_test_routes:router")
Build = Callable[..., httpx.AsyncClient]


class Body(BaseModel):
    """A body as services declare them."""

    model_config = ConfigDict(extra="forbid")

    entity: str
    amount: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{2}$")]


def routes() -> APIRouter:
    router = APIRouter()

    @router.get("/v1/echo/{name}")
    async def echo(name: str, limit: Annotated[int, Query(le=200)] = 10) -> dict[str, Any]:
        """A read."""
        return {"name": name, "limit": limit}

    @router.get("/v1/refused")
    async def refuse() -> None:
        raise Problem(409, "INVOICE_VOIDED", "It is void.", [Reason(code="VOID", field="invoice"), Reason(code="OLD", field="issued_on")])

    @router.get("/v1/broken")
    async def break_down() -> None:
        raise RuntimeError("password=hunter2")

    @router.get("/v1/page")
    async def page() -> Response:
        return Response("<p>", headers={"content-security-policy": "default-src 'self'"}, media_type="text/html")

    @router.get("/v1/read")
    async def read(db: ReaderDep) -> int:
        return int(await db.fetchval("SELECT 1"))

    @router.post("/v1/things", status_code=201)
    async def make(body: Body, command: CommandDep) -> Response:
        return Response(f"{command.principal.sub} {command.route} {body.amount}", 201)

    return router


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """structlog's default draws every frame's locals in colour, which takes seconds an exception."""
    structlog.configure(processors=[structlog.processors.JSONRenderer(default=str)])
    yield
    structlog.reset_defaults()


@pytest.fixture
def keys() -> Iterator[TestKeys]:
    keys = TestKeys()
    yield keys
    keys.forget()


@pytest.fixture
def build(keys: TestKeys, monkeypatch: pytest.MonkeyPatch) -> Build:
    module = types.ModuleType("chassis_test_routes", "What the test service is for.")
    vars(module)["router"] = routes()
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def build(
        *, client: str = "127.0.0.1", entities: Entities | None = None, readiness: Readiness | None = None, **given: Any
    ) -> httpx.AsyncClient:
        settings = ServiceSettings(database_url=SecretStr("x"), entities_file=Path("x"), jwt_keys_file=keys.file, **given)
        unreached = Database(asyncpg.create_pool("postgresql://nobody@127.0.0.1:1/none", min_size=0), "")
        app = create_app(SERVICE, unreached, entities or two_entities(), settings, lambda: NOW, Wake(), readiness)
        return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(client, 50000)), base_url="http://payment")

    return build


@pytest.fixture
def bearer(keys: TestKeys) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.token('clerk-1', ['clerk'], NOW)}", "Idempotency-Key": "k1"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:receivables:problem:{code.lower().replace('_', '-')}"
    return problem


async def test_a_problem_names_its_code_and_every_reason(build: Build) -> None:
    problem = assert_problem(await build().get("/v1/refused"), 409, "INVOICE_VOIDED")
    assert problem["reasons"] == [{"code": "VOID", "field": "invoice"}, {"code": "OLD", "field": "issued_on"}]
    assert problem["detail"] == "It is void."


async def test_an_invalid_body_is_answered_with_every_reason_and_without_itself(build: Build, bearer: dict[str, str]) -> None:
    body = {"amount": "１００.00", "Ada Lovelace <ada@example.org>": 1, "approved_by": "me"}
    answer = await build().post("/v1/things", json=body, headers=bearer)

    problem = assert_problem(answer, 422, "INVALID")
    reasons = {(reason["code"], reason["field"]) for reason in problem["reasons"]}
    assert reasons == {
        ("MISSING", "entity"),
        ("STRING_PATTERN_MISMATCH", "amount"),
        ("EXTRA_FORBIDDEN", "?"),
        ("EXTRA_FORBIDDEN", "approved_by"),
    }
    for sent in ("１００", "Lovelace", "ada@"):
        assert sent not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/v1/echo/a?limit=1000000000", 422, "INVALID"),
        ("GET", "/v1/echo/a?limit=ten", 422, "INVALID"),
        ("GET", "/v1/echo/%00", 400, "ADDRESS_INVALID"),
        ("GET", "/v1/echo/a?limit=1%00", 400, "ADDRESS_INVALID"),
        ("GET", "/v1/broken", 500, "UNEXPECTED"),
        ("GET", "/v1/read", 503, "UNAVAILABLE"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(build: Build, method: str, path: str, status: int, code: str) -> None:
    answer = await build().request(method, path)
    assert_problem(answer, status, code)
    assert "hunter2" not in answer.text


async def test_an_unknown_method_is_405_and_says_which_are_known(build: Build, bearer: dict[str, str]) -> None:
    answer = await build().delete("/v1/refused", headers=bearer)
    assert_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET"


BODIES: dict[str, tuple[bytes, int, str]] = {
    "no JSON": (b"{", 400, "JSON_INVALID"),
    "empty text": (b" ", 400, "JSON_INVALID"),
    "not UTF-8": (b'{"entity": "\xff"}', 400, "JSON_INVALID"),
    "UTF-16": ('{"entity": "US01"}'.encode("utf-16"), 400, "JSON_INVALID"),
    "NaN": (b'{"amount": NaN}', 400, "JSON_INVALID"),
    "Infinity": (b'{"amount": -Infinity}', 400, "JSON_INVALID"),
    "too deep": (b"[" * 33 + b"]" * 33, 422, "JSON_OUT_OF_BOUNDS"),
    "much too deep": (b'{"a":' * 100_000, 422, "JSON_OUT_OF_BOUNDS"),
    "a million digits": (b'{"amount": ' + b"1" * 1_000_000 + b"}", 422, "JSON_OUT_OF_BOUNDS"),
    "twenty digits": (b'{"amount": 12345678901234567890}', 422, "JSON_OUT_OF_BOUNDS"),
    "U+0000": (b'{"entity": "a\\u0000"}', 422, "JSON_OUT_OF_BOUNDS"),
    "U+0000 behind a backslash": (b'{"entity": "a\\\\\\u0000"}', 422, "JSON_OUT_OF_BOUNDS"),
    "a raw NUL": (b'{"entity": "a\0"}', 422, "JSON_OUT_OF_BOUNDS"),
    "half a surrogate pair": (b'{"entity": "\\ud800", "amount": "1.00"}', 422, "JSON_OUT_OF_BOUNDS"),
    "the other half": (b'{"entity": "\\uDC00"}', 422, "JSON_OUT_OF_BOUNDS"),
    "no JSON with a surrogate": (b'{"entity": "\\ud800"', 400, "JSON_INVALID"),
    "too long": (b'"' + b"x" * 1024 * 1024 + b'"', 413, "BODY_TOO_LARGE"),
    "a list": (b"[]", 422, "INVALID"),
    "null": (b"null", 422, "INVALID"),
    "nothing": (b"", 422, "INVALID"),
    "a number for an amount": (b'{"entity": "US01", "amount": 1.00}', 422, "INVALID"),
    "true for an amount": (b'{"entity": "US01", "amount": true}', 422, "INVALID"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_body_is_refused(build: Build, bearer: dict[str, str], name: str) -> None:
    body, status, code = BODIES[name]
    answer = await build().post("/v1/things", content=body, headers={**bearer, "Content-Type": "application/json"})
    assert_problem(answer, status, code)


async def test_a_body_that_lies_about_its_length_is_cut_at_the_limit(build: Build, bearer: dict[str, str]) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while True:
            sent += 65536
            yield b"x" * 65536

    answer = await build().post("/v1/things", content=endless(), headers={**bearer, "Content-Type": "application/json"})

    assert_problem(answer, 413, "BODY_TOO_LARGE")
    assert sent < 1024 * 1024 + 3 * 65536


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/xml", "multipart/form-data", "text/json"])
async def test_only_json_is_read(build: Build, bearer: dict[str, str], content_type: str) -> None:
    answer = await build().post(
        "/v1/things", content=b'{"entity": "US01", "amount": "1.00"}', headers={**bearer, "Content-Type": content_type}
    )
    assert_problem(answer, 415, "CONTENT_TYPE_UNSUPPORTED")


async def test_text_that_only_looks_out_of_bounds_passes(build: Build, bearer: dict[str, str]) -> None:
    body = b'{"entity": "\\ud83d\\ude00 \\\\u0000 NaN 12345678901234567890 [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "amount": "1.00"}'
    answer = await build().post("/v1/things", content=body, headers={**bearer, "Content-Type": "application/json"})
    assert (answer.status_code, answer.text) == (201, "clerk-1 POST /v1/things 1.00")


KEYS: dict[str, tuple[list[str], str]] = {
    "missing": ([], "IDEMPOTENCY_KEY_MISSING"),
    "empty": ([""], "IDEMPOTENCY_KEY_INVALID"),
    "blank": (["   "], "IDEMPOTENCY_KEY_INVALID"),
    "256 characters": (["x" * 256], "IDEMPOTENCY_KEY_INVALID"),
    "twice": (["a", "b"], "IDEMPOTENCY_KEY_INVALID"),
    "umlaut": (["schlüssel"], "IDEMPOTENCY_KEY_INVALID"),
    "full-width": (["１２３"], "IDEMPOTENCY_KEY_INVALID"),
    "tab": (["a\tb"], "IDEMPOTENCY_KEY_INVALID"),
    "delete": (["a\x7f"], "IDEMPOTENCY_KEY_INVALID"),
    "NUL": (["a\x00"], "IDEMPOTENCY_KEY_INVALID"),
}


@pytest.mark.parametrize("name", KEYS)
async def test_a_command_needs_one_printable_key(build: Build, bearer: dict[str, str], name: str) -> None:
    given, code = KEYS[name]
    headers = [(b"Authorization", bearer["Authorization"].encode()), *((b"Idempotency-Key", key.encode()) for key in given)]
    answer = await build().post("/v1/things", json={"entity": "US01", "amount": "1.00"}, headers=headers)
    assert_problem(answer, 400, code)


async def test_a_command_needs_a_token_even_from_this_machine(build: Build) -> None:
    answer = await build().post("/v1/things", json={}, headers={"Idempotency-Key": "k"})
    assert_problem(answer, 401, "TOKEN_MISSING")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["Bearer", "Bearer x", "Basic YTpi", "bearer a.b.c", "Bearer " + "x" * 100_000])
async def test_a_token_that_proves_nothing_is_worse_than_none(build: Build, value: str) -> None:
    answer = await build().get("/v1/echo/a", headers={"Authorization": value})
    assert_problem(answer, 401, "TOKEN_INVALID")
    assert "invalid_token" in answer.headers["www-authenticate"]


async def test_two_tokens_are_none(build: Build, bearer: dict[str, str]) -> None:
    answer = await build().get("/v1/echo/a", headers=[("Authorization", bearer["Authorization"])] * 2)
    assert_problem(answer, 401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    ("client", "host", "status"),
    [("127.0.0.1", "127.0.0.1", 200), ("10.0.0.9", "127.0.0.1", 401), ("127.0.0.1", "0.0.0.0", 401), ("::1", "::1", 200)],
)
async def test_reads_are_open_on_loopback_in_development_only(build: Build, client: str, host: str, status: int) -> None:
    assert (await build(client=client, http_host=host).get("/v1/echo/a")).status_code == status


async def test_in_production_every_address_but_health_needs_a_token(build: Build, bearer: dict[str, str]) -> None:
    ready = Readiness()
    production = build(env="prod", readiness=ready)
    for path in ("/v1/echo/a", "/metrics", "/openapi.json", "/v1/parked", "/v1/business-days?entity=US01", "/nowhere", "/"):
        assert_problem(await production.get(path), 401, "TOKEN_MISSING")
        assert (await production.get(path, headers=bearer)).status_code != 401
    assert (await production.get("/health/live")).status_code == 200


async def test_the_operators_routes_need_the_role(build: Build, bearer: dict[str, str]) -> None:
    client = build()
    for method, path in (("POST", "/v1/parked/1/redrive"), ("POST", "/v1/refused/1/redrive")):
        assert_problem(await client.request(method, path, headers=bearer), 403, "ROLE_MISSING")


async def test_answers_carry_security_headers_and_a_page_may_set_its_own(build: Build) -> None:
    answer = await build().get("/v1/echo/a")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert (await build().get("/v1/page")).headers["content-security-policy"] == "default-src 'self'"


async def test_readiness_tells_what_is_wrong_and_ends_with_the_process(build: Build) -> None:
    readiness = Readiness()
    client = build(readiness=readiness)

    async def fine() -> None:
        return None

    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["faults"]["database"].startswith("not reachable")
    readiness.add("database", fine)
    assert (await client.get("/health/ready")).json() == {"ready": True, "faults": {}}
    readiness.leave()
    assert (await client.get("/health/ready")).json() == {"ready": False, "faults": {"process": "stopping"}}
    assert (await client.get("/health/live")).status_code == 200


async def test_readiness_answers_in_time_though_a_check_does_not_even_let_itself_be_cancelled(build: Build) -> None:
    readiness, over = Readiness(), asyncio.Event()
    client, asked = build(readiness=readiness), 0

    async def stuck() -> None:
        nonlocal asked
        asked += 1
        while not over.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await over.wait()

    readiness.add("database", stuck)
    for _ in range(2):
        async with asyncio.timeout(4):
            assert (await client.get("/health/ready")).json()["faults"] == {"database": "no answer within 2 s"}
    assert asked == 1, "each question would take one more connection of the pool that commands use"
    over.set()
    assert (await client.get("/health/ready")).status_code == 200


async def test_figures_count_by_route_template_and_status(build: Build) -> None:
    client = build()
    await client.get("/v1/echo/one")
    await client.get("/v1/echo/two")
    await client.get("/v1/nowhere/three")

    figures = (await client.get("/metrics")).text
    assert 'receivables_http_requests_total{method="GET",route="/v1/echo/{name}",status="200"}' in figures
    assert 'receivables_http_requests_total{method="GET",route="-",status="404"}' in figures
    assert "three" not in figures


async def test_the_document_says_what_a_caller_must_know(build: Build) -> None:
    client = build()
    first, document = (await client.get("/openapi.json")).text, (await client.get("/openapi.json")).json()

    assert first == (await client.get("/openapi.json")).text
    assert (document["openapi"], document["info"]["title"], document["info"]["description"]) == (
        "3.1.0",
        "Receivables: payment",
        "What the test service is for.",
    )
    make = document["paths"]["/v1/things"]["post"]
    (key,) = (one for one in make["parameters"] if one["name"] == "Idempotency-Key")
    assert key["required"] is True
    assert make["responses"]["4XX"]["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert document["security"] == [{"bearer": []}]
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_days_are_started_only_where_the_calendar_is_owned(build: Build, bearer: dict[str, str]) -> None:
    body = {"entity": "US01", "date": "2026-01-06"}
    answer = await build().post("/v1/business-days", json=body, headers=bearer)
    assert_problem(answer, 405, "METHOD_NOT_ALLOWED")

    without_invoice = Entities(two_entities().by_id, tuple(name for name in SERVICES if name != "invoice"))
    answer = await build(entities=without_invoice).post("/v1/business-days", json=body, headers=bearer)
    assert_problem(answer, 403, "ROLE_MISSING")
