"""Whatever a sender sends is answered with every reason, kept and counted, and nothing behind it waits."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import pytest
from chassis.record import Fresh, classify
from events.envelope import STRUCTURED, Envelope, to_headers
from events.topics import DOMAIN
from testkit.ingress import BANK, ERP, Message, a_customer, a_receipt, an_invoice, in_binary_mode
from testkit.otlp import OtlpSink
from testkit.world import World

pytestmark = pytest.mark.scenario
Answers = Mapping[str, list[dict[str, Any]]]
REJECTIONS = {"receivables.DocumentRejected.v1", "receivables.EntryRejected.v1"}
ENTITY, DAY = "BAD", date(2026, 4, 1)
CANARY_NAME, CANARY_IBAN, CANARY_TEXT = "Canary Winterbottom", "XA77CANARY0000077", "canarytext for the birthday"
CANARIES = (CANARY_NAME, CANARY_IBAN, CANARY_TEXT, "Winterbottom", "canarytext")
INVOICE = {
    "entity": ENTITY,
    "document_no": "B-1",
    "customer": "C-1",
    "currency": "USD",
    "issued_on": str(DAY),
    "terms": "NET30",
    "total": "9.00",
}
MEMO = {"entity": ENTITY, "document_no": "B-2", "customer": "C-1", "currency": "USD", "issued_on": str(DAY), "total": "9.00"}
DEBTOR = {"name": CANARY_NAME, "iban": CANARY_IBAN}
ENTRY = {"entity": ENTITY, "account_ref": "main", "bank_ref": "B-1", "value_on": str(DAY), "amount": "9.00", "currency": "USD"} | {
    "debtor": DEBTOR,
    "remittance": CANARY_TEXT,
}
CUSTOMER = {"entity": ENTITY, "customer": "C-1", "name": CANARY_NAME, "bank_accounts": [CANARY_IBAN]}
TOPICS = {"erp.InvoiceIssued.v1": "erp.documents", "erp.CreditMemoIssued.v1": "erp.documents", "bank.EntryBooked.v1": "bank.entries"} | {
    "erp.CustomerUpserted.v1": "erp.customers"
}


@dataclass(frozen=True)
class Broken:
    """A record that cannot be taken, under the CloudEvents id by which its answer is known, and every reason for it."""

    id: str
    data: Mapping[str, Any] | bytes
    reasons: Sequence[tuple[str, str]]
    type: str = "erp.InvoiceIssued.v1"
    source: str = ERP
    structured: bool = False
    spoken_for: str | None = None

    @property
    def topic(self) -> str:
        return TOPICS[self.type]

    @property
    def answered_in(self) -> str:
        return "receivables.invoice" if self.topic == "erp.documents" else "receivables.payment"

    def message(self) -> Message:
        """The record, always in the same partition."""
        envelope = Envelope(id=self.id, type=self.type, source=self.source, entity=self.spoken_for)
        value = self.data if isinstance(self.data, bytes) else json.dumps(self.data).encode()
        headers = to_headers(envelope)
        if self.structured:
            members = {"specversion": "1.0", "id": self.id, "type": self.type, "source": self.source}
            value = json.dumps(members)[:-1].encode() + b', "data": ' + value + b"}"
            headers = [("content-type", STRUCTURED)]
        return Message(self.topic, b"any", value, headers, partition=0)


DEEP = b'{"entity": "BAD", "lines": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BROKEN = [
    Broken("not-json", b'{"entity": "BAD",', [("NOT_JSON", "data")]),
    Broken("not-utf-8", b"\xff\xfe", [("NOT_JSON", "data")]),
    Broken("a-list", b"[]", [("NOT_AN_OBJECT", "data")]),
    Broken("too-deep", DEEP, [("TOO_DEEP", "data")]),
    Broken(
        "nothing-but-the-entity",
        {"entity": ENTITY},
        [("MISSING", name) for name in ("document_no", "customer", "currency", "issued_on", "total")],
    ),
    Broken("number-for-amount", INVOICE | {"total": 9.0}, [("WRONG_TYPE", "total")], structured=True),
    Broken(
        "many-at-once",
        INVOICE | {"customer": None, "issued_on": "2026-02-30"},
        [("WRONG_TYPE", "customer"), ("BAD_DATE", "issued_on")],
    ),
    Broken("unknown-entity", INVOICE | {"entity": "NOWHERE"}, [("ENTITY_UNKNOWN", "entity")], structured=True),
    Broken("too-precise", INVOICE | {"total": "9.005"}, [("AMOUNT_TOO_PRECISE", "total")]),
    Broken("not-a-number", INVOICE | {"total": "NaN"}, [("AMOUNT_NOT_PLAIN", "total")], structured=True),
    Broken("negative", INVOICE | {"total": "-9.00"}, [("AMOUNT_NEGATIVE", "total")]),
    Broken("unknown-currency", INVOICE | {"currency": "XXX"}, [("CURRENCY_UNKNOWN", "currency")]),
    Broken("no-terms", {**INVOICE, "terms": None}, [("TERMS_MISSING", "terms")]),
    Broken("sums", INVOICE | {"lines": [{"amount": "7.00"}], "tax": "1.00"}, [("LINES_SUM", "lines")]),
    Broken("identifier", INVOICE | {"customer": f"{CANARY_NAME}|1"}, [("BAD_IDENTIFIER", "customer")]),
    Broken("nul", INVOICE | {"terms": "NET30\0"}, [("BAD_TEXT", "terms")]),
    Broken("forged-entity", INVOICE, [("ENTITY_MISMATCH", "entity")], spoken_for="S01"),
    Broken("conflict", INVOICE | {"document_no": "GOOD-1", "total": "9.99"}, [("CONFLICT", "document_no")]),
    Broken("memo-that-owes", MEMO | {"total": "-1.00"}, [("AMOUNT_NEGATIVE", "total")], type="erp.CreditMemoIssued.v1"),
    Broken("entry-not-json", b"money", [("NOT_JSON", "data")], "bank.EntryBooked.v1", BANK),
    Broken("entry-without-amount", {**ENTRY, "amount": None}, [("WRONG_TYPE", "amount")], "bank.EntryBooked.v1", BANK, structured=True),
    Broken("entry-of-nothing", ENTRY | {"amount": "0.00"}, [("AMOUNT_NOT_POSITIVE", "amount")], "bank.EntryBooked.v1", BANK),
    Broken("entry-of-nowhere", ENTRY | {"entity": "NOWHERE"}, [("ENTITY_UNKNOWN", "entity")], "bank.EntryBooked.v1", BANK, structured=True),
    Broken("entry-date", ENTRY | {"value_on": "01.04.2026"}, [("BAD_DATE", "value_on")], "bank.EntryBooked.v1", BANK),
    Broken("entry-text", ENTRY | {"remittance": [CANARY_TEXT]}, [("WRONG_TYPE", "remittance")], "bank.EntryBooked.v1", BANK),
    Broken("entry-reference", ENTRY | {"bank_ref": f"{CANARY_NAME}|1"}, [("BAD_IDENTIFIER", "bank_ref")], "bank.EntryBooked.v1", BANK),
    Broken("entry-stranger", ENTRY, [("SOURCE_NOT_ALLOWED", "source")], "bank.EntryBooked.v1", "/bank/of-somebody"),
    Broken("customer-accounts", CUSTOMER | {"bank_accounts": CANARY_IBAN}, [("WRONG_TYPE", "bank_accounts")], "erp.CustomerUpserted.v1"),
]  # fmt: skip
NO_CLOUDEVENTS = [
    Message(topic, b"any", value, headers, partition=0)
    for topic in ("erp.documents", "bank.entries")
    for value, headers in (
        (None, []),
        (json.dumps(INVOICE).encode(), []),
        (b"{not json", [("content-type", STRUCTURED)]),
        (
            json.dumps(ENTRY).encode(),
            [("ce_specversion", b"0.3"), ("ce_id", b"1"), ("ce_type", b"erp.InvoiceIssued.v1"), ("ce_source", b"/x")],
        ),
    )
]
STRANGERS = an_invoice(ENTITY, "STRANGE-1", "C-1", "5.00", issued_on=DAY)


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """Good records of one partition with everything broken between them, what has an id twice."""
    broken = [one.message() for one in BROKEN]
    world.start_day(ENTITY, DAY)
    world.publish_messages([good(1), good(1, "bank.entries"), in_binary_mode(a_customer(ENTITY, "C-2", CANARY_IBAN, name=CANARY_NAME))])
    world.publish_messages([*broken, *NO_CLOUDEVENTS, *broken, in_binary_mode(STRANGERS, source="/erp/of-somebody")])
    world.publish_messages([good(2), good(2, "bank.entries")])
    world.close_day(ENTITY, DAY)
    return world


def good(number: int, topic: str = "erp.documents") -> Message:
    """A record in the partition of the broken ones: an invoice of 9.00, or 4.00 for it."""
    invoice = an_invoice(ENTITY, f"GOOD-{number}", "C-1", "9.00", issued_on=DAY)
    entry = a_receipt(
        ENTITY, f"GOOD-{number}", "4.00", value_on=DAY, naming=f"GOOD-{number} {CANARY_TEXT}", iban=CANARY_IBAN, debtor=CANARY_NAME
    )
    message = in_binary_mode(invoice if topic == "erp.documents" else entry)
    return Message(topic, message.key, message.value, message.headers, partition=0)


@pytest.fixture(scope="module")
def answers(told: World) -> Answers:
    """The rejections that stand in each topic then, with their keys."""
    found = {topic: [item for record in told.log(topic) if isinstance(item := classify(record), Fresh)] for topic in DOMAIN}
    return {
        topic: [msgspec.json.decode(item.data) | {"key": item.key} for item in items if item.envelope.type in REJECTIONS]
        for topic, items in found.items()
    }


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.id)
def test_a_record_that_cannot_be_taken_is_answered_once_with_every_reason(answers: Answers, broken: Broken) -> None:
    """INV-01, EVT-04: by the service that owns it, however often it was sent."""
    (answer,) = [one for one in answers[broken.answered_in] if one["source_id"] == broken.id]

    assert [(reason["code"], reason["field"]) for reason in answer["reasons"]] == list(broken.reasons)
    assert (answer["source"], answer["source_type"]) == (broken.source, broken.type)


@pytest.mark.parametrize(("answered_in", "topic"), [("receivables.invoice", "erp.documents"), ("receivables.payment", "bank.entries")])
def test_what_is_no_cloudevent_is_answered_under_its_place(answers: Answers, answered_in: str, topic: str) -> None:
    nameless = [(one["key"], one["reasons"]) for one in answers[answered_in] if not one["source_id"]]
    assert nameless == [(f"?|{topic}|0", [{"code": "NOT_A_CLOUDEVENT", "field": ""}])] * 4


def test_the_partition_goes_on_behind_it(told: World) -> None:
    """What stood before and behind in the same partition is in the books, and nothing is parked."""
    assert told.open_of(ENTITY) == {"GOOD-1|1": "5.00", "GOOD-2|1": "5.00"}
    for service in told.services:
        days = told.read(service, "/v1/business-days", ENTITY)
        assert (days["parked"], days["held"], days["late"]) == (0, 0, 0)


def test_it_is_kept_and_counted_for_operators_only(told: World) -> None:
    """EVT-04: the refused records by place and reason, and as a figure."""
    for service, topics in (("invoice", {"erp.documents", "erp.customers"}), ("payment", {"bank.entries", "erp.customers"})):
        sent = [one for one in BROKEN if one.topic in topics]
        of_stories = refused(told, "TERMS_UNKNOWN") if service == "invoice" else []  # Told of terms that were not in force yet.
        expected = len(sent) + 4 + (service == "invoice") + len(of_stories)  # The nameless four, and the stranger's invoice.
        kept = [one for one in told.get(service, "/v1/refused", roles=("operator",)).json() if one["topic"] in topics]
        figures = told.get(service, "/metrics").text
        counted = sum(
            float(n) for n in re.findall(r'^receivables_records_total\{outcome="refused",topic="[^"]*"\} (\S+)$', figures, re.MULTILINE)
        )
        assert len(kept) == counted == expected
        assert told.get(service, "/v1/refused", roles=("clerk",)).status_code == 403
        assert told.get(service, "/v1/refused").status_code == 401


def test_a_refused_record_that_is_driven_again_unmended_is_refused_again_under_a_new_id(told: World) -> None:
    """EVT-04: nothing is lost by trying."""
    before = refused(told, "CONFLICT")
    (id_,) = before

    again = told.post("invoice", f"/v1/refused/{id_}/redrive", roles=("operator",))

    assert (again.status_code, again.json()) == (200, {"records": 1})
    after = refused(told, "CONFLICT")
    assert len(after) == 1
    assert after != before
    assert told.post("invoice", f"/v1/refused/{id_}/redrive", roles=("operator",)).status_code == 404


def test_a_refused_record_is_taken_once_its_reason_is_mended(told: World) -> None:
    """EVT-04: a source that may speak now; its invoice is booked on the open day."""
    (id_,) = refused(told, "SOURCE_NOT_ALLOWED")
    told.let_speak(ENTITY, ERP, BANK, "/erp/of-somebody")

    redriven = told.post("invoice", f"/v1/refused/{id_}/redrive", roles=("operator",))

    assert (redriven.status_code, redriven.json()) == (200, {"records": 1}), redriven.text
    assert refused(told, "SOURCE_NOT_ALLOWED") == []
    told.close_day(ENTITY, date(2026, 4, 2))
    (item,) = told.read("payment", "/v1/items", ENTITY, account="C-1", open="true", limit="100")["items"][2:]
    assert (item["item"], item["open"], item["booked_on"]) == (f"{ENTITY}|STRANGE-1|1", "5.00", "2026-04-02")


def test_no_name_bank_account_or_remittance_text_travels_on(told: World, sink: OtlpSink) -> None:
    """XC-08: not in a domain fact, a log, a figure, a span, nor in what operators see."""
    places = {topic: b"".join(bytes(repr(record), "utf-8") for record in told.log(topic)) for topic in DOMAIN}
    places |= {path.name: path.read_bytes() for path in told.logs}
    for service in told.services:
        for path in ("/metrics", "/v1/refused", "/v1/parked"):
            places[f"{service}{path}"] = told.get(service, path, roles=("operator",)).content
    places["spans"] = "".join(span.text for span in sink.spans).encode()

    looked_at = ("receivables.invoice", "receivables.payment", "payment.log", "kafka.log", "postgres.log", "payment/metrics", "spans")
    assert all(places[place] for place in looked_at)
    assert [(place, canary) for place, content in places.items() for canary in CANARIES if canary.encode() in content] == []
    sent = b"".join(bytes(repr(record), "utf-8") for topic in ("bank.entries", "erp.customers") for record in told.log(topic))
    assert all(canary.encode() in sent for canary in CANARIES)  # They were there to be found.


def refused(world: World, code: str) -> list[int]:
    """The ids of the invoice service's refused records that have just this one reason."""
    kept = world.get("invoice", "/v1/refused", roles=("operator",)).json()
    return [one["id"] for one in kept if [reason["code"] for reason in one["reasons"]] == [code]]
