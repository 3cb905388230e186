"""What the payment service does with each fact and command."""

from payment.handlers.customers import remember_bank_accounts
from payment.handlers.documents import record_documents
from payment.handlers.entries import BANK_TRANSFER, Entry, read_entry
from payment.handlers.payers import find_receipts_newly_known, identify_newly_known
from payment.handlers.receipts import CONFLICT, ReceiptConflict, record_receipt, record_receipts
from payment.handlers.rejections import reject_entry

__all__ = [
    "BANK_TRANSFER",
    "CONFLICT",
    "Entry",
    "ReceiptConflict",
    "find_receipts_newly_known",
    "identify_newly_known",
    "read_entry",
    "record_documents",
    "record_receipt",
    "record_receipts",
    "reject_entry",
    "remember_bank_accounts",
]
