"""Receipts and the settlement ledger: the only writer of open balances."""
