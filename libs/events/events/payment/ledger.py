"""Facts of the settlement ledger: what is applied to what, and what became of the rest."""

from datetime import date

from events.fact import Amount, Event, fact


@fact("receivables.PaymentApplied.v1", topic="receivables.payment")
class PaymentApplied(Event, frozen=True, kw_only=True):
    """
    Published when money of a receipt was applied to an item.

    Unapplied money of the account and the item's open amount both fall by `amount`.

    Effective on the later of the money's value date and the document's date; money held since an earlier day is applied on the booked day
    (PAY-08). `rule` says why: `reference`, a rule of the entity's policy (`exact_item`, `clear_account`, `clear_past_due`,
    `clear_past_due_by_terms`, `combination`, `oldest_first`), `score` where the policy lets what fits so well be applied, or `person`;
    `decision` is the person's, or the one taken in the policy's name, and `policy_version` says under which policy. An `application` that
    comes again restores what was given back of it.

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
    decision: str | None = None
    policy_version: str | None = None


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
    item is worth less than was applied to it, `returned` where the bank took the money back, `person` where somebody unapplied it. `rule`
    is the one it had been made by. Read together with the applications that replace it.

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
    rule: str | None = None


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


@fact("receivables.FxRealised.v1", topic="receivables.payment")
class FxRealised(Event, frozen=True, kw_only=True):
    """
    Published when money in another currency than the entity's settled part of an item, and was worth another amount than the item (PAY-13).

    `gain` and `loss` are in `currency`, the entity's; one of them is zero. Gain less loss of all facts of an item is the worth of the money
    on it less the carrying amount it took off.

    Does not imply that the item is settled: the last part takes the rounding.
    """

    entity: str
    application: str
    receipt: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    gain: Amount
    loss: Amount
