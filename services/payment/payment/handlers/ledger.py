"""The books of the accounts of a batch between their rows and the values `domain.settle` reads and writes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from asyncpg import Record
from chassis.database import Connection

from payment.domain import (
    ADJUSTMENT,
    ALLOWANCE,
    DISCOUNTS,
    FX,
    MEMO,
    NAMED_ITEMS,
    ON_ACCOUNT,
    PINNED,
    RECEIPT,
    REFUNDED,
    RETURNED,
    TRANSFERRED,
    VOID,
    Adjustment,
    Books,
    Decision,
    EarlyPayment,
    Entry,
    Item,
    Memo,
    Money,
    Reach,
    Source,
    Standing,
    Stated,
    Worth,
    tax_part,
)
from payment.handlers.kept import early_from_json, stated_from_json
from payment.queries import books as queries
from payment.queries import corrections
from payment.queries.books import ItemMove, MemoMove, NewEntry, ReceiptMove, Row
from payment.queries.intake import NewReceipt, insert_receipts

OfItem: TypeAlias = tuple[str, str]
EARNED_OR_NOT: Final = "discounts"
LET_GO: Final = "allowances"
MOVED_OF_RECEIPTS: Final = (ON_ACCOUNT, REFUNDED, RETURNED, TRANSFERRED, PINNED)


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


class Ids(NamedTuple):
    """From row ids to ids in facts; `sources` by kind."""

    items: Mapping[int, str]
    sources: Mapping[str, Mapping[int, Source]]


@dataclass(slots=True)
class Undone:
    """What today's entries moved: of items, of what memos and adjustments relieve and discounts grant of them, of sources."""

    items: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    relieved: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    granted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    applied: dict[Source, int] = field(default_factory=lambda: defaultdict(int))
    moved: dict[Source, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))

    @classmethod
    def by(cls, entries: Iterable[tuple[Entry, int]]) -> "Undone":
        """Add up entries."""
        undone = cls()
        for entry, minor in entries:
            if entry.rule == FX:
                continue
            if not entry.item:
                undone.moved[entry.source][_disposition(entry)] += minor
                continue
            undone.items[entry.item] += minor
            undone.applied[entry.source] += minor
            if entry.source.kind in (MEMO, ADJUSTMENT):
                undone.relieved[entry.item] += minor
            elif entry.source.kind == ALLOWANCE and entry.rule in DISCOUNTS:
                undone.granted[entry.item] += minor
        return undone


def _disposition(entry: Entry) -> str:
    """On-account, refunded, transferred, returned or pinned; a refund's or a transfer's rule also names it."""
    return entry.rule.partition(":")[0]


