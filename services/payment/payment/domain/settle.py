"""An account's day is a set: what is applied to what, as a pure function of the opening books and of what came today."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from payment.domain.books import (
    ADJUSTMENT,
    MEMO,
    OLDEST_FIRST,
    ON_ACCOUNT,
    RECEIPT,
    RECOVERABLE,
    RECOVERED,
    REFERENCE,
    VOID,
    Books,
    Entry,
    Item,
    Memo,
    Money,
    Policy,
    Source,
    Standing,
)
from payment.domain.giving_back import GivenBack, give_back


class ItemsMissing(Exception):
    """Money or credit looks for the oldest item; load all open items and settle again."""


def settle(books: Books, day: date, policy: Policy) -> dict[Entry, int]:
    """
    Return the entries that `day` has to hold: all of them, not what is new.

    A function of sets: the order of items, memos, adjustments and money in `books` means nothing. The passes, each in its canonical order:

    1. items become worth less, and one that is worth less than stands on it of earlier days gives that back, the latest first
       (`give_back`): money is on-account, memo credit open again, an adjustment vanishes.
       a. Items of a document voided today are worth nothing and give everything back, credit of memos that name them too;
       b. memos that name an invoice reduce its items, by memo number, instalment by instalment;
       c. adjustments approved today take off what is open, by id. What is not open is not posted, on no later day either.
    2. money that names invoices pays them, by value date and bank reference, invoices in the order of the remittance. When nothing is
       open of an invoice, what is left pays what was written off of it (`RECOVERABLE`), which is recovered (INV-08);
    3. with auto-apply: all other money pays the oldest item first (due date, document number, instalment), the opening's money before
       today's, then by value date and bank reference;
    4. with auto-apply: open memo credit likewise, by memo number. A memo whose named invoice has not come yet waits for it.

    What is left of money that names an invoice is on-account; what names nothing and finds nothing stays unapplied. What is open for
    an adjustment only falls while the day's facts come in, so one that could not be posted need not be looked at again.

    Effective dates (PAY-08). Money that came today, received or identified, is applied on the later of its value date and the document's
    date. Money that was held when the day opened is applied by an act of today: on the booked day, or on the document's date or the day
    the money is free where that is later. A memo reduces the invoice it names on the later of the two document dates, whenever they
    came; other memo credit follows the rule of money. A void and an adjustment count from their own dates, never before the document;
    what is recovered, not before it was written off. What money that came today leaves on-account is so from its value date. So at no date
    is an item, a memo, an adjustment or a disposition of a receipt negative.

    :raises ItemsMissing: something is left for the oldest item, and the books do not have all items.
    """
    work = _Day(books, day)
    work.void()
    work.reduce_by_memos()
    work.adjust()
    work.pay_named()
    if policy.auto_apply == "oldest" and work.has_rest:
        if not books.has_all_items:
            raise ItemsMissing
        work.pay_oldest()
        work.credit_oldest()
    work.leave_on_account()
    return {entry: minor for entry, minor in work.entries.items() if minor}


def difference(target: Mapping[Entry, int], booked: Mapping[Entry, int]) -> list[tuple[Entry, int]]:
    """
    Return what has to be booked on top of `booked` to arrive at `target`, in canonical order.

    What is taken back comes first, and applications before money moves on-account or from it.
    """
    changes = [(entry, target.get(entry, 0) - booked.get(entry, 0)) for entry in target.keys() | booked.keys()]
    return sorted(((entry, minor) for entry, minor in changes if minor), key=lambda change: (change[1] > 0, not change[0].item, change[0]))


@dataclass(slots=True)
class _Purse:
    """The money of one receipt while it is spent; `from_on` is the earliest effective date of spending it."""

    money: Money
    source: Source
    unapplied: int
    on_account: int
    from_on: date
    is_held: bool

    @classmethod
    def of(cls, money: Money, day: date) -> "_Purse":
        is_held = money.came_on < day
        from_on = max(day, money.value_on, money.free_on) if is_held else money.value_on
        return cls(money, Source(RECEIPT, money.id), money.unapplied_minor, money.on_account_minor, from_on, is_held)

    @property
    def left(self) -> int:
        return self.unapplied + self.on_account


@dataclass(slots=True)
class _Credit:
    """The open credit of one memo while it is spent; `from_on` as for money, for any item but those of the invoice it names."""

    memo: Memo
    source: Source
    left: int
    from_on: date

    @classmethod
    def of(cls, memo: Memo, day: date) -> "_Credit":
        from_on = max(day, memo.document_on, memo.free_on) if memo.came_on < day else memo.document_on
        return cls(memo, Source(MEMO, memo.id), memo.remaining_minor, from_on)


@dataclass(slots=True)
class _WrittenOff:
    """An adjustment on an item while money takes it back."""

    standing: Standing
    left: int


@dataclass(slots=True)
class _Day:
    """The working state of one call of `settle`."""

    books: Books
    day: date
    entries: dict[Entry, int] = field(default_factory=lambda: defaultdict(int))
    open: dict[str, int] = field(init=False)
    by_document: dict[str, list[Item]] = field(init=False)
    purses: dict[Source, _Purse] = field(init=False)
    credits: dict[Source, _Credit] = field(init=False)
    written_off: dict[str, list[_WrittenOff]] = field(init=False)

    def __post_init__(self) -> None:
        self.open = {item.id: item.open_minor for item in self.books.items}
        self.by_document = defaultdict(list)
        for item in sorted(self.books.items, key=lambda item: item.n):
            self.by_document[item.document_no].append(item)
        purses = [_Purse.of(money, self.day) for money in self.books.money]
        self.purses = {purse.source: purse for purse in sorted(purses, key=lambda purse: (purse.money.value_on, purse.money.bank_ref))}
        credits = [_Credit.of(memo, self.day) for memo in self.books.memos]
        self.credits = {credit.source: credit for credit in sorted(credits, key=lambda credit: credit.memo.document_no)}
        self.written_off = defaultdict(list)
        for item in self.books.items:
            for one in sorted(item.standing, key=lambda one: (one.applied_on, one.effective_on, one.application)):
                if one.source.kind == ADJUSTMENT and one.rule in RECOVERABLE:
                    self.written_off[item.id].append(_WrittenOff(one, one.amount_minor))

    def void(self) -> None:
        """Pass 1a."""
        for item in self.books.items:
            if item.void_on is not None:
                document = Source(VOID, item.id.removesuffix(f"|{item.n}"))
                effective_on = max(item.void_on, item.document_on)
                self.entries[Entry(f"{VOID}|{item.id}", document, item.id, VOID, effective_on, self.day)] += item.total_minor
                self.reduce(item, [(effective_on, item.total_minor)], item.standing)

    def reduce_by_memos(self) -> None:
        """Pass 1b. A memo may take all that an item is worth, also what was paid of it on earlier days."""
        stacks = {item.id: [one for one in item.standing if not one.is_credit_by_name] for item in self.books.items if item.void_on is None}
        room = {item.id: self.open[item.id] + sum(one.amount_minor for one in stacks.get(item.id, ())) for item in self.books.items}
        reductions: dict[str, list[tuple[date, int]]] = defaultdict(list)
        for credit in self.credits.values():
            for item in self.by_document.get(credit.memo.names or "", ()):
                part = min(credit.left, room[item.id])
                if part > 0:
                    effective_on = max(credit.memo.document_on, credit.memo.free_on, item.document_on)
                    self.apply(credit.source, item, part, REFERENCE, effective_on)
                    reductions[item.id].append((effective_on, part))
                    credit.left -= part
                    room[item.id] -= part
        for item in self.books.items:
            if item.id in reductions:
                self.reduce(item, reductions[item.id], stacks[item.id])

    def reduce(self, item: Item, reductions: list[tuple[date, int]], stack: Sequence[Standing]) -> None:
        """Take reductions off an item; what it gives back of `stack` goes where it came from."""
        self.open[item.id] -= sum(part for _, part in reductions)
        for one in give_back(item, reductions, stack):
            self.open[item.id] += one.minor
            self.take_in(item, one)

    def take_in(self, item: Item, given: GivenBack) -> None:
        """Undo part of an application of an earlier day: money becomes on-account, memo credit is open again."""
        standing, minor, effective_on = given
        source = standing.source
        self.entries[Entry(standing.application, source, item.id, standing.rule, effective_on, standing.applied_on)] -= minor
        if source.kind == MEMO:
            credit = self.credits[source]
            credit.left += minor
            credit.from_on = max(credit.from_on, effective_on)
        elif source.kind == RECEIPT:
            purse = self.purses[source]
            purse.on_account += minor
            purse.from_on = max(purse.from_on, effective_on)
            self.move(purse, minor, effective_on)
        for one in self.written_off[item.id]:
            if one.standing is standing:
                one.left -= minor

    def adjust(self) -> None:
        """Pass 1c."""
        items = {item.id: item for item in self.books.items} if self.books.adjustments else {}
        for one in sorted(self.books.adjustments, key=lambda one: one.id):
            item = items[one.item]
            part = min(one.amount_minor, self.open[item.id])
            if part > 0:
                source, effective_on = Source(ADJUSTMENT, one.id), max(one.effective_on, item.document_on)
                self.entries[Entry(one.id, source, item.id, one.kind, effective_on, self.day)] += part
                self.open[item.id] -= part
                if one.kind in RECOVERABLE:
                    standing = Standing(one.id, source, one.kind, part, effective_on, self.day)
                    self.written_off[item.id].append(_WrittenOff(standing, part))

    def pay_named(self) -> None:
        """Pass 2."""
        for purse in self.purses.values():
            for name in purse.money.names:
                items = self.by_document.get(name, ())
                for item in items:
                    self.pay(purse, item, REFERENCE)
                for item in items:
                    self.recover(purse, item)

    def recover(self, purse: _Purse, item: Item) -> None:
        """Let money that names a written-off item pay it after all, what was written off first being recovered first."""
        for one in self.written_off.get(item.id, ()):
            part = min(purse.left, one.left)
            if part > 0:
                standing = one.standing
                effective_on = max(purse.from_on, item.document_on, standing.effective_on)
                self.entries[Entry(standing.application, standing.source, item.id, RECOVERED, effective_on, standing.applied_on)] -= part
                one.left -= part
                self.open[item.id] += part
                self.pay(purse, item, REFERENCE, effective_on)

    @property
    def has_rest(self) -> bool:
        """Whether money or credit is left that may pay any item."""
        return any(purse.left for purse in self.purses.values()) or any(
            credit.left for credit in self.credits.values() if self.is_free(credit)
        )

    def is_free(self, credit: _Credit) -> bool:
        """A memo that names an invoice waits until that has come."""
        return credit.memo.names is None or credit.memo.names in self.by_document

    def pay_oldest(self) -> None:
        """Pass 3: one walk along the items, however much money there is."""
        items = self.oldest_first()
        for purse in sorted(self.purses.values(), key=lambda purse: not purse.is_held):  # Stable: by value date within each.
            while purse.left and items:
                self.pay(purse, items[-1], OLDEST_FIRST)
                if not self.open[items[-1].id]:
                    items.pop()

    def credit_oldest(self) -> None:
        """Pass 4."""
        items = self.oldest_first()
        for credit in self.credits.values():
            while credit.left and items and self.is_free(credit):
                item = items[-1]
                part = min(credit.left, self.open[item.id])
                self.apply(credit.source, item, part, OLDEST_FIRST, max(credit.from_on, item.document_on))
                credit.left -= part
                self.open[item.id] -= part
                if not self.open[item.id]:
                    items.pop()

    def leave_on_account(self) -> None:
        """What money that names an invoice did not need there, nor anywhere else, is deliberate credit."""
        for purse in self.purses.values():
            if purse.money.names and purse.unapplied:
                self.move(purse, purse.unapplied, purse.from_on)

    def oldest_first(self) -> list[Item]:
        """Return the items still open, the oldest at the end."""
        items = [item for item in self.books.items if self.open[item.id]]
        return sorted(items, key=lambda item: (item.due_on, item.document_no, item.n), reverse=True)

    def pay(self, purse: _Purse, item: Item, rule: str, not_before: date = date.min) -> None:
        """Apply what the item needs and the receipt has: unapplied money first, then on-account money by making it unapplied."""
        part = min(purse.left, self.open[item.id])
        if not part:
            return
        effective_on = max(purse.from_on, item.document_on, not_before)
        self.apply(purse.source, item, part, rule, effective_on)
        self.open[item.id] -= part
        from_unapplied = min(part, purse.unapplied)
        purse.unapplied -= from_unapplied
        if from_unapplied < part:
            purse.on_account -= part - from_unapplied
            self.move(purse, from_unapplied - part, effective_on)

    def apply(self, source: Source, item: Item, minor: int, rule: str, effective_on: date) -> None:
        """Enter an application of today; its id says what it is, so that every order of the same facts ends in the same ids."""
        application = f"{source.kind}|{source.id}|{item.document_no}|{item.n}|{self.day}|{effective_on}|{rule}"
        self.entries[Entry(application, source, item.id, rule, effective_on, self.day)] += minor

    def move(self, purse: _Purse, minor: int, effective_on: date) -> None:
        """Enter that unapplied money became on-account money, or the other way round where `minor` is negative."""
        self.entries[Entry("", purse.source, "", ON_ACCOUNT, effective_on, self.day)] += minor
