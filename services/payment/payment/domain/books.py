"""What `settle` reads and writes: one account's books in one currency, and entries of the settlement ledger."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple

RECEIPT: Final = "receipt"
MEMO: Final = "memo"
ADJUSTMENT: Final = "adjustment"
VOID: Final = "void"
ALLOWANCE: Final = "allowance"
REFERENCE: Final = "reference"
PERSON: Final = "person"
SCORE: Final = "score"
SCORED: Final = f"|{SCORE}|"
"""What the id of a decision has behind its entity that no person took: a suggestion that the policy thinks sure (PAY-06)."""
ON_ACCOUNT: Final = "on_account"
PINNED: Final = "pinned"
REFUNDED: Final = "refunded"
RETURNED: Final = "returned"
TRANSFERRED: Final = "transferred"
RECOVERED: Final = "recovered"
FX: Final = "fx"
EARNED: Final = "earned"
UNEARNED: Final = "unearned"
DISCOUNTS: Final = (EARNED, UNEARNED)
TOLERANCE: Final = "tolerance"
RECOVERABLE: Final = ("bad_debt", "settlement")
"""Kinds of adjustments that money naming the item takes back and pays instead (INV-08)."""


class Source(NamedTuple):
    """
    What makes an item smaller: a receipt (`entity|bank_ref`), a memo (`entity|document_no`), an adjustment (its request's id), the void of
    the item's own document (`entity|document_no`), or an allowance: what a payment kept back and we let go, by the id of its receipt.
    """

    kind: str
    id: str


class Entry(NamedTuple):
    """
    What identifies an entry of the settlement ledger within one booked day; its value is a signed number of minor units.

    With `item`: that much of the source stands applied to the item since `effective_on` (negative: less than before). `application` names
    the application, made on the booked day `applied_on`; an entry of an application of an earlier day changes what stands of it. Of an
    adjustment `application` is its id and `rule` its kind, or `RECOVERED` where money takes back part of it.

    Of an allowance `rule` is its kind: `earned` or `unearned` discount, `tolerance`, or what the policy makes of a deduction's code.

    With the rule `FX` it is no part of the item but what the application gained (negative: lost) in the entity's currency.

    Without `item` and `application`, by `rule`: that much of the receipt became on-account money (negative: unapplied money again), was
    refunded, was transferred to another account, or was returned to the bank; or that much of a receipt's on-account money or of a memo's
    credit is pinned: only a person may use it.
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


class Tier(NamedTuple):
    """A discount for money that is valued up to `until_on`, grace days counted in: the whole of it, and what of that is tax."""

    until_on: date
    amount_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class EarlyPayment:
    """
    The discount terms of an instalment (INV-04) billed at `billed_minor`.

    `granted_minor` is what was granted before today; `relieved_minor` what memos and adjustments took of the item before today: of that
    nothing is paid, so nothing is discounted. `is_prorated`: part payments get their part, else only payment in full is discounted.
    """

    tiers: tuple[Tier, ...]
    billed_minor: int
    is_prorated: bool
    unearned_allowed: bool
    granted_minor: int = 0
    relieved_minor: int = 0


class Worth(NamedTuple):
    """What an item or a receipt was worth as a whole: `base_minor` in the entity's currency for `minor` of its own."""

    minor: int
    base_minor: int


@dataclass(frozen=True, slots=True)
class Item:
    """
    An instalment of an invoice or debit memo: what was open of it when the day opened, or its total when it came today.

    `void_on` is the effective date of the void, if its document was voided today. `standing` is what stands on it of earlier days: needed
    where its document was voided today, where a memo of today names it, where money on it was returned or unapplied today, and of
    adjustments, where money names it. `reopened_on` is the latest date as of which something that stood on it was taken back on an earlier
    day: nothing is put on it before. `terms` is the code of its payment terms. `worth` is given in another currency than the entity's.
    """

    id: str
    document_no: str
    n: int
    due_on: date
    document_on: date
    open_minor: int
    standing: tuple[Standing, ...] = ()
    void_on: date | None = None
    reopened_on: date | None = None
    terms: str = ""
    early: EarlyPayment | None = None
    worth: Worth | None = None

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
    pinned_minor: int = 0
    barred: frozenset[str] = frozenset()


class Stated(NamedTuple):
    """
    What a remittance states of one document (or its instalment `n`): the most it pays of it, and deductions by code. None is not stated.
    """

    document_no: str
    n: int | None
    amount_minor: int | None
    deductions: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Money:
    """
    A receipt whose payer is known: its unapplied and on-account money when the day opened, or all of it as unapplied if it came today.

    `came_on` is the booked day on which it became this account's money: received or identified. `names` are the invoices of this account
    and currency that its remittance names, in the order they stand there; `stated` is what it says of them. None of the money is free
    before `free_on`, its value date or the latest day something was given back to it. Of money that another account transferred here
    `arrived_on` is the date from which it is here; the value date stays that of the receipt it came from.

    `pinned_minor` is the part of the on-account money that only a person may use, `barred` the items a person took it off: no rule puts it
    there again. `returned_on` is the date on which the bank took all of it back, where that was booked today. `worth` is that of the whole
    receipt, `settled_minor` what of it was applied or transferred when the day opened; both count in another currency than the entity's
    only.

    A deposit `is_bound` to an order until a person releases it, also today: only what it names and people use it (PAY-16). It names what
    its remittance gives a number of, then what bears the order.

    It `is_for_others` while its remittance also names documents of other accounts that were open when the day opened: what it does not pay
    by name waits until the day turns, and goes there (PAY-11).
    """

    id: str
    bank_ref: str
    value_on: date
    unapplied_minor: int
    on_account_minor: int
    names: tuple[str, ...]
    came_on: date
    free_on: date
    stated: tuple[Stated, ...] = ()
    pinned_minor: int = 0
    barred: frozenset[str] = frozenset()
    returned_on: date | None = None
    worth: Worth | None = None
    settled_minor: int = 0
    arrived_on: date | None = None
    is_bound: bool = False
    is_for_others: bool = False

    @property
    def since_on(self) -> date:
        """The date from which it is this account's money."""
        return max(self.value_on, self.arrived_on or self.value_on)


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What a person decided today about money or credit, `source`: the decisions of a day stand in the order in which they were recorded.

    `apply`: pay `item` with up to `amount_minor`. `unapply`: take up to that off it again; no rule touches it until it is released.
    `release`: rules may use it again, all of it. `refund`: up to that goes back to the payer. `transfer`: that goes to another account,
    from `effective_on` on, since when no less of it is free; what comes later that day changes neither, because the money is there already.
    """

    id: str
    kind: Literal["apply", "unapply", "release", "refund", "transfer"]
    source: Source
    item: str
    amount_minor: int
    effective_on: date


class Reach(NamedTuple):
    """
    Which open items rules look at, besides those that something names or that entries of today touch.

    All of them, or those of which just one of `amounts` is open, and the oldest (due date, document number, instalment) until they add up
    to `oldest_minor`: what is behind them no money gets to.
    """

    amounts: frozenset[int] = frozenset()
    oldest_minor: int = 0
    is_all: bool = False

    def covers(self, wanted: "Reach") -> bool:
        """Whether all that is `wanted` is there."""
        return self.is_all or (not wanted.is_all and wanted.amounts <= self.amounts and wanted.oldest_minor <= self.oldest_minor)


ALL_ITEMS: Final = Reach(is_all=True)
NAMED_ITEMS: Final = Reach()


@dataclass(frozen=True, slots=True)
class Books:
    """
    One account in one currency: its opening and, on top, the set of what came today, in any order.

    `items` holds the open items within `reach`, those that something names or that entries of today touch, and also closed ones that a memo
    of these books names, that an adjustment of these books or a void of today is about, that are written off and named by money, that a
    decision of today is about, or that returned money paid.
    """

    items: list[Item]
    memos: list[Memo]
    money: list[Money]
    reach: Reach = ALL_ITEMS
    adjustments: list[Adjustment] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    currency: str = ""
