"""Facts about receipts: money that came, whose it is, and money that went back."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact
from events.invoice import Reason, Valuation


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank booked, where the money settles in another currency."""

    currency: str
    amount: Amount


@fact("receivables.PaymentReceived.v1", topic="receivables.payment")
class PaymentReceived(Event, frozen=True, kw_only=True):
    """
    Published once for every receipt accepted from a bank or over HTTP; effective on `value_on`.

    With `account` the whole amount is unapplied money of that account; without, it is unidentified and the key is `entity|receipt:<id>`.
    `references` are the document numbers found in the remittance that we know, never its text. `currency` is that of what it pays;
    `received` says what the bank booked where that differs. `valuation` is its worth in the entity's currency where that is another.
    `deposit_for` is the order or contract whose deposit it is: no rule uses it for anything else (PAY-16).

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
    received: Received | None = None
    valuation: Valuation | None = None
    deposit_for: str | None = None


@fact("receivables.PayerIdentified.v1", topic="receivables.payment")
class PayerIdentified(Event, frozen=True, kw_only=True):
    """
    Published under the account's key when the payer of an unidentified receipt became known.

    Carries the whole receipt, effective on its value date: the amount stops being unidentified and is unapplied money of the account from
    then on. `by` is `reference`, `bank_account`, `customer`, `advice`, `alias`, `name` or `person`. `deposit_for` is the order or contract
    whose deposit it is.

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
    deposit_for: str | None = None


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


@fact("receivables.PaymentReversed.v1", topic="receivables.payment")
class PaymentReversed(Event, frozen=True, kw_only=True):
    """
    Published when money was taken back by a bank or was never there: `amount` leaves the unapplied money of the account (PAY-10).

    Without `account` it leaves what is unidentified. The applications, discounts and on-account credit it had are taken back by facts of
    their own before; `reopened` are the items it had paid when the day opened. `kind` is `nsf`, `return`, `chargeback` or `error`. `fee` is
    what it cost, to be billed to the customer. `refunded` was paid back to the payer before and is therefore not in `amount`.

    Effective when the money was taken back.

    Does not imply that the customer owes what it paid for: an item may have been void or written off meanwhile.
    """

    entity: str
    receipt: str
    currency: str
    amount: Amount
    kind: str
    value_on: date
    account: str | None = None
    reason_code: str | None = None
    fee: Amount | None = None
    refunded: Amount | None = None
    reopened: list[str] = msgspec.field(default_factory=list)


@fact("receivables.PaymentReversedAsDebit.v1", topic="receivables.payment")
class PaymentReversedAsDebit(Event, frozen=True, kw_only=True):
    """
    Published when money was taken back and what it paid stays paid: `amount` is to be billed to the account anew (PAY-10).

    Nothing leaves the money of the account: all of it stood on items, with the discounts it earned, and goes on standing there. `kind` is
    `nsf`, `return`, `chargeback` or `error`. `fee` is what it cost, to be billed as well. `value_on` is the receipt's value date.

    Effective when the money was taken back.

    Does not imply that the debit memo is there: the invoice service makes it two days later.
    """

    entity: str
    receipt: str
    account: str
    currency: str
    amount: Amount
    kind: str
    value_on: date
    reason_code: str | None = None
    fee: Amount | None = None


@fact("receivables.DepositReleased.v1", topic="receivables.payment")
class DepositReleased(Event, frozen=True, kw_only=True):
    """
    Published when a person released a deposit from the order or contract it was bound to (PAY-16); `amount` of it is on no item then.

    Does not imply that it goes anywhere: from then on it is money like other money, and rules may use it.
    """

    entity: str
    receipt: str
    account: str
    currency: str
    amount: Amount
    deposit_for: str
    reason: str
    released_by: str


@fact("receivables.RefundRequested.v1", topic="receivables.payment")
class RefundRequested(Event, frozen=True, kw_only=True):
    """
    Published when somebody asked to pay `amount` of a receipt's free money back to the payer (PAY-08).

    Does not imply that the money is reserved: somebody else decides, over what is free then.
    """

    entity: str
    refund: str
    receipt: str
    account: str
    currency: str
    amount: Amount
    reason: str
    requested_by: str


@fact("receivables.RefundRejected.v1", topic="receivables.payment")
class RefundRejected(Event, frozen=True, kw_only=True):
    """
    Published when a refund that was asked for will not be made: rejected for a `reason`, taken back by who asked (`WITHDRAWN`), or decided
    by nobody in time (`EXPIRED`; `rejected_by` is missing).

    Does not imply that it cannot be asked for again.
    """

    entity: str
    refund: str
    receipt: str
    account: str
    currency: str
    amount: Amount
    reason: str
    rejected_by: str | None = None


@fact("receivables.RefundIssued.v1", topic="receivables.payment")
class RefundIssued(Event, frozen=True, kw_only=True):
    """
    Published when a refund was approved: `amount` leaves the unapplied money of the account.

    What of it was on-account is unapplied by a fact of its own before.

    Does not imply that a bank has paid it out: whoever pays reads this.
    """

    entity: str
    refund: str
    receipt: str
    account: str
    currency: str
    amount: Amount
    requested_by: str
    approved_by: str


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
