import random
from datetime import date, timedelta

from demo.cases import cases
from demo.figures import moved_in
from demo.generate import CUSTOMERS, INVOICES, SHIPPED_LEDGER, YEAR, generate
from demo.interest import charged
from demo.ledger import BillAnew, CreditMemo, Customer, DebitMemo, House, Invoice, LateCharges, Ledger, Receipt, Schedule, Void, WriteOff
from demo.oracle import fold, play
from demo.postings import ANEW
from demo.reading import read_ledger
from demo.writing import to_csv


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

    few = cases(YEAR, random.Random(1))
    assert sum(isinstance(entry, Customer) for entry in entries) == CUSTOMERS + len(few.customers)
    assert len(invoices) == INVOICES + len(few.invoices)
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


def test_the_ledger_has_what_only_few_customers_do() -> None:
    """PAY-10, PAY-11, PAY-16"""
    entries = generate()
    told = play(Ledger(House("US01", "USD", "UTC", ""), tuple(entries)))
    by_cause = [one for one in told.postings if one.cause == "transferred"]
    deposits = [one for account in told.accounts.values() for one in account.money if one.receipt.deposit_for]
    children = {entry.customer for entry in entries if isinstance(entry, Customer) and entry.parent}

    assert len(children) == 3
    assert not {owner for owner, _ in told.accounts} & children, "they settle under their parent"
    assert [one.booked_on - one.effective_on == timedelta(days=1) for one in by_cause] == [True] * 4
    assert sorted(one.on_account_minor for one in deposits) == [0, 50_000]
    anew = [entry for entry in entries if isinstance(entry, BillAnew)]
    billed = [one for one in told.postings if one.document_no.startswith(ANEW) and one.cause == "charged"]
    assert len(anew) == len(billed) == 3
