import random
from datetime import date

import msgspec
from demo.facts import Told, to_record
from demo.generate import generate
from demo.ledger import Act, CreditMemo, Customer, Invoice, Receipt, Void
from demo.player import arrange
from events import bank, erp
from events.envelope import read
from events.fact import kind_of_type

INVOICE = Invoice("I-1", "C-1", "EUR", date(2025, 1, 2), date(2025, 2, 1), 1050)


def told() -> list[Told]:
    """What of the generated ledger goes over Kafka."""
    return [entry for entry in generate() if not isinstance(entry, Act)]


def test_an_invoice_becomes_what_an_erp_would_publish() -> None:
    record = to_record(INVOICE, "US01")
    envelope, data = read(record.headers, record.value)

    assert (record.topic, record.key, record.document_id) == ("erp.documents", b"US01|C-1", "US01|I-1")
    assert (envelope.id, envelope.source, envelope.type, envelope.key) == ("US01|I-1", "/erp/demo", "erp.InvoiceIssued.v1", "US01|C-1")
    assert msgspec.json.decode(data, type=erp.InvoiceIssued) == erp.InvoiceIssued(
        entity="US01",
        document_no="I-1",
        customer="C-1",
        currency="EUR",
        issued_on=date(2025, 1, 2),
        total="10.50",
        instalments=[erp.Instalment(due_on=date(2025, 2, 1), amount="10.50")],
    )


def test_a_receipt_becomes_what_a_bank_would_publish() -> None:
    record = to_record(Receipt("B-1", "JPY", date(2025, 1, 4), 900, remittance="for I-1", bank_account="ACC"), "US01")
    envelope, data = read(record.headers, record.value)

    assert (record.topic, envelope.source) == ("bank.entries", "/bank/demo")
    booked = msgspec.json.decode(data, type=bank.EntryBooked)
    assert (booked.bank_ref, booked.amount, booked.remittance, booked.debtor) == ("B-1", "900", "for I-1", bank.Debtor(iban="ACC"))


def test_orders_deposits_and_parents_are_told_where_there_are_any() -> None:
    invoice = Invoice("I-2", "C-1", "EUR", date(2025, 1, 2), date(2025, 2, 1), 100, order="SO-1")
    deposit = Receipt("B-2", "EUR", date(2025, 1, 4), 100, deposit_for="SO-1")
    child = Customer("C-2", date(2025, 1, 1), "N", None, "C-1")
    of = [msgspec.json.decode(to_record(entry, "US01").value) for entry in (invoice, deposit, child)]

    assert [of[0]["references"], of[1]["deposit_for"], of[2]["parent"]] == [{"order_no": "SO-1"}, "SO-1", "C-1"]


def test_a_void_has_an_id_of_its_own_and_the_key_of_its_document() -> None:
    record = to_record(Void("I-1", "C-1", date(2025, 1, 9)), "US01")
    envelope, data = read(record.headers, record.value)

    assert (envelope.id, envelope.type, envelope.key) == ("US01|I-1|void", "erp.InvoiceVoided.v1", "US01|C-1")
    assert msgspec.json.decode(data, type=erp.InvoiceVoided).document_no == "I-1"


def test_every_generated_entry_can_be_published_and_read() -> None:
    for entry in told():
        record = to_record(entry, "US01")
        envelope, data = read(record.headers, record.value)
        kind = kind_of_type(envelope.type)
        assert kind is not None and kind.topic == record.topic
        msgspec.json.decode(data, type=kind.event)


def test_one_fact_in_about_fifty_carries_a_sampled_trace_always_the_same() -> None:
    entries = told()
    traced = [read(to_record(entry, "US01").headers, b"{}")[0].traceparent for entry in entries]

    sampled = [one for one in traced if one]
    assert len(entries) // 100 < len(sampled) < len(entries) // 25
    assert all(one.startswith("00-") and one.endswith("-01") and len(one) == 55 for one in sampled)
    assert traced == [read(to_record(entry, "US01").headers, b"{}")[0].traceparent for entry in entries]


def test_shuffled_and_repeated_days_hold_the_same_facts_in_another_order() -> None:
    entries: list[Told] = [
        Customer("C-1", date(2025, 1, 1), "N", None),
        INVOICE,
        CreditMemo("M", "C-1", "EUR", date(2025, 1, 2), 1, None),
        *(Receipt(f"B-{n}", "EUR", date(2025, 1, 2), 1) for n in range(20)),
    ]
    records = [to_record(entry, "US01") for entry in entries]

    assert arrange(records, None, twice=False) == records
    shuffled = arrange(records, random.Random(1), twice=True)
    assert shuffled != records * 2
    assert sorted(shuffled, key=lambda record: record.headers) == sorted(records * 2, key=lambda record: record.headers)
