"""The books of the accounts of a batch between their rows and the values `domain.settle` reads and writes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from asyncpg import Record
from chassis.database import Connection

from payment.domain import MEMO, RECEIPT, Books, Entry, Item, Memo, Money, Source, Standing
from payment.queries import books as queries
from payment.queries import payers
from payment.queries.books import NewEntry
from payment.queries.payers import KnownDocument

REORDERED = "reordered"
WORTH_LESS = "worth_less"


class Change(NamedTuple):
    """
    What is to be booked: on which account (row id), which entry, how much.

    `reason` is given where an application is taken back; `is_finished` is what `domain.finished` says of the entry.
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

    `names` are the invoices that receipts (row id) name. `complete` are the accounts all of whose open items are here.
    """

    open_on: Mapping[int, date]
    names: Mapping[int, tuple[str, ...]]
    booked: dict[int, dict[Entry, int]] = field(default_factory=lambda: defaultdict(dict))
    items: dict[str, Record] = field(default_factory=dict)
    sources: dict[Source, Record] = field(default_factory=dict)
    standing: dict[str, list[Standing]] = field(default_factory=lambda: defaultdict(list))
    complete: set[int] = field(default_factory=set)

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
            else:
                self._of(books, row).money.append(self._money(source, row, undone[source], on_account[source]))
        by_account: dict[int, list[Books]] = defaultdict(list)
        for (account_id, _), one in sorted(books.items(), key=lambda of: of[0]):
            by_account[account_id].append(one)
        return by_account

    def _of(self, books: dict[tuple[int, str], Books], row: Record) -> Books:
        key = row["account_id"], row["currency"]
        return books.setdefault(key, Books([], [], [], has_all_items=row["account_id"] in self.complete))

    def index(self, items: Iterable[Record], memos: Iterable[Record], receipts: Iterable[Record]) -> "_Ids":
        """Take rows in, and return their ids in facts by their own."""
        self.items |= {f"{row['entity']}|{row['document_no']}|{row['n']}": row for row in items}
        self.sources |= {Source(MEMO, f"{row['entity']}|{row['document_no']}"): row for row in memos}
        self.sources |= {Source(RECEIPT, f"{row['entity']}|{row['bank_ref']}"): row for row in receipts}
        kinds: dict[str, dict[int, Source]] = {MEMO: {}, RECEIPT: {}}
        for source, row in self.sources.items():
            kinds[source.kind][row["id"]] = source
        return _Ids({row["id"]: item for item, row in self.items.items()}, kinds[MEMO], kinds[RECEIPT])

    def _item(self, item_id: str, row: Record, applied_today: int) -> Item:
        open_minor = row["total_minor"] - row["settled_minor"] - row["credited_minor"] + applied_today
        standing = tuple(self.standing.get(item_id, ()))
        return Item(item_id, row["document_no"], row["n"], row["due_on"], row["issued_on"], open_minor, standing)

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


async def load(db: Connection, open_on: Mapping[int, date]) -> Ledger:
    """
    Load the books of accounts (row ids, locked) with one statement per table.

    That is money and credit not spent, what today's entries touch unless it is finished, and the items that something names; for a memo of
    today also what stands on them. All other open items come with `load_open_items`, where something looks for the oldest.
    """
    days = sorted(open_on.items())
    booked = await queries.load_entries(db, days)
    touched = _Touched.by(booked)
    memos = await queries.load_memos(db, days, touched.memos)
    named = {(row["account_id"], row["entity"], row["names"]) for row in memos if row["names"] is not None}
    reducible = await queries.find_named_items(db, named) if named else []
    fresh = {(row["account_id"], row["names"]) for row in memos if row["booked_on"] == open_on[row["account_id"]]}
    reduced = [(row["id"], open_on[row["account_id"]]) for row in reducible if (row["account_id"], row["document_no"]) in fresh]
    standing = await queries.load_standing(db, reduced) if reduced else []
    pushed = _Touched.by(standing)
    if spent := pushed.memos - {row["id"] for row in memos}:
        memos += [row for row in await queries.load_memos(db, days, spent) if row["id"] in spent]
    receipts = await queries.load_receipts(db, days, touched.receipts | pushed.receipts)
    names = await _invoices_named(db, receipts)
    item_ids = touched.items.union(row["id"] for row in reducible)
    document_ids = {document.id for documents in names.values() for document in documents}
    items = await queries.load_items(db, item_ids, document_ids) if item_ids or document_ids else []

    ledger = Ledger(open_on, {receipt_id: tuple(one.document_no for one in documents) for receipt_id, documents in names.items()})
    ids = ledger.index(items, memos, receipts)
    for row in booked:
        ledger.booked[row["account_id"]][_entry(row, ids)] = row["amount_minor"]
    for row in standing:
        entry = _entry(row, ids)
        one = Standing(entry.application, entry.source, entry.rule, row["amount_minor"], entry.effective_on, entry.applied_on)
        ledger.standing[entry.item].append(one)
    return ledger


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
        home = ("invoice", row["account"], row["currency"])
        named[row["id"]] = [one for one in in_order if (one.kind, one.account, one.currency) == home]
    return named


async def load_open_items(db: Connection, ledger: Ledger, account_ids: Collection[int]) -> None:
    """Complete the items of some of the accounts."""
    ledger.index(await queries.load_open_items(db, account_ids), (), ())
    ledger.complete.update(account_ids)


async def save(db: Connection, ledger: Ledger, changes: Sequence[Change]) -> None:
    """Add the changes to the ledger and to what they move, with one statement per table."""
    settled: dict[str, int] = defaultdict(int)
    credited: dict[str, int] = defaultdict(int)
    applied: dict[Source, int] = defaultdict(int)
    on_account: dict[Source, int] = defaultdict(int)
    for _, entry, minor, _, _ in changes:
        if entry.item:
            (settled if entry.source.kind == RECEIPT else credited)[entry.item] += minor
            applied[entry.source] += minor
        else:
            on_account[entry.source] += minor
    sources = sorted(applied.keys() | on_account.keys())
    await queries.insert_entries(db, [_new_entry(ledger, change) for change in changes])
    await queries.add_to_items(
        db, sorted((ledger.items[item]["id"], settled[item], credited[item]) for item in settled.keys() | credited.keys())
    )
    await queries.add_to_memos(db, [(ledger.sources[one]["id"], applied[one]) for one in sources if one.kind == MEMO])
    await queries.add_to_receipts(
        db, [(ledger.sources[one]["id"], applied[one], on_account[one]) for one in sources if one.kind == RECEIPT]
    )


def _new_entry(ledger: Ledger, change: Change) -> NewEntry:
    entry, source_id = change.entry, ledger.sources[change.entry.source]["id"]
    return NewEntry(
        account_id=change.account_id,
        receipt_id=source_id if entry.source.kind == RECEIPT else None,
        memo_id=source_id if entry.source.kind == MEMO else None,
        item_id=ledger.items[entry.item]["id"] if entry.item else None,
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
    """From row ids to ids in facts."""

    items: Mapping[int, str]
    memos: Mapping[int, Source]
    receipts: Mapping[int, Source]


def _entry(row: Record, ids: _Ids) -> Entry:
    source = ids.memos[row["memo_id"]] if row["receipt_id"] is None else ids.receipts[row["receipt_id"]]
    item = "" if row["item_id"] is None else ids.items[row["item_id"]]
    return Entry(row["application"] or "", source, item, row["rule"], row["effective_on"], row["applied_on"])


class _Touched(NamedTuple):
    """Row ids that entries speak of."""

    items: set[int]
    memos: set[int]
    receipts: set[int]

    @classmethod
    def by(cls, rows: Iterable[Record]) -> "_Touched":
        touched = cls(set(), set(), set())
        for row in rows:
            for ids, column in zip(touched, ("item_id", "memo_id", "receipt_id"), strict=True):
                if row[column] is not None:
                    ids.add(row[column])
        return touched
