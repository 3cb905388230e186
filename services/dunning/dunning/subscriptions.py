"""What the dunning service listens to."""

from chassis.service import subscribe
from events import invoice, payment

from dunning import handlers

SUBSCRIPTIONS = subscribe(
    (
        (
            invoice.InvoiceIssued,
            invoice.DebitMemoIssued,
            invoice.InvoiceVoided,
            payment.PaymentApplied,
            payment.CreditApplied,
            payment.ApplicationReversed,
            payment.DiscountGranted,
            payment.DiscountRevoked,
            payment.AdjustmentPosted,
            payment.AdjustmentReversed,
        ),
        handlers.fold_items,
    ),
    forward=("erp.customers", "erp.reference", "receivables.invoice", "receivables.payment", "receivables.credit"),
)
