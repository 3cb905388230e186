"""Sound evidence, written by hand: the books that five services must have over the story, the oracle's word, and answers over HTTP."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Final

from torture.check.answers import Aging, AgingRow, Replay, Rush
from torture.check.books import (
    AccountDelta,
    Adjustment,
    Balance,
    Books,
    CubeDelta,
    Document,
    DunnedItem,
    Exposure,
    Item,
    Memo,
    Notice,
    ReportedItem,
    ReportedNotice,
    ReportedReceipt,
    Shelf,
)
from torture.check.evidence import Evidence
from torture.check.expected import (
    Command,
    Expected,
    ExpectedAdjustment,
    ExpectedDocument,
    ExpectedPoison,
    ExpectedReceipt,
    Outcome,
)
from torture.check.fold import fold
from torture.check.ledger_rows import Application, LedgerAdjustment, LedgerItem, LedgerMemo, Leg, Receipt
from torture.check.log import Log
from torture.check.rows import Day, Head, Idem, Parked, Position, Refused, Row, Seen, Unpublished
from torture.check.selftest import cash, group
from torture.check.selftest.scribe import ENTITIES, FIRST_DAY, OPEN_ON, Scribe
from torture.check.selftest.story import log_of, tell
from torture.check.topology import HEARS, OWNER_OF, SERVICES
from torture.check.vitals import Vital, Vitals

_US: Final = ("US01", "C-1", "USD")
_C2: Final = ("US01", "C-2", "USD")
_KW: Final = ("KW01", "C-9", "KWD")
_ADJ: Final = "US01|adj|INV-3|1"
_ADJUSTED: Final = ("US01|INV-3|1", "C-2", "USD", "bad_debt")
_NOTICE: Final = ("KW01|C-9|KWD|2025-01-06", *_KW, date(2025, 1, 6))
_CLOSED_ON: Final = date(2025, 1, 6)


def evidence() -> Evidence:
    """Return evidence in which every invariant holds."""
    scribe = tell()
    log = log_of(scribe)
    shelves: dict[str, Shelf] = {
        service: _with([*cash.kept_by(service), *group.kept_by(service)], {**_protocol(service, scribe), **own})
        for service, own in _own(log).items()
    }
    commands = _commands()
    replays = [Replay(one, one.status or 0, one.answer or b"", 422) for one in commands if one.was_accepted]
    rush = Rush("CHECKER-4", [201] * 20, frozenset([b"{}"]), 1)
    return Evidence(Books(shelves), log, _expected(log, commands), _aging(), replays, [rush], _vitals())


def _with(rows: Sequence[Row], shelf: Shelf) -> Shelf:
    """Put rows behind those of their kind."""
    kinds = dict.fromkeys(map(type, rows))
    return {**shelf, **{kind: [*shelf.get(kind, ()), *(row for row in rows if type(row) is kind)] for kind in kinds}}


def _protocol(service: str, scribe: Scribe) -> Shelf:
    """Everything said was heard, and nothing waits."""
    places = {(record.key or b"").decode(): record.place for record in scribe.records}
    parked: list[Row] = []
    if "receivables.invoice" in HEARS[service]:
        parked.append(Parked(1, "receivables.invoice", "poison|1", *places["poison|1"][1:], "unreadable", None, "parked"))
    refused: list[Row] = [Refused(1, *places["e-BAD-1"], "[]", False)] if service == "invoice" else []
    return {
        Position: [Position(*place, end) for place, end in scribe.ends.items() if place[0] in HEARS[service]],
        Day: [Day(entity, OPEN_ON, None, 0) for entity in ENTITIES],
        Head: [Head(*stream, n) for stream, n in scribe.heads.items() if OWNER_OF[stream[0]] == service],
        Seen: [Seen(*stream, n) for stream, n in scribe.heads.items() if stream[0] in HEARS[service]],
        Unpublished: [Unpublished(0, None)],
        Parked: parked,
        Refused: refused,
    }


def _own(log: Log) -> dict[str, Shelf]:
    """What each service keeps of the story."""
    clerk, analyst = (
        ("US01", "clerk-1", "POST /v1/invoices", "k-1", 201),
        ("US01", "analyst-1", "PUT /v1/accounts/{account}/limit", "k-3", 200),
    )
    return {
        "invoice": {**_issuing(), Idem: [Idem(*clerk)]},
        "payment": _settlement(),
        "credit": {
            Exposure: [
                Exposure(*_US, 4_000, 2_500, 0, 1_500, 500_000),
                Exposure(*_KW, 70_125, 0, 0, 70_125, None),
                Exposure(*_C2, 0, 0, 0, 0, None),
            ],
            Idem: [Idem(*analyst)],
        },
        "dunning": {
            DunnedItem: [
                DunnedItem("US01|INV-1|1", *_US, 0, 0, None),
                DunnedItem("US01|INV-2|1", *_US, 0, 0, None),
                DunnedItem("US01|INV-2|2", *_US, 4_000, 0, None),
                DunnedItem("KW01|INV-K|1", *_KW, 70_125, 1, _CLOSED_ON),
                DunnedItem("US01|INV-3|1", *_C2, 0, 0, None),
                DunnedItem("US01|DM-1|1", *_C2, 0, 0, None),
            ],
            Notice: [Notice(*_NOTICE, 1, 70_125, ["KW01|INV-K|1"], 70_125)],
        },
        "reporting": {
            ReportedItem: [
                ReportedItem("US01|INV-1|1", *_US, 0),
                ReportedItem("US01|INV-2|1", *_US, 0),
                ReportedItem("US01|INV-2|2", *_US, 4_000),
                ReportedItem("KW01|INV-K|1", *_KW, 70_125),
                ReportedItem("US01|INV-3|1", *_C2, 0),
                ReportedItem("US01|DM-1|1", *_C2, 0),
            ],
            ReportedReceipt: [
                ReportedReceipt("US01|B-1", "US01", "USD", 13_000, 10_500, 0),
                ReportedReceipt("US01|B-2", "US01", "USD", 900, 0, 900),
                ReportedReceipt("US01|B-3", "US01", "USD", 4_000, 4_000, 0),
            ],
            Balance: [Balance(*_US, 4_000, 0, 2_500, 1_500), Balance(*_KW, 70_125, 0, 0, 70_125), Balance(*_C2, 0, 0, 0, 0)],
            ReportedNotice: [ReportedNotice(*_NOTICE, 1, OPEN_ON)],
            **_cube(log),
        },
    }


def _issuing() -> Shelf:
    """What the invoice service keeps of documents and of requests to write off."""
    return {
        Document: [
            Document("US01", "US01|INV-1", "invoice", "C-1", "USD", 10_000, FIRST_DAY),
            Document("US01", "US01|INV-2", "invoice", "C-1", "USD", 6_000, FIRST_DAY),
            Document("US01", "US01|CM-1", "credit_memo", "C-1", "USD", 1_500, FIRST_DAY),
            Document("KW01", "KW01|INV-K", "invoice", "C-9", "KWD", 70_125, FIRST_DAY),
            Document("US01", "US01|INV-3", "invoice", "C-2", "USD", 8_000, FIRST_DAY),
            Document("US01", "US01|DM-1", "debit_memo", "C-2", "USD", 3_000, FIRST_DAY),
        ],
        Item: [
            Item("US01|INV-1|1", *_US, 10_000, 0, 10_000, 0, 0),
            Item("US01|INV-2|1", *_US, 2_000, 0, 500, 1_500, 0),
            Item("US01|INV-2|2", *_US, 4_000, 4_000, 0, 0, 0),
            Item("KW01|INV-K|1", *_KW, 70_125, 70_125, 0, 0, 0),
            Item("US01|INV-3|1", *_C2, 8_000, 0, 4_000, 0, 4_000),
            Item("US01|DM-1|1", *_C2, 0, 0, 0, 0, 0),
        ],
        Adjustment: [
            Adjustment(f"{_ADJ}|1", "US01", *_ADJUSTED, "posted", 4_800, 4_800, 4_800, 800, "clerk-1", "approver-1"),
            Adjustment(f"{_ADJ}|2", "US01", *_ADJUSTED, "rejected", 100, 0, 0, 0, "clerk-1", "approver-1"),
            Adjustment(f"{_ADJ}|3", "US01", *_ADJUSTED, "pending", 200, 0, 0, 0, "clerk-2", None),
        ],
        Memo: [Memo("US01|CM-1", *_US, 1_500, 0)],
    }


def _settlement() -> Shelf:
    moves = [
        (1, "memo_credit", "item", 1_500),
        (2, "unapplied", "item", 10_000),
        (3, "unapplied", "item", 500),
        (4, "unapplied", "item", 1_000),
        (5, "unapplied", "item", -1_000),
        (6, "unapplied", "on_account", 2_500),
    ]
    corrections = [
        (7, "void", "item", 3_000),
        (8, "adjustment", "item", 4_800),
        (9, "adjustment", "item", -800),
        (10, "unapplied", "item", 4_000),
    ]
    return {
        LedgerItem: [
            LedgerItem("US01|INV-1|1", *_US, 10_000, 0, 10_000, 0),
            LedgerItem("US01|INV-2|1", *_US, 2_000, 0, 500, 1_500),
            LedgerItem("US01|INV-2|2", *_US, 4_000, 4_000, 0, 0),
            LedgerItem("KW01|INV-K|1", *_KW, 70_125, 70_125, 0, 0),
            LedgerItem("US01|INV-3|1", *_C2, 8_000, 0, 4_000, 0, adjusted_minor=4_000),
            LedgerItem("US01|DM-1|1", *_C2, 3_000, 0, 0, 0, voided_minor=3_000),
        ],
        LedgerAdjustment: [LedgerAdjustment(f"{_ADJ}|1", *_C2, "US01|INV-3|1", "bad_debt", 4_800, 4_000)],
        LedgerMemo: [LedgerMemo("US01|CM-1", *_US, 1_500, 0, 1_500)],
        Receipt: [
            Receipt("US01|B-1", *_US, 13_000, 0, 0, 2_500, 10_500),
            Receipt("US01|B-2", "US01", None, "USD", 900, 900, 0, 0, 0),
            Receipt("US01|B-3", *_C2, 4_000, 0, 0, 0, 4_000),
        ],
        Application: [
            Application("memo|1", "memo", "US01|CM-1", "US01|INV-2|1", "USD", 1_500, 0),
            Application("money|1", "receipt", "US01|B-1", "US01|INV-1|1", "USD", 10_000, 0),
            Application("money|2", "receipt", "US01|B-1", "US01|INV-2|1", "USD", 500, 0),
            Application("money|3", "receipt", "US01|B-1", "US01|INV-2|2", "USD", 0, 1_000),
            Application("money|4", "receipt", "US01|B-3", "US01|INV-3|1", "USD", 4_000, 0),
        ],
        Leg: [
            leg
            for account, entries in ((_US, moves), (_C2, corrections))
            for entry, source, to, minor in entries
            for leg in (Leg(entry, *account, source, -minor), Leg(entry, *account, to, minor))
        ],
    }


def _cube(log: Log) -> Shelf:
    """The one part that is not written by hand, being long: the fold of the log. A real read model is compared with it elsewhere."""
    sums: dict[tuple[str, str, str, date | None, date, date], int] = defaultdict(int)
    by_account: list[AccountDelta] = []
    for (entity, account, currency, measure, due_on, effective_on, booked_on), minor in fold(log.firsts).cube.items():
        sums[entity, currency, measure, due_on, effective_on, booked_on] += minor
        if account is not None:
            by_account.append(AccountDelta(entity, account, currency, measure, due_on, effective_on, booked_on, minor))
    return {CubeDelta: [CubeDelta(*key, minor) for key, minor in sums.items()], AccountDelta: by_account}


def _commands() -> list[Command]:
    invoices = ("invoice", "POST", "POST /v1/invoices", "/v1/invoices", "US01", "clerk-1")
    limits = ("credit", "PUT", "PUT /v1/accounts/{account}/limit", "/v1/accounts/C-1/limit", "US01", "analyst-1")
    return [
        Command(*invoices, "k-1", b"{}", 201, b'{"document_no":"INV-2"}', "US01|INV-2"),
        Command(*invoices, "k-2", b"{}", 422, b"{}"),
        Command(*invoices, "k-4", b"{}", None),
        Command(*limits, "k-3", b"{}", 200, b'{"limit":"5000.00"}'),
    ]


def _expected(log: Log, commands: list[Command]) -> Expected:
    documents = [
        ExpectedDocument("US01|INV-1", "invoice", *_US, 10_000),
        ExpectedDocument("US01|INV-2", "invoice", *_US, 6_000),
        ExpectedDocument("US01|CM-1", "credit_memo", *_US, 1_500),
        ExpectedDocument("KW01|INV-K", "invoice", *_KW, 70_125),
        ExpectedDocument("US01|INV-3", "invoice", *_C2, 8_000),
        ExpectedDocument("US01|DM-1", "debit_memo", *_C2, 3_000),
    ]
    asked = ("US01", "US01|INV-3|1", "USD")
    adjustments = [
        ExpectedAdjustment(f"{_ADJ}|1", *asked, 4_800, "clerk-1", "approved", 4_800, "approver-1"),
        ExpectedAdjustment(f"{_ADJ}|2", *asked, 100, "clerk-1", "rejected", 0, "approver-1"),
        ExpectedAdjustment(f"{_ADJ}|3", *asked, 200, "clerk-2", "pending"),
    ]
    receipts = [ExpectedReceipt("US01|B-1", "US01", "USD", 13_000, "C-1"), ExpectedReceipt("US01|B-2", "US01", "USD", 900, None)]
    receipts.append(ExpectedReceipt("US01|B-3", "US01", "USD", 4_000, "C-2"))
    documents += [*cash.expected_documents(), *group.expected_documents()]
    receipts += [*cash.expected_receipts(), *group.expected_receipts()]
    outcomes = {b"poison|1": ("not UTF-8", Outcome.PARKED), b"e-BAD-1": ("currency unknown", Outcome.REFUSED)}
    return Expected(
        documents={one.document: one for one in documents},
        receipts={one.receipt: one for one in receipts},
        maybe=frozenset({"US01|INV-3"}),
        nets={_US: 1_500, _KW: 70_125, _C2: 4_000, cash.OWNER: cash.NET_MINOR, **group.NETS},
        refunds={one.refund: one for one in cash.expected_refunds()},
        transfers={one.transfer: one for one in group.expected_transfers()},
        debited=frozenset({"US01|B-11"}),
        groups=group.GROUPS,
        adjustments={one.adjustment: one for one in adjustments},
        voided=frozenset({"US01|DM-1"}),
        limits={_US: 500_000},
        poisons=[
            ExpectedPoison(outcomes[record.key][0], *record.place, outcomes[record.key][1])
            for record in log.records
            if record.key in outcomes
        ],
        commands=commands,
    )


def _aging() -> list[Aging]:
    owed = AgingRow("C-1", "USD", (4_000, 0, 0, 0, 0), 4_000, 0, 2_500)
    dinars = AgingRow("C-9", "KWD", (0, 70_125, 0, 0, 0), 70_125, 0, 0)
    opening = AgingRow("C-1", "USD", (14_500, 0, 0, 0, 0), 14_500, 0, 0)
    written_off = AgingRow("C-2", "USD", (11_000, 0, 0, 0, 0), 11_000, 0, 0)
    return [
        Aging("US01", _CLOSED_ON, None, [owed, cash.AGED, *group.AGED]),
        Aging("US01", FIRST_DAY, FIRST_DAY, [opening, written_off, *cash.AGED_FIRST]),
        Aging("KW01", _CLOSED_ON, _CLOSED_ON, [dinars]),
    ]


def _vitals() -> Vitals:
    looks = tuple(Vital(f"{service}-1", 100, float(s), 80_000_000 + s % 7, 40) for service in SERVICES for s in range(0, 900, 10))
    return Vitals(looks, dict.fromkeys(SERVICES, 5), dict.fromkeys(SERVICES, 12))
