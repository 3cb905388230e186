"""Ways to bend sound evidence, one thing each, and the invariant that has to notice."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, TypeAlias

from torture.check.answers import Aging
from torture.check.books import (
    AccountDelta,
    Adjustment,
    Application,
    Balance,
    CubeDelta,
    Document,
    DunnedItem,
    Exposure,
    Item,
    LedgerAdjustment,
    LedgerItem,
    LedgerMemo,
    Leg,
    Memo,
    Receipt,
    ReportedItem,
    ReportedNotice,
    RowT,
)
from torture.check.evidence import Evidence
from torture.check.expected import ExpectedDocument, ExpectedPoison, Outcome
from torture.check.log import Record
from torture.check.rows import Day, Head, Held, Idem, Parked, Position, Refused, Seen, Unpublished
from torture.check.selftest.story import OPEN_ON
from torture.check.topology import TOPIC_OF
from torture.check.vitals import Vital

Bend: TypeAlias = Callable[[Evidence], Evidence]
INVOICE, PAYMENT, COLLECTIONS = TOPIC_OF["invoice"], TOPIC_OF["payment"], TOPIC_OF["dunning"]


@dataclass(frozen=True, slots=True)
class Corruption:
    """One thing bent; `noticed_by` are the invariants that must all give the alarm."""

    name: str
    noticed_by: tuple[str, ...]
    bend: Bend


def _row(service: str, kind: type[RowT], at: int = 0, **changes: Any) -> Bend:
    """Change columns of one row; an int written as (+n,) is added."""

    def bend(evidence: Evidence) -> Evidence:
        rows = list(evidence.books.rows(service, kind))
        now = {name: getattr(rows[at], name) + value[0] if isinstance(value, tuple) else value for name, value in changes.items()}
        rows[at] = replace(rows[at], **now)
        return replace(evidence, books=evidence.books.replaced(service, kind, rows))

    return bend


def _without(service: str, kind: type[RowT], at: int = 0) -> Bend:
    def bend(evidence: Evidence) -> Evidence:
        rows = list(evidence.books.rows(service, kind))
        del rows[at]
        return replace(evidence, books=evidence.books.replaced(service, kind, rows))

    return bend


def _with(service: str, *more: Any) -> Bend:
    def bend(evidence: Evidence) -> Evidence:
        kind = type(more[0])
        return replace(evidence, books=evidence.books.replaced(service, kind, [*evidence.books.rows(service, kind), *more]))

    return bend


def _doubled(service: str, kind: type[RowT], at: int = 0) -> Bend:
    return lambda evidence: _with(service, evidence.books.rows(service, kind)[at])(evidence)


def _log(change: Callable[[list[Record]], None]) -> Bend:
    """Change the records; those of a partition are counted anew, as if they had always stood so."""

    def bend(evidence: Evidence) -> Evidence:
        records = list(evidence.log.records)
        change(records)
        return replace(evidence, log=replace(evidence.log, records=list(_counted(records))))

    return bend


def _counted(records: list[Record]) -> Iterator[Record]:
    next_offset: dict[tuple[str, int], int] = {}
    for record in records:
        place = record.topic, record.partition
        yield replace(record, offset=next_offset.get(place, 0))
        next_offset[place] = next_offset.get(place, 0) + 1


def _find(records: list[Record], topic: str, type_: str, nth: int = 0) -> int:
    """Find the nth record of a type in a topic."""
    wanted = (b"ce_type", f"receivables.{type_}.v1".encode())
    return [at for at, record in enumerate(records) if record.topic == topic and wanted in record.headers][nth]


def _drop(topic: str, type_: str, nth: int = 0) -> Bend:
    def change(records: list[Record]) -> None:
        del records[_find(records, topic, type_, nth)]

    return _log(change)


def _change(topic: str, type_: str, *, header: tuple[str, str] | None = None, **data: Any) -> Bend:
    def change(records: list[Record]) -> None:
        at = _find(records, topic, type_)
        records[at] = _changed(records[at], header, data)

    return _log(change)


def _changed(record: Record, header: tuple[str, str] | None, data: dict[str, Any]) -> Record:
    headers = tuple((n, header[1].encode() if header and n == header[0].encode() else v) for n, v in record.headers)
    value = json.dumps({**json.loads(record.value or b"{}"), **data}).encode() if data else record.value
    return replace(record, headers=headers, value=value)


def _again_changed(records: list[Record]) -> None:
    at = _find(records, INVOICE, "InvoiceIssued")
    records.append(_changed(records[at], None, {"total": "100.01"}))


def _swap_applications(records: list[Record]) -> None:
    received, applied = _find(records, PAYMENT, "PaymentReceived"), _find(records, PAYMENT, "OnAccountCredited")
    records[received], records[applied] = records[applied], records[received]


def _marker_too_early(records: list[Record]) -> None:
    """Move the first marker of the payment topic's partition before a fact of the day it closes."""
    fact = _find(records, PAYMENT, "CreditApplied")
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
    at = _find(records, PAYMENT, "OnAccountCredited")
    records[at] = replace(records[at], partition=1)


