"""Facts about what is taken off an item without money: adjustments, write-offs, discounts."""

from datetime import date

from events.fact import Amount, Event, fact


@fact("receivables.AdjustmentPosted.v1", topic="receivables.payment")
class AdjustmentPosted(Event, frozen=True, kw_only=True):
    """
    Published when an approved adjustment or write-off was taken off an item: its open amount falls by `amount`.

    `adjustment` is the request that the invoice service approved, `kind` its kind, `tax` the part of the amount that is tax. Of the kinds
    `tolerance`, `bank_charge` and `withholding_tax` nobody was asked: a payment was short of the item by as much, and the entity's policy
    allows it; `receipt` names it. Never more than was open: what was approved beyond that is not posted. Effective as the approval, never
    before the item's document. An `adjustment` that comes again restores what was taken back of it.

    Does not imply that the money will never come: `AdjustmentReversed` with reason `recovered` says when it did.
    """

    entity: str
    adjustment: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    tax: Amount
    kind: str
    receipt: str | None = None


@fact("receivables.AdjustmentReversed.v1", topic="receivables.payment")
class AdjustmentReversed(Event, frozen=True, kw_only=True):
    """
    Published when an adjustment was taken back, in part or whole: the item's open amount rises by `amount`, of which `tax` is tax.

    `reason` is `recovered` (money came that names the written-off item, and pays it at once), `worth_less` (the item is worth less than was
    taken off it), `returned` (the bank took the money back that had been short by it), `person` or `reordered` (a fact of the same day that
    came later than it should have).

    Does not imply that anything stays open: read it together with the applications that follow.
    """

    entity: str
    adjustment: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    tax: Amount
    kind: str
    reason: str
    receipt: str | None = None


@fact("receivables.DiscountGranted.v1", topic="receivables.payment")
class DiscountGranted(Event, frozen=True, kw_only=True):
    """
    Published when a payment was given a discount: the item's open amount falls by `amount`, of which `tax` is tax (INV-04, PAY-09).

    `kind` is `earned`, paid in time, or `unearned`, paid late under terms that allow it. `receipt` is the money it was granted to.
    Effective with the application of that money. A `discount` that comes again restores what was revoked of it.

    Does not imply that the item is settled: of a part payment in time the part is discounted.
    """

    entity: str
    discount: str
    receipt: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    tax: Amount
    kind: str


@fact("receivables.DiscountRevoked.v1", topic="receivables.payment")
class DiscountRevoked(Event, frozen=True, kw_only=True):
    """
    Published when a discount was taken back, in part or whole: the item's open amount rises by `amount`, of which `tax` is tax.

    `reason` is as in `ApplicationReversed`.

    Does not imply that anything stays open: read it together with what is granted and applied instead.
    """

    entity: str
    discount: str
    receipt: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    tax: Amount
    kind: str
    reason: str
