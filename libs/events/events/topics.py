"""The topics there are: what others publish to us, and one for each of our services."""

from typing import Final

INGRESS: Final = ("erp.documents", "erp.customers", "erp.orders", "erp.reference", "bank.entries", "psp.events")
DOMAIN: Final = (
    "receivables.invoice",
    "receivables.payment",
    "receivables.credit",
    "receivables.collections",
    "receivables.reporting",
)
TOPICS: Final = (*INGRESS, *DOMAIN)
EVERY: Final = "*"  # The topic of a fact that stands in every topic of ours.
