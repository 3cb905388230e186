import random

from demo.generate import CUSTOMERS, INVOICES, SHIPPED_LEDGER, generate, to_csv
from demo.ledger import CreditMemo, Customer, Invoice, Receipt
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
