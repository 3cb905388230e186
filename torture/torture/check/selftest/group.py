"""
What the group of C-4 and C-6 of US01 do in the story, and what every service keeps of it.

C-5 settles under its parent's account, C-4. INV-8 of C-5 (50.00, order ORD-1) is paid by a deposit for that order (40.00) and 10.00 of
50.00 more. Of what is left of these, 30.00 go to C-6, whose INV-9 they name, and an approver gives it 4.00 besides. The 20.00 that pay
INV-10 of C-6 the bank takes back; they stay where they are, and are billed anew two days later.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from torture.check.answers import AgingRow
from torture.check.books import Balance, Document, DunnedItem, Exposure, Item, ReportedItem, ReportedReceipt
from torture.check.expected import ExpectedDocument, ExpectedReceipt, ExpectedTransfer, Owner
from torture.check.ledger_rows import Application, LedgerItem, Leg, Receipt, Transfer
from torture.check.rows import Row
from torture.check.selftest.scribe import Scribe
from torture.check.topology import TOPIC_OF

PARENT: Final = ("US01", "C-4", "USD")
OTHER: Final = ("US01", "C-6", "USD")
GROUPS: Final = {("US01", "C-5"): "C-4"}
NETS: Final[Mapping[Owner, int]] = {("US01", "C-5", "USD"): 5_000, PARENT: -4_000, OTHER: 3_000}
"""Billed less received, by customer; without B-10, which may have been the parent's or the other's."""
AGED: Final = (AgingRow("C-4", "USD", (0, 0, 0, 0, 0), 0, 0, 600), AgingRow("C-6", "USD", (0, 2_000, 0, 0, 0), 2_000, 400, 0))
_SPREAD: Final = "US01|B-10/to/C-6/1"
_GIVEN: Final = "US01|B-10/to/C-6/2"
_INVOICES, _MONEY = TOPIC_OF["invoice"], TOPIC_OF["payment"]
_DUE: Final = "2025-02-01"
_PAID_ON, _GONE_ON, _BILLED_ON = date(2025, 1, 2), date(2025, 1, 3), date(2025, 1, 5)
_OWNERS: Final[Mapping[str, Owner]] = {"INV-8": PARENT, "INV-9": OTHER, "INV-10": OTHER, "RETURN-B-11": OTHER}
_TOTALS: Final = {"INV-8": 5_000, "INV-9": 3_000, "INV-10": 2_000, "RETURN-B-11": 2_000}
_OPEN: Final = {"INV-8": 0, "INV-9": 0, "INV-10": 0, "RETURN-B-11": 2_000}


def tell(to: Scribe) -> None:
    """Tell what happens on the scribe's day."""
    if to.day == date(2025, 1, 1):
        child = {"entity": "US01", "customer": "C-5", "name": "Child", "bank_accounts": [], "parent": "C-4"}
        to.told("erp.customers", 0, "e-C-5", child, type_="erp.CustomerUpserted.v1")
    if to.day == _PAID_ON:
        _bill(to)
        _pay(to)
    if to.day == _GONE_ON:
        _give(to)


def turn(to: Scribe) -> None:
    """Tell the work of the scribe's day: what the bank took back is billed, overdue at once, and due when the next day starts."""
    item = "US01|RETURN-B-11|1"
    if to.day == _BILLED_ON:
        part = {"n": 1, "due_on": str(_GONE_ON), "amount": "20.00"}
        anew = {"invoice": "US01|RETURN-B-11", "total": "20.00", "instalments": [part]}
        _fact(to, _INVOICES, "DebitMemoIssued", {**anew, "origin": "returned_payment", "origin_id": "US01|B-11"}, OTHER)
        _fact(to, _MONEY, "InstalmentOverdue", {"item": item, "open": "20.00"}, OTHER)
    if to.day == date(2025, 1, 6):
        _fact(to, _INVOICES, "InstalmentFellDue", {"item": item}, OTHER)


