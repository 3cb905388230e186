"""
What the books must say, computed from the ledger alone, one business day after the other.

Imports nothing of the services and shares no code with them, so that a mistake of theirs is not repeated here. The rules (PAY-02, PAY-04,
PAY-08, INV-06, INV-07, INV-08): what makes an invoice worth less comes first (voids, memos that name it, write-offs), then money that names
it, which also recovers what was written off; what is left pays the oldest invoice first, a whole day at a time.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from demo.billing import billed_on
from demo.clues import bank_account_as_compared, numbers_in
from demo.ledger import CreditMemo, Customer, DebitMemo, Document, Entry, Invoice, Ledger, Receipt, Schedule, Void, WriteOff

Figure = Literal["open", "unapplied", "on_account", "unidentified"]
Cause = Literal["invoiced", "credited", "settled", "written_off", "voided"]
Owner = tuple[str, str]  # Customer (empty while nobody knows who paid), currency.
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Posting:
    """
    One figure of one customer changes by so many minor units.

    `due_on` tells the bucket; it belongs to `open` only, as do `cause` and the document.
    """

    owner: Owner
    figure: Figure
    minor: int
    effective_on: date
    booked_on: date
    due_on: date | None = None
    cause: Cause | None = None
    document_no: str = ""


@dataclass(slots=True)
class _Item:
    """
    An invoice or debit memo: what it is worth, and what was applied to it from where, latest last.

    Memos that name it make it worth less: they are in `reduced_by`, not in `applied`.
    """

    invoice: Invoice | DebitMemo
    worth_minor: int
    applied: list[tuple["_Money | _Memo | _WrittenOff", int]] = field(default_factory=list)
    reduced_by: list[tuple["_Memo", int]] = field(default_factory=list)

    @property
    def open_minor(self) -> int:
        """What is still owed; below zero while a memo has made the item worth less than was applied to it."""
        return self.worth_minor - sum(minor for _, minor in self.applied)

    @property
    def place(self) -> tuple[date, str]:
        """Where the item stands among those of its account: oldest first."""
        return (self.invoice.due_on, self.invoice.document_no)

    def change(self, owner: Owner, minor: int, cause: Cause, effective_on: date, day: date) -> Posting:
        """Say that so much more of it is open."""
        return Posting(owner, "open", minor, effective_on, day, self.invoice.due_on, cause, self.invoice.document_no)


@dataclass(slots=True)
class _Money:
    """A receipt whose payer is known: what found nothing to pay yet, and what is deliberate credit of the account."""

    receipt: Receipt
    unapplied_minor: int
    on_account_minor: int = 0

    @property
    def left_minor(self) -> int:
        """All that can still be spent."""
        return self.unapplied_minor + self.on_account_minor

    @property
    def place(self) -> tuple[date, str]:
        """Where the money stands among that of its account."""
        return (self.receipt.value_on, self.receipt.bank_ref)


@dataclass(slots=True)
class _Memo:
    """A credit memo and what is left of it."""

    memo: CreditMemo
    left_minor: int


@dataclass(slots=True)
class _WrittenOff:
    """What was written off of an item on a day."""

    effective_on: date


@dataclass(slots=True)
class _Account:
    """The books of one customer in one currency. Closed items are kept: a memo may still name them."""

    owner: Owner
    items: dict[str, _Item] = field(default_factory=dict)
    money: list[_Money] = field(default_factory=list)
    memos: list[_Memo] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Today:
    """What one day brings to one account; `money` is what came or got a known payer today."""

    day: date
    invoices: Sequence[Invoice | DebitMemo]
    memos: Sequence[CreditMemo]
    voids: Sequence[Void]
    write_offs: Sequence[WriteOff]
    money: Sequence[Receipt]


def fold(ledger: Ledger) -> list[Posting]:
    """Play the ledger day by day; return every change of every figure, in the order of the days."""
    books, entries = _Books(), ledger.by_day()
    day, ends_on = ledger.opens_on, ledger.ends_on + _ONE_DAY  # Bank accounts and schedules count from the day after, too.
    while day <= ends_on:
        books.close(day, entries.get(day, []))
        day += _ONE_DAY
    return books.postings


class _Books:
    """All accounts, who pays from where, and the money nobody could be found for yet."""

    def __init__(self) -> None:
        self.postings: list[Posting] = []
        self._accounts: dict[Owner, _Account] = {}
        self._debtor_of: dict[str, Document] = {}
        self._schedules: list[Schedule] = []
        self._voids: list[Void] = []
        self._payer_of: dict[str, str] = {}
        self._unidentified: list[Receipt] = []

    def close(self, day: date, entries: Sequence[Entry]) -> None:
        """Take a whole day at once: order within it must not matter."""
        documents = [*billed_on(self._schedules, day), *(entry for entry in entries if isinstance(entry, Document))]
        self._debtor_of |= {document.document_no.casefold(): document for document in documents}
        self._schedules += [entry for entry in entries if isinstance(entry, Schedule)]
        voids = self._voids_to_carry_out([entry for entry in entries if isinstance(entry, Void)])
        write_offs = [entry for entry in entries if isinstance(entry, WriteOff)]
        came = [entry for entry in entries if isinstance(entry, Receipt)]
        brought: defaultdict[Owner, list[Receipt]] = defaultdict(list)
        still_unknown = []
        for receipt in (*self._unidentified, *came):
            customer = self._payer(receipt)
            self.postings += self._received(receipt, customer, day)
            if customer is None:
                still_unknown.append(receipt)
            else:
                brought[customer, receipt.currency].append(receipt)
        self._unidentified = still_unknown
        owners = {self._owner(one.document_no) for one in (*documents, *voids, *write_offs)} | brought.keys()
        for owner in sorted(owners):
            own = [document for document in documents if (document.customer, document.currency) == owner]
            today = _Today(
                day,
                invoices=[document for document in own if not isinstance(document, CreditMemo)],
                memos=[document for document in own if isinstance(document, CreditMemo)],
                voids=[void for void in voids if self._owner(void.document_no) == owner],
                write_offs=[one for one in write_offs if self._owner(one.document_no) == owner],
                money=brought[owner],
            )
            self.postings += _settle(self._accounts.setdefault(owner, _Account(owner)), today)
        self._remember_bank_accounts([entry for entry in entries if isinstance(entry, Customer)])

    def _owner(self, document_no: str) -> Owner:
        document = self._debtor_of[document_no.casefold()]
        return document.customer, document.currency

    def _voids_to_carry_out(self, came: Sequence[Void]) -> list[Void]:
        """A void waits for its document."""
        waiting = [*self._voids, *came]
        self._voids = [void for void in waiting if void.document_no.casefold() not in self._debtor_of]
        return [void for void in waiting if void.document_no.casefold() in self._debtor_of]

    def _remember_bank_accounts(self, customers: Sequence[Customer]) -> None:
        """What is told of a customer replaces what was; it counts from tomorrow."""
        told = {entry.customer for entry in customers}
        self._payer_of = {account: customer for account, customer in self._payer_of.items() if customer not in told}
        self._payer_of |= {bank_account_as_compared(entry.bank_account): entry.customer for entry in customers if entry.bank_account}

    def _payer(self, receipt: Receipt) -> str | None:
        """Whose money it is: of the first document it names, else of whom its bank account belongs to, else as the bank says."""
        named = [self._debtor_of[number] for number in numbers_in(receipt.remittance) if number in self._debtor_of]
        if named:
            return named[0].customer
        return self._payer_of.get(bank_account_as_compared(receipt.bank_account)) or receipt.customer

    def _received(self, receipt: Receipt, customer: str | None, day: date) -> Iterator[Posting]:
        """Money without a known payer belongs to nobody; once known it is the payer's as of its value date."""
        nobody, minor, value_on = ("", receipt.currency), receipt.amount_minor, receipt.value_on
        if customer is None and value_on == day:
            yield Posting(nobody, "unidentified", minor, value_on, day)
        if customer is not None:
            yield Posting((customer, receipt.currency), "unapplied", minor, value_on, day)
            if value_on < day:
                yield Posting(nobody, "unidentified", -minor, value_on, day)


