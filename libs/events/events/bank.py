"""What a bank connection publishes to us (topic `bank.entries`)."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact


class Debtor(msgspec.Struct, frozen=True, kw_only=True):
    """Who paid, as the bank says; personal data that stays in the payment service's own tables."""

    name: str | None = None
    iban: str | None = None


class Deduction(msgspec.Struct, frozen=True, kw_only=True):
    """What a payer says it kept back, and why: a code of the payer's, the bank's or a standard's (a bank charge, tax withheld, damage)."""

    code: str
    amount: Amount


class RemittanceLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What a payer says it pays of one document: `amount` in money, `discount_taken` and `deductions` kept back.

    `gross` is what the payer means to settle by it: at least what is open of the document says that it is paid in full. `n` is the
    instalment, where only one is meant. Amounts left out are not stated.
    """

    document_no: str
    n: int | None = None
    amount: Amount | None = None
    gross: Amount | None = None
    discount_taken: Amount | None = None
    deductions: list[Deduction] = msgspec.field(default_factory=list)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """What the money is worth in the currency of what it pays, where the two differ: exchanged at a rate that was agreed or stated."""

    currency: str
    amount: Amount


@fact("bank.EntryBooked.v1", topic="bank.entries", natural_key=("entity", "bank_ref"))
class EntryBooked(Event, frozen=True, kw_only=True):
    """
    Published when a bank has booked money that came in. The natural key is (entity, bank_ref).

    `account_ref` is our own bank account; `remittance` is the payer's free text, `lines` what it says in a structured way. `amount` is
    positive. `payment_ref` is the payer's own reference of the payment (end-to-end id), by which an advice finds it. `rate` is what the
    bank credited for one unit of `currency`, in units of the entity's currency. With `exchange` the money settles in another currency.
    `deposit_for` is the order or contract that the money is a deposit for.

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
    payment_ref: str | None = None
    rate: str | None = None
    exchange: Exchange | None = None
    lines: list[RemittanceLine] = msgspec.field(default_factory=list)
    deposit_for: str | None = None


@fact("bank.EntryReturned.v1", topic="bank.entries", natural_key=("entity", "bank_ref"))
class EntryReturned(Event, frozen=True, kw_only=True):
    """
    Published when a bank took money back that it had booked before. The natural key is (entity, bank_ref), its own reference.

    `returned_bank_ref` is the entry that is undone, whole. `kind` is `nsf`, `return`, `chargeback` or `error`, `reason_code` what the bank
    says (R01, AM04). `fee` is what the bank asked for it, in the same currency: it is billed to the customer.

    Does not imply that the entry was known or applied: see `PaymentReversed`.
    """

    entity: str
    account_ref: str
    bank_ref: str
    returned_bank_ref: str
    value_on: date
    amount: Amount
    currency: str
    kind: str
    reason_code: str | None = None
    fee: Amount | None = None


@fact("bank.RemittanceAdvised.v1", topic="bank.entries", natural_key=("entity", "advice_no"))
class RemittanceAdvised(Event, frozen=True, kw_only=True):
    """
    Published when a payer says apart from the money what a payment is for (EDI 820, remt.001). The natural key is (entity, advice_no).

    `payment_ref` is the payment's end-to-end id or bank reference. The advice counts for money that is here already on the same open day
    or comes later; what was placed on an earlier day stays.

    Does not imply that the money came.
    """

    entity: str
    advice_no: str
    payment_ref: str
    currency: str
    lines: list[RemittanceLine]
    customer: str | None = None