def _fact(to: Scribe, topic: str, name: str, data: Mapping[str, Any], owner: Owner) -> None:
    entity, account, currency = owner
    common = {"entity": entity, "account": account, "customer": account, "currency": currency}
    to.fact(topic, 0, f"{entity}|{account}", name, {**common, **data}, effective_on=str(to.day))


def _bill(to: Scribe) -> None:
    for number, total, more in (
        ("INV-8", "50.00", {"customer": "C-5", "references": {"order_no": "ORD-1"}}),
        ("INV-9", "30.00", {}),
        ("INV-10", "20.00", {}),
    ):
        parts = [{"n": 1, "due_on": _DUE, "amount": total}]
        invoice = {"invoice": f"US01|{number}", "total": total, "instalments": parts, **more}
        _fact(to, _INVOICES, "InvoiceIssued", invoice, _OWNERS[number])


def _pay(to: Scribe) -> None:
    for receipt, amount, number, applied, owner, more in (
        ("B-9", "40.00", "INV-8", "40.00", PARENT, {"deposit_for": "ORD-1"}),
        ("B-10", "50.00", "INV-8", "10.00", PARENT, {}),
        ("B-11", "20.00", "INV-10", "20.00", OTHER, {}),
    ):
        _fact(to, _MONEY, "PaymentReceived", {"receipt": f"US01|{receipt}", "amount": amount, "value_on": "2025-01-02", **more}, owner)
        _fact(to, _MONEY, "PaymentApplied", _application(f"US01|{receipt}", number, applied), owner)
    _fact(to, _MONEY, "OnAccountCredited", {"receipt": "US01|B-10", "amount": "40.00"}, PARENT)


def _give(to: Scribe) -> None:
    _fact(to, _MONEY, "ReceiptUnapplied", {"receipt": "US01|B-10", "amount": "34.00"}, PARENT)
    for n, receipt, amount, by in ((1, _SPREAD, "30.00", "reference"), (2, _GIVEN, "4.00", "person")):
        both = {"transfer": f"US01|transfer|B-10|{n}", "amount": amount}
        _fact(to, _MONEY, "MoneyTransferredOut", {**both, "receipt": "US01|B-10", "to_account": "C-6", "by": by}, PARENT)
        into = {"receipt": receipt, "from_receipt": "US01|B-10", "from_account": "C-4", "value_on": "2025-01-02"}
        _fact(to, _MONEY, "MoneyTransferredIn", {**both, **into}, OTHER)
    _fact(to, _MONEY, "PaymentApplied", _application(_SPREAD, "INV-9", "30.00"), OTHER)
    _fact(to, _MONEY, "PaymentReversedAsDebit", {"receipt": "US01|B-11", "amount": "20.00", "kind": "nsf"}, OTHER)


def _application(receipt: str, number: str, amount: str) -> dict[str, str]:
    named = {"application": f"group|{receipt}", "receipt": receipt, "item": f"US01|{number}|1", "rule": "reference"}
    return {**named, "due_on": _DUE, "amount": amount}


def kept_by(service: str) -> Sequence[Row]:
    """Return the rows a service keeps of all this."""
    return {"invoice": _documents, "payment": _ledger, "credit": _exposures, "dunning": _dunned, "reporting": _reported}[service]()


def _documents() -> Sequence[Row]:
    billed = [(number, "debit_memo" if number == "RETURN-B-11" else "invoice", total) for number, total in _TOTALS.items()]
    return [
        *(
            Document("US01", f"US01|{number}", kind, *_OWNERS[number][1:], total, _PAID_ON if kind == "invoice" else _BILLED_ON)
            for number, kind, total in billed
        ),
        *(
            Item(f"US01|{number}|1", *_OWNERS[number], total, _OPEN[number], total - _OPEN[number], 0, 0)
            for number, total in _TOTALS.items()
        ),
    ]


