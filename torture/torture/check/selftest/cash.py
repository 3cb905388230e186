"""
What C-3 of US01 does in the story, and what every service keeps of it.

INV-4 (100.00) is paid early, less 2.00 of discount, and the bank takes that money back for a fee of 35.00, billed two days later. INV-5
(50.00 euros, worth 54.00 dollars) is paid when that is worth 55.00. INV-6 (60.00) is paid, until a person takes the money off it. INV-7
(40.00) is paid but for 0.10, which is tolerated. Of 30.00 more 20.00 are paid back.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from torture.check.answers import AgingRow
from torture.check.books import (
    Balance,
    Document,
    DunnedItem,
    ExchangeDelta,
    Exposure,
    Item,
    ReportedItem,
    ReportedReceipt,
    ReturnFee,
)
from torture.check.expected import ExpectedDocument, ExpectedReceipt, ExpectedRefund
from torture.check.ledger_rows import Allowance, Application, Exchanged, LedgerItem, Leg, Receipt, Refund
from torture.check.rows import Row
from torture.check.selftest.scribe import FIRST_DAY, Scribe
from torture.check.topology import TOPIC_OF

OWNER: Final = ("US01", "C-3", "USD")
EUROS: Final = ("US01", "C-3", "EUR")
NET_MINOR: Final = 9_010
"""Billed, less what was received and stayed: INV-4, INV-6 and INV-7 less B-6, B-8 and what is left of B-7."""
AGED: Final = AgingRow("C-3", "USD", (16_000, 3_500, 0, 0, 0), 19_500, 1_000, 6_000)
AGED_FIRST: Final = (
    AgingRow("C-3", "USD", (20_000, 0, 0, 0, 0), 20_000, 0, 0),
    AgingRow("C-3", "EUR", (5_000, 0, 0, 0, 0), 5_000, 0, 0),
)
_KEY: Final = "US01|C-3"
_INVOICES, _MONEY = TOPIC_OF["invoice"], TOPIC_OF["payment"]
_DUE: Final = "2025-02-01"
_TERMS: Final = {"tiers": [{"percent": "2", "until_on": "2025-01-11", "amount": "2.00", "tax": "0.00"}], "grace_days": 0}


def tell(to: Scribe) -> None:
    """Tell what happens on the scribe's day."""
    chapters = {date(2025, 1, 1): _bill, date(2025, 1, 2): _pay, date(2025, 1, 3): _take_back}
    if (chapter := chapters.get(to.day)) is not None:
        chapter(to)


def turn(to: Scribe) -> None:
    """
    Tell the work of the scribe's day: the fee is billed two days after the return, which the ledger has before that day starts.

    It was due before, so it is overdue at once, and falls due for the invoice service when the next day starts.
    """
    if to.day == date(2025, 1, 5):
        part = {"n": 1, "due_on": "2025-01-03", "amount": "35.00"}
        fee = {"invoice": "US01|FEE-B-4", "total": "35.00", "instalments": [part], "origin": "return_fee", "origin_id": "US01|B-4"}
        _fact(to, _INVOICES, "DebitMemoIssued", fee)
        _fact(to, _MONEY, "InstalmentOverdue", {"item": "US01|FEE-B-4|1", "open": "35.00"})
    if to.day == date(2025, 1, 6):
        _fact(to, _INVOICES, "InstalmentFellDue", {"item": "US01|FEE-B-4|1"})


def _fact(to: Scribe, topic: str, name: str, data: Mapping[str, Any], currency: str = "USD") -> None:
    common = {"entity": "US01", "account": "C-3", "customer": "C-3", "currency": currency}
    to.fact(topic, 0, _KEY, name, {**common, **data}, effective_on=str(to.day))


def _bill(to: Scribe) -> None:
    worth = {"currency": "USD", "rate": "1.08", "rate_on": "2025-01-01", "type": "spot", "total": "54.00"}
    for number, total, currency, more in (
        ("INV-4", "100.00", "USD", {"discount": _TERMS}),
        ("INV-5", "50.00", "EUR", {"valuation": worth}),
        ("INV-6", "60.00", "USD", {}),
        ("INV-7", "40.00", "USD", {}),
    ):
        parts = [{"n": 1, "due_on": _DUE, "amount": total}]
        _fact(to, _INVOICES, "InvoiceIssued", {"invoice": f"US01|{number}", "total": total, "instalments": parts, **more}, currency)