def _settle(account: _Account, today: _Today) -> Iterator[Posting]:
    """
    Settle one account's day: voids, memos that name, write-offs, money that names, money without a name (held money first), memos
    without a name.
    """
    owner, day = account.owner, today.day
    found = [account.items.get(one.document_no.casefold()) for one in today.write_offs]
    to_write_off = [(item, item.open_minor) for item in found if item]  # What is open as the day opens is what people see.
    came = sorted((_Money(receipt, receipt.amount_minor) for receipt in today.money), key=lambda money: money.place)
    new_memos = [_Memo(memo, memo.amount_minor) for memo in today.memos]
    account.memos = sorted((*account.memos, *new_memos), key=lambda memo: memo.memo.document_no)
    for invoice in today.invoices:
        item = account.items[invoice.document_no.casefold()] = _Item(invoice, invoice.amount_minor)
        yield item.change(owner, invoice.amount_minor, "invoiced", invoice.issued_on, day)
    for memo in new_memos:
        yield Posting(owner, "on_account", memo.left_minor, memo.memo.issued_on, day)
    for void in today.voids:
        yield from _void(owner, account.items[void.document_no.casefold()], void, day)
    for memo in account.memos:
        yield from _credit_named(account, memo, day)
    for item, asked_minor in to_write_off:
        yield from _write_off(owner, item, asked_minor, day)
    held = sorted((money for money in account.money if money.left_minor), key=lambda money: money.place)
    account.money += came
    spending = [(money, day) for money in held]  # By an act of today.
    spending += [(money, money.receipt.value_on) for money in came]
    for money, from_on in sorted(spending, key=lambda one: one[0].place):
        for item in _named(account, money):
            yield from _pay(owner, item, money, from_on, day)
            yield from _recover(owner, item, money, from_on, day)
    for money, from_on in spending:
        for item in _oldest_first(account, money.left_minor):
            yield from _pay(owner, item, money, from_on, day)
    for memo in account.memos:
        yield from _credit_oldest(account, memo, day)
    for money, from_on in spending:
        if money.unapplied_minor and _named(account, money):
            yield from _move(owner, money, money.unapplied_minor, from_on, day)


