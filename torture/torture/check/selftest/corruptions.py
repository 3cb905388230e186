"""Ways to bend sound evidence, one thing each, and the invariant that has to notice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from torture.check.answers import Aging
from torture.check.books import (
    AccountDelta,
    Adjustment,
    Balance,
    CubeDelta,
    Document,
    DunnedItem,
    Exposure,
    Item,
    Memo,
    ReportedItem,
    ReportedNotice,
)
from torture.check.evidence import Evidence
from torture.check.expected import ExpectedDocument, ExpectedPoison, Outcome
from torture.check.ledger_rows import Application, LedgerAdjustment, LedgerItem, LedgerMemo, Leg, Receipt
from torture.check.log import Record
from torture.check.rows import Day, Head, Held, Idem, Parked, Position, Refused, Seen, Unpublished
from torture.check.selftest.bending import (
    COLLECTIONS,
    INVOICE,
    PAYMENT,
    Bend,
    Corruption,
    change_fact,
    changed,
    doubled,
    drop,
    expecting,
    find,
    of_log,
    row_of,
    told_twice,
    with_row,
    without,
)
from torture.check.selftest.cash_corruptions import CASH
from torture.check.selftest.group_corruptions import GROUP
from torture.check.selftest.scribe import OPEN_ON
from torture.check.vitals import Vital


def _again_changed(records: list[Record]) -> None:
    at = find(records, INVOICE, "InvoiceIssued")
    records.append(changed(records[at], None, {"total": "100.01"}))


def _swap_applications(records: list[Record]) -> None:
    received, applied = find(records, PAYMENT, "PaymentReceived"), find(records, PAYMENT, "OnAccountCredited")
    records[received], records[applied] = records[applied], records[received]


def _marker_too_early(records: list[Record]) -> None:
    """Move the first marker of the payment topic's partition before a fact of the day it closes."""
    fact = find(records, PAYMENT, "CreditApplied")
    marker = next(
        at
        for at, record in enumerate(records)
        if record.topic == PAYMENT and record.partition == 0 and (record.key or b"").startswith(b"US01|day")
    )
    records.insert(fact, records.pop(marker))


def _day_skipped(records: list[Record]) -> None:
    wanted = (OPEN_ON - timedelta(days=2)).isoformat().encode()
    at = next(
        n
        for n, one in enumerate(records)
        if one.topic == INVOICE and one.partition == 1 and wanted in (one.value or b"") and b"|day|" in (one.key or b"")
    )
    records.pop(at)


def _other_partition(records: list[Record]) -> None:
    at = find(records, PAYMENT, "OnAccountCredited")
    records[at] = replace(records[at], partition=1)


def _sent_later(records: list[Record]) -> None:
    """Let the ERP's invoice stand behind the marker of the second day, though it was booked on the first."""
    at = next(n for n, record in enumerate(records) if record.topic == "erp.documents" and record.key == b"e-INV-1")
    record = records.pop(at)
    last = max(n for n, one in enumerate(records) if one.topic == "erp.documents")
    records.insert(last + 1, record)


def _notice_for_paid(records: list[Record]) -> None:
    """Put an item that was paid days ago on a notice of its own."""
    at = find(records, COLLECTIONS, "DunningNoticeSent")
    item = {"item": "US01|INV-1|1", "level": 1, "due_on": "2025-01-01", "open": "100.00"}
    data = {"entity": "US01", "account": "C-1", "currency": "USD", "notice": "US01|C-1|USD|2025-01-06", "total": "100.00", "items": [item]}
    record = changed(records[at], ("ce_entity", "US01"), data)
    for header in (("ce_partitionkey", "US01|C-1"), ("ce_id", "dunning/US01|C-1/1")):
        record = changed(record, header, {})
    records.insert(at, replace(record, key=b"US01|C-1", partition=0))


def _aging(change: Callable[[Aging], Aging]) -> Bend:
    return lambda evidence: replace(evidence, aging=[change(evidence.aging[0]), *evidence.aging[1:]])


def _split_wrongly(answer: Aging) -> Aging:
    return replace(answer, rows=[replace(answer.rows[0], buckets_minor=(3_999, 0, 0, 0, 0))])


def _wrong_bucket(answer: Aging) -> Aging:
    return replace(answer, rows=[replace(answer.rows[0], buckets_minor=(0, 4_000, 0, 0, 0))])


def _accepted_and_gone(evidence: Evidence) -> Evidence:
    lost = ExpectedDocument("US01|INV-7", "invoice", "US01", "C-1", "USD", 700)
    return expecting(documents={**evidence.expected.documents, lost.document: lost})(evidence)


