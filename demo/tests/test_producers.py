"""Documents of QuickBooks, Xero, Stripe, ERPNext and Odoo told as facts of an ERP (EVT-01), to the minor unit."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from demo.migration.answers import Answers
from demo.producers import telling
from demo.producers.draft import Books
from demo.producers.systems import READERS, System, documents_of
from demo.producers.telling import Telling, hear, read_files
from events import erp, invoice
from events.fact import Event, kind_of
from events.ingress import read as read_ingress
from launcher.folders import checkout
from money import parse_minor

SAMPLES = checkout() / "demo" / "producers-samples"
SCHEMAS = checkout() / "docs" / "events"
BOOKS = Books("US01")
TODAY = date(2026, 2, 1)
Billed = erp.InvoiceIssued | erp.DebitMemoIssued


def facts_of_samples() -> Iterator[Any]:
    for system in System:
        for index, document in enumerate(documents_of(SAMPLES / f"{system}.json")):
            for event in READERS[system](document, BOOKS):
                yield pytest.param(event, id=f"{system}-{index}-{type(event).__name__}")


def amounts(event: Any) -> tuple[str, str | None, list[tuple[str, str]]]:
    return event.total, event.tax, [(line.amount, line.kind) for line in event.lines]


@pytest.mark.parametrize("event", [*facts_of_samples()])
def test_every_fact_is_what_the_published_schema_says_and_is_read_by_the_door_it_comes_through(event: Event) -> None:
    """EVT-01."""
    schema = json.loads((SCHEMAS / f"{kind_of(type(event)).type}.json").read_text())
    written = msgspec.json.encode(event)
    faults = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(json.loads(written))
    assert [fault.message for fault in faults] == []
    assert read_ingress(type(event), written) == event


@pytest.mark.parametrize("event", [*facts_of_samples()])
def test_lines_and_tax_are_the_total_and_so_are_instalments(event: Any) -> None:
    """INV-02."""
    if isinstance(event, Billed | erp.CreditMemoIssued):
        total, tax, lines = amounts(event)
        assert sum(parse_minor(part, event.currency) for part in [tax or "0", *(amount for amount, _ in lines)]) == parse_minor(
            total, event.currency
        )
    if isinstance(event, Billed):
        assert event.terms is None
        assert sum(parse_minor(part.amount, event.currency) for part in event.instalments or ()) == parse_minor(event.total, event.currency)


@pytest.mark.parametrize("system", System)
def test_a_sample_is_read_the_same_twice_under_the_same_ids(system: System) -> None:
    (first, refused), (second, _) = (read_files(system, [SAMPLES / f"{system}.json"], BOOKS, TODAY) for _ in range(2))

    assert refused == []
    assert [one.record(system.source) for one in first] == [one.record(system.source) for one in second]
    assert isinstance(first[0].event, erp.CustomerUpserted)
    assert {one.record(system.source).key for one in first} == {f"US01|{one.customer}".encode() for one in first}


def test_a_xero_draft_does_not_stop_the_rest_of_its_answer(tmp_path: Path) -> None:
    documents = json.loads((SAMPLES / "xero.json").read_text())
    documents[1]["Invoices"][0]["Status"] = "DRAFT"
    (tmp_path / "answers.json").write_text(json.dumps([*documents, {"Invoices": [7]}, {}]))

    tellings, refused = read_files(System.XERO, [tmp_path / "answers.json"], BOOKS, TODAY)

    assert [one.place for one in tellings] == [
        "answers.json[0].Contacts[0]",
        "answers.json[1].Invoices[1]",
        "answers.json[2].CreditNotes[0]",
    ]
    assert [one.place for one in refused] == ["answers.json[1].Invoices[0]", "answers.json[3].Invoices[0]", "answers.json[4]"]


# --- What the service answers ---


@dataclass
class _Said:
    headers: Sequence[tuple[str, bytes]]
    value: bytes


@dataclass
class ScriptedConsumer:
    """A client of Kafka that returns what it is told, one portion a poll."""

    portions: list[list[Event]] = field(default_factory=list)

    async def getmany(self, *, timeout_ms: int) -> dict[int, list[_Said]]:
        portion = self.portions.pop(0) if self.portions else []
        return {0: [_Said([("ce_type", kind_of(type(event)).type.encode())], msgspec.json.encode(event)) for event in portion]}


def the_answer(told: erp.InvoiceIssued) -> invoice.InvoiceIssued:
    parts = [invoice.Instalment(n=n, due_on=part.due_on, amount=part.amount) for n, part in enumerate(told.instalments or (), start=1)]
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{told.document_no}",
        document_no=told.document_no,
        customer=told.customer,
        account=told.customer,
        currency=told.currency,
        issued_on=told.issued_on,
        total=told.total,
        type="380",
        instalments=parts,
    )


async def test_what_was_told_is_accepted_refused_with_every_reason_or_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "_UNKNOWN_SECONDS", 0)
    tellings, _ = read_files(System.ERPNEXT, [SAMPLES / "erpnext.json"], BOOKS, TODAY)
    customer, whole, other, credit, debit, void = tellings
    assert isinstance(whole.event, erp.InvoiceIssued)
    assert isinstance(other.event, erp.InvoiceIssued)
    rejected = [
        invoice.DocumentRejected(
            source="/erp/erpnext",
            source_id=one.source_id,
            source_type=kind_of(type(one.event)).type,
            reasons=[invoice.Reason(code="CONFLICT", field="document_no"), invoice.Reason(code="TAX_SUM", field="tax")],
        )
        for one in (other, credit, debit)
    ]
    later = msgspec.structs.replace(the_answer(other.event), total="118.00")
    consumer: Any = ScriptedConsumer([[the_answer(whole.event)], [*rejected, later], []])
    answers = Answers("", "US01", "/erp/erpnext", consumer)

    told = await hear(dict(enumerate([customer, whole, other, credit, debit])), answers)
    waiting = await hear({0: Telling(erp.InvoiceVoided(entity="US01", document_no="NEVER", customer="C"), "x", TODAY)}, answers)
    answers.voided.add("ACC-SINV-2026-00002")
    voided = await hear({0: void}, answers)

    reasons = ("CONFLICT document_no", "TAX_SUM tax")
    assert [(one.verdict, one.reasons) for _, one in sorted(told.items())] == [
        ("sent", ()),
        ("accepted", ()),
        *[("refused", reasons)] * 3,
    ]
    assert [one[0].verdict for one in (waiting, voided)] == ["waiting", "accepted"]


# --- The command ---


def publish(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "demo", "publish", *options], capture_output=True, text=True, timeout=60, check=False)


def test_a_dry_run_prints_facts_says_what_cannot_be_told_and_is_status_1(tmp_path: Path) -> None:
    documents = json.loads((SAMPLES / "stripe.json").read_text())
    documents.append({"type": "charge.succeeded"})
    (tmp_path / "events.json").write_text(json.dumps(documents))

    printed = publish("--from", "stripe", "--entity", "US01", "--dry", "--json", str(tmp_path / "out.json"), str(tmp_path / "events.json"))

    assert printed.returncode == 1
    assert [json.loads(line)["type"] for line in printed.stdout.splitlines()] == [
        "erp.CustomerUpserted.v1",
        "erp.InvoiceIssued.v1",
        "erp.InvoiceIssued.v1",
        "erp.CreditMemoIssued.v1",
        "erp.InvoiceVoided.v1",
    ]
    assert printed.stderr == "events.json[5]: refused: events of the type charge.succeeded are not told\n"
    result = json.loads((tmp_path / "out.json").read_text())
    assert (result["from"], result["verdicts"]) == ("stripe", {"read": 5, "refused": 1})


def test_a_file_that_is_not_json_is_status_2(tmp_path: Path) -> None:
    (tmp_path / "events.json").write_text('{"total": NaN}')

    refused = publish("--from", "odoo", "--entity", "US01", "--dry", str(tmp_path / "events.json"))

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is not JSON: NaN is not a number of JSON" in refused.stderr
