"""A service killed at any named point goes on where it was: nothing lost, nothing doubled, nothing out of order."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from chassis import failpoints
from chassis.clock import system_clock
from chassis.record import Record
from events import envelope as cloudevents
from events import erp, payment
from events.fact import Event, kind_of
from events.invoice import InvoiceIssued
from events.topics import INGRESS
from launcher import ports
from testkit.patience import until
from testkit.process import ServiceProcess, service_process
from testkit.tokens import TestKeys
from testkit.topic_log import PARTITIONS, is_whole, publisher, read_topic
from testkit.world import House, declare

pytestmark = pytest.mark.kafka

FIRST_DAY = date(2025, 1, 1)
TOPICS = (*INGRESS, "receivables.invoice", "receivables.payment")
HEARD = ("erp.documents", "erp.customers", "erp.reference", "receivables.payment")
DOCUMENTS, CUSTOMERS, COMMANDS, SETTLEMENTS = 30, 4, 3, 10
REFUSED = "NO-SUCH-CURRENCY"

NOT_REACHED = {
    "day.turning": "the invoice service has no work of the day; libs/chassis/tests/test_turning.py dies there",
    "rebuild.read": "a role of its own: tests/test_rebuild.py",
    "rebuild.before_switch": "a role of its own: tests/test_rebuild.py",
    "rebuild.after_switch": "a role of its own: tests/test_rebuild.py",
}
POINTS = sorted(failpoints.NAMES - NOT_REACHED.keys())
IN_A_BATCH = [f"consumer.{name}" for name in ("pos_locked", "inbox_inserted", "handled", "before_commit", "after_commit")]
"""Died at again later, when it is money that is being followed: documents are told from their repeats by their numbers as well."""


@dataclass
class Flow:
    """One service with empty books: what is done to it, and what it has made of it."""

    bootstrap: str
    environment: dict[str, str]
    log: Path
    keys: TestKeys

    def process(self, fp: str = "") -> Any:
        return service_process("invoice", {**self.environment, "HTTP_PORT": str(free_port()), "FP": fp}, self.log)

    def headers(self, key: str | None = None) -> dict[str, str]:
        token = self.keys.token("operator-1", ("operator", "clerk"), system_clock())
        return {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}

    def publish(self) -> None:
        """Documents from an ERP, one of them twice and one not acceptable."""
        documents = [document(f"D{n:03}", f"C-{n % CUSTOMERS}") for n in range(DOCUMENTS)]
        asyncio.run(self._publish([*documents, documents[3], document("REFUSED", "C-1", currency=REFUSED)]))

    def settle(self, process: ServiceProcess) -> None:
        """Once the service is at work, applications of money from a payment service, one after the other, and one whose amount is none."""
        while process.is_alive and not asyncio.run(self.has_begun()):
            time.sleep(0.02)
        amounts = ["1.00"] * SETTLEMENTS + ["none"]
        asyncio.run(self._publish([application(f"D{n:03}", amount) for n, amount in enumerate(amounts)], pause_s=0.05))

    async def _publish(self, events: Sequence[Event], *, pause_s: float = 0) -> None:
        async with publisher(self.bootstrap) as sent:
            for event in events:
                await sent.publish([event], booked_on=FIRST_DAY)
                await asyncio.sleep(pause_s)

    def command(self, process: ServiceProcess, http: httpx.Client) -> None:
        """What people ask for over HTTP, each under its own key, so that asking again is safe: invoices, a day, a redrive."""
        for n in range(COMMANDS):
            body = {"entity": "US01", "document_no": f"H{n}", "customer": f"C-{n}", "currency": "USD", "issued_on": "2025-01-01"}
            answer = http.post(
                f"{process.url}/v1/invoices", json={**body, "total": "5.00", "terms": "NET30"}, headers=self.headers(f"key-{n}")
            )
            assert answer.status_code == 201, answer.text
        day = {"entity": "US01", "date": str(FIRST_DAY + timedelta(days=1))}
        assert http.post(f"{process.url}/v1/business-days", json=day, headers=self.headers()).status_code == 201
        while not (refused := http.get(f"{process.url}/v1/refused", headers=self.headers()).json()):
            time.sleep(0.05)
        for one in refused:
            assert http.post(f"{process.url}/v1/refused/{one['id']}/redrive", headers=self.headers()).status_code == 200

    def insist(self, process: ServiceProcess) -> bool:
        """Ask until everything was answered or the process is dead; say whether it was answered."""
        with httpx.Client(timeout=10, trust_env=False) as http:
            while process.is_alive:
                try:
                    self.command(process, http)
                    return True
                except httpx.TransportError:
                    time.sleep(0.05)
        return False

    async def is_at_rest(self, db: asyncpg.Connection) -> bool:
        """Whether all was heard, all was said, and the second day is open."""
        rows = await db.fetch("SELECT topic, partition, next_offset FROM chk.position")
        heard = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        unpublished = await db.fetchval("SELECT rows FROM chk.unpublished")
        open_on = await db.fetchval("SELECT open_on FROM chk.day WHERE entity = 'US01'")
        return heard == await self.ends() and unpublished == 0 and open_on == FIRST_DAY + timedelta(days=1)

    async def wait_for_rest(self) -> None:
        db = await asyncpg.connect(self.environment["DATABASE_URL"])
        try:
            await until(lambda: self.is_at_rest(db))
        finally:
            await db.close()

    async def has_begun(self) -> bool:
        """Whether anything was handled."""
        db = await asyncpg.connect(self.environment["DATABASE_URL"])
        try:
            return bool(await db.fetchval("SELECT count(*) FROM chk.stream_head"))
        finally:
            await db.close()

    async def standing(self) -> tuple[int, dict[str, int]]:
        """How many facts are parked, and the last sequence said under each key."""
        db = await asyncpg.connect(self.environment["DATABASE_URL"])
        try:
            parked = await db.fetchval("SELECT count(*) FROM chk.parked WHERE state = 'parked'")
            rows = await db.fetch("SELECT key, sequence FROM chk.stream_head")
        finally:
            await db.close()
        return parked, {row["key"]: row["sequence"] for row in rows}

    async def ends(self) -> dict[tuple[str, int], int]:
        """One beyond the last record of every partition that is heard."""
        ends = {(topic, partition): 0 for topic in HEARD for partition in range(PARTITIONS)}
        for topic in HEARD:
            for record in await read_topic(self.bootstrap, topic):
                ends[topic, record.partition] = record.offset + 1
        return ends


def document(number: str, customer: str, *, currency: str = "USD") -> erp.InvoiceIssued:
    return erp.InvoiceIssued(
        entity="US01", document_no=number, customer=customer, currency=currency, issued_on=FIRST_DAY, total="10.00", terms="NET30"
    )


def application(number: str, amount: str) -> payment.PaymentApplied:
    """Feedback of a payment service; each in a stream of its own, so that one that cannot be handled blocks no other."""
    return payment.PaymentApplied(
        entity="US01",
        application=f"A-{number}",
        receipt="US01|R-1",
        item=f"US01|{number}|1",
        invoice=f"US01|{number}",
        customer=f"C-{number}",
        account=f"C-{number}",
        currency="USD",
        due_on=FIRST_DAY,
        amount=amount,
        rule="reference",
    )


def free_port() -> int:
    with socket.create_server((ports.HOST, 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def flow(database_url: Callable[[str], str], topics: Callable[..., str], tmp_path: Path) -> Iterator[Flow]:
    keys = TestKeys()
    bootstrap = topics(*TOPICS, partitions=PARTITIONS)
    environment = {
        "DATABASE_URL": database_url("invoice"),
        "KAFKA_BOOTSTRAP": bootstrap,
        "ENTITIES_FILE": str(declare(tmp_path / "entities.toml", [House("US01", FIRST_DAY)])),
        "JWT_KEYS_FILE": str(keys.file),
        "TOPIC_PARTITIONS": str(PARTITIONS),
        "SESSION_TIMEOUT_MS": "500",
        "FETCH_WAIT_MS": "20",
    }
    yield Flow(bootstrap, environment, tmp_path / "service.log", keys)
    keys.forget()


def said(records: Sequence[Record]) -> list[str]:
    """The numbers of the documents issued, repeats of the relay left out."""
    numbers = {}
    for record in records:
        context, data = cloudevents.read(record.headers, record.value)
        if context.type == kind_of(InvoiceIssued).type:
            numbers[context.id] = msgspec.json.decode(data, type=InvoiceIssued).document_no
    return sorted(numbers.values())


def assert_nothing_lost_doubled_or_inverted(flow: Flow, process: ServiceProcess) -> None:
    """Every document accepted and said once, every key whole in the log, what cannot be handled set aside once, the day open."""
    asyncio.run(flow.wait_for_rest())
    records = asyncio.run(read_topic(flow.bootstrap, "receivables.invoice"))
    wanted = sorted([f"D{n:03}" for n in range(DOCUMENTS)] + [f"H{n}" for n in range(COMMANDS)])
    assert said(records) == wanted
    parked, heads = asyncio.run(flow.standing())
    assert is_whole(records, heads)
    assert parked == 1
    for partition in range(PARTITIONS):  # The marker of a day stands behind all that was booked before it.
        contexts = [cloudevents.read(record.headers, record.value)[0] for record in records if record.partition == partition]
        days = [context.booked_on for context in contexts if context.booked_on]
        assert days == sorted(days)
    answer = httpx.get(f"{process.url}/v1/invoices", params={"entity": "US01", "limit": 200}, trust_env=False)
    opens = {one["document_no"]: one["instalments"][0]["open"] for one in answer.json()["invoices"]}
    assert sorted(opens) == wanted
    assert [opens[f"D{n:03}"] for n in range(DOCUMENTS)] == ["9.00"] * SETTLEMENTS + ["10.00"] * (DOCUMENTS - SETTLEMENTS)


@pytest.mark.parametrize("place", [f"{point}:1" for point in POINTS] + [f"{point}:4" for point in IN_A_BATCH])
def test_a_service_killed_anywhere_goes_on_where_it_was(flow: Flow, place: str) -> None:
    flow.publish()
    with flow.process(f"{place}:kill") as process:
        flow.settle(process)
        if flow.insist(process) and place == "relay.producer_closed:1":
            process.terminate()
        assert process.wait() == -signal.SIGKILL, f"{place} was not reached: {flow.log.read_text()}"
    with flow.process() as process:
        assert flow.insist(process), flow.log.read_text()
        assert_nothing_lost_doubled_or_inverted(flow, process)


def test_every_point_is_reached_here_or_said_why_not() -> None:
    assert set(POINTS) | NOT_REACHED.keys() == failpoints.NAMES


def test_a_service_told_to_stop_under_load_ends_well_and_its_next_life_goes_on(flow: Flow) -> None:
    flow.publish()
    with flow.process() as process:
        while not asyncio.run(flow.has_begun()):
            time.sleep(0.02)
        told_at = time.monotonic()
        process.terminate()
        assert process.wait() == 0, flow.log.read_text()
        assert time.monotonic() - told_at < 20
    with flow.process() as process:
        flow.settle(process)
        assert flow.insist(process), flow.log.read_text()
        assert_nothing_lost_doubled_or_inverted(flow, process)
