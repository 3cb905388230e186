"""What the payment service listens to, and why."""

from chassis.service import subscribe
from events import bank, erp, invoice

from payment import handlers

SUBSCRIPTIONS = subscribe(
    (bank.EntryBooked, handlers.record_receipts),
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
    (erp.CustomerUpserted, handlers.remember_bank_accounts),
    forward=("bank.entries", "psp.events", "erp.customers", "erp.reference", "receivables.invoice"),
    reject=handlers.reject_entry,
)
