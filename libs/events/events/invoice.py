"""Facts of the invoice service (topic `receivables.invoice`)."""

from datetime import date

import msgspec

from events.fact import Amount, Event, fact


class Instalment(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment of a document: its number from 1, due date and amount. It becomes the item `entity|document_no|n`."""

    n: int
    due_on: date
    amount: Amount


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was refused: a stable code and the field it is about. No values, no free text."""

    code: str
    field: str


@fact("receivables.InvoiceIssued.v1", topic="receivables.invoice")
class InvoiceIssued(Event, frozen=True, kw_only=True):
    """
    Published once for every invoice accepted from an ERP or over HTTP; effective on `issued_on`.

    Each instalment is one open item. `account` is the credit account the customer settles under, fixed for the item's life.

    Does not imply delivery to the customer, nor that anything is due yet.
    """

    entity: str
    invoice: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total: Amount
    instalments: list[Instalment]
    tax: Amount | None = None


@fact("receivables.CreditMemoIssued.v1", topic="receivables.invoice")
class CreditMemoIssued(Event, frozen=True, kw_only=True):
    """
    Published once for every credit memo accepted; effective on `issued_on`.

    `total` is open credit of the account until the payment service says where it went (`CreditApplied`).

    Does not imply that the referenced invoice (`ref_invoice`) has been reduced, or is known.
    """

    entity: str
    memo: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total: Amount
    ref_invoice: str | None = None
    reason: str | None = None
    tax: Amount | None = None


@fact("receivables.DocumentRejected.v1", topic="receivables.invoice")
class DocumentRejected(Event, frozen=True, kw_only=True):
    """
    Published when a document from an ERP was refused: every reason at once, and where the refused record is kept for redrive.

    Key `entity|account`, or `?|<topic>|<partition>` where none could be read.

    Does not imply that a document of the same number is not there: with code `CONFLICT` one is, and it stays as it was.
    """

    source: str
    source_id: str
    source_type: str
    reasons: list[Reason]
    entity: str | None = None
    document_no: str | None = None
