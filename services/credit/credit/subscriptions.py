"""What the credit service listens to."""

from chassis.service import subscribe
from events import invoice, payment

from credit import handlers

SUBSCRIPTIONS = subscribe(
    (
        (
            invoice.InvoiceIssued,
            invoice.DebitMemoIssued,
            invoice.CreditMemoIssued,
            invoice.InvoiceVoided,
            payment.PaymentApplied,
            payment.CreditApplied,
            payment.ApplicationReversed,
            payment.DiscountGranted,
            payment.DiscountRevoked,
            payment.AdjustmentPosted,
            payment.AdjustmentReversed,
            payment.OnAccountCredited,
            payment.ReceiptUnapplied,
        ),
        handlers.fold_exposure,
    ),
    forward=("erp.orders", "erp.customers", "erp.reference", "receivables.invoice", "receivables.payment"),
)
