"""
The tables of this service, for the migration check and for reading by hand. The worker does not import this package.

Columns and constraints are those of `migrations/versions`; a test compares the two.
"""

from invoice.tables import adjustments, billing, charges, customers, documents, memo_requests, movements, policies, returned_payments
from invoice.tables.table import Table

__all__ = [
    "Table",
    "adjustments",
    "billing",
    "charges",
    "customers",
    "documents",
    "memo_requests",
    "movements",
    "policies",
    "returned_payments",
]