@dataclass(slots=True)
class Ledger:
    """
    Rows by their ids in facts, and what is `booked` on the open day of each account (row id).

    `names` are the invoices that receipts (row id) name, `for_others` the receipts that name open documents of other accounts as well.
    `bars` are the items (row id) people took sources off on earlier days. `reach` says which open items of an account (row id) and currency
    are here besides what something touches; `reopened` are the items (row id) that something was taken off on earlier days, with the latest
    date of that. `posted` is what stands of adjustments, and what is granted of items, while changes are booked.
    """

    open_on: Mapping[int, date]
    names: Mapping[int, tuple[str, ...]]
    for_others: Collection[int] = ()
    booked: dict[int, dict[Entry, int]] = field(default_factory=lambda: defaultdict(dict))
    items: dict[str, Record] = field(default_factory=dict)
    sources: dict[Source, Row] = field(default_factory=dict)
    standing: dict[str, list[Standing]] = field(default_factory=lambda: defaultdict(list))
    decisions: list[tuple[int, Decision]] = field(default_factory=list)
    bars: dict[Source, set[int]] = field(default_factory=lambda: defaultdict(set))
    reopened: Mapping[int, date] = field(default_factory=dict)
    reach: dict[tuple[int, str], Reach] = field(default_factory=dict)
    posted: dict[Source | OfItem, int] = field(default_factory=dict)

    def books(self, of: Collection[int] | None = None) -> dict[int, list[Books]]:
        """Undo today's entries: the books of every account, or `of` these, by currency, as they opened, with what came today on top."""
        undone = Undone.by(change for entries in self.booked.values() for change in entries.items())
        books: dict[tuple[int, str], Books] = {}
        wanted = self.open_on.keys() if of is None else of
        for item_id, item in self.items.items():
            if item["account_id"] in wanted:
                self._of(books, item).items.append(self._item(item_id, item, undone))
        for source, row in self.sources.items():
            if row["account_id"] not in wanted:
                continue
            if source.kind == MEMO:
                self._of(books, row).memos.append(self._memo(source, row, undone))
            elif source.kind == ADJUSTMENT:
                if row["booked_on"] == self.open_on[row["account_id"]]:
                    self._of(books, row).adjustments.append(_adjustment(source, row))
            else:
                self._of(books, row).money.append(self._money(source, row, undone))
        for account_id, decision in self.decisions:
            if account_id in wanted:
                books[account_id, self.sources[decision.source]["currency"]].decisions.append(decision)
        by_account: dict[int, list[Books]] = defaultdict(list)
        for (account_id, _), one in sorted(books.items(), key=lambda of: of[0]):
            by_account[account_id].append(one)
        return by_account

    def _of(self, books: dict[tuple[int, str], Books], row: Row) -> Books:
        key = row["account_id"], row["currency"]
        if key not in books:
            books[key] = Books([], [], [], self.reach.get(key, NAMED_ITEMS), currency=row["currency"])
        return books[key]

    def index(self, items: Iterable[Record], memos: Iterable[Record], receipts: Iterable[Row], adjustments: Iterable[Record] = ()) -> Ids:
        """Take rows in, and return their ids in facts by their own."""
        self.items |= {f"{row['entity']}|{row['document_no']}|{row['n']}": row for row in items}
        self.sources |= {Source(MEMO, f"{row['entity']}|{row['document_no']}"): row for row in memos}
        self.sources |= {Source(RECEIPT, f"{row['entity']}|{row['bank_ref']}"): row for row in receipts}
        self.sources |= {Source(ADJUSTMENT, row["adjustment"]): row for row in adjustments}
        sources: dict[str, dict[int, Source]] = {MEMO: {}, RECEIPT: {}, ADJUSTMENT: {}}
        for source, row in self.sources.items():
            sources[source.kind][row["id"]] = source
        voids = {row["document_id"]: Source(VOID, f"{row['entity']}|{row['document_no']}") for row in self.items.values()}
        allowances = {receipt_id: Source(ALLOWANCE, source.id) for receipt_id, source in sources[RECEIPT].items()}
        return Ids({row["id"]: item for item, row in self.items.items()}, {**sources, VOID: voids, ALLOWANCE: allowances})

    def post(self, adjustment: Source, minor: int) -> int:
        """Count what an entry moves of an adjustment; return how much of that is tax."""
        row = self.sources[adjustment]
        return self._tax(adjustment, row["posted_minor"], minor, row["approved_minor"], row["tax_minor"])

    def allow(self, item: str, rule: str, minor: int) -> int:
        """Count what an entry moves of what payments keep back of an item; return how much of that is tax, where the document says it."""
        row = self.items[item]
        if rule in DISCOUNTS:
            best = max(early_from_json(row["early"]).tiers, key=lambda tier: tier.amount_minor)
            return self._tax((item, EARNED_OR_NOT), row["discounted_minor"], minor, best.amount_minor, best.tax_minor)
        if not row["tax_minor"]:
            return 0
        before = row["allowed_minor"] - row["discounted_minor"]
        return self._tax((item, LET_GO), before, minor, row["document_minor"], row["tax_minor"])

    def _tax(self, of: Source | OfItem, stands_minor: int, minor: int, whole_minor: int, tax_minor: int) -> int:
        before = self.posted.setdefault(of, stands_minor)
        self.posted[of] = after = before + minor
        return tax_part(after, whole_minor, tax_minor) - tax_part(before, whole_minor, tax_minor)

    def _item(self, item_id: str, row: Record, undone: Undone) -> Item:
        early, base_minor = row["early"], row["base_minor"]
        return Item(
            item_id,
            row["document_no"],
            row["n"],
            row["due_on"],
            row["issued_on"],
            row["open_minor"] + undone.items.get(item_id, 0),
            tuple(self.standing[item_id]) if item_id in self.standing else (),
            row["voided_on"] if row["void_booked_on"] == self.open_on[row["account_id"]] else None,
            reopened_on=self.reopened.get(row["id"]),
            terms=row["terms"] or "",
            early=None if early is None else _early(row, undone),
            worth=None if base_minor is None else Worth(row["total_minor"], base_minor),
        )

    def _memo(self, source: Source, row: Row, undone: Undone) -> Memo:
        return Memo(
            id=source.id,
            document_no=row["document_no"],
            document_on=row["issued_on"],
            remaining_minor=row["total_minor"] - row["applied_minor"] + undone.applied[source],
            names=row["names"],
            came_on=row["booked_on"],
            free_on=max(row["issued_on"], row["given_on"] or row["issued_on"]),
            pinned_minor=row["pinned_minor"] - _moved(undone, source, PINNED),
            barred=self._barred(source),
        )

    def _money(self, source: Source, row: Row, undone: Undone) -> Money:
        on_account, pinned = row["on_account_minor"], row["pinned_minor"]
        refunded, returned, transferred = row["refunded_minor"], row["returned_minor"], row["transferred_minor"]
        if source in undone.moved:
            today = undone.moved[source]
            on_account, pinned = on_account - today[ON_ACCOUNT], pinned - today[PINNED]
            refunded, returned, transferred = refunded - today[REFUNDED], returned - today[RETURNED], transferred - today[TRANSFERRED]
        applied = row["applied_minor"] - undone.applied.get(source, 0)
        names = self.names.get(row["id"], ())
        base_minor = row["base_minor"]
        return Money(
            id=source.id,
            bank_ref=row["bank_ref"],
            value_on=row["value_on"],
            unapplied_minor=row["amount_minor"] - applied - on_account - refunded - returned - transferred,
            on_account_minor=on_account,
            names=names,
            came_on=row["identified_on"],
            free_on=max(row["value_on"], row["given_on"] or row["value_on"], row["arrived_on"] or row["value_on"]),
            stated=_stated(row["stated"], names) if row["stated"] else (),
            pinned_minor=pinned,
            barred=self._barred(source),
            returned_on=row["returned_on"] if row["return_booked_on"] == self.open_on[row["account_id"]] else None,
            worth=None if base_minor is None else Worth(row["amount_minor"], base_minor),
            settled_minor=applied + transferred,
            arrived_on=row["arrived_on"],
            is_bound=row["is_bound"],
            is_for_others=row["id"] in self.for_others,
        )

    def _barred(self, source: Source) -> frozenset[str]:
        barred = self.bars.get(source)
        return frozenset(item for item, row in self.items.items() if row["id"] in barred) if barred else frozenset()


