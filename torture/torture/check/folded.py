"""What the facts of the log add up to."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from torture.check.expected import Owner

CubeKey: TypeAlias = tuple[str, str | None, str, str, date | None, date, date]
"""Entity, account (None: nobody's yet), currency, measure, due_on (None: has none), effective_on, booked_on."""

ExchangeKey: TypeAlias = tuple[str, str, str, str, date, date]
"""Entity, account, currency (the entity's), measure, effective_on, booked_on."""

OPEN: Final = ("invoiced", "charged", "credited", "settled", "discounted", "written_off", "voided")
"""The measures whose sum is what is open."""
DISCOUNTS: Final = ("earned", "unearned")
LET_GO: Final = ("tolerance", "bank_charge", "withholding_tax")
"""What a payment may keep back besides a discount: told as adjustments that nobody was asked about."""


class Tier(NamedTuple):
    """A discount of an item: so much for money that is there by a day, grace days included."""

    until_on: date
    minor: int


@dataclass(slots=True)
class FoldedItem:
    """
    An item: billed, less money, credit, what was discounted, let go, written off and voided.

    Neither `issued` nor `booked_on` before it was billed. `base_minor` is its worth in the entity's currency, where that is another.
    """

    entity: str
    account: str
    currency: str
    due_on: date
    issued: bool = False
    total_minor: int = 0
    settled_minor: int = 0
    credited_minor: int = 0
    adjusted_minor: int = 0
    discounted_minor: int = 0
    let_go_minor: int = 0
    voided_minor: int = 0
    booked_on: date | None = None
    tiers: tuple[Tier, ...] = ()
    unearned_allowed: bool = False
    base_minor: int | None = None

    @property
    def open_minor(self) -> int:
        """What is still owed."""
        without_money = self.credited_minor + self.adjusted_minor + self.allowed_minor + self.voided_minor
        return self.total_minor - self.settled_minor - without_money

    @property
    def allowed_minor(self) -> int:
        """What payments were allowed to keep back."""
        return self.discounted_minor + self.let_go_minor


@dataclass(slots=True)
class FoldedDocument:
    """
    A document as the invoice service told it; `origin` and `origin_id` say what it made it from.

    `customer` is who was billed, which is the account or settles under it; `about` is the document it names. `orders` are the orders,
    contracts and deliveries it bears, letter case aside.
    """

    kind: str
    entity: str
    account: str
    currency: str
    total_minor: int
    booked_on: date | None
    origin: str | None = None
    origin_id: str | None = None
    customer: str | None = None
    about: str | None = None
    orders: frozenset[str] = frozenset()


@dataclass(slots=True)
class FoldedMemo:
    """A credit memo and what of it was applied."""

    entity: str = ""
    account: str = ""
    currency: str = ""
    total_minor: int = 0
    applied_minor: int = 0


class Reversal(NamedTuple):
    """That a bank took a receipt back: from whom (None: nobody's yet), and what it asked for it (zero: nothing)."""

    account: str | None
    fee_minor: int
    booked_on: date


class Debit(NamedTuple):
    """That a receipt was taken back and is billed anew, so that what it paid stays paid; with the fee for it (zero: none)."""

    account: str
    amount_minor: int
    fee_minor: int
    booked_on: date


@dataclass(slots=True)
class FoldedReceipt:
    """
    A receipt and where its money is.

    `given` counts per account how often it was given the receipt less how often it lost it: those facts stand under different keys, so
    there is no last one. `value_on` is when the money was there; `base_minor` its worth in the entity's currency, where that is another and
    known. `deposit_for` is the order or contract it is bound to, unless a person released it on `released_on`.
    """

    entity: str
    currency: str
    amount_minor: int = 0
    given: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unidentified_minor: int = 0
    unapplied_minor: int = 0
    on_account_minor: int = 0
    applied_minor: int = 0
    refunded_minor: int = 0
    returned_minor: int = 0
    transferred_minor: int = 0
    value_on: date | None = None
    base_minor: int | None = None
    reversals: list[Reversal] = field(default_factory=list)
    debits: list[Debit] = field(default_factory=list)
    deposit_for: str | None = None
    released_on: date | None = None

    @property
    def charged(self) -> list[Reversal | Debit]:
        """The times it was taken back from somebody, which may have cost something."""
        return [*(one for one in self.reversals if one.account is not None), *self.debits]

    @property
    def free_minor(self) -> int:
        """What is neither applied nor on account nor gone, whether its payer is known or not."""
        return self.unidentified_minor + self.unapplied_minor

    @property
    def account(self) -> str | None:
        """The payer, None while nobody knows."""
        payers = [account for account, times in self.given.items() if times > 0]
        return payers[0] if len(payers) == 1 else "|".join(sorted(payers)) or None


@dataclass(slots=True)
class FoldedApplication:
    """
    What stands of an application, and how much of it was ever taken back; told of since `first_on`, with the net of each day.

    `rule` is why it was made, `person` where somebody did it by hand.
    """

    source_kind: str
    currency: str
    first_on: date
    rule: str | None
    amount_minor: int = 0
    reversed_minor: int = 0
    by_day: dict[date, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class FoldedAllowance:
    """What stands of what a payment may keep back of an item, by its kind."""

    kind: str
    currency: str
    amount_minor: int = 0


class TransferEnd(NamedTuple):
    """
    What one fact says of a transfer: so much of `from_receipt` on `from_account` for `to_account`, effective on a date.

    `receipt` is what it is where it arrives, None where it leaves; `by` who wanted it there (`person`, `reference`), None where it arrives.
    """

    entity: str
    from_receipt: str
    from_account: str
    to_account: str
    currency: str
    amount_minor: int
    effective_on: date
    receipt: str | None = None
    by: str | None = None


@dataclass(slots=True)
class FoldedTransfer:
    """A transfer as the log tells of it: what left an account, and what arrived at another, which should be once each, and the same."""

    outs: list[TransferEnd] = field(default_factory=list)
    ins: list[TransferEnd] = field(default_factory=list)


@dataclass(slots=True)
class FoldedRefund:
    """A refund as the log tells of it: how often it was asked for, rejected and made, by whom (None: a day that turned), over how much."""

    receipt: str = ""
    requests: int = 0
    rejections: int = 0
    issues: int = 0
    asked_minor: int = 0
    issued_minor: int = 0
    requested_by: str = ""
    approved_by: str = ""
    rejected_by: str | None = None


@dataclass(slots=True)
class FoldedAdjustment:
    """
    A request to write off as the log tells of it.

    `approvals` counts the facts that approved it, of `approved_minor` off `item`, by `approved_by` (None: a policy); `endings` are how it
    came to nothing otherwise. `posted_minor` is what the ledger said stands of it, `places` the items it said that of.
    """

    approvals: int = 0
    endings: list[str] = field(default_factory=list)
    item: str = ""
    requested_by: str = ""
    approved_by: str | None = None
    approved_minor: int = 0
    posted_minor: int = 0
    places: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class FoldedNotice:
    """A notice as it was sent; `items` are (item, level, what was open)."""

    entity: str
    account: str
    currency: str
    noticed_on: date
    level: int
    total_minor: int
    items: tuple[tuple[str, int, int], ...]
    booked_on: date | None


@dataclass(frozen=True, slots=True)
class ItemMove:
    """
    What one fact did to what is open of an item, and the marker it stands behind in its partition.

    `settled_on` is the day on which the settlement ledger has it: its own facts when they are booked, all others behind their marker.
    """

    item: str
    minor: int
    behind: date | None
    settled_on: date | None


@dataclass(slots=True)
class Folded:
    """
    Everything the facts say, added up. All of it commutes: the order of facts leaves no trace.

    `allowances` are by their id, receipt and item. `voids` are the days on which documents were booked as void, `fallen_due` those on which
    items were told to be due, `overdue` those on which they were told to be overdue, with what was open. `taken_off` are the last days on
    which a person took a source off an item. `gains` are by application, receipt and item, in the entity's currency. `unread` are facts
    that could not be folded: (where, why).
    """

    documents: dict[str, FoldedDocument] = field(default_factory=dict)
    items: dict[str, FoldedItem] = field(default_factory=dict)
    memos: dict[str, FoldedMemo] = field(default_factory=lambda: defaultdict(FoldedMemo))
    receipts: dict[str, FoldedReceipt] = field(default_factory=dict)
    applications: dict[tuple[str, str, str], FoldedApplication] = field(default_factory=dict)
    adjustments: dict[str, FoldedAdjustment] = field(default_factory=lambda: defaultdict(FoldedAdjustment))
    allowances: dict[tuple[str, str, str], FoldedAllowance] = field(default_factory=dict)
    refunds: dict[str, FoldedRefund] = field(default_factory=lambda: defaultdict(FoldedRefund))
    transfers: dict[str, FoldedTransfer] = field(default_factory=lambda: defaultdict(FoldedTransfer))
    taken_off: dict[tuple[str, str], date] = field(default_factory=dict)
    gains: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    exchange: dict[ExchangeKey, int] = field(default_factory=lambda: defaultdict(int))
    voids: dict[str, date] = field(default_factory=dict)
    fallen_due: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    overdue: dict[str, list[tuple[date, int]]] = field(default_factory=lambda: defaultdict(list))
    notices: dict[str, FoldedNotice] = field(default_factory=dict)
    limits: dict[Owner, int] = field(default_factory=dict)
    cube: dict[CubeKey, int] = field(default_factory=lambda: defaultdict(int))
    moves: list[ItemMove] = field(default_factory=list)
    rejections: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    issued_twice: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    @property
    def arrivals(self) -> dict[str, TransferEnd]:
        """The receipts that were made of money of other accounts, each with where it came from."""
        return {end.receipt: end for one in self.transfers.values() for end in one.ins if end.receipt is not None}

    def sums(self, *measures: str) -> dict[Owner, int]:
        """Add measures up by owner; what is nobody's is left out."""
        sums: dict[Owner, int] = defaultdict(int)
        for (entity, account, currency, measure, *_), minor in self.cube.items():
            if account is not None and measure in measures:
                sums[entity, account, currency] += minor
        return sums