def _sent_later(records: list[Record]) -> None:
    """Let the ERP's invoice stand behind the marker of the second day, though it was booked on the first."""
    at = next(n for n, record in enumerate(records) if record.topic == "erp.documents" and record.key == b"e-INV-1")
    record = records.pop(at)
    last = max(n for n, one in enumerate(records) if one.topic == "erp.documents")
    records.insert(last + 1, record)


def _notice_for_paid(records: list[Record]) -> None:
    """Put an item that was paid days ago on a notice of its own."""
    at = _find(records, COLLECTIONS, "DunningNoticeSent")
    item = {"item": "US01|INV-1|1", "level": 1, "due_on": "2025-01-01", "open": "100.00"}
    data = {"entity": "US01", "account": "C-1", "currency": "USD", "notice": "US01|C-1|USD|2025-01-06", "total": "100.00", "items": [item]}
    record = _changed(records[at], ("ce_entity", "US01"), data)
    for header in (("ce_partitionkey", "US01|C-1"), ("ce_id", "dunning/US01|C-1/1")):
        record = _changed(record, header, {})
    records.insert(at, replace(record, key=b"US01|C-1", partition=0))


def _told_twice(type_: str) -> Bend:
    """Let a fact be told once more, as another one of its stream."""

    def change(records: list[Record]) -> None:
        at = _find(records, INVOICE, type_)
        key = (records[at].key or b"").decode()
        again = _changed(records[at], ("ce_id", f"invoice/{key}/99"), {})
        records.append(_changed(again, ("ce_sequence", "99"), {}))

    return _log(change)


def _aging(change: Callable[[Aging], Aging]) -> Bend:
    return lambda evidence: replace(evidence, aging=[change(evidence.aging[0]), *evidence.aging[1:]])


def _split_wrongly(answer: Aging) -> Aging:
    return replace(answer, rows=[replace(answer.rows[0], buckets_minor=(3_999, 0, 0, 0, 0))])


def _wrong_bucket(answer: Aging) -> Aging:
    return replace(answer, rows=[replace(answer.rows[0], buckets_minor=(0, 4_000, 0, 0, 0))])


def _expected(**changes: Any) -> Bend:
    return lambda evidence: replace(evidence, expected=replace(evidence.expected, **changes))


def _accepted_and_gone(evidence: Evidence) -> Evidence:
    lost = ExpectedDocument("US01|INV-7", "invoice", "US01", "C-1", "USD", 700)
    return _expected(documents={**evidence.expected.documents, lost.document: lost})(evidence)


def _unsent_poison(evidence: Evidence) -> Evidence:
    """Let the oracle want a record refused that was taken in."""
    place = next(record.place for record in evidence.log.records if record.key == b"e-CM-1")
    poison = ExpectedPoison("a record that should have been refused", *place, Outcome.REFUSED)
    return _expected(poisons=[*evidence.expected.poisons, poison])(evidence)


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
    return _with("payment", Parked(2, place[0], "US01|B-1", *place[1:], "failed", None, "parked"))(evidence)


def _stray_refused(evidence: Evidence) -> Evidence:
    place = next(record.place for record in evidence.log.records if record.topic == "bank.entries")
    return _with("payment", Refused(2, *place, "[]", False))(evidence)


