"""The checker against a real cluster: sound books give no finding, one wrong minor unit does."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer
from torture.check import Command, Expected, ExpectedDocument, ExpectedPoison, ExpectedReceipt, Outcome, audit, sample
from torture.check.sampling import sampler_of
from torture.check.topology import SERVICES
from torture.rig.cluster import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.db]

ENTITIES = """
[entities.US01]
currency = "USD"
time_zone = "America/New_York"
calendar = "US"
opens_on = 2025-01-01
sources = []
day_starts = "told"

[entities.KW01]
currency = "KWD"
time_zone = "Asia/Kuwait"
calendar = "US"
opens_on = 2025-01-01
sources = []
day_starts = "told"
"""
LAST_DAY = "2025-01-16"
AT_REST_S_MAX = 60


@dataclass
class Teller:
    """Tells a few stories to a cluster as an ERP, a bank and a clerk do, and notes what must come of them."""

    cluster: Cluster
    producer: AIOKafkaProducer
    http: httpx.AsyncClient
    documents: dict[str, ExpectedDocument] = field(default_factory=dict)
    receipts: dict[str, ExpectedReceipt] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    poisons: list[ExpectedPoison] = field(default_factory=list)
    nets: dict[tuple[str, str, str], int] = field(default_factory=dict)

    async def publish(
        self, topic: str, type_: str, data: Mapping[str, Any], *, outcome: Outcome = Outcome.ACCEPTED, times: int = 1
    ) -> None:
        id_ = f"{data.get('document_no') or data.get('bank_ref')}-{data.get('total') or data.get('amount')}"
        headers = [
            (f"ce_{name}", value.encode()) for name, value in (("specversion", "1.0"), ("id", id_), ("type", type_), ("source", "/erp"))
        ]
        key = f"{data['entity']}|{data.get('customer', '')}".encode()
        for _ in range(times):
            sent = await self.producer.send_and_wait(topic, json.dumps(data).encode(), key=key, headers=headers)
        if outcome is not Outcome.ACCEPTED:
            self.poisons.append(ExpectedPoison(id_, topic, sent.partition, sent.offset, outcome))

    async def invoice(self, number: str, customer: str, currency: str, total: str, minor: int, entity: str = "US01", **more: Any) -> None:
        data = {
            "entity": entity,
            "document_no": number,
            "customer": customer,
            "currency": currency,
            "issued_on": "2024-12-30",
            "total": total,
        }
        await self.publish("erp.documents", "erp.InvoiceIssued.v1", {**data, "terms": "NET0", **more}, times=2)
        self.document(entity, number, "invoice", customer, currency, minor)

    def document(self, entity: str, number: str, kind: str, customer: str, currency: str, minor: int) -> None:
        self.documents[f"{entity}|{number}"] = ExpectedDocument(f"{entity}|{number}", kind, entity, customer, currency, minor)
        self.owe((entity, customer, currency), minor if kind == "invoice" else -minor)

    def owe(self, owner: tuple[str, str, str], minor: int) -> None:
        self.nets[owner] = self.nets.get(owner, 0) + minor

    async def memo(self, number: str, customer: str, currency: str, total: str, minor: int, ref: str | None) -> None:
        data = {
            "entity": "US01",
            "document_no": number,
            "customer": customer,
            "currency": currency,
            "issued_on": "2024-12-31",
            "total": total,
        }
        await self.publish("erp.documents", "erp.CreditMemoIssued.v1", {**data, **({"ref_document_no": ref} if ref else {})})
        self.document("US01", number, "credit_memo", customer, currency, minor)

    async def receipt(
        self, ref: str, amount: str, minor: int, payer: str | None, remittance: str, *, currency: str = "USD", entity: str = "US01"
    ) -> None:
        data = {"entity": entity, "account_ref": "MAIN", "bank_ref": ref, "value_on": "2025-01-02", "amount": amount, "currency": currency}
        await self.publish("bank.entries", "bank.EntryBooked.v1", {**data, "remittance": remittance}, times=2)
        self.receipts[f"{entity}|{ref}"] = ExpectedReceipt(f"{entity}|{ref}", entity, currency, minor, payer)
        if payer is not None:
            self.owe((entity, payer, currency), -minor)

    async def command(
        self, service: str, method: str, path: str, body: Mapping[str, Any], *, route: str, key: str, subject: str, role: str
    ) -> int:
        content = json.dumps(body).encode()
        token = self.cluster.token(subject, [role])
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"}
        instance = next(name for name in self.cluster.names if name.startswith(f"{service}-"))
        answer = await self.http.request(method, self.cluster.url(instance) + path, content=content, headers=headers)
        said = (answer.status_code, answer.content)
        self.commands.append(Command(service, method, f"{method} {route}", path, body["entity"], subject, key, content, *said))
        return answer.status_code

    async def day(self, day: str) -> None:
        headers = {"Authorization": f"Bearer {self.cluster.token('operator-1', ['operator'])}"}
        for entity in ("US01", "KW01"):
            answer = await self.http.post(
                self.cluster.url("invoice-1") + "/v1/business-days", json={"entity": entity, "date": day}, headers=headers
            )
            assert answer.is_success, answer.text

    def expected(self) -> Expected:
        limits = {("US01", "C-1", "USD"): 500_000}
        return Expected(self.documents, self.receipts, frozenset(), self.nets, limits, self.poisons, self.commands)


async def tell(teller: Teller) -> None:
    """Two weeks of two entities: paid, overpaid, part paid, credited, unknown, refused, conflicting, told twice."""
    await teller.invoice("INV-1", "C-1", "USD", "120.00", 12_000)
    halves = [{"due_on": "2025-01-05", "amount": "30.00"}, {"due_on": "2025-02-05", "amount": "70.00"}]
    await teller.invoice("INV-2", "C-1", "USD", "100.00", 10_000, terms=None, instalments=halves)
    await teller.invoice("INV-3", "C-2", "EUR", "80.50", 8_050)
    await teller.invoice("INV-4", "C-3", "KWD", "40.125", 40_125, entity="KW01")
    await teller.invoice("INV-5", "C-4", "JPY", "9000", 9_000)
    await teller.day("2025-01-03")
    await teller.receipt("B-1", "150.00", 15_000, "C-1", "INV-1")
    await teller.receipt("B-2", "10.125", 10_125, "C-3", "INV-4", currency="KWD", entity="KW01")
    await teller.receipt("B-3", "55.00", 5_500, None, "what is this")
    await teller.memo("CM-1", "C-2", "EUR", "20.50", 2_050, "INV-3")
    await teller.memo("CM-2", "C-4", "JPY", "50000", 50_000, None)
    wrong = {"entity": "US01", "document_no": "INV-9", "customer": "C-1", "currency": "XXX", "issued_on": "2025-01-01", "terms": "NET0"}
    await teller.publish("erp.documents", "erp.InvoiceIssued.v1", {**wrong, "total": "1.00"}, outcome=Outcome.REFUSED)
    taken = {**wrong, "document_no": "INV-1", "currency": "USD", "total": "121.00"}
    await teller.publish("erp.documents", "erp.InvoiceIssued.v1", taken, outcome=Outcome.REFUSED)
    await teller.day("2025-01-05")
    await command_everything(teller)
    await teller.day(LAST_DAY)


async def command_everything(teller: Teller) -> None:
    """An invoice, a receipt and a limit over HTTP, and one invoice that is refused."""
    invoice = {"entity": "US01", "document_no": "INV-10", "customer": "C-5", "currency": "USD", "issued_on": "2025-01-05", "terms": "NET0"}
    clerk = {"subject": "clerk-1", "role": "clerk"}
    sent = {**invoice, "total": "33.33"}
    assert await teller.command("invoice", "POST", "/v1/invoices", sent, route="/v1/invoices", key="k-1", **clerk) == 201
    teller.document("US01", "INV-10", "invoice", "C-5", "USD", 3_333)
    refused = {**invoice, "document_no": "INV-11", "total": "33.333"}
    assert await teller.command("invoice", "POST", "/v1/invoices", refused, route="/v1/invoices", key="k-2", **clerk) == 422
    money = {"entity": "US01", "bank_ref": "H-1", "value_on": "2025-01-05", "amount": "3.33", "currency": "USD", "customer": "C-5"}
    assert await teller.command("payment", "POST", "/v1/receipts", money, route="/v1/receipts", key="k-3", **clerk) == 201
    teller.receipts["US01|H-1"] = ExpectedReceipt("US01|H-1", "US01", "USD", 333, "C-5")
    teller.owe(("US01", "C-5", "USD"), -333)
    limit = {"entity": "US01", "currency": "USD", "limit": "5000.00"}
    analyst = {"subject": "analyst-1", "role": "credit-analyst"}
    path = "/v1/accounts/C-1/limit"
    assert await teller.command("credit", "PUT", path, limit, route="/v1/accounts/{account}/limit", key="k-4", **analyst) == 200


async def at_rest(cluster: Cluster) -> None:
    """Wait until every service has closed the day before the last one and nothing waits to be sent."""
    deadline = time.monotonic() + AT_REST_S_MAX
    while True:
        states = []
        for service in SERVICES:
            db = await asyncpg.connect(cluster.dsn(service))
            try:
                days = {str(row["open_on"]) for row in await db.fetch("SELECT open_on FROM chk.day")}
                states.append(
                    (days, await db.fetchval("SELECT rows FROM chk.unpublished"), await db.fetchval("SELECT count(*) FROM chk.held"))
                )
            finally:
                await db.close()
        if all(state == ({LAST_DAY}, 0, 0) for state in states):
            await asyncio.sleep(2)  # The last facts and markers have to be heard.
            return
        assert time.monotonic() < deadline, states
        await asyncio.sleep(0.2)


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Teller]:
    entities = tmp_path / "entities.toml"
    entities.write_text(ENTITIES)
    async with Cluster(tmp_path / "cluster", entities=entities, partitions=2) as cluster:
        producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all")
        await producer.start()
        async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
            teller = Teller(cluster, producer, http)
            await tell(teller)
            await producer.stop()
            await at_rest(cluster)
            yield teller
        await sampler_of(cluster).close()


async def test_sound_books_give_no_finding_and_one_wrong_minor_unit_does(told: Teller) -> None:
    cluster = told.cluster
    assert await sample(cluster) == []
    report = await audit(cluster, told.expected())
    assert [str(finding) for finding in report.findings] == []
    assert (report.replayed, report.set_aside["refused"], report.lost, report.double, report.residual_minor) == (3, 2, 0, 0, 0)
    assert report.events >= 25 and report.aged > 0

    admin = await asyncpg.connect(cluster.admin_dsn("payment"))
    await admin.execute("ALTER TABLE item DROP CONSTRAINT item_open_is_what_is_left")
    await admin.execute("UPDATE item SET settled_minor = settled_minor + 1 WHERE id = (SELECT min(id) FROM item WHERE is_open)")
    await admin.close()
    assert {finding.invariant for finding in await sample(cluster)} == {"M1"}
    await asyncio.sleep(1)
    report = await audit(cluster, told.expected())
    assert {"M1", "M5", "M6"} <= {finding.invariant for finding in report.findings}
    assert report.residual_minor == 1
