"""What the payment service does with each fact and command."""

from payment.handlers.advices import record_advices
from payment.handlers.bills import record_bills
from payment.handlers.customers import remember_customers
from payment.handlers.documents import record_documents
from payment.handlers.entries import BANK_TRANSFER, Entry, read_entry
from payment.handlers.rates import keep_rates
from payment.handlers.receipts import CONFLICT, ReceiptConflict, record_receipt, record_receipts
from payment.handlers.rejections import reject_entry
from payment.handlers.returns import record_returns

__all__ = [
    "BANK_TRANSFER",
    "CONFLICT",
    "Entry",
    "ReceiptConflict",
    "keep_rates",
    "read_entry",
    "record_advices",
    "record_bills",
    "record_documents",
    "record_receipt",
    "record_receipts",
    "record_returns",
    "reject_entry",
    "remember_customers",
]