def _ledger() -> Sequence[Row]:
    moves = [
        (PARENT, "item", 4_000),
        (PARENT, "item", 1_000),
        (OTHER, "item", 2_000),
        (PARENT, "on_account", 4_000),
        (PARENT, "on_account", -3_400),
        (PARENT, "transferred", 3_000),
        (PARENT, "transferred", 400),
        (OTHER, "item", 3_000),
    ]
    applied = [("US01|B-9", "INV-8", 4_000), ("US01|B-10", "INV-8", 1_000), ("US01|B-11", "INV-10", 2_000), (_SPREAD, "INV-9", 3_000)]
    went = [("US01|transfer|B-10|1", _SPREAD, 3_000), ("US01|transfer|B-10|2", _GIVEN, 400)]
    return [
        *(
            LedgerItem(f"US01|{number}|1", *_OWNERS[number], total, _OPEN[number], total - _OPEN[number], 0)
            for number, total in _TOTALS.items()
        ),
        Receipt("US01|B-9", *PARENT, 4_000, 0, 0, 0, 4_000),
        Receipt("US01|B-10", *PARENT, 5_000, 0, 0, 600, 1_000, transferred_minor=3_400),
        Receipt("US01|B-11", *OTHER, 2_000, 0, 0, 0, 2_000),
        Receipt(_SPREAD, *OTHER, 3_000, 0, 0, 0, 3_000),
        Receipt(_GIVEN, *OTHER, 400, 0, 400, 0, 0),
        *(Transfer(name, "US01|B-10", made, "US01|B-10", "C-4", "C-6", "USD", minor, _GONE_ON) for name, made, minor in went),
        *(Application(f"group|{receipt}", "receipt", receipt, f"US01|{number}|1", "USD", minor, 0) for receipt, number, minor in applied),
        *(
            leg
            for entry, (owner, to, minor) in enumerate(moves, 201)
            for leg in (Leg(entry, *owner, "unapplied", -minor), Leg(entry, *owner, to, minor))
        ),
    ]


def _exposures() -> Sequence[Row]:
    return [Exposure(*PARENT, 0, 600, 0, -600, None), Exposure(*OTHER, 2_000, 0, 0, 2_000, None)]


def _dunned() -> Sequence[Row]:
    return [DunnedItem(f"US01|{number}|1", *_OWNERS[number], minor, 0, None) for number, minor in _OPEN.items()]


def _reported() -> Sequence[Row]:
    receipts = (("US01|B-9", 4_000, 4_000, 0), ("US01|B-10", 1_600, 1_000, 0), ("US01|B-11", 2_000, 2_000, 0))
    made = ((_SPREAD, 3_000, 3_000, 0), (_GIVEN, 400, 0, 400))
    return [
        *(ReportedItem(f"US01|{number}|1", *_OWNERS[number], minor) for number, minor in _OPEN.items()),
        *(ReportedReceipt(receipt, "US01", "USD", *minors) for receipt, *minors in (*receipts, *made)),
        Balance(*PARENT, 0, 0, 600, -600),
        Balance(*OTHER, 2_000, 400, 0, 1_600),
    ]


def expected_documents() -> Sequence[ExpectedDocument]:
    """The oracle knows who was billed, by customer; what the bank took back is billed by ourselves."""
    customers = {"INV-8": "C-5", "INV-9": "C-6", "INV-10": "C-6"}
    return [ExpectedDocument(f"US01|{number}", "invoice", "US01", one, "USD", _TOTALS[number]) for number, one in customers.items()]


def expected_receipts() -> Sequence[ExpectedReceipt]:
    """It knows who paid, and of money that names documents of two who it may have been."""
    return [
        ExpectedReceipt("US01|B-9", "US01", "USD", 4_000, "C-4"),
        ExpectedReceipt("US01|B-10", "US01", "USD", 5_000, None, among=("C-5", "C-6")),
        ExpectedReceipt("US01|B-11", "US01", "USD", 2_000, "C-6"),
    ]


def expected_transfers() -> Sequence[ExpectedTransfer]:
    """It knows what a person had accepted; what was spread when a day turned follows from the books."""
    return [ExpectedTransfer("US01|transfer|B-10|2", "US01|B-10", "C-6", 400)]
