"""What `settle` reads and writes: one account's books in one currency, and entries of the settlement ledger."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple

RECEIPT: Final = "receipt"
MEMO: Final = "memo"
ADJUSTMENT: Final = "adjustment"
VOID: Final = "void"
REFERENCE: Final = "reference"
OLDEST_FIRST: Final = "oldest_first"
ON_ACCOUNT: Final = "on_account"
RECOVERED: Final = "recovered"
RECOVERABLE: Final = ("bad_debt", "settlement")
"""Kinds of adjustments that money naming the item takes back and pays instead (INV-08)."""


class Source(NamedTuple):
    """
    What makes an item smaller: a receipt (`entity|bank_ref`), a memo (`entity|document_no`), an adjustment (its request's id), or the void
    of the item's own document (`entity|document_no`).
    """

    kind: str
    id: str


class Entry(NamedTuple):
    """
    What identifies an entry of the settlement ledger within one booked day; its value is a signed number of minor units.

    With `item`: that much of the source stands applied to the item since `effective_on` (negative: less than before). `application` names
    the application, made on the booked day `applied_on`; an entry of an application of an earlier day changes what stands of it. Of an
    adjustment `application` is its id and `rule` its kind, or `RECOVERED` where money takes back part of it.

    Without `item` and `application`: that much of the receipt became on-account money (negative: unapplied money again).
    """

    application: str
    source: Source
    item: str
    rule: str
    effective_on: date
    applied_on: date


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What stands of an application or adjustment of an earlier day, effective since `effective_on`.

    `later` are the dated changes after that date that `amount_minor` has in it already, by date: as of an earlier date more of it stands,
    never less.
    """

    application: str
    source: Source
    rule: str
    amount_minor: int
    effective_on: date
    applied_on: date
    later: tuple[tuple[date, int], ...] = ()

    @property
    def is_credit_by_name(self) -> bool:
        """Whether it is credit of a memo that names the item's invoice, which nothing but a void pushes out."""
        return self.source.kind == MEMO and self.rule == REFERENCE


@dataclass(frozen=True, slots=True)
class Item:
    """
    An instalment of an invoice or debit memo: what was open of it when the day opened, or its total when it came today.

    `void_on` is the effective date of the void, if its document was voided today. `standing` is what stands on it of earlier days: needed
    where its document was voided today, where a memo of today names it, and of adjustments, where money does.
    """

    id: str
    document_no: str
    n: int
    due_on: date
    document_on: date
    open_minor: int
    standing: tuple[Standing, ...] = ()
    void_on: date | None = None

    @property
    def total_minor(self) -> int:
        """What it was billed at; known only with all that stands on it."""
        return self.open_minor + sum(one.amount_minor for one in self.standing)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """An adjustment or write-off of an item that was approved today; `amount_minor` is the most it may take off."""

    id: str
    item: str
    kind: str
    amount_minor: int
    effective_on: date


@dataclass(frozen=True, slots=True)
class Memo:
    """
    A credit memo: its open credit when the day opened, or its total when it came today (`came_on`).

    `names` is the document number of the invoice it makes worth less. None of its credit is free before `free_on`.
    """

    id: str
    document_no: str
    document_on: date
    remaining_minor: int
    names: str | None
    came_on: date
    free_on: date


@dataclass(frozen=True, slots=True)
class Money:
    """
    A receipt whose payer is known: its unapplied and on-account money when the day opened, or all of it as unapplied if it came today.

    `came_on` is the booked day on which it became this account's money: received or identified. `names` are the invoices of this account
    and currency that its remittance names, in the order they stand there. None of the money is free before `free_on`, its value date or
    the latest day something was given back to it.
    """

    id: str
    bank_ref: str
    value_on: date
    unapplied_minor: int
    on_account_minor: int
    names: tuple[str, ...]
    came_on: date
    free_on: date


@dataclass(frozen=True, slots=True)
class Books:
    """
    One account in one currency: its opening and, on top, the set of what came today, in any order.

    `items` holds every open item, and also closed ones that a memo of these books names, that an adjustment of these books or a void of
    today is about, or that are written off and named by money. While `has_all_items` is false it holds only those that something names or
    that entries of today touch: enough where nothing looks for the oldest item.
    """

    items: list[Item]
    memos: list[Memo]
    money: list[Money]
    has_all_items: bool = True
    adjustments: list[Adjustment] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Policy:
    """
    How money that names nothing is used.

    `auto_apply`: `oldest` pays the oldest item first, with unapplied and on-account money and with open memo credit; `never` leaves all of
    it to people. `version` names the policy.
    """

    auto_apply: Literal["oldest", "never"]
    version: str


STANDARD: Final = Policy("oldest", "standard-1")
"""The policy in force everywhere. Policies by entity, dated and published, are facts to come, not settings of a process."""
