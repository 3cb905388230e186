"""The credit service, composed."""

from chassis.service import Service

from credit.subscriptions import SUBSCRIPTIONS

SERVICE = Service(
    name="credit",
    topic="receivables.credit",
    subscriptions=SUBSCRIPTIONS,
    router="credit.routes:router",
)
