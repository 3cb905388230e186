"""
The log of the example: two entities, six days, two partitions in every topic, told fact by fact.

C-1 of US01 owes INV-1 (100.00) and the instalments of INV-2 (20.00 and 40.00), has a memo of 15.00 for INV-2 and pays 130.00; 9.00 came
from nobody knows whom. C-9 of KW01 owes 70.125 dinars and is sent a notice. One document is refused, one record of a domain topic cannot
be read. C-2 of US01 has a debit memo of 30.00 voided and pays 40.00 of INV-3 (80.00), of which 48.00 were written off: 8.00 are recovered.
What C-3 does is told in `cash`, what C-4 to C-6 do in `group`.
"""

from datetime import date, timedelta
from typing import Any, Final

from torture.check.log import Log
from torture.check.selftest import cash, group
from torture.check.selftest.scribe import DOCUMENTS, ENTRIES, FIRST_DAY, OPEN_ON, SERVICE_OF, Scribe
from torture.check.topology import HEARS, PASS_ON_DAYS, TOPIC_OF, TOPICS

_OWED: Final = {"entity": "US01", "account": "C-1", "customer": "C-1", "currency": "USD"}
_WRITTEN_OFF: Final = {"entity": "US01", "account": "C-2", "customer": "C-2", "currency": "USD"}
_DINARS: Final = {"entity": "KW01", "account": "C-9", "customer": "C-9", "currency": "KWD"}
_PAID: Final = {"entity": "US01", "account": "C-1", "currency": "USD", "receipt": "US01|B-1", "value_on": "2025-01-02"}


def _first_day(to: Scribe) -> None:
    """What stands before any marker: the documents, and the memo applied to the invoice it names."""
    topic = TOPIC_OF["invoice"]
    for number in ("INV-1", "CM-1", "BAD-1"):
        to.told(DOCUMENTS, 0, f"e-{number}", {"entity": "US01", "document_no": number})
    dinars = to.told(DOCUMENTS, 1, "e-INV-K", {"entity": "KW01", "document_no": "INV-K"})
    to.repeat(dinars)
    issue = {"effective_on": "2025-01-01"}
    one = [{"n": 1, "due_on": "2025-01-01", "amount": "100.00"}]
    two = [{"n": 1, "due_on": "2025-01-03", "amount": "20.00"}, {"n": 2, "due_on": "2025-03-01", "amount": "40.00"}]
    first = {**_OWED, "invoice": "US01|INV-1", "total": "100.00", "instalments": one}
    second = {**_OWED, "invoice": "US01|INV-2", "total": "60.00", "instalments": two}
    memo = {**_OWED, "memo": "US01|CM-1", "total": "15.00"}
    to.fact(topic, 0, "US01|C-1", "InvoiceIssued", first, cause="e-INV-1", **issue)
    to.fact(topic, 0, "US01|C-1", "InvoiceIssued", second, **issue)
    to.fact(topic, 0, "US01|C-1", "CreditMemoIssued", memo, cause="e-CM-1", **issue)
    refused = {"entity": "US01", "source": "/erp", "source_id": "e-BAD-1", "source_type": "told", "reasons": []}
    to.fact(topic, 0, "US01|C-1", "DocumentRejected", refused, cause="e-BAD-1", **issue)
    third = {**_DINARS, "invoice": "KW01|INV-K", "total": "70.125", "instalments": [{**one[0], "amount": "70.125"}]}
    to.fact(topic, 1, "KW01|C-9", "InvoiceIssued", third, cause="e-INV-K", **issue)
    fourth = {**_WRITTEN_OFF, "invoice": "US01|INV-3", "total": "80.00", "instalments": [_late(1, "80.00")]}
    debit = {**_WRITTEN_OFF, "invoice": "US01|DM-1", "total": "30.00", "instalments": [_late(1, "30.00")]}
    to.fact(topic, 0, "US01|C-2", "InvoiceIssued", fourth, **issue)
    to.fact(topic, 0, "US01|C-2", "DebitMemoIssued", debit, **issue)
    to.write(topic, 1, "poison|1", b"\xff", {"ce_specversion": "1.0"})
    credited = {**_OWED, "memo": "US01|CM-1", "application": "memo|1", "item": "US01|INV-2|1", "due_on": "2025-01-03", "amount": "15.00"}
    to.fact(TOPIC_OF["payment"], 0, "US01|C-1", "CreditApplied", credited, **issue)


def _late(n: int, amount: str) -> dict[str, Any]:
    return {"n": n, "due_on": "2025-03-01", "amount": amount}


def _corrections(to: Scribe) -> None:
    """On the second day too: a debit memo is voided, one request to write off is approved and one rejected, and money comes after all."""
    invoices, money, key = TOPIC_OF["invoice"], TOPIC_OF["payment"], "US01|C-2"
    on = {"effective_on": "2025-01-02"}
    debit = {**_WRITTEN_OFF, "invoice": "US01|DM-1", "total": "30.00", "instalments": [_late(1, "30.00")]}
    to.fact(invoices, 0, key, "InvoiceVoided", debit, **on)
    item = {**_WRITTEN_OFF, "item": "US01|INV-3|1", "due_on": "2025-03-01"}
    approved = {"request": "US01|adj|INV-3|1|1", "amount": "48.00", "requested_by": "clerk-1", "approved_by": "approver-1"}
    to.fact(invoices, 0, key, "WriteOffApproved", {**item, **approved}, **on)
    rejected = {"request": "US01|adj|INV-3|1|2", "amount": "1.00", "requested_by": "clerk-1", "outcome": "rejected"}
    to.fact(invoices, 0, key, "WriteOffRejected", {**item, **rejected}, **on)
    adjustment = {**item, "adjustment": "US01|adj|INV-3|1|1", "kind": "bad_debt"}
    to.fact(money, 0, key, "AdjustmentPosted", {**adjustment, "amount": "48.00"}, **on)
    received = {"entity": "US01", "account": "C-2", "currency": "USD", "receipt": "US01|B-3", "amount": "40.00", "value_on": "2025-01-02"}
    to.fact(money, 0, key, "PaymentReceived", received, **on)
    to.fact(money, 0, key, "AdjustmentReversed", {**adjustment, "amount": "8.00", "reason": "recovered"}, **on)
    to.fact(money, 0, key, "PaymentApplied", {**item, **received, "application": "money|4"}, **on)


