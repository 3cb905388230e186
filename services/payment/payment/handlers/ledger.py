"""The books of the accounts of a batch between their rows and the values `domain.settle` reads and writes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from asyncpg import Record
from chassis.database import Connection

from payment.domain import (
    ADJUSTMENT,
    MEMO,
    RECEIPT,
    RECOVERED,
    VOID,
    Adjustment,
    Books,
    Entry,
    Item,
    Memo,
    Money,
    Source,
    Standing,
    tax_part,
)
from payment.handlers.bookings import BILLED
from payment.queries import books as queries
from payment.queries import corrections, payers
from payment.queries.books import NewEntry
from payment.queries.payers import KnownDocument

REORDERED = "reordered"
WORTH_LESS = "worth_less"


class Brought(NamedTuple):
    """Row ids of what a batch brings to correct items: items of voided documents with their accounts, adjustments with their items."""

    voided: Mapping[int, int] = MappingProxyType({})
    adjustments: Mapping[int, int] = MappingProxyType({})


NOTHING = Brought()


class Change(NamedTuple):
    """
    What is to be booked: on which account (row id), which entry, how much.

    `reason` is given where something is taken back off an item; `is_finished` is what `domain.finished` says of the entry.
    """

    account_id: int
    entry: Entry
    minor: int
    reason: str | None
    is_finished: bool


@dataclass(slots=True)
class Ledger:
    """
    Rows by their ids in facts, and what is `booked` on the open day of each account (row id).

    `names` are the invoices that receipts (row id) name. `complete` are the accounts all of whose open items are here. `posted` is what
    stands of adjustments while changes are booked.
    """

    open_on: Mapping[int, date]
    names: Mapping[int, tuple[str, ...]]
    booked: dict[int, dict[Entry, int]] = field(default_factory=lambda: defaultdict(dict))
    items: dict[str, Record] = field(default_factory=dict)
    sources: dict[Source, Record] = field(default_factory=dict)
    standing: dict[str, list[Standing]] = field(default_factory=lambda: defaultdict(list))
    complete: set[int] = field(default_factory=set)
    posted: dict[Source, int] = field(default_factory=dict)

    def books(self) -> dict[int, list[Books]]:
        """Undo today's entries: the books of every account, by currency, as they opened, with what came today on top."""
        undone: dict[Source | str, int] = defaultdict(int)
        on_account: dict[Source, int] = defaultdict(int)
        for entry, minor in (change for entries in self.booked.values() for change in entries.items()):
            if entry.item:
                undone[entry.item] += minor
                undone[entry.source] += minor
            else:
                on_account[entry.source] += minor
        books: dict[tuple[int, str], Books] = {}
        for item_id, row in self.items.items():
            self._of(books, row).items.append(self._item(item_id, row, undone[item_id]))
        for source, row in self.sources.items():
            if source.kind == MEMO:
                self._of(books, row).memos.append(_memo(source, row, undone[source]))
            elif source.kind == ADJUSTMENT:
                if row["booked_on"] == self.open_on[row["account_id"]]:
                    self._of(books, row).adjustments.append(_adjustment(source, row))
            else:
                self._of(books, row).money.append(self._money(source, row, undone[source], on_account[source]))
        by_account: dict[int, list[Books]] = defaultdict(list)
        for (account_id, _), one in sorted(books.items(), key=lambda of: of[0]):
            by_account[account_id].append(one)
        return by_account

    def _of(self, books: dict[tuple[int, str], Books], row: Record) -> Books:
        key = row["account_id"], row["currency"]
        return books.setdefault(key, Books([], [], [], has_all_items=row["account_id"] in self.complete))

    def index(
        self, items: Iterable[Record], memos: Iterable[Record], receipts: Iterable[Record], adjustments: Iterable[Record] = ()
    ) -> "_Ids":
        """Take rows in, and return their ids in facts by their own."""
        self.items |= {f"{row['entity']}|{row['document_no']}|{row['n']}": row for row in items}
        self.sources |= {Source(MEMO, f"{row['entity']}|{row['document_no']}"): row for row in memos}
        self.sources |= {Source(RECEIPT, f"{row['entity']}|{row['bank_ref']}"): row for row in receipts}
        self.sources |= {Source(ADJUSTMENT, row["adjustment"]): row for row in adjustments}
        sources: dict[str, dict[int, Source]] = {MEMO: {}, RECEIPT: {}, ADJUSTMENT: {}}
        for source, row in self.sources.items():
            sources[source.kind][row["id"]] = source
        voids = {row["document_id"]: Source(VOID, f"{row['entity']}|{row['document_no']}") for row in self.items.values()}
        return _Ids({row["id"]: item for item, row in self.items.items()}, {**sources, VOID: voids})

    def post(self, adjustment: Source, minor: int) -> int:
        """Count what an entry moves of an adjustment; return how much of that is tax."""
        row = self.sources[adjustment]
        before = self.posted.setdefault(adjustment, row["posted_minor"])
        self.posted[adjustment] = after = before + minor
        approved = row["approved_minor"], row["tax_minor"]
        return tax_part(after, *approved) - tax_part(before, *approved)

    def _item(self, item_id: str, row: Record, applied_today: int) -> Item:
        return Item(
            id=item_id,
            document_no=row["document_no"],
            n=row["n"],
            due_on=row["due_on"],
            document_on=row["issued_on"],
            open_minor=row["open_minor"] + applied_today,
            standing=tuple(self.standing.get(item_id, ())),
            void_on=row["voided_on"] if row["void_booked_on"] == self.open_on[row["account_id"]] else None,
        )

    def _money(self, source: Source, row: Record, applied_today: int, on_account_today: int) -> Money:
        on_account = row["on_account_minor"] - on_account_today
        return Money(
            id=source.id,
            bank_ref=row["bank_ref"],
            value_on=row["value_on"],
            unapplied_minor=row["amount_minor"] - row["applied_minor"] + applied_today - on_account,
            on_account_minor=on_account,
            names=self.names.get(row["id"], ()),
            came_on=row["identified_on"],
            free_on=max(row["value_on"], row["given_on"] or row["value_on"]),
        )


