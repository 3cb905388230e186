"""What the facts of the log add up to."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

from torture.check.expected import Owner

CubeKey: TypeAlias = tuple[str, str | None, str, str, date | None, date, date]
"""Entity, account (None: nobody's yet), currency, measure, due_on (None: has none), effective_on, booked_on."""

OPEN: Final = ("invoiced", "charged", "credited", "settled", "written_off", "voided")
"""The measures whose sum is what is open."""


@dataclass(slots=True)
class FoldedItem:
    """An item: billed, less money, credit, what was written off and voided. Neither `issued` nor `booked_on` before it was billed."""

    entity: str
    account: str
    currency: str
    due_on: date
    issued: bool = False
    total_minor: int = 0
    settled_minor: int = 0
    credited_minor: int = 0
    adjusted_minor: int = 0
    voided_minor: int = 0
    booked_on: date | None = None

    @property
    def open_minor(self) -> int:
        """What is still owed."""
        return self.total_minor - self.settled_minor - self.credited_minor - self.adjusted_minor - self.voided_minor


@dataclass(slots=True)
class FoldedDocument:
    """A document as the invoice service told it."""

    kind: str
    entity: str
    account: str
    currency: str
    total_minor: int
    booked_on: date | None


@dataclass(slots=True)
class FoldedMemo:
    """A credit memo and what of it was applied."""

    entity: str = ""
    account: str = ""
    currency: str = ""
    total_minor: int = 0
    applied_minor: int = 0


@dataclass(slots=True)
class FoldedReceipt:
    """
    A receipt and where its money is.

    `given` counts per account how often it was given the receipt less how often it lost it: those facts stand under different keys, so
    there is no last one.
    """

    entity: str
    currency: str
    amount_minor: int = 0
    given: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unidentified_minor: int = 0
    unapplied_minor: int = 0
    on_account_minor: int = 0
    applied_minor: int = 0

    @property
    def account(self) -> str | None:
        """The payer, None while nobody knows."""
        payers = [account for account, times in self.given.items() if times > 0]
        return payers[0] if len(payers) == 1 else "|".join(sorted(payers)) or None


@dataclass(slots=True)
class FoldedApplication:
    """What stands of an application, and how much of it was ever taken back."""

    source_kind: str
    currency: str
    amount_minor: int = 0
    reversed_minor: int = 0


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
    """What one fact did to what is open of an item, and the marker it stands behind in its partition."""

    item: str
    minor: int
    behind: date | None


@dataclass(slots=True)
class Folded:
    """
    Everything the facts say, added up. All of it commutes: the order of facts leaves no trace.

    `voids` are the days on which documents were booked as void, `fallen_due` those on which items were told to be due, `unread` facts that
    could not be folded: (where, why).
    """

    documents: dict[str, FoldedDocument] = field(default_factory=dict)
    items: dict[str, FoldedItem] = field(default_factory=dict)
    memos: dict[str, FoldedMemo] = field(default_factory=lambda: defaultdict(FoldedMemo))
    receipts: dict[str, FoldedReceipt] = field(default_factory=dict)
    applications: dict[tuple[str, str, str], FoldedApplication] = field(default_factory=dict)
    adjustments: dict[str, FoldedAdjustment] = field(default_factory=lambda: defaultdict(FoldedAdjustment))
    voids: dict[str, date] = field(default_factory=dict)
    fallen_due: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    notices: dict[str, FoldedNotice] = field(default_factory=dict)
    limits: dict[Owner, int] = field(default_factory=dict)
    cube: dict[CubeKey, int] = field(default_factory=lambda: defaultdict(int))
    moves: list[ItemMove] = field(default_factory=list)
    rejections: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    issued_twice: list[str] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)

    def sums(self, *measures: str) -> dict[Owner, int]:
        """Add measures up by owner; what is nobody's is left out."""
        sums: dict[Owner, int] = defaultdict(int)
        for (entity, account, currency, measure, *_), minor in self.cube.items():
            if account is not None and measure in measures:
                sums[entity, account, currency] += minor
        return sums
