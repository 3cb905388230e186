"""The payment service, composed."""

from chassis.service import DayWork, Service

from payment.handlers.day import begin_day, find_accounts
from payment.subscriptions import SUBSCRIPTIONS

SERVICE = Service(
    name="payment",
    topic="receivables.payment",
    subscriptions=SUBSCRIPTIONS,
    router="payment.routes:router",
    day_work=DayWork(find_accounts, begin_day),
)
