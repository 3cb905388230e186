"""
The tables of this service, for the migration check and for reading by hand. The worker does not import this package.

Columns and constraints are those of `migrations/versions`; a test compares the two.
"""

from payment.tables import customers, decisions, findings, intake, ledger, policies, refunds, suggestions
from payment.tables.table import Table

__all__ = ["Table", "customers", "decisions", "findings", "intake", "ledger", "policies", "refunds", "suggestions"]
