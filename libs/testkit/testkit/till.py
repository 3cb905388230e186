"""
A service with one command and no rules, for testing the HTTP side of the chassis: it adds money to accounts, and fails as it is told to.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from chassis import business_day
from chassis.database import Connection, Database
from chassis.http import CommandDep, Problem
from chassis.http.app import create_app
from chassis.outbox import Wake
from chassis.protocol import protocol_sql
from chassis.service import Batch, Fact, Service, subscribe
from chassis.settings import ServiceSettings
from events.business_day import DayOpenedWithout
from events.invoice import Reason
from fastapi import APIRouter
from fastapi.responses import Response
from launcher.databases import Cluster
from pydantic import BaseModel, SecretStr

from testkit.service import two_entities
from testkit.tokens import TestKeys

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = date(2026, 1, 5)
SERVICE = Service("payment", "receivables.payment", subscribe(forward=()), router="testkit.till:router")
TABLES = """
CREATE TABLE account (name text PRIMARY KEY, total bigint NOT NULL);
INSERT INTO account VALUES ('A', 0), ('B', 0);
CREATE TABLE receipt (
    no text PRIMARY KEY, account text NOT NULL REFERENCES account (name) DEFERRABLE INITIALLY DEFERRED, amount bigint NOT NULL
);
"""

router = APIRouter()
_numbers = count(1)


class Body(BaseModel):
    """Some money for an account, and after it for `then`; `pause_s` and `fail` say how slowly and how badly."""

    entity: str = "US01"
    no: str
    account: str = "A"
    amount: int = 1
    then: str | None = None
    pause_s: float = 0
    fail: str | None = None


@router.post("/v1/receipts")
async def record(body: Body, command: CommandDep) -> Response:
    return await command.run(body.entity, lambda db, batch: _record(db, batch, body))


@router.post("/v1/refunds")
async def refund(body: Body, command: CommandDep) -> Response:
    return await command.run(body.entity, lambda db, batch: _record(db, batch, body), roles=("approver", "treasurer"))


@router.post("/v1/accounts/{name}/closing")
async def close(name: str, body: Body, command: CommandDep) -> Response:
    return await command.run(body.entity, lambda db, batch: _record(db, batch, body), status=200)


async def _record(db: Connection, batch: Batch, body: Body) -> tuple[list[Fact], Mapping[str, Any]]:
    if await db.fetchval("SELECT true FROM receipt WHERE no = $1", body.no):
        raise Problem(409, "RECEIPT_EXISTS", "This receipt was recorded under another key.")
    if body.pause_s:
        await db.execute("SELECT pg_sleep($1)", body.pause_s)
    for locked in filter(None, (body.account, body.then)):
        await db.execute("UPDATE account SET total = total + $2 WHERE name = $1", locked, body.amount)
        if body.then:
            await asyncio.sleep(0.1)
    await db.execute(
        "INSERT INTO receipt VALUES ($1, $2, $3)", body.no, body.account if body.fail != "at commit" else "nobody", body.amount
    )
    if body.fail == "problem":
        raise Problem(422, "NOT_ALLOWED", "Not now.")
    if body.fail == "refused":
        received: Any = body
        batch.refuse(received, [Reason(code="AMOUNT_SCALE", field="amount"), Reason(code="DATE_PAST", field="value_on")])
    if body.fail == "error":
        raise RuntimeError("a bug of ours")
    data = DayOpenedWithout(entity=body.entity, date=batch.open_on[body.entity], service="payment", missing=[])
    return [Fact(data, body.entity, f"{body.entity}|{body.account}", DAY)], {"no": body.no, "booked_on": batch.open_on[body.entity]}


class Till:
    """The application on a database of its own, and a client in the same process."""

    def __init__(self, database: Database, keys: TestKeys) -> None:
        self.database, self.keys, self.wake = database, keys, Wake()
        settings = ServiceSettings(database_url=SecretStr("x"), entities_file=Path("x"), jwt_keys_file=keys.file)
        self.app = create_app(SERVICE, database, two_entities(), settings, lambda: NOW, self.wake)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=("127.0.0.1", 1)), base_url="http://payment", timeout=30
        )

    async def post(
        self,
        path: str = "/v1/receipts",
        *,
        key: str = "k1",
        sub: str = "clerk-1",
        roles: tuple[str, ...] = ("clerk",),
        trace: str = "",
        **body: Any,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys.token(sub, roles, NOW)}", "Idempotency-Key": key}
        return await self.client.post(path, json=body, headers={**headers, "traceparent": trace} if trace else headers)

    async def count(self, table: str) -> int:
        async with self.database.reading() as db:
            return int(await db.fetchval(f"SELECT count(*) FROM {table}"))

    async def effects(self) -> dict[str, int]:
        """Rows of everything a command may leave, and the money it moved."""
        async with self.database.reading() as db:
            row = await db.fetchrow(
                """
                SELECT (SELECT count(*) FROM receipt) AS receipts, (SELECT sum(total) FROM account)::int AS money,
                    (SELECT count(*) FROM chassis.outbox) AS facts,
                    (SELECT coalesce(sum(sequence), 0) FROM chassis.stream_head)::int AS sequence,
                    (SELECT count(*) FROM chassis.audit) AS audited, (SELECT count(*) FROM chassis.idempotency) AS answers
                """
            )
        return dict(row or {})

    async def turn(self, turning_on: date | None, open_on: date = DAY) -> None:
        async with self.database.transaction() as db:
            await db.execute("UPDATE chassis.day SET turning_on = $1, open_on = $2", turning_on, open_on)

    def is_at_rest(self) -> bool:
        """No connection of the pool is in use."""
        pool = self.database.pool
        return bool(pool.get_idle_size() == pool.get_size())


NONE: Mapping[str, int] = dict.fromkeys(("receipts", "money", "facts", "sequence", "audited", "answers"), 0)
ONE: Mapping[str, int] = dict.fromkeys(NONE, 1)
"""What `effects` tells when no command, or one of 1, was done."""


@asynccontextmanager
async def till_on(cluster: Cluster) -> AsyncIterator[Till]:
    """Open a till on a fresh database, dropped at the end."""
    name = f"receivables_test_till_{next(_numbers)}"
    cluster.drop(name)
    database = await Database.open(cluster.create(name, SERVICE.name))
    keys = TestKeys()
    try:
        async with database.transaction() as db:
            await db.execute(protocol_sql())
            await db.execute(TABLES)
            await business_day.declare(db, two_entities())
            await db.execute("UPDATE chassis.day SET open_on = $1", DAY)
        yield Till(database, keys)
    finally:
        await database.close()
        keys.forget()
        cluster.drop(name)