def _pay(to: Scribe) -> None:
    worth = {"currency": "USD", "rate": "1.1", "rate_on": "2025-01-02", "type": "stated", "total": "55.00"}
    for n, number, amount, currency, more in (
        (4, "INV-4", "98.00", "USD", {}),
        (5, "INV-5", "50.00", "EUR", {"valuation": worth}),
        (6, "INV-6", "60.00", "USD", {}),
        (8, "INV-7", "39.90", "USD", {}),
        (7, None, "30.00", "USD", {}),
    ):
        _fact(to, _MONEY, "PaymentReceived", {"receipt": f"US01|B-{n}", "amount": amount, "value_on": "2025-01-02", **more}, currency)
        if number is not None:
            _fact(to, _MONEY, "PaymentApplied", {**_application(n, number, amount), "rule": "reference"}, currency)
    kept = {"receipt": "US01|B-4", "item": "US01|INV-4|1", "due_on": _DUE}
    _fact(to, _MONEY, "DiscountGranted", {**kept, "discount": "earned|1", "kind": "earned", "amount": "2.00"})
    tolerated = {"receipt": "US01|B-8", "item": "US01|INV-7|1", "due_on": _DUE, "adjustment": "tolerance|1", "kind": "tolerance"}
    _fact(to, _MONEY, "AdjustmentPosted", {**tolerated, "amount": "0.10"})
    _fact(to, _MONEY, "FxRealised", {**_application(5, "INV-5", "50.00"), "gain": "1.00", "loss": "0.00"})
    _fact(to, _MONEY, "RefundRequested", {**_refund(), "requested_by": "clerk-1"})


def _take_back(to: Scribe) -> None:
    _fact(to, _MONEY, "ApplicationReversed", {**_application(4, "INV-4", "98.00"), "reason": "returned"})
    kept = {"receipt": "US01|B-4", "item": "US01|INV-4|1", "due_on": _DUE}
    _fact(to, _MONEY, "DiscountRevoked", {**kept, "discount": "earned|1", "kind": "earned", "amount": "2.00", "reason": "returned"})
    _fact(to, _MONEY, "PaymentReversed", {"receipt": "US01|B-4", "amount": "98.00", "kind": "nsf", "fee": "35.00"})
    _fact(to, _MONEY, "ApplicationReversed", {**_application(6, "INV-6", "60.00"), "reason": "person", "rule": "reference"})
    _fact(to, _MONEY, "OnAccountCredited", {"receipt": "US01|B-6", "amount": "60.00"})
    _fact(to, _MONEY, "RefundIssued", {**_refund(), "requested_by": "clerk-1", "approved_by": "approver-1"})


def _application(n: int, number: str, amount: str) -> dict[str, str]:
    return {"application": f"cash|{n}", "receipt": f"US01|B-{n}", "item": f"US01|{number}|1", "due_on": _DUE, "amount": amount}


def _refund() -> dict[str, str]:
    return {"refund": "US01|refund|B-7|1", "receipt": "US01|B-7", "amount": "20.00"}


def kept_by(service: str) -> Sequence[Row]:
    """Return the rows a service keeps of all this."""
    return {"invoice": _documents, "payment": _ledger, "credit": _exposure, "dunning": _dunned, "reporting": _reported}[service]()


_OPEN: Final = {"INV-4": 10_000, "INV-5": 0, "INV-6": 6_000, "INV-7": 0, "FEE-B-4": 3_500}
_TOTALS: Final = {"INV-4": 10_000, "INV-5": 5_000, "INV-6": 6_000, "INV-7": 4_000, "FEE-B-4": 3_500}


def _owner(number: str) -> tuple[str, str, str]:
    return EUROS if number == "INV-5" else OWNER


def _documents() -> Sequence[Row]:
    return [
        *(
            Document("US01", f"US01|{number}", "invoice", "C-3", _owner(number)[2], total_minor, FIRST_DAY)
            for number, total_minor in _TOTALS.items()
            if number.startswith("INV")
        ),
        Document("US01", "US01|FEE-B-4", "debit_memo", *OWNER[1:], 3_500, date(2025, 1, 5)),
        Item("US01|INV-4|1", *OWNER, 10_000, 10_000, 0, 0, 0),
        Item("US01|INV-5|1", *EUROS, 5_000, 0, 5_000, 0, 0),
        Item("US01|INV-6|1", *OWNER, 6_000, 6_000, 0, 0, 0),
        Item("US01|INV-7|1", *OWNER, 4_000, 0, 3_990, 0, 10),
        Item("US01|FEE-B-4|1", *OWNER, 3_500, 3_500, 0, 0, 0),
        ReturnFee("US01|B-4", *OWNER, 3_500, date(2025, 1, 5)),
    ]


