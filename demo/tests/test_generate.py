import random
from datetime import date

from demo.figures import moved_in
from demo.generate import CUSTOMERS, INVOICES, SHIPPED_LEDGER, YEAR, generate, to_csv
from demo.interest import charged
from demo.ledger import CreditMemo, Customer, DebitMemo, House, Invoice, LateCharges, Ledger, Receipt, Schedule, Void, WriteOff
from demo.oracle import fold
from demo.reading import read_ledger


def test_the_committed_ledger_is_what_the_generator_writes() -> None:
    assert SHIPPED_LEDGER.read_text(encoding="utf-8") == to_csv(generate())


def test_reading_the_committed_ledger_gives_back_what_was_generated() -> None:
    ledger, mapping = read_ledger(SHIPPED_LEDGER)

    assert mapping.name == "own"
    assert list(ledger.entries) == generate()


def test_another_seed_is_another_company_and_the_same_seed_the_same_whatever_was_drawn_before() -> None:
    random.random()

    assert generate(7) == generate(7)
    assert generate(7) != generate(8)


def test_the_ledger_has_every_sort_of_payer_the_demo_promises() -> None:
    entries = generate()
    invoices = {entry.document_no: entry for entry in entries if isinstance(entry, Invoice)}
    receipts = [entry for entry in entries if isinstance(entry, Receipt)]
    memos = [entry for entry in entries if isinstance(entry, CreditMemo)]
    known_accounts = {entry.bank_account for entry in entries if isinstance(entry, Customer)}
    naming_one = [(invoices[receipt.remittance], receipt) for receipt in receipts if receipt.remittance in invoices]

    assert sum(isinstance(entry, Customer) for entry in entries) == CUSTOMERS
    assert len(invoices) == INVOICES
    assert {invoice.currency for invoice in invoices.values()} == {"USD", "EUR"}
    assert any(receipt.value_on > invoice.due_on for invoice, receipt in naming_one), "late"
    assert any(receipt.amount_minor < invoice.amount_minor for invoice, receipt in naming_one), "short or in parts"
    assert any(receipt.value_on < invoice.issued_on for invoice, receipt in naming_one), "before its invoice"
    assert any(receipt.remittance is None and receipt.bank_account in known_accounts for receipt in receipts), "without naming anything"
    assert any(receipt.bank_account and receipt.bank_account not in known_accounts for receipt in receipts), "from an unknown payer"
    assert {memo.ref_document_no is None for memo in memos} == {True, False}


def test_the_ledger_has_everything_that_can_become_of_a_document() -> None:
    entries = generate()
    ledger = Ledger(House("US01", "USD", "UTC", ""), tuple(entries))
    postings = fold(ledger)
    moved = [moved_in(postings, date(YEAR, month, 1))["USD"] for month in range(1, 13)]
    voided = {entry.document_no for entry in entries if isinstance(entry, Void)}
    given_back = [one for one in postings if one.document_no in voided and one.cause == "settled" and one.minor > 0]

    assert {kind: sum(isinstance(entry, kind) for entry in entries) > 2 for kind in (DebitMemo, Void, WriteOff, Schedule)} == dict.fromkeys(
        (DebitMemo, Void, WriteOff, Schedule), True
    )
    assert sum(isinstance(entry, LateCharges) for entry in entries) == 1
    assert given_back, "voided after it was paid"
    assert any(month["written_off"] > 0 for month in moved)
    assert any(month["written_off"] < 0 for month in moved), "more was recovered than written off"
    assert all(minor > 0 for minor in charged(ledger, postings).values())
