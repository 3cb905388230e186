"""A command over HTTP has exactly one effect or none, whatever its sender and other transactions do (messaging.md sections 2 and 5)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import structlog
from chassis import idempotency
from chassis.http import commands, edge
from launcher.databases import Cluster
from testkit.patience import until
from testkit.till import NONE, NOW, ONE, Till, till_on

pytestmark = pytest.mark.db


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


async def test_a_command_commits_its_effect_its_fact_its_audit_row_and_its_answer(till: Till) -> None:
    answer = await till.post(no="R-1")

    assert (answer.status_code, answer.json()) == (201, {"no": "R-1", "booked_on": "2026-01-05"})
    assert await till.effects() == ONE
    assert till.wake.is_set()
    async with till.database.reading() as db:
        audit = await db.fetchrow("SELECT entity, principal, action, subject, detail::text, recorded_at FROM chassis.audit")
    assert audit is not None
    assert tuple(audit)[:4] == ("US01", "clerk-1", "POST /v1/receipts", "/v1/receipts")
    assert '"key": "US01|A"' in audit["detail"]
    assert audit["recorded_at"] == NOW


async def test_a_repeat_gets_the_same_bytes_and_does_nothing(till: Till) -> None:
    first = await till.post(no="R-1")
    again = await till.post(no="R-1")

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert await till.effects() == ONE


async def test_twenty_at_once_with_one_key_have_one_effect_and_twenty_equal_answers(till: Till) -> None:
    answers = await asyncio.gather(*(till.post(no="R-1", pause_s=0.05) for _ in range(20)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 19
    assert await till.effects() == ONE
    assert till.is_at_rest()


async def test_another_request_under_a_used_key_is_refused(till: Till) -> None:
    await till.post(no="R-1")
    answer = await till.post(no="R-2")
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")

    await till.post("/v1/accounts/A/closing", no="C-1", key="k2")
    answer = await till.post("/v1/accounts/B/closing", no="C-1", key="k2")
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await till.count("receipt") == 2


async def test_a_key_belongs_to_its_principal_entity_and_route(till: Till) -> None:
    answers = [
        await till.post(no="R-1"),
        await till.post(no="R-2", sub="clerk-2"),
        await till.post(no="R-3", entity="JP01"),
        await till.post("/v1/accounts/A/closing", no="R-4"),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 200]
    assert await till.count("receipt") == 4


@pytest.mark.parametrize(("fail", "status", "code"), [("problem", 422, "NOT_ALLOWED"), ("refused", 422, "REFUSED")])
async def test_a_refused_command_leaves_nothing_and_its_key_can_be_used_again(till: Till, fail: str, status: int, code: str) -> None:
    answer = await till.post(no="R-1", fail=fail)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await till.effects() == NONE
    assert not till.wake.is_set()
    assert (await till.post(no="R-1")).status_code == 201


async def test_what_a_shared_handler_refuses_is_answered_with_every_reason(till: Till) -> None:
    answer = await till.post(no="R-1", fail="refused")
    assert answer.json()["reasons"] == [{"code": "AMOUNT_SCALE", "field": "amount"}, {"code": "DATE_PAST", "field": "value_on"}]


@pytest.mark.parametrize("fail", ["error", "at commit"])
async def test_a_failure_of_ours_is_never_stored_nor_half_done(till: Till, fail: str) -> None:
    answer = await till.post(no="R-1", fail=fail)

    assert (answer.status_code, answer.json()["code"]) == (500, "UNEXPECTED")
    assert "bug" not in answer.text
    assert await till.effects() == NONE


async def test_roles_and_entities_are_checked_before_anything_is_touched(till: Till) -> None:
    without = await till.post("/v1/refunds", no="R-1")
    assert (without.status_code, without.json()["code"]) == (403, "ROLE_MISSING")
    unknown = await till.post(no="R-1", entity="XX99")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "ENTITY_UNKNOWN")
    assert await till.effects() == NONE
    assert (await till.post("/v1/refunds", no="R-1", roles=("clerk", "treasurer"))).status_code == 201


async def test_while_the_first_is_at_work_the_second_is_asked_to_come_back(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "LOCK_WAIT", "100ms")
    first = asyncio.create_task(till.post(no="R-1", pause_s=0.6))
    await asyncio.sleep(0.2)
    second = await till.post(no="R-1", pause_s=0.6)

    assert (second.status_code, second.json()["code"], second.headers["retry-after"]) == (409, "IDEMPOTENCY_KEY_IN_USE", "1")
    assert (await first).status_code == 201
    assert (await till.post(no="R-1", pause_s=0.6)).headers["idempotent-replayed"] == "true"


async def test_a_locked_account_is_busy_not_broken(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "LOCK_WAIT", "100ms")
    async with till.database.transaction() as db:
        await db.execute("SELECT 1 FROM account WHERE name = 'A' FOR UPDATE")
        answer = await till.post(no="R-1")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "BUSY", "1")
    assert await till.effects() == NONE


async def test_a_crowd_before_one_account_leaves_connections_to_the_worker(till: Till) -> None:
    """Found by a torture run on a machine with too little time: the worker waited behind commands that waited for one account."""
    async with till.database.transaction() as db:
        await db.execute("SELECT 1 FROM account WHERE name = 'A' FOR UPDATE")
        crowd = [asyncio.create_task(till.post(no=f"R-{n}", key=str(n))) for n in range(30)]
        await until(lambda: _waiting_for_rows(till))
        async with asyncio.timeout(2):
            for _ in range(20):
                await till.count("receipt")
    assert {(await one).status_code for one in crowd} == {201}


async def test_what_cannot_be_worked_off_in_time_is_turned_away(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "COMMANDS_WAITING_MAX", 10)
    monkeypatch.setattr(edge, "COMMAND_WAIT_SECONDS_MAX", 0.3)
    async with till.database.transaction() as db:
        await db.execute("SELECT 1 FROM account WHERE name = 'A' FOR UPDATE")
        crowd = [asyncio.create_task(till.post(no=f"R-{n}", key=str(n))) for n in range(30)]
        ended, _ = await asyncio.wait(crowd, timeout=2)
        turned_away = [one.result() for one in ended]
    assert {(one.status_code, one.json()["code"], one.headers["retry-after"]) for one in turned_away} == {(503, "BUSY", "1")}
    assert len(turned_away) == 30 - edge.COMMANDS_AT_ONCE
    answers = await asyncio.gather(*crowd)
    assert sorted(one.status_code for one in answers) == [201] * edge.COMMANDS_AT_ONCE + [503] * len(turned_away)


async def _waiting_for_rows(till: Till) -> bool:
    async with till.database.reading() as db:
        return int(await db.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")) > 1


async def test_two_commands_in_each_others_way_both_succeed(till: Till) -> None:
    """A real deadlock: A then B against B then A; Postgres ends one, and it begins again."""
    answers = await asyncio.gather(till.post(no="R-1", key="a", account="A", then="B"), till.post(no="R-2", key="b", account="B", then="A"))

    assert [answer.status_code for answer in answers] == [201, 201]
    assert (await till.effects())["money"] == 4


async def test_one_natural_key_under_two_keys_is_recorded_once(till: Till) -> None:
    """Both look before either commits; the loser begins again and finds what the rules say about it."""
    answers = await asyncio.gather(
        till.post(no="R-1", key="a", account="A", pause_s=0.2), till.post(no="R-1", key="b", account="B", pause_s=0.2)
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await till.effects() == ONE


async def test_answers_are_kept_for_seven_days(till: Till) -> None:
    await till.post(no="R-1")
    for later, forgotten in ((timedelta(days=7), 0), (timedelta(days=7, seconds=1), 1), (timedelta(days=9), 0)):
        async with till.database.transaction() as db:
            assert await idempotency.purge(db, NOW + later) == forgotten
    assert await till.count("chassis.idempotency") == 0
