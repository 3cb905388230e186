"""What a batch of facts adds to the read model, folded by key."""

from dataclasses import dataclass, field
from datetime import date

from reporting.domain.measures import INVOICED, NO_DUE_ON

CubeKey = tuple[str, str, str, date, date, date]
"""(entity, currency, measure, due_on, effective_on, booked_on)"""
AccountKey = tuple[str, str, str, str, date, date, date]
"""(entity, account, currency, measure, due_on, effective_on, booked_on)"""
PostingKey = tuple[str, str | None, str, str, date, date, date]
"""The same; the account is None while the payer is unknown."""
ReceiptKey = tuple[str, date]
"""(receipt, booked_on)"""
ExchangeKey = tuple[str, str, str, str, date, date]
"""(entity, account, currency, measure, effective_on, booked_on)"""


@dataclass(frozen=True, slots=True)
class Posting:
    """Where a fact is posted; `account` is None while the payer is unknown."""

    entity: str
    account: str | None
    currency: str
    effective_on: date
    booked_on: date


@dataclass(slots=True)
class ItemDelta:
    """What a batch adds to one item; `issued_on` and `booked_on` are None until the fact that issued it has come."""

    entity: str
    account: str
    customer: str
    currency: str
    due_on: date
    issued_on: date | None = None
    booked_on: date | None = None
    total_minor: int = 0
    open_minor: int = 0


@dataclass(slots=True)
class ReceiptDelta:
    """
    What a booked day's facts add to one receipt: what came (less what a bank took back, or went on to another account), what of it was
    applied and by whom, what is free.

    `value_on` is None but for the fact that says the money came.
    """

    entity: str
    currency: str
    value_on: date | None = None
    received_minor: int = 0
    automatic_minor: int = 0
    by_person_minor: int = 0
    free_minor: int = 0


@dataclass(frozen=True, slots=True)
class Revaluation:
    """An open item in another currency than the entity's, valued at a period's end; carrying and revalued amount are in `currency`."""

    item: str
    period_end_on: date
    entity: str
    account: str
    item_currency: str
    open_minor: int
    currency: str
    carrying_minor: int
    revalued_minor: int
    rate: str
    rate_on: date
    booked_on: date


@dataclass(slots=True)
class Deltas:
    """
    What a batch adds to the read model, folded by key.

    Everything here is a sum or is written once, so the order of the facts and the cut of the batches leave no trace.
    """

    items: dict[str, ItemDelta] = field(default_factory=dict)
    postings: dict[PostingKey, int] = field(default_factory=dict)
    receipts: dict[ReceiptKey, ReceiptDelta] = field(default_factory=dict)
    exchange: dict[ExchangeKey, int] = field(default_factory=dict)
    revaluations: list[Revaluation] = field(default_factory=list)

    @property
    def accounts(self) -> dict[AccountKey, int]:
        """What is added to accounts, without what cancels out."""
        return {(key[0], account, *key[2:]): minor for key, minor in self.postings.items() if minor and (account := key[1]) is not None}

    @property
    def cube(self) -> dict[CubeKey, int]:
        """What is added to entities, without what cancels out."""
        sums: dict[CubeKey, int] = {}
        for (entity, _, currency, measure, due_on, effective_on, booked_on), minor in self.postings.items():
            key = (entity, currency, measure, due_on, effective_on, booked_on)
            sums[key] = sums.get(key, 0) + minor
        return {key: minor for key, minor in sums.items() if minor}

    def post(self, to: Posting, measure: str, minor: int, due_on: date = NO_DUE_ON) -> None:
        """Add `minor` to a measure, for the entity and for the account where there is one."""
        key = (to.entity, to.account, to.currency, measure, due_on, to.effective_on, to.booked_on)
        self.postings[key] = self.postings.get(key, 0) + minor

    def issue(self, to: Posting, item: str, customer: str, due_on: date, minor: int, measure: str = INVOICED) -> None:
        """Bill an item by `measure` (`INVOICED`, `CHARGED`)."""
        delta = self._item(to, item, customer, due_on)
        delta.issued_on, delta.booked_on = to.effective_on, to.booked_on
        delta.total_minor += minor
        delta.open_minor += minor
        self.post(to, measure, minor, due_on)

    def settle(self, to: Posting, measure: str, item: str, customer: str, due_on: date, minor: int) -> None:
        """Take `minor` off an item by any other measure, or off what was charged; a negative amount puts it back."""
        self._item(to, item, customer, due_on).open_minor -= minor
        self.post(to, measure, -minor, due_on)

    def receipt(self, to: Posting, receipt: str) -> ReceiptDelta:
        """Return what the batch adds to a receipt on a booked day, to be added to."""
        delta = self.receipts.get((receipt, to.booked_on))
        if delta is None:
            delta = self.receipts[receipt, to.booked_on] = ReceiptDelta(to.entity, to.currency)
        return delta

    def differ(self, to: Posting, measure: str, minor: int) -> None:
        """Add an exchange difference, gain less loss, in the entity's currency, which is that of the posting."""
        if to.account is None:
            raise ValueError("an exchange difference is an account's")
        key = (to.entity, to.account, to.currency, measure, to.effective_on, to.booked_on)
        self.exchange[key] = self.exchange.get(key, 0) + minor

    def _item(self, to: Posting, item: str, customer: str, due_on: date) -> ItemDelta:
        delta = self.items.get(item)
        if delta is None:
            if to.account is None:
                raise ValueError(f"{item} has no account")
            delta = self.items[item] = ItemDelta(to.entity, to.account, customer, to.currency, due_on)
        return delta