def _second_day(to: Scribe) -> None:
    """The money: 100.00 to INV-1, 5.00 to INV-2, 10.00 to its second instalment and back, 25.00 on account."""
    topic, key = TOPIC_OF["payment"], "US01|C-1"
    to.told(ENTRIES, 0, "e-B-1", {"entity": "US01", "bank_ref": "B-1"})
    to.told(ENTRIES, 1, "e-B-2", {"entity": "US01", "bank_ref": "B-2"})
    on = {"effective_on": "2025-01-02"}
    to.fact(topic, 0, key, "PaymentReceived", {**_PAID, "amount": "130.00"}, cause="e-B-1", **on)
    for application, item, due_on, amount in (
        ("money|1", "US01|INV-1|1", "2025-01-01", "100.00"),
        ("money|2", "US01|INV-2|1", "2025-01-03", "5.00"),
        ("money|3", "US01|INV-2|2", "2025-03-01", "10.00"),
    ):
        applied = {**_PAID, "application": application, "item": item, "due_on": due_on, "amount": amount}
        to.repeat(to.fact(topic, 0, key, "PaymentApplied", applied, cause="e-B-1", **on))
    back = {**_PAID, "application": "money|3", "item": "US01|INV-2|2", "due_on": "2025-03-01", "amount": "10.00", "reason": "reordered"}
    to.fact(topic, 0, key, "ApplicationReversed", back, **on)
    to.fact(topic, 0, key, "OnAccountCredited", {**_PAID, "amount": "25.00"}, **on)
    nobodys = {"entity": "US01", "currency": "USD", "receipt": "US01|B-2", "amount": "9.00", "value_on": "2025-01-02"}
    to.fact(topic, 1, "US01|receipt:B-2", "PaymentReceived", nobodys, cause="e-B-2", **on)
    limit = {"entity": "US01", "account": "C-1", "currency": "USD", "new": "5000.00"}
    to.fact(TOPIC_OF["credit"], 0, key, "CreditLimitChanged", limit, **on)


def _fall_due(to: Scribe) -> None:
    """The work of the scribe's day, before its marker: instalments that are due and were not told of before."""
    due = {
        date(2025, 1, 2): (("US01|C-1", "US01|INV-1|1"), ("KW01|C-9", "KW01|INV-K|1")),
        date(2025, 1, 3): (("US01|C-1", "US01|INV-2|1"),),
    }
    for key, item in due.get(to.day, ()):
        fell_due = {"entity": key[:4], "item": item}
        to.fact(TOPIC_OF["invoice"], int(key[:4] == "KW01"), key, "InstalmentFellDue", fell_due, effective_on=str(to.day))


def _be_overdue(to: Scribe) -> None:
    """The work of the second day: what was due on the first is open when that has closed."""
    for key, item, owed in (("US01|C-1", "US01|INV-1|1", "100.00 USD"), ("KW01|C-9", "KW01|INV-K|1", "70.125 KWD")):
        amount, currency = owed.split()
        overdue = {"entity": key[:4], "item": item, "currency": currency, "open": amount}
        to.fact(TOPIC_OF["payment"], int(key[:4] == "KW01"), key, "InstalmentOverdue", overdue, effective_on=str(to.day))


def _last_turn(to: Scribe) -> None:
    """The work of the last day, before its marker: a notice over the facts of the day before."""
    item = {"item": "KW01|INV-K|1", "level": 1, "due_on": "2025-01-01", "open": "70.125"}
    notice = {"entity": "KW01", "account": "C-9", "currency": "KWD", "noticed_on": "2025-01-06", "level": 1, "total": "70.125"}
    notice |= {"notice": "KW01|C-9|KWD|2025-01-06", "items": [item]}
    to.fact(TOPIC_OF["dunning"], 1, "KW01|C-9", "DunningNoticeSent", notice, effective_on="2025-01-06")


def tell() -> Scribe:
    """Write the whole story down."""
    to = Scribe()
    topics = tuple(topic for topic in TOPICS if topic not in TOPIC_OF.values() or SERVICE_OF[topic] in PASS_ON_DAYS)
    _first_day(to)
    cash.tell(to)
    group.tell(to)
    while to.day < OPEN_ON:
        to.day += timedelta(days=1)
        _fall_due(to)
        cash.turn(to)
        group.turn(to)
        if to.day == FIRST_DAY + timedelta(days=1):
            _be_overdue(to)
        if to.day == OPEN_ON:
            _last_turn(to)
        to.start(to.day, topics)
        if to.day == FIRST_DAY + timedelta(days=1):
            _second_day(to)
            _corrections(to)
        cash.tell(to)
        group.tell(to)
    return to


def log_of(scribe: Scribe) -> Log:
    """Return what Kafka holds then; everybody has committed all of it, and two records are strange."""
    strange = [record.place for record in scribe.records if record.key in (b"poison|1", b"e-BAD-1")]
    groups = {(service, *place): end for service, topics in HEARS.items() for place, end in scribe.ends.items() if place[0] in topics}
    return Log(scribe.records, scribe.ends, groups, frozenset(strange))