def _early(row: Record, undone: Undone) -> EarlyPayment:
    """The discount terms of an item with what became of it before today."""
    item = f"{row['entity']}|{row['document_no']}|{row['n']}"
    relieved = row["credited_minor"] + row["adjusted_minor"] - undone.relieved.get(item, 0)
    return early_from_json(row["early"]).of(row["total_minor"], row["discounted_minor"] - undone.granted.get(item, 0), relieved)


def _moved(undone: Undone, source: Source, disposition: str) -> int:
    return undone.moved[source][disposition] if source in undone.moved else 0


def _stated(text: str, names: Collection[str]) -> tuple[Stated, ...]:
    """What a remittance states of the documents it names, by their numbers as they are; kept are caseless ones."""
    spelled = {name.casefold(): name for name in names}
    return tuple(one._replace(document_no=spelled[one.document_no]) for one in stated_from_json(text) if one.document_no in spelled)


def _adjustment(source: Source, row: Row) -> Adjustment:
    item = f"{row['entity']}|{row['document_no']}|{row['n']}"
    return Adjustment(source.id, item, row["kind"], row["approved_minor"], row["effective_on"])


async def save(db: Connection, ledger: Ledger, changes: Sequence[Change], received: Sequence[NewReceipt] = ()) -> None:
    """Add the changes to the ledger and to what they move, with one statement per table; what was just received is kept as it is then."""
    moves = Moves.by(changes)
    rows = {kind: sorted(one for one in moves.sources if one.kind == kind) for kind in (MEMO, ADJUSTMENT, RECEIPT)}
    sources, moved, applied = ledger.sources, moves.moved, moves.applied
    spent = [ReceiptMove(sources[one]["id"], applied[one], *(moved[one, kind] for kind in MOVED_OF_RECEIPTS)) for one in rows[RECEIPT]]
    fresh = {one.id for one in received}
    await insert_receipts(db, received, {move.id: move for move in spent})
    await queries.insert_entries(db, [_new_entry(ledger, change) for change in changes])
    await queries.add_to_items(db, sorted(_item_move(ledger.items[item]["id"], by) for item, by in moves.taken_off.items()))
    await queries.add_to_memos(db, [MemoMove(sources[one]["id"], applied[one], moved[one, PINNED]) for one in rows[MEMO]])
    await corrections.add_to_adjustments(db, [(sources[one]["id"], applied[one]) for one in rows[ADJUSTMENT]])
    await queries.add_to_receipts(db, [move for move in spent if move.id not in fresh])