def _void(owner: Owner, item: _Item, void: Void, day: date) -> Iterator[Posting]:
    """A void document is worth nothing: all that was applied to it comes back, and so do the memos that named it."""
    effective_on = max(void.voided_on, item.invoice.issued_on)
    for source, minor in (*item.applied, *item.reduced_by):
        yield from _give_back(owner, item, source, minor, effective_on, day)
    yield item.change(owner, -item.invoice.amount_minor, "voided", effective_on, day)
    item.worth_minor, item.applied, item.reduced_by = 0, [], []


def _credit_named(account: _Account, memo: _Memo, day: date) -> Iterator[Posting]:
    """A memo makes the invoice it names worth less; what the invoice then has too much it gives back, the latest first."""
    owner, item = account.owner, account.items.get((memo.memo.ref_document_no or "").casefold())
    credit_minor = min(memo.left_minor, item.worth_minor) if item else 0
    if item is None or not credit_minor:
        return
    memo.left_minor -= credit_minor
    item.worth_minor -= credit_minor
    item.reduced_by.append((memo, credit_minor))
    effective_on = max(memo.memo.issued_on, item.invoice.issued_on)
    yield Posting(owner, "on_account", -credit_minor, effective_on, day)
    yield item.change(owner, -credit_minor, "credited", effective_on, day)
    while (too_much_minor := -item.open_minor) > 0:
        source, applied_minor = item.applied.pop()
        given_back_minor = min(applied_minor, too_much_minor)
        if applied_minor > given_back_minor:
            item.applied.append((source, applied_minor - given_back_minor))
        yield from _give_back(owner, item, source, given_back_minor, effective_on, day)


