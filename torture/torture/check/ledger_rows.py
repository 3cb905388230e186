"""What the payment service says of the settlement ledger in its `chk` views, which is the truth about open balances."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from torture.check.rows import Row


@dataclass(frozen=True, slots=True)
class LedgerItem(Row):
    """An item in the settlement ledger, which owns what is open of it."""

    VIEW: ClassVar[str] = "item"
    item: str
    entity: str
    account: str
    currency: str
    total_minor: int
    open_minor: int
    settled_minor: int
    credited_minor: int
    adjusted_minor: int = 0
    voided_minor: int = 0
    allowed_minor: int = 0
    discounted_minor: int = 0


@dataclass(frozen=True, slots=True)
class LedgerAdjustment(Row):
    """An approval in the settlement ledger and what stands of it, net of all that was taken back."""

    VIEW: ClassVar[str] = "adjustment"
    adjustment: str
    entity: str
    account: str
    currency: str
    item: str
    kind: str
    approved_minor: int
    posted_minor: int


@dataclass(frozen=True, slots=True)
class LedgerMemo(Row):
    VIEW: ClassVar[str] = "memo"
    memo: str
    entity: str
    account: str
    currency: str
    total_minor: int
    remaining_minor: int
    applied_minor: int


@dataclass(frozen=True, slots=True)
class Receipt(Row):
    VIEW: ClassVar[str] = "receipt"
    receipt: str
    entity: str
    account: str | None
    currency: str
    amount_minor: int
    unidentified_minor: int
    unapplied_minor: int
    on_account_minor: int
    applied_minor: int
    refunded_minor: int = 0
    returned_minor: int = 0
    pinned_minor: int = 0
    transferred_minor: int = 0


@dataclass(frozen=True, slots=True)
class Transfer(Row):
    """Money that went from one account to another: `receipt` is what was made of it there, `origin` what came from outside at first."""

    VIEW: ClassVar[str] = "transfer"
    transfer: str
    from_receipt: str
    receipt: str
    origin: str
    from_account: str
    account: str
    currency: str
    amount_minor: int
    effective_on: date


@dataclass(frozen=True, slots=True)
class Refund(Row):
    """A refund that somebody asked for, and what became of it: pending, approved, rejected, withdrawn or expired."""

    VIEW: ClassVar[str] = "refund"
    refund: str
    entity: str
    receipt: str
    currency: str
    amount_minor: int
    status: str
    requested_by: str
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Allowance(Row):
    """What a payment was allowed to keep back of an item, as it stands: a discount, a tolerance, a bank's charge, withheld tax."""

    VIEW: ClassVar[str] = "allowance"
    allowance: str
    kind: str
    receipt: str
    item: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Exchanged(Row):
    """What an application gained or lost in the entity's currency."""

    VIEW: ClassVar[str] = "exchange"
    application: str
    receipt: str
    item: str
    gain_minor: int


@dataclass(frozen=True, slots=True)
class Application(Row):
    VIEW: ClassVar[str] = "application"
    application: str
    source_kind: str
    source: str
    item: str
    currency: str
    amount_minor: int
    reversed_minor: int


@dataclass(frozen=True, slots=True)
class Leg(Row):
    """One side of an entry of the settlement ledger, signed."""

    VIEW: ClassVar[str] = "entry"
    entry: int
    entity: str
    account: str
    currency: str
    leg: str
    amount_minor: int