def _memo(source: Source, row: Record, applied_today: int) -> Memo:
    return Memo(
        id=source.id,
        document_no=row["document_no"],
        document_on=row["issued_on"],
        remaining_minor=row["total_minor"] - row["applied_minor"] + applied_today,
        names=row["names"],
        came_on=row["booked_on"],
        free_on=max(row["issued_on"], row["given_on"] or row["issued_on"]),
    )


def _adjustment(source: Source, row: Record) -> Adjustment:
    item = f"{row['entity']}|{row['document_no']}|{row['n']}"
    return Adjustment(source.id, item, row["kind"], row["approved_minor"], row["effective_on"])


async def load(db: Connection, open_on: Mapping[int, date], brought: Brought = NOTHING) -> Ledger:
    """
    Load the books of accounts (row ids, locked) with one statement per table.

    That is money and credit not spent, what today's entries touch unless it is finished, and the items that something names; of items that
    become worth less today also what stands on them, of those that are written off the adjustments. All other open items come with
    `load_open_items`, where something looks for the oldest.
    """
    days = sorted(open_on.items())
    booked = await queries.load_entries(db, days)
    touched = _Touched.by(booked)
    memos = await queries.load_memos(db, days, touched.memos)
    named = {(row["account_id"], row["entity"], row["names"]) for row in memos if row["names"] is not None}
    reducible = await queries.find_named_items(db, named) if named else []
    fresh = {(row["account_id"], row["names"]) for row in memos if row["booked_on"] == open_on[row["account_id"]]}
    reduced = {row["id"]: row["account_id"] for row in reducible if (row["account_id"], row["document_no"]) in fresh}
    reduced |= {**touched.voided, **brought.voided}
    standing = await queries.load_standing(db, _days(reduced, open_on)) if reduced else []
    pushed = _Touched.by(standing)
    if spent := pushed.memos - {row["id"] for row in memos}:
        memos += [row for row in await queries.load_memos(db, days, spent) if row["id"] in spent]
    receipts = await queries.load_receipts(db, days, touched.receipts | pushed.receipts)
    names = await _invoices_named(db, receipts)
    item_ids = touched.items.union((row["id"] for row in reducible), brought.voided, brought.adjustments.values())
    document_ids = {document.id for documents in names.values() for document in documents}
    items = await queries.load_items(db, item_ids, document_ids) if item_ids or document_ids else []
    adjusted = {row["id"]: row["account_id"] for row in items if row["adjusted_minor"] or row["id"] in touched.adjusted}
    if recoverable := _days({item_id: account_id for item_id, account_id in adjusted.items() if item_id not in reduced}, open_on):
        standing += await queries.load_standing(db, recoverable, adjustments_only=True)
    adjustment_ids = _Touched.by(standing).adjustments.union(touched.adjustments, brought.adjustments)
    adjustments = await corrections.load_adjustments(db, adjustment_ids) if adjustment_ids else []

    ledger = Ledger(open_on, {receipt_id: tuple(one.document_no for one in documents) for receipt_id, documents in names.items()})
    ids = ledger.index(items, memos, receipts, adjustments)
    for row in booked:
        ledger.booked[row["account_id"]][_entry(row, ids)] = row["amount_minor"]
    _stand(ledger, [(_entry(row, ids), row["amount_minor"]) for row in standing])
    return ledger


