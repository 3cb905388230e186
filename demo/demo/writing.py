"""From a ledger to a CSV in the repository's own format (demo/README.md), which `reading` reads back."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from money import format_minor

from demo.ledger import (
    BillAnew,
    CreditMemo,
    Customer,
    DebitMemo,
    Entry,
    Invoice,
    LateCharges,
    Rate,
    Receipt,
    Refund,
    Return,
    Schedule,
    TakeOff,
    Void,
    WriteOff,
)

COLUMNS: Final = (
    "kind",
    "number",
    "customer",
    "issued_on",
    "due_on",
    "value_on",
    "currency",
    "amount",
    "reference",
    "bank_account",
    "name",
    "discount",
    "fee",
    "order",
)


def to_csv(entries: Sequence[Entry]) -> str:
    """Write entries in the repository's own format (demo/README.md)."""
    out = io.StringIO()
    rows = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    rows.writeheader()
    rows.writerows(map(_to_row, entries))
    return out.getvalue()


def _to_row(entry: Entry) -> dict[str, str]:
    match entry:
        case Customer(customer, known_on, name, bank_account, parent):
            row = {"kind": "customer", "customer": customer, "issued_on": str(known_on), "bank_account": bank_account or "", "name": name}
            return row | {"reference": parent or ""}
        case Void(number, customer, voided_on):
            return {"kind": "void", "number": number, "customer": customer, "issued_on": str(voided_on)}
        case WriteOff(number, decided_on):
            return {"kind": "write_off", "number": number, "issued_on": str(decided_on)}
        case TakeOff(of, decided_on):
            return {"kind": "take_off", "number": of, "issued_on": str(decided_on)}
        case Refund(of, decided_on):
            return {"kind": "refund", "number": of, "issued_on": str(decided_on)}
        case BillAnew(of, decided_on):
            return {"kind": "bill_anew", "number": of, "issued_on": str(decided_on)}
        case LateCharges(decided_on, percent):
            return {"kind": "late_charges", "issued_on": str(decided_on), "reference": percent}
        case Rate(currency, told, rate):
            return {"kind": "rate", "currency": currency, "issued_on": str(told), "reference": rate}
        case Invoice(number, customer, currency, issued_on, due_on, minor, discount, order):
            row = {"kind": "invoice", "number": number, "customer": customer, "issued_on": str(issued_on), "due_on": str(due_on)}
            row |= {"discount": f"{discount[0]}/{discount[1]}"} if discount else {}
            row |= {"order": order or ""}
        case DebitMemo(number, customer, currency, issued_on, due_on, minor, names):
            row = {"kind": "debit_memo", "number": number, "customer": customer, "issued_on": str(issued_on), "due_on": str(due_on)}
            row |= {"reference": names or ""}
        case Schedule(number, customer, currency, starts_on, net_days, minor):
            due_on = starts_on + timedelta(days=net_days)
            row = {"kind": "schedule", "number": number, "customer": customer, "issued_on": str(starts_on), "due_on": str(due_on)}
        case CreditMemo(number, customer, currency, issued_on, minor, names):
            row = {"kind": "credit_memo", "number": number, "customer": customer, "issued_on": str(issued_on), "reference": names or ""}
        case Receipt(number, currency, value_on, minor, remittance, bank_account, customer, deposit_for):
            row = {"kind": "receipt", "number": number, "customer": customer or "", "value_on": str(value_on)}
            row |= {"reference": remittance or "", "bank_account": bank_account or "", "order": deposit_for or ""}
        case Return(number, of, currency, value_on, minor, fee_minor):
            row = {"kind": "return", "number": number, "value_on": str(value_on), "reference": of}
            row |= {"fee": format_minor(fee_minor, currency)} if fee_minor else {}
    return row | {"currency": currency, "amount": format_minor(minor, currency)}