@dataclass(slots=True)
class Moves:
    """What changes move: `taken_off` by item and kind of source (discounts by their rule too), and of their sources."""

    taken_off: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    applied: dict[Source, int] = field(default_factory=lambda: defaultdict(int))
    moved: dict[tuple[Source, str], int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def by(cls, changes: Iterable[Change]) -> "Moves":
        """Add up changes."""
        moves = cls()
        for _, entry, minor, _, _ in changes:
            if entry.rule == FX:
                continue
            if not entry.item:
                moves.moved[entry.source, _disposition(entry)] += minor
                continue
            moves.taken_off[entry.item][entry.source.kind] += minor
            if entry.source.kind == ALLOWANCE and entry.rule in DISCOUNTS:
                moves.taken_off[entry.item][EARNED_OR_NOT] += minor
            moves.applied[entry.source] += minor
        return moves

    @property
    def sources(self) -> set[Source]:
        """All that something moves of."""
        return self.applied.keys() | {source for source, _ in self.moved}


def _item_move(row_id: int, by: Mapping[str, int]) -> ItemMove:
    return ItemMove(row_id, *(by[kind] for kind in (RECEIPT, MEMO, ADJUSTMENT, VOID, ALLOWANCE, EARNED_OR_NOT)))


def _new_entry(ledger: Ledger, change: Change) -> NewEntry:
    entry, kind = change.entry, change.entry.source.kind
    item = ledger.items[entry.item] if entry.item else None
    if kind == ALLOWANCE:
        source_id = ledger.sources[Source(RECEIPT, entry.source.id)]["id"]
    else:
        source_id = item["document_id"] if item and kind == VOID else ledger.sources[entry.source]["id"]
    return NewEntry(
        account_id=change.account_id,
        receipt_id=source_id if kind == RECEIPT else None,
        memo_id=source_id if kind == MEMO else None,
        adjustment_id=source_id if kind == ADJUSTMENT else None,
        void_id=source_id if kind == VOID else None,
        allowance_id=source_id if kind == ALLOWANCE else None,
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