def _days(items: Mapping[int, int], open_on: Mapping[int, date]) -> list[tuple[int, date]]:
    """Return the open days of items, by row id, given with their accounts."""
    return [(item_id, open_on[account_id]) for item_id, account_id in items.items()]


def _stand(ledger: Ledger, entries: Iterable[tuple[Entry, int]]) -> None:
    """Put together what stands on items of earlier days, from what was booked by application and date, in the order of the dates."""
    by_application: dict[tuple[str, str], list[tuple[Entry, int]]] = defaultdict(list)
    for entry, minor in entries:
        by_application[entry.item, entry.application].append((entry, minor))
    for (item, application), steps in by_application.items():
        first = next((entry for entry, _ in steps if entry.rule != RECOVERED), steps[0][0])
        since = steps[0][0].effective_on
        later = tuple((entry.effective_on, minor) for entry, minor in steps if entry.effective_on > since)
        minor = sum(minor for _, minor in steps)
        ledger.standing[item].append(Standing(application, first.source, first.rule, minor, since, first.applied_on, later))


async def _invoices_named(db: Connection, receipts: Sequence[Record]) -> dict[int, list[KnownDocument]]:
    """The invoices of their own account and currency that receipts (by row id) name, each once, in the order of the remittance."""
    if not receipts:
        return {}
    clues = await payers.load_clues(db, [row["id"] for row in receipts])
    documents = await payers.find_documents(db, {digest for places in clues.values() for digest in places.values()})
    named: dict[int, list[KnownDocument]] = {}
    for row in receipts:
        at = [(place, one.document_no, one) for place, digest in clues[row["id"]].items() for one in documents.get(digest, ())]
        in_order = dict.fromkeys(one for _, _, one in sorted(at, key=lambda one: one[:2]))
        home = row["account"], row["currency"]
        named[row["id"]] = [one for one in in_order if one.kind in BILLED and (one.account, one.currency) == home]
    return named


async def load_open_items(db: Connection, ledger: Ledger, account_ids: Collection[int]) -> None:
    """Complete the items of some of the accounts."""
    ledger.index(await queries.load_open_items(db, account_ids), (), ())
    ledger.complete.update(account_ids)