def _give_back(
    owner: Owner, item: _Item, source: _Money | _Memo | _WrittenOff, minor: int, effective_on: date, day: date
) -> Iterator[Posting]:
    """Money becomes credit of the account, a memo has its credit again, and what was written off is not any more."""
    match source:
        case _Money():
            source.on_account_minor += minor
            yield item.change(owner, minor, "settled", effective_on, day)
            yield Posting(owner, "on_account", minor, effective_on, day)
        case _Memo():
            source.left_minor += minor
            yield item.change(owner, minor, "credited", effective_on, day)
            yield Posting(owner, "on_account", minor, effective_on, day)
        case _WrittenOff():
            yield item.change(owner, minor, "written_off", effective_on, day)


def _write_off(owner: Owner, item: _Item, asked_minor: int, day: date) -> Iterator[Posting]:
    """Two people write off what they saw; what is not open any more is not."""
    minor = min(asked_minor, item.open_minor)
    if minor > 0:
        item.applied.append((_WrittenOff(day), minor))
        yield item.change(owner, -minor, "written_off", day, day)


def _recover(owner: Owner, item: _Item, money: _Money, from_on: date, day: date) -> Iterator[Posting]:
    """Money that names a written-off invoice pays it after all."""
    for place, (source, written_off_minor) in enumerate(item.applied):
        minor = min(money.left_minor, written_off_minor)
        if isinstance(source, _WrittenOff) and minor:
            effective_on = max(from_on, source.effective_on)
            item.applied[place] = (source, written_off_minor - minor)
            yield item.change(owner, minor, "written_off", effective_on, day)
            yield from _pay(owner, item, money, effective_on, day)


def _named(account: _Account, money: _Money) -> list[_Item]:
    """Return the invoices of this account that money names, in the order it names them."""
    numbers = numbers_in(money.receipt.remittance)
    return [account.items[number] for number in numbers if number in account.items]


def _pay(owner: Owner, item: _Item, money: _Money, from_on: date, day: date) -> Iterator[Posting]:
    """Apply what the item needs and the receipt has, unapplied money before on-account money."""
    minor = min(money.left_minor, item.open_minor)
    if not minor:
        return
    effective_on = max(from_on, item.invoice.issued_on)
    item.applied.append((money, minor))
    unapplied_minor = min(minor, money.unapplied_minor)
    yield Posting(owner, "unapplied", -unapplied_minor, effective_on, day)
    yield Posting(owner, "on_account", unapplied_minor - minor, effective_on, day)
    money.unapplied_minor -= unapplied_minor
    money.on_account_minor -= minor - unapplied_minor
    yield item.change(owner, -minor, "settled", effective_on, day)


def _move(owner: Owner, money: _Money, minor: int, effective_on: date, day: date) -> Iterator[Posting]:
    """What money leaves over behind the invoice it names is deliberate credit."""
    money.unapplied_minor -= minor
    money.on_account_minor += minor
    yield Posting(owner, "unapplied", -minor, effective_on, day)
    yield Posting(owner, "on_account", minor, effective_on, day)


def _credit_oldest(account: _Account, memo: _Memo, day: date) -> Iterator[Posting]:
    """What is left of a memo reduces the oldest item first; a memo whose invoice has not come waits for it."""
    names = (memo.memo.ref_document_no or "").casefold()
    if names and names not in account.items:
        return
    for item in _oldest_first(account, memo.left_minor):
        minor = min(memo.left_minor, item.open_minor)
        if minor:
            memo.left_minor -= minor
            item.applied.append((memo, minor))
            effective_on = max(day, item.invoice.issued_on)  # A memo is told on its own date, so this is never before it.
            yield Posting(account.owner, "on_account", -minor, effective_on, day)
            yield item.change(account.owner, -minor, "credited", effective_on, day)


def _oldest_first(account: _Account, wanted_minor: int) -> list[_Item]:
    """Return the open items by due date and number; none where there is nothing to spend."""
    return sorted((item for item in account.items.values() if item.open_minor), key=lambda item: item.place) if wanted_minor else []
