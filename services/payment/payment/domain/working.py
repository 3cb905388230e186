"""The working state of one account's day while it is settled, and the moves its passes are made of."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from payment.domain.allowances import Discount, discount_on, worth_of
from payment.domain.books import (
    ADJUSTMENT,
    ALLOWANCE,
    DISCOUNTS,
    MEMO,
    ON_ACCOUNT,
    PINNED,
    RECEIPT,
    RECOVERABLE,
    Books,
    Entry,
    Item,
    Memo,
    Money,
    Source,
    Standing,
)
from payment.domain.giving_back import give_back
from payment.domain.policy import Policy

LEAVING: Final = ("refund", "transfer")
"""Kinds of decisions by which money leaves the account: a bank that takes a receipt back finds that much less."""


@dataclass(slots=True)
class Purse:
    """
    The money of one receipt while it is spent; `from_on` is the earliest effective date of spending it, `pinned` is on-account.

    `gone_from_on` is the earliest effective date of transferring it, which is no act of today where it says otherwise.
    """

    money: Money
    source: Source
    unapplied: int
    on_account: int
    pinned: int
    barred: set[str]
    from_on: date
    gone_from_on: date
    is_held: bool

    @classmethod
    def of(cls, money: Money, day: date) -> "Purse":
        """Open the purse of a receipt on a day."""
        is_held = money.came_on < day
        from_on = max(day, money.since_on, money.free_on) if is_held else money.since_on
        source, barred = Source(RECEIPT, money.id), set(money.barred)
        return cls(
            money,
            source,
            money.unapplied_minor,
            money.on_account_minor,
            money.pinned_minor,
            barred,
            from_on=from_on,
            gone_from_on=max(money.since_on, money.free_on),
            is_held=is_held,
        )

    @property
    def left(self) -> int:
        """All of its money."""
        return self.unapplied + self.on_account

    @property
    def free(self) -> int:
        """What rules may use of it."""
        return self.unapplied + self.on_account - self.pinned


@dataclass(slots=True)
class Credit:
    """
    The open credit of one memo while it is spent; `from_on` as for money, for any item but those of the invoice it names: it reduces those
    as of its own date, but not before `free_on`, when all of its credit was free.
    """

    memo: Memo
    source: Source
    left: int
    pinned: int
    barred: set[str]
    from_on: date
    free_on: date

    @classmethod
    def of(cls, memo: Memo, day: date) -> "Credit":
        """Open the credit of a memo on a day."""
        from_on = max(day, memo.document_on, memo.free_on) if memo.came_on < day else memo.document_on
        return cls(memo, Source(MEMO, memo.id), memo.remaining_minor, memo.pinned_minor, set(memo.barred), from_on, memo.free_on)

    @property
    def free(self) -> int:
        """What rules may use of it."""
        return self.left - self.pinned


@dataclass(slots=True)
class WrittenOff:
    """An adjustment on an item while money takes it back."""

    standing: Standing
    left: int


@dataclass(slots=True)
class Work:
    """
    One call of `settle`. By item: what is `open`, what of its discount is `granted`, what of it is `relieved` by memos and adjustments, and
    what stands on it of earlier days. `reopened` is the latest date as of which something was taken back of an item.
    """

    books: Books
    day: date
    policy: Policy
    entries: dict[Entry, int] = field(default_factory=lambda: defaultdict(int))
    items: dict[str, Item] = field(init=False)
    open: dict[str, int] = field(init=False)
    granted: dict[str, int] = field(init=False)
    relieved: dict[str, int] = field(init=False)
    standing: dict[str, Sequence[Standing]] = field(init=False)
    reopened: dict[str, date] = field(init=False)
    by_document: dict[str, list[Item]] = field(init=False)
    purses: dict[Source, Purse] = field(init=False)
    credits: dict[Source, Credit] = field(init=False)
    written_off: dict[str, list[WrittenOff]] = field(init=False)

    def __post_init__(self) -> None:
        items = self.books.items
        self.items = {item.id: item for item in items}
        self.open = {item.id: item.open_minor for item in items}
        self.granted, self.relieved, self.standing, self.reopened = {}, {}, {}, {}
        self.by_document, self.written_off = defaultdict(list), defaultdict(list)
        for item in sorted(items, key=lambda item: item.n):
            self.by_document[item.document_no].append(item)
            if item.early is not None:
                self.granted[item.id], self.relieved[item.id] = item.early.granted_minor, item.early.relieved_minor
            if item.reopened_on is not None:
                self.reopened[item.id] = item.reopened_on
            if item.standing:
                self.standing[item.id] = item.standing
                self._write_off(item)
        purses = [Purse.of(money, self.day) for money in self.books.money]
        self.purses = {purse.source: purse for purse in sorted(purses, key=lambda purse: (purse.money.value_on, purse.money.bank_ref))}
        credits = [Credit.of(memo, self.day) for memo in self.books.memos]
        self.credits = {credit.source: credit for credit in sorted(credits, key=lambda credit: credit.memo.document_no)}

    def _write_off(self, item: Item) -> None:
        """Note what stands written off of an item that money naming it takes back, in the order in which it does."""
        for one in sorted(item.standing, key=lambda one: (one.applied_on, one.effective_on, one.application)):
            if one.source.kind == ADJUSTMENT and one.rule in RECOVERABLE:
                self.written_off[item.id].append(WrittenOff(one, one.amount_minor))

    def stands_on(self, item: Item) -> Sequence[Standing]:
        """What stands on an item of earlier days, as far as it is known and was not taken back yet."""
        return self.standing.get(item.id, ())

    def payable_on(self, item: Item) -> date:
        """The earliest effective date of what is put on an item: before, what was taken back of it still stood there."""
        return max(item.document_on, self.reopened.get(item.id, item.document_on))

    def discount_of(self, item: Item, purse: Purse) -> Discount | None:
        """The best discount money has of the item as it is now, by its value date (INV-04)."""
        if item.early is None:
            return None
        return discount_on(item.early, purse.money.value_on, self.granted[item.id], self.relieved[item.id])

    def reduce(self, item: Item, reductions: Sequence[tuple[date, int]], stack: Iterable[Standing]) -> None:
        """
        Take reductions off an item that is worth less; what it gives back of `stack` goes where it came from.

        First the discount shrinks with what there is to pay; then the latest goes first (`give_back`).
        """
        if item.early is not None:
            self.relieved[item.id] += sum(part for _, part in reductions)
            stack = self._shrink_discount(item, min(reductions)[0], list(stack))
        now = replace(item, open_minor=self.open[item.id], standing=tuple(self.stands_on(item)))
        self.open[item.id] -= sum(part for _, part in reductions)
        for standing, minor, effective_on in give_back(now, reductions, list(stack)):
            self.take_off(item, standing, minor, effective_on)
            self.return_to_source(standing.source, minor, effective_on)

    def _shrink_discount(self, item: Item, effective_on: date, stack: list[Standing]) -> list[Standing]:
        """Revoke what was granted of a discount beyond what it is worth now, the latest first; return the stack that is left."""
        early = item.early
        assert early is not None
        worth = worth_of(max(tier.amount_minor for tier in early.tiers), early.billed_minor, self.relieved[item.id])
        for one in sorted(stack, key=lambda one: (one.applied_on, one.effective_on, one.application), reverse=True):
            part = min(one.amount_minor, self.granted[item.id] - worth)
            if one.rule in DISCOUNTS and part > 0:
                stack.remove(one)
                stack.append(self.take_off(item, one, part, max(effective_on, one.effective_on)))
        return stack

    def take_off(self, item: Item, standing: Standing, minor: int, effective_on: date) -> Standing:
        """Undo so much of what stands on an item of an earlier day; return what is left of it."""
        self.entries[Entry(standing.application, standing.source, item.id, standing.rule, effective_on, standing.applied_on)] -= minor
        self.open[item.id] += minor
        self.reopened[item.id] = max(effective_on, self.reopened.get(item.id, effective_on))
        if item.early is not None:
            if standing.source.kind == ALLOWANCE and standing.rule in DISCOUNTS:
                self.granted[item.id] -= minor
            if standing.source.kind in (MEMO, ADJUSTMENT):
                self.relieved[item.id] -= minor
        for one in self.written_off[item.id]:
            if one.standing.application == standing.application:
                one.left -= minor
        (now,) = (one for one in self.stands_on(item) if one.application == standing.application)
        left = replace(now, amount_minor=now.amount_minor - minor, later=tuple(sorted((*now.later, (effective_on, -minor)))))
        self.standing[item.id] = [*(one for one in self.stands_on(item) if one is not now), left]
        return left

    def return_to_source(self, source: Source, minor: int, effective_on: date) -> None:
        """Give back what an item no longer needs: money is on-account, memo credit open again, everything else vanishes."""
        if source.kind == MEMO:
            credit = self.credits[source]
            credit.left += minor
            credit.from_on, credit.free_on = max(credit.from_on, effective_on), max(credit.free_on, effective_on)
        elif source.kind == RECEIPT:
            purse = self.purses[source]
            purse.on_account += minor
            purse.from_on = max(purse.from_on, effective_on)
            self.move(source, ON_ACCOUNT, minor, effective_on)

    def pay(self, purse: Purse, item: Item, part: int, rule: str, effective_on: date, *, may_use_pinned: bool = False) -> None:
        """Apply so much of a receipt: unapplied money first, then on-account money by making it unapplied."""
        if not part:
            return
        self.apply(purse.source, item, part, rule, effective_on)
        pinned = min(part, purse.pinned) if may_use_pinned else 0  # A person spends first what persons kept.
        from_unapplied = min(part - pinned, purse.unapplied)
        purse.unapplied -= from_unapplied
        if from_unapplied < part:
            purse.on_account -= part - from_unapplied
            self.move(purse.source, ON_ACCOUNT, from_unapplied - part, effective_on)
        if pinned:
            self.pin(purse, -pinned, effective_on)

    def credit(self, credit: Credit, item: Item, part: int, rule: str, effective_on: date) -> None:
        """Apply so much of a memo's credit."""
        if part:
            self.apply(credit.source, item, part, rule, effective_on)
            credit.left -= part

    def apply(self, source: Source, item: Item, minor: int, rule: str, effective_on: date) -> None:
        """Enter an application of today; its id says what it is, so that every order of the same facts ends in the same ids."""
        kind = rule.partition(":")[0]
        application = f"{source.kind}|{source.id}|{item.document_no}|{item.n}|{self.day}|{effective_on}|{rule}"
        self.entries[Entry(application, source, item.id, kind, effective_on, self.day)] += minor
        self.open[item.id] -= minor
        if source.kind == MEMO and item.early is not None:
            self.relieved[item.id] += minor

    def allow(self, purse: Purse, item: Item, minor: int, kind: str, effective_on: date) -> None:
        """Enter that a payment kept back so much of an item, and that it may."""
        if not minor:
            return
        application = f"{kind}|{purse.source.id}|{item.document_no}|{item.n}|{self.day}|{effective_on}"
        self.entries[Entry(application, Source(ALLOWANCE, purse.source.id), item.id, kind, effective_on, self.day)] += minor
        self.open[item.id] -= minor
        if kind in DISCOUNTS:
            self.granted[item.id] += minor

    def pin(self, of: Purse | Credit, minor: int, effective_on: date) -> None:
        """Keep so much on-account money or credit from the rules, or, where `minor` is negative, let them use it."""
        of.pinned += minor
        self.move(of.source, PINNED, minor, effective_on)

    def move(self, source: Source, rule: str, minor: int, effective_on: date) -> None:
        """Enter that money moved from one disposition to another: see `Entry`."""
        if minor:
            self.entries[Entry("", source, "", rule, effective_on, self.day)] += minor

    def is_waiting(self, credit: Credit) -> bool:
        """A memo that names an invoice waits until that has come."""
        return credit.memo.names is not None and credit.memo.names not in self.by_document
