"""What the payment service listens to, and why."""

from chassis.service import subscribe
from events import bank, erp, invoice

from payment import handlers

SUBSCRIPTIONS = subscribe(
    (bank.EntryBooked, handlers.record_receipts),
    (bank.EntryReturned, handlers.record_returns),
    (bank.RemittanceAdvised, handlers.record_advices),
    (
        (
            invoice.InvoiceIssued,
            invoice.DebitMemoIssued,
            invoice.CreditMemoIssued,
            invoice.InvoiceVoided,
            invoice.WriteOffApproved,
        ),
        handlers.record_documents,  # One handler: a batch settles each account once.
    ),
    (invoice.ConsolidatedBillIssued, handlers.record_bills),
    (erp.FxRatePublished, handlers.keep_rates),
    (erp.CustomerUpserted, handlers.remember_customers),
    forward=("bank.entries", "psp.events", "erp.customers", "erp.reference", "receivables.invoice"),
    reject=handlers.reject_entry,
)
