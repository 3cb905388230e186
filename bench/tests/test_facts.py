"""What the bench publishes is the same in every run, and it knows what must come of it."""

import msgspec
from bench.facts import Told
from events import bank, erp
from money import parse_minor


def test_two_runs_publish_the_same_bytes() -> None:
    first, second = Told(), Told()
    for told in (first, second):
        told.issue(30)
    assert [(one.headers, one.value) for one in first.issue(50)] == [(one.headers, one.value) for one in second.issue(50)]
    assert [one.value for one in first.pay(40)] == [one.value for one in second.pay(40)]


def test_what_is_open_is_what_was_issued_less_what_was_paid() -> None:
    told = Told()
    issued = [msgspec.json.decode(one.value, type=erp.InvoiceIssued) for one in told.issue(100)]
    paid = [msgspec.json.decode(one.value, type=bank.EntryBooked) for one in told.pay(60)]
    for currency in ("USD", "EUR"):
        billed = sum(parse_minor(one.total, one.currency) for one in issued if one.currency == currency)
        received = sum(parse_minor(one.amount, one.currency) for one in paid if one.currency == currency)
        assert told.open_minor()[currency] == billed - received > 0


def test_a_receipt_names_the_invoice_it_pays_in_full() -> None:
    told = Told()
    invoices = {one.item: msgspec.json.decode(one.value, type=erp.InvoiceIssued) for one in told.issue(20)}
    for record in told.pay(20):
        receipt, invoice = msgspec.json.decode(record.value, type=bank.EntryBooked), invoices[record.item]
        assert (receipt.remittance, receipt.amount, receipt.currency) == (invoice.document_no, invoice.total, invoice.currency)


def test_no_more_is_paid_than_was_issued() -> None:
    told = Told()
    told.issue(10)
    assert len(told.pay(25)) == 10
    assert set(told.open_minor().values()) == {0}
