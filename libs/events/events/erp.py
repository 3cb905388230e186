"""What an ERP or billing system publishes to us (topics `erp.documents` and `erp.customers`)."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact


class Instalment(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a document's total and the day it is due."""

    due_on: date
    amount: Amount


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a document: its net amount. What was sold stays with the sender."""

    amount: Amount


@fact("erp.InvoiceIssued.v1", topic="erp.documents", natural_key=("entity", "document_no"))
class InvoiceIssued(Event, frozen=True, kw_only=True):
    """
    Published by an ERP when it has issued an invoice. The natural key is (entity, document_no).

    Either `terms` (`NET<n>`: due n calendar days after `issued_on`) or `instalments`, never both; instalments sum to the total.
    `lines` and `tax` are optional; where lines are given, lines + tax = total. `type` is a UNTDID 1001 code.

    Does not imply that we accept it: an invalid one is answered by `DocumentRejected`, the same one twice is one document.
    """

    entity: str
    document_no: str
    customer: str
    currency: str
    issued_on: date
    total: Amount
    type: str = "380"
    terms: str | None = None
    instalments: list[Instalment] | None = None
    lines: list[Line] | None = None
    tax: Amount | None = None


@fact("erp.CreditMemoIssued.v1", topic="erp.documents", natural_key=("entity", "document_no"))
class CreditMemoIssued(Event, frozen=True, kw_only=True):
    """
    Published by an ERP when it has issued a credit memo, as a positive total. The natural key is (entity, document_no).

    With `ref_document_no` it makes that invoice worth less; without, or for what that invoice does not need, it is credit on the account.

    Does not imply that the referenced invoice is known already: the two may come in any order.
    """

    entity: str
    document_no: str
    customer: str
    currency: str
    issued_on: date
    total: Amount
    type: str = "381"
    ref_document_no: str | None = None
    reason: str | None = None
    lines: list[Line] | None = None
    tax: Amount | None = None


@fact("erp.CustomerUpserted.v1", topic="erp.customers", natural_key=("entity", "customer"))
class CustomerUpserted(Event, frozen=True, kw_only=True):
    """
    Published by an ERP when a customer is new or has changed; the latest one counts, from the opening of the next business day.

    Carries personal data (name, bank accounts): bounded retention, and none of it travels on in our own facts.

    Does not imply that documents of an unknown customer are refused: an unknown customer is its own account.
    """

    entity: str
    customer: str
    name: str
    bank_accounts: list[str] = msgspec.field(default_factory=list)
