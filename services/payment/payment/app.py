"""The payment service, composed."""

from chassis.service import DayWork, Service

from payment import handlers
from payment.subscriptions import SUBSCRIPTIONS

SERVICE = Service(
    name="payment",
    topic="receivables.payment",
    subscriptions=SUBSCRIPTIONS,
    router="payment.routes:router",
    day_work=DayWork(accounts=handlers.find_receipts_newly_known, work=handlers.identify_newly_known),
)
