"""The books of one account in one currency: its items, its money and its memos. What it is for is said in `oracle`."""

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from demo.clues import numbers_in
from demo.early import half_up
from demo.ledger import CreditMemo, DebitMemo, Invoice, Receipt
from demo.postings import Cause, Owner, Posting


@dataclass(slots=True)
class Money:
    """
    A receipt whose payer is known: what found nothing to pay yet, and what is deliberate credit of the account.

    `pinned_minor` of that only people use; items it was taken off by a person are `barred`. Of what came from another account's receipt
    `arrived_on` is the day from which it is here. `given_on` is the last day on which something was given back to it, or left over, and
    `parts` how often some of it went to another account.
    """

    receipt: Receipt
    unapplied_minor: int
    on_account_minor: int = 0
    pinned_minor: int = 0
    barred: set[str] = field(default_factory=set)
    arrived_on: date | None = None
    given_on: date = date.min
    parts: int = 0

    @property
    def since_on(self) -> date:
        """The day from which it is this account's money."""
        return self.arrived_on or self.receipt.value_on

    @property
    def left_minor(self) -> int:
        """All that can still be spent by rules."""
        return self.unapplied_minor + self.on_account_minor - self.pinned_minor

    @property
    def place(self) -> tuple[date, str]:
        """Where the money stands among that of its account."""
        return (self.receipt.value_on, self.receipt.bank_ref)


@dataclass(slots=True)
class Memo:
    """A credit memo and what is left of it."""

    memo: CreditMemo
    left_minor: int


@dataclass(slots=True)
class WrittenOff:
    """What was written off of an item on a day."""

    effective_on: date


@dataclass(slots=True)
class Kept:
    """What a payment kept back as a discount."""

    money: Money


Source: TypeAlias = Money | Memo | WrittenOff | Kept


class Move(NamedTuple):
    """What was taken off an item on a day by a receipt, a memo or nobody (`of` empty), below zero where it was given back."""

    document_no: str
    kind: str
    of: str
    minor: int
    effective_on: date


@dataclass(slots=True)
class Item:
    """
    An invoice or debit memo: what it is worth, and what was applied to it from where, latest last.

    Memos that name it make it worth less: they are in `reduced_by`, not in `applied`.
    """

    invoice: Invoice | DebitMemo
    worth_minor: int
    applied: list[tuple[Source, int]] = field(default_factory=list)
    reduced_by: list[tuple[Memo, int]] = field(default_factory=list)

    @property
    def open_minor(self) -> int:
        """What is still owed; below zero while a memo has made the item worth less than was applied to it."""
        return self.worth_minor - sum(minor for _, minor in self.applied)

    @property
    def place(self) -> tuple[date, str]:
        """Where the item stands among those of its account: oldest first."""
        return (self.invoice.due_on, self.invoice.document_no)

    def unused_minor(self, full_minor: int) -> int:
        """Return what is left of a discount, which shrinks with what is not to be paid any more."""
        relieved = sum(minor for source, minor in self.applied if isinstance(source, Memo | WrittenOff))
        relieved += sum(minor for _, minor in self.reduced_by)
        granted = sum(minor for source, minor in self.applied if isinstance(source, Kept))
        whole = self.invoice.amount_minor
        return max(0, half_up(Fraction(full_minor * (whole - relieved), whole)) - granted)


@dataclass(slots=True)
class Account:
    """The books of one customer in one currency. Closed items are kept: a memo may still name them. `moves` are of the present day."""

    owner: Owner
    items: dict[str, Item] = field(default_factory=dict)
    money: list[Money] = field(default_factory=list)
    memos: list[Memo] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    def change(self, item: Item, minor: int, cause: Cause, effective_on: date, day: date, of: Source | None = None) -> Posting:
        """Say that so much more of an item is open."""
        document_no = item.invoice.document_no
        if cause not in ("invoiced", "charged"):
            kind, name = "void", ""
            match of:
                case Money(receipt):
                    kind, name = "receipt", receipt.bank_ref
                case Memo(memo):
                    kind, name = "memo", memo.document_no
                case Kept(Money(receipt)):
                    kind, name = "earned", receipt.bank_ref
                case WrittenOff():
                    kind = "Adjustment"
            self.moves.append(Move(document_no, kind, name, -minor, effective_on))
        return Posting(self.owner, "open", minor, effective_on, day, item.invoice.due_on, cause, document_no)

    def of(self, bank_ref: str) -> Money | None:
        """Find a receipt of this account."""
        return next((one for one in self.money if one.receipt.bank_ref == bank_ref), None)

    def named_by(self, money: Money) -> list[Item]:
        """
        Return the items that money names, in its order: by their numbers, and those that it is a deposit for by their order, the first due
        first.
        """
        numbers = numbers_in(money.receipt.remittance)
        named = [self.items[number] for number in numbers if number in self.items]
        if money.receipt.deposit_for:
            order = money.receipt.deposit_for.casefold()
            of_it = [
                one for one in self.items.values() if isinstance(one.invoice, Invoice) and (one.invoice.order or "").casefold() == order
            ]
            named += sorted((one for one in of_it if one not in named), key=lambda one: one.place)
        return named