_DAY: Final = date(2025, 1, 6)

CORRUPTIONS: Final[tuple[Corruption, ...]] = (
    Corruption("one minor unit more settled", ("M1", "M2", "M8"), _row("payment", LedgerItem, settled_minor=(1,), open_minor=(-1,))),
    Corruption("one minor unit more open", ("M1", "M5", "M6"), _row("payment", LedgerItem, 2, open_minor=(1,))),
    Corruption("one minor unit more on account", ("M3", "M5", "E5"), _row("payment", Receipt, on_account_minor=(1,))),
    Corruption("one minor unit more applied", ("M3", "M1", "E5"), _row("payment", Application, 1, amount_minor=(1,))),
    Corruption("a memo spends more than it has", ("M4", "M6"), _row("payment", LedgerMemo, remaining_minor=-1, applied_minor=1_501)),
    Corruption("more was taken back than applied", ("M2", "M1"), _row("payment", Application, 3, amount_minor=-1)),
    Corruption("money of one currency pays another", ("M7",), _row("payment", Receipt, currency="EUR")),
    Corruption("an entry loses a leg", ("M8",), _without("payment", Leg, 3)),
    Corruption("a leg is one minor unit short", ("M8",), _row("payment", Leg, amount_minor=(1,))),
    Corruption("an item is deleted in the ledger", ("M6", "M1", "M8"), _without("payment", LedgerItem)),
    Corruption("an item is there twice", ("M6", "M5"), _doubled("payment", LedgerItem, 2)),
    Corruption("an item is missing in invoice", ("M6",), _without("invoice", Item, 3)),
    Corruption("a stale projection in invoice", ("M6",), _row("invoice", Item, open_minor=10_000)),
    Corruption("a stale projection in dunning", ("M6",), _row("dunning", DunnedItem, open_minor=10_000)),
    Corruption("a stale projection in reporting", ("M6",), _row("reporting", ReportedItem, 1, open_minor=500)),
    Corruption("a stale memo in invoice", ("M6",), _row("invoice", Memo, remaining_minor=1_500)),
    Corruption("an exposure is one minor unit off", ("M6",), _row("credit", Exposure, open_minor=(1,), exposure_minor=(1,))),
    Corruption("a limit is lost", ("D1", "M6"), _row("credit", Exposure, limit_minor=None)),
    Corruption("reporting's balance is off", ("M5",), _row("reporting", Balance, balance_minor=(1,))),
    Corruption("a delta of the cube is off", ("R2",), _row("reporting", CubeDelta, delta_minor=(1,))),
    Corruption("a delta is booked on another day", ("R2",), _row("reporting", AccountDelta, booked_on=date(2025, 1, 3))),
    Corruption("a delta is missing", ("R2",), _without("reporting", AccountDelta, 4)),
    Corruption("a notice is missing in reporting", ("M6",), _without("reporting", ReportedNotice)),
    Corruption("buckets do not add up", ("M9",), _aging(_split_wrongly)),
    Corruption("an item is in the wrong bucket", ("M9",), _aging(_wrong_bucket)),
    Corruption("a customer is missing in the aging", ("M9",), _aging(lambda answer: replace(answer, rows=[]))),
    Corruption("a receipt is deleted", ("D1", "E5", "M3", "M5"), _without("payment", Receipt)),
    Corruption("an extra receipt", ("D1", "E5"), _with("payment", Receipt("US01|B-9", "US01", None, "USD", 5, 5, 0, 0, 0))),
    Corruption("an application has its effect twice", ("E5",), _doubled("payment", Application, 1)),
    Corruption("an application is lost", ("E5", "M1", "M3"), _without("payment", Application, 1)),
    Corruption("a receipt went to another payer", ("D1", "E5", "M5"), _row("payment", Receipt, account="C-2")),
    Corruption("an acknowledged document is not there", ("D1",), _accepted_and_gone),
    Corruption("something wrong was accepted", ("D1",), _expected(surprises=["op-7: should be refused, got 201"])),
    Corruption("a command without a definite end", ("D1",), _expected(undecided=["op-8"])),
    Corruption("a document is there twice", ("D1",), _doubled("invoice", Document)),
    Corruption("a document says another total", ("D1",), _row("invoice", Document, total_minor=(1,))),
    Corruption("a document nobody had accepted", ("D1",), _with("invoice", Document("US01", "US01|X", "invoice", "C-1", "USD", 1, _DAY))),
    Corruption("an acknowledged key is forgotten", ("D1",), _without("invoice", Idem)),
    Corruption("an answer is kept for a refused key", ("D1",), _with("invoice", Idem("US01", "clerk-1", "POST /v1/invoices", "k-2", 201))),
    Corruption(
        "an answer is kept for a key nobody sent", ("D1",), _with("invoice", Idem("US01", "clerk-1", "POST /v1/invoices", "k-9", 201))
    ),
    Corruption("another answer when asked again", ("D2",), _replayed(answer=b"{}")),
    Corruption("another status when asked again", ("D2",), _replayed(status=409)),
    Corruption("another body under a taken key is accepted", ("D2",), _replayed(altered_status=201)),
    Corruption("a rush has two effects", ("D2",), _rushed(effects=2)),
    Corruption("a rush gets two different answers", ("D2",), _rushed(answers=frozenset([b"{}", b"[]"]))),
    Corruption("a record is dropped from the log", ("E1", "M6"), _drop(INVOICE, "InvoiceIssued")),
    Corruption("a sequence is missing in the middle", ("E1", "E5"), _drop(PAYMENT, "OnAccountCredited")),
    Corruption("a fact was never committed", ("E1", "E4"), _row("payment", Head, sequence=(-1,))),
    Corruption("the same fact twice with other content", ("E1",), _log(_again_changed)),
    Corruption("a sequence is inverted", ("E2",), _log(_swap_applications)),
    Corruption("a key changes its partition", ("E2",), _log(_other_partition)),
    Corruption("a fact is one minor unit off", ("M6", "E5"), _change(PAYMENT, "PaymentApplied", amount="100.01")),
    Corruption("a fact is called otherwise", ("E1",), _change(PAYMENT, "ApplicationReversed", header=("ce_id", "payment/x/1"))),
    Corruption("a key was not heard to its end", ("E4",), _row("reporting", Seen, sequence=(-1,))),
    Corruption("a key was heard that was never said", ("E3",), _with("credit", Seen(INVOICE, "US01|C-77", 1))),
    Corruption("a parked record nobody sent", ("E4",), _stray_parked),
    Corruption("a refused record nobody sent", ("E4",), _stray_refused),
    Corruption("a refusal without its answer", ("E4", "E1"), _drop(INVOICE, "DocumentRejected")),
    Corruption("poison that was not refused", ("E4",), _unsent_poison),
    Corruption("poison that was not kept", ("E4",), _without("invoice", Refused)),
    Corruption("a position behind the end", ("E6",), _row("payment", Position, next_offset=(-1,))),
    Corruption("a group ahead of its position", ("E6",), _group_ahead),
    Corruption("a held row is left", ("E7",), _with("payment", Held("bank.entries", 0, "US01", 1))),
    Corruption("an outbox row is left", ("E7",), _row("invoice", Unpublished, rows=1)),
    Corruption("a marker before a fact it promises", ("W1",), _log(_marker_too_early)),
    Corruption("a day is left out in a partition", ("W1",), _log(_day_skipped)),
    Corruption("a service is a day behind", ("W1",), _row("credit", Day, open_on=_DAY)),
    Corruption("a day is still turning", ("W1",), _row("dunning", Day, turning_on=date(2025, 1, 8))),
    Corruption("a record is booked before its own day", ("W1",), _log(_sent_later)),
    Corruption("a notice for a paid item", ("W1",), _log(_notice_for_paid)),
    Corruption("a notice that was not sent", ("W1", "E1"), _drop(COLLECTIONS, "DunningNoticeSent")),
    Corruption("a level too high", ("W1",), _row("dunning", DunnedItem, 3, level=2)),
    Corruption(
        "one minor unit more written off", ("M1", "M2", "M6"), _row("payment", LedgerItem, 4, adjusted_minor=(1,), open_minor=(-1,))
    ),
    Corruption("an adjustment stands above its approval", ("M1", "M6"), _row("payment", LedgerAdjustment, posted_minor=4_801)),
    Corruption("an adjustment is deleted in the ledger", ("M1", "M6"), _without("payment", LedgerAdjustment)),
    Corruption("an item that is not there is written off", ("M1", "S1"), _row("payment", LedgerAdjustment, item="KW01|INV-X|1")),
    Corruption("a void takes more than was billed", ("M1", "M6"), _row("payment", LedgerItem, 5, voided_minor=(1,))),
    Corruption("a void is forgotten in the ledger", ("M5", "M6", "M8"), _row("payment", LedgerItem, 5, voided_minor=0, open_minor=3_000)),
    Corruption("a void is forgotten in invoice", ("M6",), _row("invoice", Item, 5, total_minor=3_000, open_minor=3_000)),
    Corruption("money for what was written off", ("M6",), _row("invoice", Item, 4, settled_minor=8_000, adjusted_minor=0)),
    Corruption("a maker approves", ("A2", "D1"), _row("invoice", Adjustment, decided_by="clerk-1")),
    Corruption("a maker rejects", ("A2", "D1"), _row("invoice", Adjustment, 1, decided_by="clerk-1")),
    Corruption("nobody has rejected", ("A2", "D1"), _row("invoice", Adjustment, 1, decided_by=None)),
    Corruption("a stranger withdraws", ("A2", "M6"), _row("invoice", Adjustment, 2, status="withdrawn", decided_by="approver-2")),
    Corruption("a maker approves in the log", ("A2",), _change(INVOICE, "WriteOffApproved", approved_by="clerk-1")),
    Corruption("an approval is told twice", ("A2", "E1"), _told_twice("WriteOffApproved")),
    Corruption("what was rejected is approved too", ("A2",), _change(INVOICE, "WriteOffRejected", request="US01|adj|INV-3|1|1")),
    Corruption("an approval is lost", ("A2", "E1", "M6"), _drop(INVOICE, "WriteOffApproved")),
    Corruption("less was approved than posted", ("A2", "M6"), _change(INVOICE, "WriteOffApproved", amount="39.99")),
    Corruption("a recovery is lost", ("A2", "M6"), _change(PAYMENT, "AdjustmentReversed", amount="-8.00")),
    Corruption("a posting hits another item", ("A2", "M6"), _change(PAYMENT, "AdjustmentPosted", item="US01|INV-1|1")),
    Corruption("a rejection is lost", ("E1", "M6"), _drop(INVOICE, "WriteOffRejected")),
    Corruption("an acknowledged request is not there", ("D1",), _without("invoice", Adjustment, 2)),
    Corruption("an adjustment nobody asked for", ("D1",), _expected(adjustments={})),
    Corruption("more was approved than acknowledged", ("D1", "M6"), _row("invoice", Adjustment, approved_minor=(1,))),
    Corruption("an acknowledged void has not happened", ("D1", "E1", "M5", "M6"), _drop(INVOICE, "InvoiceVoided")),
    Corruption("a document nobody had voided", ("D1",), _expected(voided=frozenset())),
    Corruption("a void is told twice", ("E1", "M6"), _told_twice("InvoiceVoided")),
    Corruption("an instalment falls due twice", ("W1",), _told_twice("InstalmentFellDue")),
    Corruption("an instalment does not fall due", ("W1", "E1"), _drop(INVOICE, "InstalmentFellDue")),
    Corruption(
        "an instalment falls due on another day", ("W1",), _change(INVOICE, "InstalmentFellDue", header=("ce_bookedon", "2025-01-01"))
    ),
    Corruption("a row under another entity's key", ("S1",), _row("payment", LedgerItem, 3, entity="US01")),
    Corruption("a fact under another entity's key", ("S1",), _change(INVOICE, "CreditMemoIssued", entity="KW01")),
    Corruption("a process that grows", ("O1",), _growing),
    Corruption("more connections than pools", ("O1",), _vitals(connections={"payment": 99})),
    Corruption("an exception nobody retrieved", ("O1",), _vitals(complaints={"payment-1": ("Task exception was never retrieved",)})),
)
