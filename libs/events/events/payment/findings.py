"""What is found when a day turns: about items and payments of the day that closed."""

from datetime import date

from events.fact import Amount, Event, fact


@fact("receivables.UnearnedDiscountTaken.v1", topic="receivables.payment")
class UnearnedDiscountTaken(Event, frozen=True, kw_only=True):
    """
    Published when a day turned on which a payment left no more open of an item than a discount whose time was over.

    `amount` is what is open; `until_on` the last day on which it would have been earned, grace days included. Effective on the day that
    closed.

    Does not imply that anything was granted: the amount stays open, as a deduction to be claimed or disputed.
    """

    entity: str
    receipt: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    until_on: date


@fact("receivables.ShortPaymentDetected.v1", topic="receivables.payment")
class ShortPaymentDetected(Event, frozen=True, kw_only=True):
    """
    Published when a day turned on which a payment that names an item left `amount` of it open, more than is tolerated.

    A payment within a discount's time is not short until that is over, unless it was sent as payment in full. `deduction_code` is what the
    payer gave as the reason. Effective on the day that closed.

    Does not imply a dispute.
    """

    entity: str
    receipt: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    deduction_code: str | None = None


@fact("receivables.OverpaymentDetected.v1", topic="receivables.payment")
class OverpaymentDetected(Event, frozen=True, kw_only=True):
    """
    Published when a day turned on which `amount` of a receipt that names invoices was left over and is on-account.

    Does not imply that it is still there when the fact is read.
    """

    entity: str
    receipt: str
    account: str
    currency: str
    amount: Amount
    references: list[str]


@fact("receivables.InstalmentOverdue.v1", topic="receivables.payment")
class InstalmentOverdue(Event, frozen=True, kw_only=True):
    """
    Published when the day turned after an instalment's due date and `open` of it was not settled (INV-03).

    Effective on the day after `due_on`, or on the day it was booked where the item came or was opened again later. Once for an item.

    Does not imply that a notice is sent.
    """

    entity: str
    item: str
    invoice: str
    n: int
    customer: str
    account: str
    currency: str
    due_on: date
    open: Amount
    days: int


@fact("receivables.FxRevalued.v1", topic="receivables.payment")
class FxRevalued(Event, frozen=True, kw_only=True):
    """
    Published when a period ended and an open item in another currency was valued at the rate of that day; reversed on the next (RPT-08).

    `carrying`, `revalued`, `gain` and `loss` are in `currency`, the entity's. `open` is in `item_currency`.

    Effective on `period_end_on`; `reverses_on` is the day on which the same amount counts the other way, without another fact.

    Does not imply that anything was realised: see `FxRealised`.
    """

    entity: str
    item: str
    invoice: str
    customer: str
    account: str
    item_currency: str
    open: Amount
    currency: str
    carrying: Amount
    revalued: Amount
    gain: Amount
    loss: Amount
    rate: str
    rate_on: date
    period_end_on: date
    reverses_on: date
