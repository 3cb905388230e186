"""What the invoice service listens to, and why."""

from chassis.service import subscribe
from events import erp
from events.payment import (
    AdjustmentPosted,
    AdjustmentReversed,
    ApplicationReversed,
    CreditApplied,
    DiscountGranted,
    DiscountRevoked,
    PaymentApplied,
    PaymentReversed,
    PaymentReversedAsDebit,
)

from invoice import handlers

SUBSCRIPTIONS = subscribe(
    (
        (erp.InvoiceIssued, erp.DebitMemoIssued, erp.CreditMemoIssued, erp.InvoiceVoided, erp.OpeningBalanceLoaded),
        handlers.issue_documents,  # One handler: a number is taken over all kinds.
    ),
    (
        (
            PaymentApplied,
            CreditApplied,
            ApplicationReversed,
            DiscountGranted,
            DiscountRevoked,
            AdjustmentPosted,
            AdjustmentReversed,
        ),
        handlers.follow_settlement,
    ),
    ((PaymentReversed, PaymentReversedAsDebit), handlers.note_returned_payments),
    (erp.CustomerUpserted, handlers.remember_parents),
    (erp.CalendarPublished, handlers.keep_calendars),
    (erp.FxRatePublished, handlers.keep_rates),
    forward=("erp.documents", "erp.customers", "erp.reference"),
    feedback=("receivables.payment",),
    feedback_awaited=("receivables.payment",),  # What is charged on a day counts what was booked up to two days before.
    reject=handlers.reject_document,
)