def _unsent_poison(evidence: Evidence) -> Evidence:
    """Let the oracle want a record refused that was taken in."""
    place = next(record.place for record in evidence.log.records if record.key == b"e-CM-1")
    poison = ExpectedPoison("a record that should have been refused", *place, Outcome.REFUSED)
    return expecting(poisons=[*evidence.expected.poisons, poison])(evidence)


def _replayed(**changes: Any) -> Bend:
    return lambda evidence: replace(evidence, replays=[replace(evidence.replays[0], **changes), *evidence.replays[1:]])


def _rushed(**changes: Any) -> Bend:
    return lambda evidence: replace(evidence, rushes=[replace(evidence.rushes[0], **changes)])


def _vitals(**changes: Any) -> Bend:
    return lambda evidence: replace(evidence, vitals=replace(evidence.vitals, **changes))


def _growing(evidence: Evidence) -> Evidence:
    looks = tuple(Vital("payment-1", 7, float(s), 80_000_000 + s * 40_000, 40 + s) for s in range(0, 900, 10))
    return _vitals(looks=looks)(evidence)


def _group_ahead(evidence: Evidence) -> Evidence:
    ahead = {("payment", "bank.entries", 0): evidence.log.ends["bank.entries", 0] + 1}
    return replace(evidence, log=replace(evidence.log, group_offsets={**evidence.log.group_offsets, **ahead}))


def _stray_parked(evidence: Evidence) -> Evidence:
    place = next(record.place for record in evidence.log.records if record.topic == "bank.entries")
    return with_row("payment", Parked(2, place[0], "US01|B-1", *place[1:], "failed", None, "parked"))(evidence)


def _stray_refused(evidence: Evidence) -> Evidence:
    place = next(record.place for record in evidence.log.records if record.topic == "bank.entries")
    return with_row("payment", Refused(2, *place, "[]", False))(evidence)


_DAY: Final = date(2025, 1, 6)

