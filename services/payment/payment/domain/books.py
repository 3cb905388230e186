"""What `settle` reads and writes: one account's books in one currency, and entries of the settlement ledger."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple

RECEIPT: Final = "receipt"
MEMO: Final = "memo"
REFERENCE: Final = "reference"
OLDEST_FIRST: Final = "oldest_first"
ON_ACCOUNT: Final = "on_account"


class Source(NamedTuple):
    """Where settlement comes from: a receipt (`entity|bank_ref`) or a memo (`entity|document_no`)."""

    kind: str
    id: str


class Entry(NamedTuple):
    """
    What identifies an entry of the settlement ledger within one booked day; its value is a signed number of minor units.

    With `item`: that much of the source stands applied to the item since `effective_on` (negative: less than before). `application` names
    the application, made on the booked day `applied_on`; an entry of an application of an earlier day changes what stands of it.

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
    """What stands of an application of an earlier day and can be given back; effective since `effective_on`."""

    application: str
    source: Source
    rule: str
    amount_minor: int
    effective_on: date
    applied_on: date


@dataclass(frozen=True, slots=True)
class Item:
    """
    An instalment of an invoice: what was open of it when the day opened, or its total when it came today.

    `standing` are the applications of earlier days that it can give back; needed only where a memo of today names its invoice.
    """

    id: str
    document_no: str
    n: int
    due_on: date
    document_on: date
    open_minor: int
    standing: tuple[Standing, ...] = ()


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

    `items` holds every open item, and also closed ones that a memo of these books names. While `has_all_items` is false it holds only those
    that something names or that entries of today touch: enough where nothing looks for the oldest item.
    """

    items: list[Item]
    memos: list[Memo]
    money: list[Money]
    has_all_items: bool = True


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
