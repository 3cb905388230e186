"""The dunning service, composed."""

from functools import partial

from chassis.service import DayWork, Service

from dunning import handlers
from dunning.domain import STANDARD
from dunning.subscriptions import SUBSCRIPTIONS

SERVICE = Service(
    name="dunning",
    topic="receivables.collections",
    subscriptions=SUBSCRIPTIONS,
    router="dunning.routes:router",
    day_work=DayWork(accounts=partial(handlers.find_accounts_due, STANDARD), work=partial(handlers.send_notices, STANDARD)),
)
