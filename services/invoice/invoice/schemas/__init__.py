"""HTTP bodies of the invoice service."""

from invoice.schemas.documents import CreditMemoBody, InvoiceBody
from invoice.schemas.reads import CreditMemoOut, CreditMemosOut, DebitMemosOut, InvoiceOut, InvoicesOut
from invoice.schemas.values import Day

__all__ = ["CreditMemoBody", "CreditMemoOut", "CreditMemosOut", "Day", "DebitMemosOut", "InvoiceBody", "InvoiceOut", "InvoicesOut"]
