"""What the read model listens to: every fact that moves a balance, notices, and the names that the page shows."""

from chassis.service import subscribe
from events import dunning, erp, invoice, payment

from reporting import handlers

SUBSCRIPTIONS = subscribe(
    (
        (
            invoice.InvoiceIssued,
            invoice.DebitMemoIssued,
            invoice.CreditMemoIssued,
            invoice.InvoiceVoided,
            payment.PaymentReceived,
            payment.PayerIdentified,
            payment.PayerUnknown,
            payment.PaymentApplied,
            payment.CreditApplied,
            payment.ApplicationReversed,
            payment.AdjustmentPosted,
            payment.AdjustmentReversed,
            payment.OnAccountCredited,
            payment.ReceiptUnapplied,
        ),
        handlers.fold_money,
    ),
    (dunning.DunningNoticeSent, handlers.record_notices),
    (erp.CustomerUpserted, handlers.name_customers),
    forward=("receivables.invoice", "receivables.payment", "receivables.credit", "receivables.collections"),
    at_once=("erp.customers",),
)
