"""What a bank connection publishes to us (topic `bank.entries`)."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact


class Debtor(msgspec.Struct, frozen=True, kw_only=True):
    """Who paid, as the bank says; personal data that stays in the payment service's own tables."""

    name: str | None = None
    iban: str | None = None


@fact("bank.EntryBooked.v1", topic="bank.entries", natural_key=("entity", "bank_ref"))
class EntryBooked(Event, frozen=True, kw_only=True):
    """
    Published when a bank has booked money that came in. The natural key is (entity, bank_ref).

    `account_ref` is our own bank account; `remittance` is the payer's free text. `amount` is positive.

    Does not imply that the payer is known or that anything was paid by it: see `PaymentReceived`, `PayerIdentified`, `PaymentApplied`.
    """

    entity: str
    account_ref: str
    bank_ref: str
    value_on: date
    amount: Amount
    currency: str
    debtor: Debtor | None = None
    remittance: str | None = None
    customer: str | None = None
