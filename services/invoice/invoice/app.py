"""The invoice service, put together."""

from chassis.service import DayWork, Service

from invoice.handlers.day import begin_day, find_accounts
from invoice.subscriptions import SUBSCRIPTIONS

SERVICE = Service(
    name="invoice",
    topic="receivables.invoice",
    subscriptions=SUBSCRIPTIONS,
    router="invoice.routes:router",
    day_work=DayWork(find_accounts, begin_day),
)