CORRUPTIONS: Final[tuple[Corruption, ...]] = (
    Corruption("one minor unit more settled", ("M1", "M2", "M8"), row_of("payment", LedgerItem, settled_minor=(1,), open_minor=(-1,))),
    Corruption("one minor unit more open", ("M1", "M5", "M6"), row_of("payment", LedgerItem, 2, open_minor=(1,))),
    Corruption("one minor unit more on account", ("M3", "M5", "E5"), row_of("payment", Receipt, on_account_minor=(1,))),
    Corruption("one minor unit more applied", ("M3", "M1", "E5"), row_of("payment", Application, 1, amount_minor=(1,))),
    Corruption("a memo spends more than it has", ("M4", "M6"), row_of("payment", LedgerMemo, remaining_minor=-1, applied_minor=1_501)),
    Corruption("more was taken back than applied", ("M2", "M1"), row_of("payment", Application, 3, amount_minor=-1)),
    Corruption("money of one currency pays another", ("M7",), row_of("payment", Receipt, currency="EUR")),
    Corruption("an entry loses a leg", ("M8",), without("payment", Leg, 3)),
    Corruption("a leg is one minor unit short", ("M8",), row_of("payment", Leg, amount_minor=(1,))),
    Corruption("an item is deleted in the ledger", ("M6", "M1", "M8"), without("payment", LedgerItem)),
    Corruption("an item is there twice", ("M6", "M5"), doubled("payment", LedgerItem, 2)),
    Corruption("an item is missing in invoice", ("M6",), without("invoice", Item, 3)),
    Corruption("a stale projection in invoice", ("M6",), row_of("invoice", Item, open_minor=10_000)),
    Corruption("a stale projection in dunning", ("M6",), row_of("dunning", DunnedItem, open_minor=10_000)),
    Corruption("a stale projection in reporting", ("M6",), row_of("reporting", ReportedItem, 1, open_minor=500)),
    Corruption("a stale memo in invoice", ("M6",), row_of("invoice", Memo, remaining_minor=1_500)),
    Corruption("an exposure is one minor unit off", ("M6",), row_of("credit", Exposure, open_minor=(1,), exposure_minor=(1,))),
    Corruption("a limit is lost", ("D1", "M6"), row_of("credit", Exposure, limit_minor=None)),
    Corruption("reporting's balance is off", ("M5",), row_of("reporting", Balance, balance_minor=(1,))),
    Corruption("a delta of the cube is off", ("R2",), row_of("reporting", CubeDelta, delta_minor=(1,))),
    Corruption("a delta is booked on another day", ("R2",), row_of("reporting", AccountDelta, booked_on=date(2025, 1, 3))),
    Corruption("a delta is missing", ("R2",), without("reporting", AccountDelta, 4)),
    Corruption("a notice is missing in reporting", ("M6",), without("reporting", ReportedNotice)),
    Corruption("buckets do not add up", ("M9",), _aging(_split_wrongly)),
    Corruption("an item is in the wrong bucket", ("M9",), _aging(_wrong_bucket)),
    Corruption("a customer is missing in the aging", ("M9",), _aging(lambda answer: replace(answer, rows=[]))),
    Corruption("a receipt is deleted", ("D1", "E5", "M3", "M5"), without("payment", Receipt)),
    Corruption("an extra receipt", ("D1", "E5"), with_row("payment", Receipt("US01|B-9", "US01", None, "USD", 5, 5, 0, 0, 0))),
    Corruption("an application has its effect twice", ("E5",), doubled("payment", Application, 1)),
    Corruption("an application is lost", ("E5", "M1", "M3"), without("payment", Application, 1)),
    Corruption("a receipt went to another payer", ("D1", "E5", "M5"), row_of("payment", Receipt, account="C-2")),
    Corruption("an acknowledged document is not there", ("D1",), _accepted_and_gone),
    Corruption("something wrong was accepted", ("D1",), expecting(surprises=["op-7: should be refused, got 201"])),
    Corruption("a command without a definite end", ("D1",), expecting(undecided=["op-8"])),
    Corruption("a document is there twice", ("D1",), doubled("invoice", Document)),
    Corruption("a document says another total", ("D1",), row_of("invoice", Document, total_minor=(1,))),
    Corruption(
        "a document nobody had accepted", ("D1",), with_row("invoice", Document("US01", "US01|X", "invoice", "C-1", "USD", 1, _DAY))
    ),
    Corruption("an acknowledged key is forgotten", ("D1",), without("invoice", Idem)),
    Corruption(
        "an answer is kept for a refused key", ("D1",), with_row("invoice", Idem("US01", "clerk-1", "POST /v1/invoices", "k-2", 201))
    ),
    Corruption(
        "an answer is kept for a key nobody sent", ("D1",), with_row("invoice", Idem("US01", "clerk-1", "POST /v1/invoices", "k-9", 201))
    ),
    Corruption("another answer when asked again", ("D2",), _replayed(answer=b"{}")),
    Corruption("another status when asked again", ("D2",), _replayed(status=409)),
    Corruption("another body under a taken key is accepted", ("D2",), _replayed(altered_status=201)),
    Corruption("a rush has two effects", ("D2",), _rushed(effects=2)),
    Corruption("a rush gets two different answers", ("D2",), _rushed(answers=frozenset([b"{}", b"[]"]))),
    Corruption("a record is dropped from the log", ("E1", "M6"), drop(INVOICE, "InvoiceIssued")),
    Corruption("a sequence is missing in the middle", ("E1", "E5"), drop(PAYMENT, "OnAccountCredited")),
    Corruption("a fact was never committed", ("E1", "E4"), row_of("payment", Head, sequence=(-1,))),
    Corruption("the same fact twice with other content", ("E1",), of_log(_again_changed)),
    Corruption("a sequence is inverted", ("E2",), of_log(_swap_applications)),
    Corruption("a key changes its partition", ("E2",), of_log(_other_partition)),
    Corruption("a fact is one minor unit off", ("M6", "E5"), change_fact(PAYMENT, "PaymentApplied", amount="100.01")),
    Corruption("a fact is called otherwise", ("E1",), change_fact(PAYMENT, "ApplicationReversed", header=("ce_id", "payment/x/1"))),
    Corruption("a key was not heard to its end", ("E4",), row_of("reporting", Seen, sequence=(-1,))),
    Corruption("a key was heard that was never said", ("E3",), with_row("credit", Seen(INVOICE, "US01|C-77", 1))),
    Corruption("a parked record nobody sent", ("E4",), _stray_parked),
    Corruption("a refused record nobody sent", ("E4",), _stray_refused),
    Corruption("a refusal without its answer", ("E4", "E1"), drop(INVOICE, "DocumentRejected")),
    Corruption("poison that was not refused", ("E4",), _unsent_poison),
    Corruption("poison that was not kept", ("E4",), without("invoice", Refused)),
    Corruption("a position behind the end", ("E6",), row_of("payment", Position, next_offset=(-1,))),
    Corruption("a group ahead of its position", ("E6",), _group_ahead),
    Corruption("a held row is left", ("E7",), with_row("payment", Held("bank.entries", 0, "US01", 1))),
    Corruption("an outbox row is left", ("E7",), row_of("invoice", Unpublished, rows=1)),
    Corruption("a marker before a fact it promises", ("W1",), of_log(_marker_too_early)),
    Corruption("a day is left out in a partition", ("W1",), of_log(_day_skipped)),
    Corruption("a service is a day behind", ("W1",), row_of("credit", Day, open_on=_DAY)),
    Corruption("a day is still turning", ("W1",), row_of("dunning", Day, turning_on=date(2025, 1, 8))),
    Corruption("a record is booked before its own day", ("W1",), of_log(_sent_later)),
    Corruption("a notice for a paid item", ("W1",), of_log(_notice_for_paid)),
    Corruption("a notice that was not sent", ("W1", "E1"), drop(COLLECTIONS, "DunningNoticeSent")),
    Corruption("a level too high", ("W1",), row_of("dunning", DunnedItem, 3, level=2)),
    Corruption(
        "one minor unit more written off", ("M1", "M2", "M6"), row_of("payment", LedgerItem, 4, adjusted_minor=(1,), open_minor=(-1,))
    ),
    Corruption("an adjustment stands above its approval", ("M1", "M6"), row_of("payment", LedgerAdjustment, posted_minor=4_801)),
    Corruption("an adjustment is deleted in the ledger", ("M1", "M6"), without("payment", LedgerAdjustment)),
    Corruption("an item that is not there is written off", ("M1", "S1"), row_of("payment", LedgerAdjustment, item="KW01|INV-X|1")),
    Corruption("a void takes more than was billed", ("M1", "M6"), row_of("payment", LedgerItem, 5, voided_minor=(1,))),
    Corruption("a void is forgotten in the ledger", ("M5", "M6", "M8"), row_of("payment", LedgerItem, 5, voided_minor=0, open_minor=3_000)),
    Corruption("a void is forgotten in invoice", ("M6",), row_of("invoice", Item, 5, total_minor=3_000, open_minor=3_000)),
    Corruption("money for what was written off", ("M6",), row_of("invoice", Item, 4, settled_minor=8_000, adjusted_minor=0)),
    Corruption("a maker approves", ("A2", "D1"), row_of("invoice", Adjustment, decided_by="clerk-1")),
    Corruption("a maker rejects", ("A2", "D1"), row_of("invoice", Adjustment, 1, decided_by="clerk-1")),
    Corruption("nobody has rejected", ("A2", "D1"), row_of("invoice", Adjustment, 1, decided_by=None)),
    Corruption("a stranger withdraws", ("A2", "M6"), row_of("invoice", Adjustment, 2, status="withdrawn", decided_by="approver-2")),
    Corruption("a maker approves in the log", ("A2",), change_fact(INVOICE, "WriteOffApproved", approved_by="clerk-1")),
    Corruption("an approval is told twice", ("A2", "E1"), told_twice(INVOICE, "WriteOffApproved")),
    Corruption("what was rejected is approved too", ("A2",), change_fact(INVOICE, "WriteOffRejected", request="US01|adj|INV-3|1|1")),
    Corruption("an approval is lost", ("A2", "E1", "M6"), drop(INVOICE, "WriteOffApproved")),
    Corruption("less was approved than posted", ("A2", "M6"), change_fact(INVOICE, "WriteOffApproved", amount="39.99")),
    Corruption("a recovery is lost", ("A2", "M6"), change_fact(PAYMENT, "AdjustmentReversed", amount="-8.00")),
    Corruption("a posting hits another item", ("A2", "M6"), change_fact(PAYMENT, "AdjustmentPosted", item="US01|INV-1|1")),
    Corruption("a rejection is lost", ("E1", "M6"), drop(INVOICE, "WriteOffRejected")),
    Corruption("an acknowledged request is not there", ("D1",), without("invoice", Adjustment, 2)),
    Corruption("an adjustment nobody asked for", ("D1",), expecting(adjustments={})),
    Corruption("more was approved than acknowledged", ("D1", "M6"), row_of("invoice", Adjustment, approved_minor=(1,))),
    Corruption("an acknowledged void has not happened", ("D1", "E1", "M5", "M6"), drop(INVOICE, "InvoiceVoided")),
    Corruption("a document nobody had voided", ("D1",), expecting(voided=frozenset())),
    Corruption("a void is told twice", ("E1", "M6"), told_twice(INVOICE, "InvoiceVoided")),
    Corruption("an instalment falls due twice", ("W1",), told_twice(INVOICE, "InstalmentFellDue")),
    Corruption("an instalment does not fall due", ("W1", "E1"), drop(INVOICE, "InstalmentFellDue")),
    Corruption(
        "an instalment falls due on another day", ("W1",), change_fact(INVOICE, "InstalmentFellDue", header=("ce_bookedon", "2025-01-01"))
    ),
    Corruption("a row under another entity's key", ("S1",), row_of("payment", LedgerItem, 3, entity="US01")),
    Corruption("a fact under another entity's key", ("S1",), change_fact(INVOICE, "CreditMemoIssued", entity="KW01")),
    Corruption("a process that grows", ("O1",), _growing),
    Corruption("more connections than pools", ("O1",), _vitals(connections={"payment": 99})),
    Corruption("an exception nobody retrieved", ("O1",), _vitals(complaints={"payment-1": ("Task exception was never retrieved",)})),
    *CASH,
    *GROUP,
)
