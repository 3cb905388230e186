"""The composition of the reporting service."""

from chassis.service import Service

from reporting.subscriptions import SUBSCRIPTIONS

SERVICE = Service(
    name="reporting",
    topic="receivables.reporting",
    subscriptions=SUBSCRIPTIONS,
    router="reporting.routes:router",
    holds=False,
    passes_on=False,
    read_model=("item", "cube", "account_delta", "notice"),
    volatile=("folded_at",),
)
