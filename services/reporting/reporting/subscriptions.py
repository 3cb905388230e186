"""What the read model listens to: facts that move a balance, what was found and suggested, notices, and the names that the page shows."""

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
            payment.PaymentReversed,
            payment.PaymentReversedAsDebit,
            payment.RefundIssued,
            payment.MoneyTransferredOut,
            payment.MoneyTransferredIn,
            payment.PayerIdentified,
            payment.PayerUnknown,
            payment.PaymentApplied,
            payment.CreditApplied,
            payment.ApplicationReversed,
            payment.DiscountGranted,
            payment.DiscountRevoked,
            payment.AdjustmentPosted,
            payment.AdjustmentReversed,
            payment.OnAccountCredited,
            payment.ReceiptUnapplied,
            payment.FxRealised,
            payment.FxRevalued,
        ),
        handlers.fold_money,
    ),
    ((payment.ShortPaymentDetected, payment.UnearnedDiscountTaken, payment.OverpaymentDetected), handlers.record_findings),
    ((payment.MatchSuggested, payment.SuggestionAccepted, payment.SuggestionRejected), handlers.record_suggestions),
    (dunning.DunningNoticeSent, handlers.record_notices),
    (erp.CustomerUpserted, handlers.name_customers),
    forward=("receivables.invoice", "receivables.payment", "receivables.credit", "receivables.collections"),
    at_once=("erp.customers",),
)
