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
    (PaymentReversed, handlers.note_fees),
    (erp.CalendarPublished, handlers.keep_calendars),
    (erp.FxRatePublished, handlers.keep_rates),
    forward=("erp.documents", "erp.customers", "erp.reference"),
    feedback=("receivables.payment",),
    feedback_awaited=("receivables.payment",),  # Late charges and return fees of a day count what was booked up to two days before.
    reject=handlers.reject_document,
)
