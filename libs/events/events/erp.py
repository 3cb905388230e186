"""What an ERP or billing system publishes to us (topics `erp.documents`, `erp.customers` and `erp.reference`)."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact


class Instalment(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a document's total and the day it is due."""

    due_on: date
    amount: Amount


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One line of a document: its net amount, what it is for (`goods`, `freight`, `charges`), and its tax where that is known by line.

    What was sold stays with the sender.
    """

    amount: Amount
    kind: str = "goods"
    tax: Amount | None = None


class Discount(msgspec.Struct, frozen=True, kw_only=True):
    """One tier of an early-payment discount: so many percent (a decimal string) when paid within so many days of issue."""

    percent: str
    days: int


class Fx(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The rate to the entity's currency: units of that for one unit of the document's, as a decimal string, its day and its type."""

    rate: str
    rate_on: date
    type: str = "spot"


class References(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What else the customer may name when it pays. `payment` is a structured creditor reference (RF, ISO 11649) or an OCR number."""

    order_no: str | None = None
    purchase_order_no: str | None = None
    delivery_no: str | None = None
    customer_reference: str | None = None
    contract_no: str | None = None
    payment: str | None = None


class Project(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The project and milestone a document bills. `retention_percent` of it is due on `retention_due_on`, as its last instalment."""

    project: str
    milestone: str | None = None
    retention_percent: str | None = None
    retention_due_on: date | None = None


class Assignment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who owns the receivable when it was assigned (`factor`), and which part of it is insured, in percent as a decimal string."""

    factor: str | None = None
    insurer: str | None = None
    insured_percent: str | None = None


class Document(Event, frozen=True, kw_only=True):
    """What invoices and debit memos of an ERP have in common."""

    entity: str
    document_no: str
    customer: str
    currency: str
    issued_on: date
    total: Amount
    type: str
    terms: str | None = None
    instalments: list[Instalment] | None = None
    lines: list[Line] | None = None
    tax: Amount | None = None
    discounts: list[Discount] | None = None
    ref_document_no: str | None = None
    reason: str | None = None
    references: References | None = None
    fx: Fx | None = None
    project: Project | None = None
    assignment: Assignment | None = None


@fact("erp.InvoiceIssued.v1", topic="erp.documents", natural_key=("entity", "document_no"))
class InvoiceIssued(Document, frozen=True, kw_only=True):
    """
    Published by an ERP when it has issued an invoice. The natural key is (entity, document_no).

    Either `terms` (a code such as `NET30`, `EOM+45`, `2/10 NET30`, or one of the entity's own) or `instalments`, never both; instalments
    sum to the total. `lines` and `tax` are optional; where lines are given, lines + tax = total. `type` is a UNTDID 1001 code: 380 invoice,
    384 corrected invoice (`ref_document_no` is voided by it), 386 prepayment, 389 self-billed, 393 factored.

    Does not imply that we accept it: an invalid one is answered by `DocumentRejected`, the same one twice is one document.
    """

    type: str = "380"


@fact("erp.DebitMemoIssued.v1", topic="erp.documents", natural_key=("entity", "document_no"))
class DebitMemoIssued(Document, frozen=True, kw_only=True):
    """
    Published by an ERP when it has issued a debit memo: a fee, a charge or more for an invoice, payable like one (UNTDID 1001: 383).

    `ref_document_no` names the invoice it is about, if any.

    Does not imply that we accept it, nor that the invoice it names is known.
    """

    type: str = "383"


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
    references: References | None = None
    fx: Fx | None = None


@fact("erp.InvoiceVoided.v1", topic="erp.documents", natural_key=("entity", "document_no"))
class InvoiceVoided(Event, frozen=True, kw_only=True):
    """
    Published by an ERP when it has voided an invoice or a debit memo as a whole. Always accepted, whatever was paid.

    `reason` is a code; `effective_on` the day it counts from, the booked day when left out.

    Does not imply that the document is known already: the two may come in any order. A credit memo is corrected by a debit memo.
    """

    entity: str
    document_no: str
    customer: str
    reason: str | None = None
    effective_on: date | None = None


@fact("erp.OpeningBalanceLoaded.v1", topic="erp.documents", natural_key=("entity", "document_no"))
class OpeningBalanceLoaded(Event, frozen=True, kw_only=True):
    """
    Published by a migration for every item that was open in the books before ours: what was still open of it on `as_of`.

    A positive `open` is owed to us, a negative one is credit of the customer. `terms` or `due_on`, one of the two; neither for credit.
    `original_total` and `type` tell what the document was. Due dates are the original ones: it ages from those.

    Does not imply that the document's own history is known here.
    """

    entity: str
    document_no: str
    customer: str
    currency: str
    issued_on: date
    as_of: date
    open: Amount
    type: str = "380"
    terms: str | None = None
    due_on: date | None = None
    original_total: Amount | None = None
    references: References | None = None
    fx: Fx | None = None


@fact("erp.CustomerUpserted.v1", topic="erp.customers", natural_key=("entity", "customer"))
class CustomerUpserted(Event, frozen=True, kw_only=True):
    """
    Published by an ERP when a customer is new or has changed; the latest one counts, from the opening of the next business day.

    `parent` is the customer under whose account this one settles, with its parent's account if that has one; without it, under its own.

    Carries personal data (name, bank accounts): bounded retention, and none of it travels on in our own facts.

    Does not imply that documents of an unknown customer are refused: an unknown customer is its own account. Nor that documents and money
    change accounts when a customer gets another parent: those that are here stay where they are.
    """

    entity: str
    customer: str
    name: str
    bank_accounts: list[str] = msgspec.field(default_factory=list)
    parent: str | None = None


@fact("erp.FxRatePublished.v1", topic="erp.reference", natural_key=("entity", "currency", "rate_on", "type"))
class FxRatePublished(Event, frozen=True, kw_only=True):
    """
    Published when the rate of a currency for a day is known: units of the entity's currency for one unit of `currency`.

    The latest one for a day and type counts, from the opening of the next business day.

    Does not imply that documents of that day are valued anew.
    """

    entity: str
    currency: str
    rate: str
    rate_on: date
    type: str = "spot"


@fact("erp.CalendarPublished.v1", topic="erp.reference", natural_key=("entity", "year"))
class CalendarPublished(Event, frozen=True, kw_only=True):
    """
    Published when the days of a year on which an entity does not work are known; from the opening of the next business day it replaces
    the public holidays of the calendar that the entities file names. `weekend` are ISO weekdays, 1 is Monday.

    Does not imply that due dates already on a document move.
    """

    entity: str
    year: int
    holidays: list[date]
    weekend: list[int] = msgspec.field(default_factory=lambda: [6, 7])