async def save(db: Connection, ledger: Ledger, changes: Sequence[Change]) -> None:
    """Add the changes to the ledger and to what they move, with one statement per table."""
    taken_off: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    applied: dict[Source, int] = defaultdict(int)
    on_account: dict[Source, int] = defaultdict(int)
    for _, entry, minor, _, _ in changes:
        if entry.item:
            taken_off[entry.item][entry.source.kind] += minor
            applied[entry.source] += minor
        else:
            on_account[entry.source] += minor
    sources = {kind: sorted(one for one in applied.keys() | on_account.keys() if one.kind == kind) for kind in (MEMO, ADJUSTMENT, RECEIPT)}
    await queries.insert_entries(db, [_new_entry(ledger, change) for change in changes])
    await queries.add_to_items(
        db, sorted((ledger.items[item]["id"], by[RECEIPT], by[MEMO], by[ADJUSTMENT], by[VOID]) for item, by in taken_off.items())
    )
    await queries.add_to_memos(db, [(ledger.sources[one]["id"], applied[one]) for one in sources[MEMO]])
    await corrections.add_to_adjustments(db, [(ledger.sources[one]["id"], applied[one]) for one in sources[ADJUSTMENT]])
    await queries.add_to_receipts(db, [(ledger.sources[one]["id"], applied[one], on_account[one]) for one in sources[RECEIPT]])


def _new_entry(ledger: Ledger, change: Change) -> NewEntry:
    entry, kind = change.entry, change.entry.source.kind
    item = ledger.items[entry.item] if entry.item else None
    source_id = item["document_id"] if item and kind == VOID else ledger.sources[entry.source]["id"]
    return NewEntry(
        account_id=change.account_id,
        receipt_id=source_id if kind == RECEIPT else None,
        memo_id=source_id if kind == MEMO else None,
        adjustment_id=source_id if kind == ADJUSTMENT else None,
        void_id=source_id if kind == VOID else None,
        item_id=item["id"] if item else None,
        application=entry.application or None,
        rule=entry.rule,
        reason=change.reason,
        amount_minor=change.minor,
        applied_on=entry.applied_on,
        booked_on=ledger.open_on[change.account_id],
        effective_on=entry.effective_on,
        is_finished=change.is_finished,
    )


class _Ids(NamedTuple):
    """From row ids to ids in facts; `sources` by kind."""

    items: Mapping[int, str]
    sources: Mapping[str, Mapping[int, Source]]


_SOURCES = (("receipt_id", RECEIPT), ("memo_id", MEMO), ("adjustment_id", ADJUSTMENT), ("void_id", VOID))


def _entry(row: Record, ids: _Ids) -> Entry:
    source = next(ids.sources[kind][row[column]] for column, kind in _SOURCES if row[column] is not None)
    item = "" if row["item_id"] is None else ids.items[row["item_id"]]
    return Entry(row["application"] or "", source, item, row["rule"], row["effective_on"], row["applied_on"])


@dataclass(slots=True)
class _Touched:
    """Row ids that entries speak of; `voided` are items with a void, and their accounts, `adjusted` those with an adjustment."""

    items: set[int] = field(default_factory=set)
    memos: set[int] = field(default_factory=set)
    receipts: set[int] = field(default_factory=set)
    adjustments: set[int] = field(default_factory=set)
    adjusted: set[int] = field(default_factory=set)
    voided: dict[int, int] = field(default_factory=dict)

    @classmethod
    def by(cls, rows: Iterable[Record]) -> "_Touched":
        touched = cls()
        for row in rows:
            item_id = row["item_id"]
            if item_id is not None:
                touched.items.add(item_id)
            if row["receipt_id"] is not None:
                touched.receipts.add(row["receipt_id"])
            elif row["memo_id"] is not None:
                touched.memos.add(row["memo_id"])
            elif row["adjustment_id"] is not None:
                touched.adjustments.add(row["adjustment_id"])
                touched.adjusted.add(item_id)
            else:
                touched.voided[item_id] = row["account_id"]
        return touched
