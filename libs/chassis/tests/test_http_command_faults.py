"""A command ends in one effect or none while days turn, clients hang up and processes fail; its trace goes with its facts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date

import httpx
import pytest
import structlog
from chassis import failpoints, tracing
from chassis.http import commands, edge
from chassis.outbox import unpack_headers
from chassis.serving import HttpServer, bind
from launcher.databases import Cluster
from testkit.otlp import OtlpSink
from testkit.till import NONE, NOW, ONE, Till, till_on

pytestmark = pytest.mark.db
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """structlog's default draws every frame's locals in colour, which takes seconds an exception."""
    structlog.configure(processors=[structlog.processors.JSONRenderer(default=str)])
    yield
    structlog.reset_defaults()


@pytest.fixture
async def till(postgres_server: Cluster) -> AsyncIterator[Till]:
    async with till_on(postgres_server) as till:
        yield till


async def test_a_command_waits_for_the_day_to_turn_without_a_connection(till: Till) -> None:
    await till.turn(turning_on=date(2026, 1, 6))
    waiting = asyncio.create_task(till.post(no="R-1"))
    at_rest = 0
    for _ in range(20):
        await asyncio.sleep(0.02)
        at_rest += till.is_at_rest()
    assert not waiting.done()
    assert at_rest >= 10, "between its looks it holds no connection"

    await till.turn(turning_on=None, open_on=date(2026, 1, 6))
    assert (await waiting).json()["booked_on"] == "2026-01-06"


async def test_a_day_that_keeps_turning_is_answered_503(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "TURN_WAIT_SECONDS_MAX", 0.3)
    await till.turn(turning_on=date(2026, 1, 6))
    answer = await till.post(no="R-1")

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "DAY_TURNING", "2")
    assert await till.effects() == NONE


async def test_at_most_a_hundred_commands_of_an_entity_wait(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "TURN_WAITERS_MAX", 2)
    monkeypatch.setattr(edge, "_TURN_PAUSE_SECONDS", 2.0)
    monkeypatch.setattr(edge, "_TURN_PAUSE_SECONDS_MAX", 2.0)
    await till.turn(turning_on=date(2026, 1, 6))
    waiting = [asyncio.create_task(till.post(no=f"R-{n}", key=f"k{n}")) for n in range(2)]
    await asyncio.sleep(0.3)
    third, elsewhere = await asyncio.gather(till.post(no="R-9", key="k9"), _status_soon(till.post(no="J-1", key="j1", entity="JP01")))

    assert (third.status_code, third.json()["code"]) == (503, "DAY_TURNING")
    assert elsewhere is None, "another entity has a queue of its own"
    await till.turn(turning_on=None)
    assert {(await one).status_code for one in waiting} == {201}


async def _status_soon(answer: Awaitable[httpx.Response]) -> int | None:
    try:
        return (await asyncio.wait_for(answer, 0.2)).status_code
    except TimeoutError:
        return None


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.02, 0.1, 0.35])
async def test_a_cancelled_request_leaves_no_connection_behind(till: Till, after_s: float) -> None:
    tasks = [asyncio.create_task(till.post(no=f"R-{n}", key=f"k{n}", pause_s=0.3)) for n in range(15)]
    await asyncio.sleep(after_s)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    await asyncio.wait_for(_until(till.is_at_rest), 5)
    async with till.database.reading() as db:
        stuck = await db.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in%'"
        )
    effects = await till.effects()
    assert stuck == 0
    assert effects["receipts"] == effects["facts"] == effects["audited"] == effects["answers"]
    answers = await asyncio.gather(*(till.post(no=f"R-{n}", key=f"k{n}", pause_s=0.3) for n in range(15)))
    assert {answer.status_code for answer in answers} == {201}
    assert await till.count("receipt") == 15


async def _until_recorded(till: Till) -> None:
    while not await till.count("receipt"):  # noqa: ASYNC110 - it watches a database
        await asyncio.sleep(0.01)


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - it watches a pool
        await asyncio.sleep(0.01)


async def test_a_client_that_hangs_up_on_a_real_server_has_one_effect_and_holds_nothing(till: Till) -> None:
    listener = bind("127.0.0.1", 0)
    server = HttpServer(till.app, listener)
    serving = asyncio.create_task(server.run())
    body = b'{"no": "R-1", "pause_s": 0.2}'
    token = till.keys.token("clerk-1", ["clerk"], NOW)
    head = f"POST /v1/receipts HTTP/1.1\r\nHost: payment\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: k1\r\n"
    _, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()

    await asyncio.sleep(0.2)
    await asyncio.wait_for(_until(till.is_at_rest), 5)
    await asyncio.wait_for(_until_recorded(till), 5)
    assert await till.effects() == ONE
    server.stop()
    await serving


@pytest.fixture
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


POINTS = ["locked", "idem_inserted", "head_bumped", "outbox_inserted", "before_commit", "after_commit", "before_answer"]


@pytest.mark.parametrize("point", POINTS)
async def test_wherever_it_fails_a_retry_ends_in_exactly_one_effect(till: Till, disarmed: None, point: str) -> None:
    failpoints.arm(f"api.{point}:1:raise")
    failed = await till.post(no="R-1")

    assert (failed.status_code, failed.json()["code"]) == (500, "UNEXPECTED")
    committed = point in ("after_commit", "before_answer")
    assert await till.effects() == (ONE if committed else NONE)
    retried = await till.post(no="R-1")
    assert (retried.status_code, retried.json()["no"]) == (201, "R-1")
    assert ("idempotent-replayed" in retried.headers) is committed
    assert await till.effects() == ONE


async def test_the_fact_of_a_command_carries_the_callers_trace_where_nothing_is_exported(till: Till) -> None:
    await till.post(no="R-1", trace=f"00-{TRACE}-{SPAN}-01")
    await till.post(no="R-2", key="k2", trace="garbage")
    first, second = await _traceparents(till)
    assert (first, second) == (f"00-{TRACE}-{SPAN}-01", None)


async def test_the_trace_goes_from_the_request_into_the_outbox_row(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    with OtlpSink() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.endpoint)
        tracing.set_up("payment")
        traced = Till(till.database, till.keys)
        await traced.post(no="R-1", trace=f"00-{TRACE}-{SPAN}-01")
        await traced.client.get("/health/live")
        await traced.client.get("/metrics")
        await asyncio.to_thread(tracing.shut_down, "payment")

        (server,) = sink.named("POST /v1/receipts")
        assert (server.trace_id, server.parent_id, server.kind) == (TRACE, SPAN, 2)
        assert await _traceparents(till) == [f"00-{TRACE}-{server.span_id}-01"]
        assert len(sink.spans) == 1, "health and figures are not traced"


async def _traceparents(till: Till) -> list[str | None]:
    async with till.database.reading() as db:
        rows = await db.fetch("SELECT headers FROM chassis.outbox ORDER BY id")
    found = [dict(unpack_headers(row["headers"])).get("traceparent") for row in rows]
    return [one.decode() if one else None for one in found]
