"""What the invoice service does with each fact and command."""

from invoice.handlers.customers import remember_parents
from invoice.handlers.drafts import draft_of, examine, reasons_against_void, reasons_of
from invoice.handlers.intake import (
    CONFLICT,
    DocumentNumberTaken,
    DocumentRefused,
    Verdict,
    issue_document,
    issue_documents,
    issue_made,
)
from invoice.handlers.reference import keep_calendars, keep_rates
from invoice.handlers.rejections import reject_document
from invoice.handlers.returned_payments import note_returned_payments
from invoice.handlers.settlement import follow_settlement
from invoice.handlers.voids import DocumentUnknown, InvoiceSettled, VoidRefused, void_document

__all__ = [
    "CONFLICT",
    "DocumentNumberTaken",
    "DocumentRefused",
    "DocumentUnknown",
    "InvoiceSettled",
    "Verdict",
    "VoidRefused",
    "draft_of",
    "examine",
    "follow_settlement",
    "issue_document",
    "issue_documents",
    "issue_made",
    "keep_calendars",
    "keep_rates",
    "note_returned_payments",
    "reasons_against_void",
    "reasons_of",
    "reject_document",
    "remember_parents",
    "void_document",
]