def _ledger() -> Sequence[Row]:
    moves = [
        (OWNER, "unapplied", "item", 9_800),
        (OWNER, "allowance", "item", 200),
        (EUROS, "unapplied", "item", 5_000),
        (OWNER, "unapplied", "item", 6_000),
        (OWNER, "unapplied", "item", 3_990),
        (OWNER, "allowance", "item", 10),
        (OWNER, "unapplied", "item", -9_800),
        (OWNER, "allowance", "item", -200),
        (OWNER, "unapplied", "returned", 9_800),
        (OWNER, "unapplied", "item", -6_000),
        (OWNER, "unapplied", "on_account", 6_000),
        (OWNER, "unapplied", "refunded", 2_000),
    ]
    return [
        LedgerItem("US01|INV-4|1", *OWNER, 10_000, 10_000, 0, 0),
        LedgerItem("US01|INV-5|1", *EUROS, 5_000, 0, 5_000, 0),
        LedgerItem("US01|INV-6|1", *OWNER, 6_000, 6_000, 0, 0),
        LedgerItem("US01|INV-7|1", *OWNER, 4_000, 0, 3_990, 0, allowed_minor=10),
        LedgerItem("US01|FEE-B-4|1", *OWNER, 3_500, 3_500, 0, 0),
        Receipt("US01|B-4", *OWNER, 9_800, 0, 0, 0, 0, returned_minor=9_800),
        Receipt("US01|B-5", *EUROS, 5_000, 0, 0, 0, 5_000),
        Receipt("US01|B-6", *OWNER, 6_000, 0, 0, 6_000, 0, pinned_minor=6_000),
        Receipt("US01|B-7", *OWNER, 3_000, 0, 1_000, 0, 0, refunded_minor=2_000),
        Receipt("US01|B-8", *OWNER, 3_990, 0, 0, 0, 3_990),
        Application("cash|4", "receipt", "US01|B-4", "US01|INV-4|1", "USD", 0, 9_800),
        Application("cash|5", "receipt", "US01|B-5", "US01|INV-5|1", "EUR", 5_000, 0),
        Application("cash|6", "receipt", "US01|B-6", "US01|INV-6|1", "USD", 0, 6_000),
        Application("cash|8", "receipt", "US01|B-8", "US01|INV-7|1", "USD", 3_990, 0),
        Allowance("earned|1", "earned", "US01|B-4", "US01|INV-4|1", "USD", 0),
        Allowance("tolerance|1", "tolerance", "US01|B-8", "US01|INV-7|1", "USD", 10),
        Exchanged("cash|5", "US01|B-5", "US01|INV-5|1", 100),
        Refund("US01|refund|B-7|1", "US01", "US01|B-7", "USD", 2_000, "approved", "clerk-1", "approver-1"),
        *(
            leg
            for entry, (owner, source, to, minor) in enumerate(moves, 101)
            for leg in (Leg(entry, *owner, source, -minor), Leg(entry, *owner, to, minor))
        ),
    ]


def _exposure() -> Sequence[Row]:
    return [Exposure(*OWNER, 19_500, 6_000, 0, 13_500, None)]


def _dunned() -> Sequence[Row]:
    return [DunnedItem(f"US01|{number}|1", *_owner(number), minor, 0, None) for number, minor in _OPEN.items()]


def _reported() -> Sequence[Row]:
    return [
        *(ReportedItem(f"US01|{number}|1", *_owner(number), minor) for number, minor in _OPEN.items()),
        ReportedReceipt("US01|B-4", "US01", "USD", 0, 0, 0),
        ReportedReceipt("US01|B-5", "US01", "EUR", 5_000, 5_000, 0),
        ReportedReceipt("US01|B-6", "US01", "USD", 6_000, 0, 0),
        ReportedReceipt("US01|B-7", "US01", "USD", 3_000, 0, 1_000),
        ReportedReceipt("US01|B-8", "US01", "USD", 3_990, 3_990, 0),
        Balance(*OWNER, 19_500, 1_000, 6_000, 12_500),
        ExchangeDelta("US01", "C-3", "USD", "realised", date(2025, 1, 2), date(2025, 1, 2), 100),
    ]


def expected_documents() -> Sequence[ExpectedDocument]:
    """The oracle knows what was billed; the fee is of our own making."""
    return [
        ExpectedDocument(f"US01|{number}", "invoice", *_owner(number), total_minor)
        for number, total_minor in _TOTALS.items()
        if number.startswith("INV")
    ]


def expected_receipts() -> Sequence[ExpectedReceipt]:
    """It knows what came, and what left us of it."""
    return [
        ExpectedReceipt("US01|B-4", "US01", "USD", 9_800, "C-3", was_returned=True),
        ExpectedReceipt("US01|B-5", "US01", "EUR", 5_000, "C-3"),
        ExpectedReceipt("US01|B-6", "US01", "USD", 6_000, "C-3"),
        ExpectedReceipt("US01|B-7", "US01", "USD", 3_000, "C-3", refunded_minor=2_000),
        ExpectedReceipt("US01|B-8", "US01", "USD", 3_990, "C-3"),
    ]


def expected_refunds() -> Sequence[ExpectedRefund]:
    """It knows who decided what."""
    return [ExpectedRefund("US01|refund|B-7|1", "US01|B-7", 2_000, "clerk-1", "approved", "approver-1")]
