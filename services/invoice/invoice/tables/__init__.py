"""
The tables of this service, for the migration check and for reading by hand. The worker does not import this package.

Columns and constraints are those of `migrations/versions`; a test compares the two.
"""

from invoice.tables import adjustments, billing, charges, documents, memo_requests, movements, policies, return_fees
from invoice.tables.table import Table

__all__ = ["Table", "adjustments", "billing", "charges", "documents", "memo_requests", "movements", "policies", "return_fees"]
