"""What an operator sees and does over HTTP: business days, parked facts, refused records."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from itertools import count
from urllib.parse import urlsplit

import asyncpg
import pytest
from chassis.calendar import INGRESS_TOPICS
from chassis.database import Connection
from chassis.entities import Entities
from chassis.http import operation
from chassis.protocol import protocol_sql
from chassis.service import Batch, Fact, Received, Service, subscribe
from events.erp import CustomerUpserted
from events.invoice import InvoiceIssued, Reason
from launcher.databases import Cluster
from testkit.service import PARTITIONS, ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

OPERATOR = ("operator",)
_numbers = count(1)
broken: set[str] = set()
"""Customers to refuse and documents to stumble over, until an operator has mended them."""
crossed: dict[str, tuple[str, ...]] = {}
"""By document: rows to lock before it is kept, in this order."""


async def keep_customers(db: Connection, facts: Sequence[Received[CustomerUpserted]], batch: Batch) -> list[Fact]:
    for fact in facts:
        if fact.data.customer in broken:
            batch.refuse(fact, [Reason(code="CUSTOMER_BROKEN", field="customer")])
        else:
            await db.execute("INSERT INTO customer VALUES ($1, $2)", fact.data.customer, fact.booked_on)
    return []


async def open_items(db: Connection, facts: Sequence[Received[InvoiceIssued]], batch: Batch) -> list[Fact]:
    for fact in facts:
        if fact.data.document_no in broken:
            raise ValueError("a bug of ours")
        for row in crossed.get(fact.data.document_no, ()):
            await db.execute("SELECT 1 FROM customer WHERE no = $1 FOR UPDATE", row)
        await db.execute("INSERT INTO customer VALUES ($1, $2)", fact.data.document_no, fact.booked_on)
    return []


SERVICE = Service(
    "payment",
    "receivables.payment",
    subscribe((CustomerUpserted, keep_customers), (InvoiceIssued, open_items), forward=("erp.customers", "receivables.invoice")),
    router="testkit.toy:router",
)


@pytest.fixture
async def sut(postgres_server: Cluster) -> AsyncIterator[ServiceUnderTest]:
    broken.clear()
    crossed.clear()
    name = f"receivables_test_operation_{next(_numbers)}"
    postgres_server.drop(name)
    url = postgres_server.create(name, "payment")
    connection = await asyncpg.connect(url)
    await connection.execute(protocol_sql() + "; CREATE TABLE customer (no text PRIMARY KEY, booked_on date NOT NULL)")
    await connection.close()
    async with service_under_test(SERVICE, url) as sut:
        yield sut
    postgres_server.drop(name)


def an_invoice(no: str) -> InvoiceIssued:
    return InvoiceIssued(
        entity="US01",
        invoice=f"US01|{no}",
        document_no=no,
        type="standard",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=date(2026, 1, 5),
        total="10.00",
        instalments=[],
    )


async def kept(sut: ServiceUnderTest) -> list[tuple[str, date]]:
    async with sut.db.reading() as db:
        return [tuple(row) for row in await db.fetch("SELECT no, booked_on FROM customer ORDER BY no")]


async def operator_gets(sut: ServiceUnderTest, path: str) -> list[dict[str, object]]:
    answer = await sut._client.get(path, headers={"Authorization": f"Bearer {sut.token(OPERATOR)}"})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()
    return found


async def test_a_parked_fact_and_those_behind_it_are_handled_when_an_operator_says_so(sut: ServiceUnderTest) -> None:
    broken.add("INV-1")
    await sut.receive(an_invoice("INV-1"), an_invoice("INV-2"))
    parked = await operator_gets(sut, "/v1/parked")
    assert [(one["topic"], one["key"]) for one in parked] == [("receivables.invoice", "US01|C-1")] * 2
    assert await kept(sut) == []

    still = await sut.post(f"/v1/parked/{parked[0]['id']}/redrive", {}, roles=OPERATOR)
    assert (still.status_code, still.json()["code"]) == (409, "STILL_FAILS")
    assert "bug" not in still.text

    broken.clear()
    await sut.turn("US01", date(2026, 1, 6))
    done = await sut.post(f"/v1/parked/{parked[0]['id']}/redrive", {}, roles=OPERATOR)
    assert (done.status_code, done.json()) == (200, {"records": 2})
    assert await kept(sut) == [("INV-1", date(2026, 1, 6)), ("INV-2", date(2026, 1, 6))], "booked on the open day"
    assert await operator_gets(sut, "/v1/parked") == []
    again = await sut.post(f"/v1/parked/{parked[0]['id']}/redrive", {}, roles=OPERATOR)
    assert (again.status_code, again.json()["code"]) == (404, "NOT_FOUND")
    assert await audited(sut) == [("clerk-1", "redrive", f"parked/{parked[0]['id']}")]


async def audited(sut: ServiceUnderTest) -> list[tuple[str, str, str]]:
    async with sut.db.reading() as db:
        return [tuple(row) for row in await db.fetch("SELECT principal, action, subject FROM chassis.audit ORDER BY id")]


async def test_a_refused_record_can_be_handled_again(sut: ServiceUnderTest) -> None:
    broken.add("C-9")
    await sut.receive(CustomerUpserted(entity="US01", customer="C-9", name="Ada Lovelace"))
    (refused,) = await operator_gets(sut, "/v1/refused")
    assert refused["reasons"] == [{"code": "CUSTOMER_BROKEN", "field": "customer"}]
    assert "Lovelace" not in str(refused), "identity and reasons, never content"

    await sut.post(f"/v1/refused/{refused['id']}/redrive", {}, roles=OPERATOR)
    (newer,) = await operator_gets(sut, "/v1/refused")
    assert newer["id"] != refused["id"], "refused again, as a new row"

    broken.clear()
    assert (await sut.post(f"/v1/refused/{newer['id']}/redrive", {}, roles=OPERATOR)).json() == {"records": 1}
    assert [no for no, _ in await kept(sut)] == ["C-9"]
    assert await operator_gets(sut, "/v1/refused") == []


async def test_nothing_is_redriven_into_a_day_that_is_turning(sut: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "TURN_WAIT_SECONDS_MAX", 0.2)
    broken.add("INV-1")
    await sut.receive(an_invoice("INV-1"))
    async with sut.db.transaction() as db:
        await db.execute("UPDATE chassis.day SET turning_on = open_on + 1 WHERE entity = 'US01'")
    broken.clear()

    (parked,) = await operator_gets(sut, "/v1/parked")
    answer = await sut.post(f"/v1/parked/{parked['id']}/redrive", {}, roles=OPERATOR)
    assert (answer.status_code, answer.json()["code"]) == (503, "DAY_TURNING")
    assert await kept(sut) == []


async def test_a_redrive_that_gets_in_the_workers_way_begins_again(sut: ServiceUnderTest, postgres_server: Cluster) -> None:
    """A real deadlock: the redrive has A and wants B, the other B and A. Only the redrive looks for it, so it is the one ended."""
    database = urlsplit(sut.db.url).path
    other = await asyncpg.connect(urlsplit(postgres_server.admin_dsn)._replace(path=database).geturl())
    await other.execute(f"ALTER DATABASE \"{database.strip('/')}\" SET deadlock_timeout = '1s'")
    await other.execute("SET deadlock_timeout = '1h'")
    await sut.db.pool.expire_connections()  # New ones look after a second, when the other has long begun to wait.
    broken.add("INV-1")
    await sut.receive(an_invoice("A"))
    async with sut.db.transaction() as db:
        await db.execute("INSERT INTO customer VALUES ('B', '2026-01-05')")
    await sut.receive(an_invoice("INV-1"))
    broken.clear()
    crossed["INV-1"] = ("A", "B")
    (parked,) = await operator_gets(sut, "/v1/parked")

    async with other.transaction():
        await other.execute("SELECT 1 FROM customer WHERE no = 'B' FOR UPDATE")
        redriving = asyncio.create_task(sut.post(f"/v1/parked/{parked['id']}/redrive", {}, roles=OPERATOR))
        await _until_somebody_waits(sut)
        await other.execute("SELECT 1 FROM customer WHERE no = 'A' FOR UPDATE")
    await other.close()
    answer = await redriving

    assert (answer.status_code, answer.json()) == (200, {"records": 1})
    assert [no for no, _ in await kept(sut)] == ["A", "B", "INV-1"]


async def _until_somebody_waits(sut: ServiceUnderTest) -> None:
    async with sut.db.reading() as db:
        for _ in range(250):
            if await db.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                return
            await asyncio.sleep(0.02)
    raise AssertionError("nobody waits for a lock")


async def test_anybody_may_ask_how_far_the_day_is(sut: ServiceUnderTest) -> None:
    broken.add("INV-1")
    await sut.receive(an_invoice("INV-1"))
    answer = await sut.get("/v1/business-days", entity="US01")
    assert answer.json() == {
        "entity": "US01",
        "open_on": "2026-01-05",
        "complete_up_to": "2026-01-04",
        "turning_on": None,
        "held": 0,
        "parked": 1,
        "late": 0,
    }
    assert (await sut.get("/v1/business-days", entity="XX99")).status_code == 404
    assert (await sut.get("/v1/parked")).status_code == 401, "what stands aside is for operators"


async def test_the_calendars_owner_starts_days_once_and_never_after_tomorrow(postgres_server: Cluster, sut: ServiceUnderTest) -> None:
    """Payment owns the calendar where invoice is not deployed; noon of 5 January in London is morning in New York."""
    answer = await sut.post("/v1/business-days", {"entity": "US01", "date": "2026-01-06"}, key=None, roles=OPERATOR)
    assert answer.status_code == 405, "here invoice is deployed"

    without_invoice = Entities(sut.entities.by_id, ("payment",))
    async with service_under_test(SERVICE, sut.db.url, entities=without_invoice) as owner:
        body = {"entity": "US01", "date": "2026-01-06"}
        assert (await owner.post("/v1/business-days", body, key=None)).status_code == 403
        first = await owner.post("/v1/business-days", body, key=None, roles=OPERATOR)
        again = await owner.post("/v1/business-days", body, key=None, roles=OPERATOR)
        beyond = await owner.post("/v1/business-days", {"entity": "US01", "date": "2026-01-07"}, key=None, roles=OPERATOR)
        unknown = await owner.post("/v1/business-days", {"entity": "XX99", "date": "2026-01-06"}, key=None, roles=OPERATOR)
    assert (first.status_code, first.json()["days_started"]) == (201, 2)
    assert (again.status_code, again.json()["days_started"]) == (201, 0)
    assert (beyond.status_code, beyond.json()["code"]) == (422, "DAY_REFUSED")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "ENTITY_UNKNOWN")
    async with sut.db.reading() as db:
        markers = await db.fetchval("SELECT count(*) FROM chassis.outbox")
    assert markers == 2 * len(INGRESS_TOPICS) * PARTITIONS
