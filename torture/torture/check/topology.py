"""Who tells on which topic, and who hears it, as the architecture promises: written down once more, on purpose."""

from collections.abc import Mapping, Sequence
from typing import Final

SERVICES: Final = ("invoice", "payment", "credit", "dunning", "reporting")
INGRESS: Final = ("erp.documents", "erp.customers", "erp.orders", "erp.reference", "bank.entries", "psp.events")
TOPIC_OF: Final[Mapping[str, str]] = {
    "invoice": "receivables.invoice",
    "payment": "receivables.payment",
    "credit": "receivables.credit",
    "dunning": "receivables.collections",
    "reporting": "receivables.reporting",
}
OWNER_OF: Final[Mapping[str, str]] = {topic: service for service, topic in TOPIC_OF.items()}
TOPICS: Final = (*INGRESS, *TOPIC_OF.values())
HEARS: Final[Mapping[str, Sequence[str]]] = {
    "invoice": ("erp.documents", "erp.customers", "erp.reference", "receivables.payment"),
    "payment": ("bank.entries", "psp.events", "erp.customers", "erp.reference", "receivables.invoice"),
    "credit": ("erp.orders", "erp.customers", "erp.reference", "receivables.invoice", "receivables.payment"),
    "dunning": ("erp.customers", "erp.reference", "receivables.invoice", "receivables.payment", "receivables.credit"),
    "reporting": ("receivables.invoice", "receivables.payment", "receivables.credit", "receivables.collections", "erp.customers"),
}
PASS_ON_DAYS: Final = ("invoice", "payment", "credit", "dunning")
"""Services whose own topic carries day markers."""
GROUP_OF: Final[Mapping[str, str]] = {service: f"receivables-{service}" for service in SERVICES}
