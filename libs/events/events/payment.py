"""Facts of the payment service (topic `receivables.payment`): receipts and the settlement ledger. All of them add up in any order."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact
from events.invoice import Reason


@fact("receivables.PaymentReceived.v1", topic="receivables.payment")
class PaymentReceived(Event, frozen=True, kw_only=True):
    """
    Published once for every receipt accepted from a bank or over HTTP; effective on `value_on`.

    With `account` the whole amount is unapplied money of that account; without, it is unidentified and the key is `entity|receipt:<id>`.
    `references` are the document numbers found in the remittance that we know, never its text.

    Does not imply that anything is settled by it: `PaymentApplied` and `OnAccountCredited` say where the money went.
    """

    entity: str
    receipt: str
    method: str
    amount: Amount
    currency: str
    value_on: date
    bank_ref: str
    account: str | None = None
    references: list[str] = msgspec.field(default_factory=list)


@fact("receivables.PayerIdentified.v1", topic="receivables.payment")
class PayerIdentified(Event, frozen=True, kw_only=True):
    """
    Published under the account's key when the payer of an unidentified receipt became known.

    Carries the whole receipt, effective on its value date: the amount stops being unidentified and is unapplied money of the account from
    then on. `by` is `reference`, `bank_account` or `customer`.

    Does not imply any application.
    """

    entity: str
    receipt: str
    account: str
    by: str
    method: str
    amount: Amount
    currency: str
    value_on: date
    bank_ref: str
    references: list[str] = msgspec.field(default_factory=list)


@fact("receivables.PayerUnknown.v1", topic="receivables.payment")
class PayerUnknown(Event, frozen=True, kw_only=True):
    """
    Published under the account's key when a receipt turned out not to be that account's: the amount leaves its unapplied money and is
    unidentified again. A better named account takes it with `PayerIdentified`.

    Happens only on the day the receipt was received or identified, when what its remittance names came later that day.

    Does not imply that money left us.
    """

    entity: str
    receipt: str
    account: str
    amount: Amount
    currency: str
    value_on: date


@fact("receivables.PaymentApplied.v1", topic="receivables.payment")
class PaymentApplied(Event, frozen=True, kw_only=True):
    """
    Published when money of a receipt was applied to an item.

    Unapplied money of the account and the item's open amount both fall by `amount`.

    Effective on the later of the money's value date and the document's date; money held since an earlier day is applied on the booked day
    (PAY-08). `rule` says why (`reference`, `oldest_first`). An `application` that comes again restores what was given back of it.

    Does not imply that the item is settled.
    """

    entity: str
    application: str
    receipt: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    rule: str


@fact("receivables.CreditApplied.v1", topic="receivables.payment")
class CreditApplied(Event, frozen=True, kw_only=True):
    """
    Published when credit of a memo was applied to an item.

    The memo's open credit and the item's open amount both fall by `amount`.

    Effective on the later of the two document dates; credit held since an earlier day is applied to an invoice it does not name on the
    booked day. `rule` is `reference` or `oldest_first`. An `application` that comes again restores what was given back of it.

    Does not imply that the item is settled.
    """

    entity: str
    application: str
    memo: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    rule: str


@fact("receivables.ApplicationReversed.v1", topic="receivables.payment")
class ApplicationReversed(Event, frozen=True, kw_only=True):
    """
    Published when an application was taken back: the item's open amount rises by `amount`, and so does the unapplied money of the
    receipt, or the open credit of the memo, that it came from. Exactly one of `receipt` and `memo` is given.

    Effective as its cause; `reason` is `reordered` for a fact of the same day that came later than it should have, `worth_less` where the
    item is worth less than was applied to it. Read together with the applications that replace it.

    Does not imply that money left: it is still on the account.
    """

    entity: str
    application: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount
    reason: str
    receipt: str | None = None
    memo: str | None = None


@fact("receivables.AdjustmentPosted.v1", topic="receivables.payment")
class AdjustmentPosted(Event, frozen=True, kw_only=True):
    """
    Published when an approved adjustment or write-off was taken off an item: its open amount falls by `amount`.

    `adjustment` is the request that the invoice service approved, `kind` its kind, `tax` the part of the amount that is tax. Never more
    than was open: what was approved beyond that is not posted. Effective as the approval, never before the item's document. An
    `adjustment` that comes again restores what was taken back of it.

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


@fact("receivables.AdjustmentReversed.v1", topic="receivables.payment")
class AdjustmentReversed(Event, frozen=True, kw_only=True):
    """
    Published when an adjustment was taken back, in part or whole: the item's open amount rises by `amount`, of which `tax` is tax.

    `reason` is `recovered` (money came that names the written-off item, and pays it at once), `worth_less` (the item is worth less than
    was taken off it) or `reordered` (a fact of the same day that came later than it should have).

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


@fact("receivables.OnAccountCredited.v1", topic="receivables.payment")
class OnAccountCredited(Event, frozen=True, kw_only=True):
    """
    Published when unapplied money became deliberate credit on the account: left over behind the item it named.

    Unapplied falls, on-account rises by `amount`. Does not imply that it stays: later items may use it.
    """

    entity: str
    receipt: str
    account: str
    currency: str
    amount: Amount


@fact("receivables.ReceiptUnapplied.v1", topic="receivables.payment")
class ReceiptUnapplied(Event, frozen=True, kw_only=True):
    """
    Published when on-account money became unapplied again, to be applied or because facts of the day came in another order.

    On-account falls, unapplied rises by `amount`. Does not imply that a person did it.
    """

    entity: str
    receipt: str
    account: str
    currency: str
    amount: Amount


@fact("receivables.EntryRejected.v1", topic="receivables.payment")
class EntryRejected(Event, frozen=True, kw_only=True):
    """
    Published when a bank entry was refused: every reason at once; the refused record is kept for redrive.

    Key `entity|receipt:<id>`, or `?|<topic>|<partition>` where none could be read.

    Does not imply that a receipt of the same reference is not there.
    """

    source: str
    source_id: str
    source_type: str
    reasons: list[Reason]
    entity: str | None = None
    bank_ref: str | None = None
