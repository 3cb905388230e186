"""Ways to bend what the group of C-4 and C-6 do: transfers, deposits, money that is billed anew, accounts of documents."""

from dataclasses import replace
from typing import Final

from torture.check.evidence import Evidence
from torture.check.ledger_rows import Receipt, Transfer
from torture.check.log import Record
from torture.check.selftest.bending import (
    INVOICE,
    PAYMENT,
    Corruption,
    change_fact,
    changed,
    doubled,
    drop,
    expecting,
    of_log,
    row_of,
    told_twice,
    without,
)

_B_10, _B_11, _SPREAD, _GIVEN = 9, 10, 11, 12
"""The places of receipts behind those of the story and of C-3."""
_INV_8, _B_9 = 8, 8
"""Which of the invoices, and of the receipts, are told of that late."""
_RETURN: Final = 2
"""Which of the debit memos bills a returned payment anew."""


def _another_parent(records: list[Record]) -> None:
    at = next(at for at, one in enumerate(records) if one.topic == "erp.customers" and b'"C-5"' in (one.value or b""))
    records[at] = changed(records[at], None, {"parent": "C-2"})


def _taken_back(evidence: Evidence) -> Evidence:
    """Let the bank take back what has gone on to another account, where it still is."""
    receipts = dict(evidence.expected.receipts)
    receipts["US01|B-10"] = replace(receipts["US01|B-10"], was_returned=True)
    return expecting(receipts=receipts)(evidence)


GROUP: Final[tuple[Corruption, ...]] = (
    Corruption("transferred money never arrives", ("M3", "E1", "E5"), drop(PAYMENT, "MoneyTransferredIn")),
    Corruption("transferred money never left", ("M3", "E1", "E5"), drop(PAYMENT, "MoneyTransferredOut")),
    Corruption("transferred money leaves twice", ("M3", "E1", "E5"), told_twice(PAYMENT, "MoneyTransferredOut")),
    Corruption("transferred money arrives twice", ("M3", "E1", "E5"), told_twice(PAYMENT, "MoneyTransferredIn")),
    Corruption("a cent more arrives than left", ("M3", "E5"), change_fact(PAYMENT, "MoneyTransferredIn", amount="30.01")),
    Corruption("transferred money arrives in euros", ("M3",), change_fact(PAYMENT, "MoneyTransferredIn", currency="EUR")),
    Corruption("transferred money arrives elsewhere", ("M3",), change_fact(PAYMENT, "MoneyTransferredOut", to_account="C-2")),
    Corruption(
        "transferred money arrives a day early",
        ("M3", "E5", "R2"),
        change_fact(PAYMENT, "MoneyTransferredIn", header=("ce_effectiveon", "2025-01-02")),
    ),
    Corruption("one cent more is transferred", ("M3", "M8", "E5"), row_of("payment", Receipt, _B_10, transferred_minor=(1,))),
    Corruption("one cent is made of a transfer", ("M3", "E5"), row_of("payment", Receipt, _GIVEN, amount_minor=(1,), unapplied_minor=(1,))),
    Corruption("what was made of a transfer is lost", ("M3", "E5"), without("payment", Receipt, _GIVEN)),
    Corruption("a transfer is lost in the ledger", ("M3", "E5"), without("payment", Transfer)),
    Corruption("a transfer is there twice", ("M3", "E5"), doubled("payment", Transfer)),
    Corruption("a transfer of nothing", ("M3", "E5"), row_of("payment", Transfer, from_receipt="US01|B-404")),
    Corruption("a transfer nobody decided", ("D1",), expecting(transfers={})),
    Corruption("a transfer by a person is told as by none", ("D1",), change_fact(PAYMENT, "MoneyTransferredOut", 1, by="reference")),
    Corruption("a person's transfer over another amount", ("D1", "M3"), change_fact(PAYMENT, "MoneyTransferredOut", 1, amount="3.99")),
    Corruption("what was taken back stays where it went", ("M3", "D1"), _taken_back),
    Corruption("a deposit for another order", ("M3",), change_fact(PAYMENT, "PaymentReceived", _B_9, deposit_for="ORD-2")),
    Corruption("a deposit pays what bears no order", ("M3",), change_fact(INVOICE, "InvoiceIssued", _INV_8, references=None)),
    Corruption("a debit reversal is lost", ("D1", "E1", "W1"), drop(PAYMENT, "PaymentReversedAsDebit")),
    Corruption("a debit reversal is told twice", ("M3", "E1", "W1"), told_twice(PAYMENT, "PaymentReversedAsDebit")),
    Corruption("a debit reversal nobody decided", ("D1",), expecting(debited=frozenset())),
    Corruption("less is billed anew than was taken back", ("M3", "W1"), change_fact(PAYMENT, "PaymentReversedAsDebit", amount="19.99")),
    Corruption("money that is billed anew was free", ("M3",), change_fact(PAYMENT, "PaymentReversedAsDebit", receipt="US01|B-10")),
    Corruption("money that is billed anew is gone", ("M3", "D1"), row_of("payment", Receipt, _B_11, returned_minor=2_000, applied_minor=0)),
    Corruption("returned money is not billed anew", ("W1", "E1", "M6"), drop(INVOICE, "DebitMemoIssued", _RETURN)),
    Corruption("returned money is billed twice", ("W1", "E1"), told_twice(INVOICE, "DebitMemoIssued")),
    Corruption("returned money is billed a cent too high", ("W1",), change_fact(INVOICE, "DebitMemoIssued", _RETURN, total="20.01")),
    Corruption(
        "returned money is billed a day late",
        ("W1",),
        change_fact(INVOICE, "DebitMemoIssued", _RETURN, header=("ce_bookedon", "2025-01-06")),
    ),
    Corruption("money that never was is billed anew", ("W1",), change_fact(INVOICE, "DebitMemoIssued", _RETURN, origin_id="US01|B-404")),
    Corruption("a child's document is its own", ("S1", "M6"), change_fact(INVOICE, "InvoiceIssued", _INV_8, account="C-5")),
    Corruption("a child has another parent", ("S1",), of_log(_another_parent)),
    Corruption("the other group pays", ("D1", "M5"), row_of("payment", Receipt, _B_10, account="C-2")),
)
"""Each gives the alarm that is meant."""
