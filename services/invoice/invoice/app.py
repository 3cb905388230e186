"""The invoice service, put together."""

from chassis.service import Service

from invoice.subscriptions import SUBSCRIPTIONS

SERVICE = Service(name="invoice", topic="receivables.invoice", subscriptions=SUBSCRIPTIONS, router="invoice.routes:router")
