"""Facts about money that goes from one account to another; the two of a transfer have its id, amount and date in common."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """What money is worth in the entity's currency, where it is of another."""

    currency: str
    amount: Amount


@fact("receivables.MoneyTransferredOut.v1", topic="receivables.payment")
class MoneyTransferredOut(Event, frozen=True, kw_only=True):
    """
    Published under the key of the account that money of a receipt left for another account: `amount` leaves its unapplied money.

    What of it was on-account is unapplied by a fact of its own before. `by` is `person`, then `reason` and `transferred_by` say why and
    who, or `reference`: the receipt's remittance names open documents of `to_account`.

    Effective when the money is the other account's; `MoneyTransferredIn` has the same date.

    Does not imply that money left us, nor that the receipt was another payer's.
    """

    entity: str
    receipt: str
    account: str
    transfer: str
    to_account: str
    currency: str
    amount: Amount
    by: str
    reason: str | None = None
    transferred_by: str | None = None


@fact("receivables.MoneyTransferredIn.v1", topic="receivables.payment")
class MoneyTransferredIn(Event, frozen=True, kw_only=True):
    """
    Published under the key of the account that money of another account's receipt came to: `amount` is unapplied money of it from the
    effective date on.

    `receipt` is the id it has from here on, as a receipt of its own; `from_receipt` is the one it was taken from. `value_on` is the value
    date of the money itself, which discounts are judged by. `references` are the known documents of this account that it names, `worth` its
    part of what the receipt was worth.

    Does not imply that money came to us, nor that anything is settled by it.
    """

    entity: str
    receipt: str
    account: str
    transfer: str
    from_receipt: str
    from_account: str
    method: str
    amount: Amount
    currency: str
    value_on: date
    bank_ref: str
    references: list[str] = msgspec.field(default_factory=list)
    worth: Worth | None = None
