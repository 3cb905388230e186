"""What the invoice service listens to, and why."""

from chassis.service import subscribe
from events import erp
from events.payment import ApplicationReversed, CreditApplied, PaymentApplied

from invoice import handlers

SUBSCRIPTIONS = subscribe(
    ((erp.InvoiceIssued, erp.CreditMemoIssued), handlers.issue_documents),  # One handler: a number is taken over all kinds.
    ((PaymentApplied, CreditApplied, ApplicationReversed), handlers.follow_settlement),
    forward=("erp.documents", "erp.customers", "erp.reference"),
    feedback=("receivables.payment",),  # Causes no facts here, so no day waits for it.
    reject=handlers.reject_document,
)
