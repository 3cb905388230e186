"""An account's day is a set: what is applied to what, as a pure function of the opening books and of what came today."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from payment.domain.books import (
    MEMO,
    OLDEST_FIRST,
    ON_ACCOUNT,
    RECEIPT,
    REFERENCE,
    Books,
    Entry,
    Item,
    Memo,
    Money,
    Policy,
    Source,
    Standing,
)


class ItemsMissing(Exception):
    """Money or credit looks for the oldest item; load all open items and settle again."""


def settle(books: Books, day: date, policy: Policy) -> dict[Entry, int]:
    """
    Return the entries that `day` has to hold: all of them, not what is new.

    A function of sets: the order of items, memos and money in `books` means nothing. The passes, each in its canonical order:

    1. memos that name an invoice make its items worth less, by memo number, instalment by instalment; an item that is worth less than was
       applied to it on earlier days gives back the latest application first (`_Day.reduce`), and given-back money is on-account;
    2. money that names invoices pays them, by value date and bank reference, invoices in the order of the remittance;
    3. with auto-apply: all other money pays the oldest item first (due date, document number, instalment), the opening's money before
       today's, then by value date and bank reference;
    4. with auto-apply: open memo credit likewise, by memo number. A memo whose named invoice has not come yet waits for it.

    What is left of money that names an invoice is on-account; what names nothing and finds nothing stays unapplied.

    Effective dates (PAY-08). Money that came today, received or identified, is applied on the later of its value date and the document's
    date. Money that was held when the day opened is applied by an act of today: on the booked day, or on the document's date or the day
    the money is free where that is later. A memo reduces the invoice it names on the later of the two document dates, whenever they
    came; other memo credit follows the rule of money. What money that came today leaves on-account is so from its value date. So at no
    date is an item, a memo or a disposition of a receipt negative.

    :raises ItemsMissing: something is left for the oldest item, and the books do not have all items.
    """
    work = _Day(books, day)
    work.reduce_by_memos()
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
class _Day:
    """The working state of one call of `settle`."""

    books: Books
    day: date
    entries: dict[Entry, int] = field(default_factory=lambda: defaultdict(int))
    open: dict[str, int] = field(init=False)
    by_document: dict[str, list[Item]] = field(init=False)
    purses: dict[Source, _Purse] = field(init=False)
    credits: dict[Source, _Credit] = field(init=False)

    def __post_init__(self) -> None:
        self.open = {item.id: item.open_minor for item in self.books.items}
        self.by_document = defaultdict(list)
        for item in sorted(self.books.items, key=lambda item: item.n):
            self.by_document[item.document_no].append(item)
        purses = [_Purse.of(money, self.day) for money in self.books.money]
        self.purses = {purse.source: purse for purse in sorted(purses, key=lambda purse: (purse.money.value_on, purse.money.bank_ref))}
        credits = [_Credit.of(memo, self.day) for memo in self.books.memos]
        self.credits = {credit.source: credit for credit in sorted(credits, key=lambda credit: credit.memo.document_no)}

    def reduce_by_memos(self) -> None:
        """Pass 1. A memo may take all that an item is worth, also what was paid of it on earlier days."""
        room = {item.id: item.open_minor + sum(one.amount_minor for one in item.standing) for item in self.books.items}
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
                self.reduce(item, sorted(reductions[item.id]))

    def reduce(self, item: Item, reductions: Iterable[tuple[date, int]]) -> None:
        """
        Take reductions off an item, the earliest first; what it no longer needs it gives back, the latest application first.

        What is given back is dated as the reduction that caused it, never before the application itself.
        """
        given = sorted(item.standing, key=lambda one: (one.applied_on, one.effective_on, one.application))
        left = [one.amount_minor for one in given]
        for effective_on, part in reductions:
            self.open[item.id] -= part
            while self.open[item.id] < 0:
                if not left[-1]:
                    given.pop()
                    left.pop()
                    continue
                back = min(-self.open[item.id], left[-1])
                left[-1] -= back
                self.open[item.id] += back
                self.give_back(given[-1], item, back, max(effective_on, given[-1].effective_on))

    def give_back(self, standing: Standing, item: Item, minor: int, effective_on: date) -> None:
        """Undo part of an application of an earlier day: money becomes on-account, memo credit is open again."""
        entry = Entry(standing.application, standing.source, item.id, standing.rule, effective_on, standing.applied_on)
        self.entries[entry] -= minor
        if standing.source.kind == MEMO:
            credit = self.credits[standing.source]
            credit.left += minor
            credit.from_on = max(credit.from_on, effective_on)
        else:
            purse = self.purses[standing.source]
            purse.on_account += minor
            purse.from_on = max(purse.from_on, effective_on)
            self.move(purse, minor, effective_on)

    def pay_named(self) -> None:
        """Pass 2."""
        for purse in self.purses.values():
            for name in purse.money.names:
                for item in self.by_document.get(name, ()):
                    self.pay(purse, item, REFERENCE)

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

    def pay(self, purse: _Purse, item: Item, rule: str) -> None:
        """Apply what the item needs and the receipt has: unapplied money first, then on-account money by making it unapplied."""
        part = min(purse.left, self.open[item.id])
        if not part:
            return
        effective_on = max(purse.from_on, item.document_on)
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
