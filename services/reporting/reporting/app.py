"""The composition of the reporting service."""

from chassis.service import DayWork, Remake, Service

from reporting import handlers
from reporting.queries import gathering
from reporting.subscriptions import SUBSCRIPTIONS

SERVICE = Service(
    name="reporting",
    topic="receivables.reporting",
    subscriptions=SUBSCRIPTIONS,
    router="reporting.routes:router",
    day_work=DayWork(accounts=handlers.books_to_close, work=handlers.close_books),
    holds=False,
    passes_on=False,
    read_model=(
        "item",
        "cube",
        "account_delta",
        "receipt_day",
        "suggestion",
        "finding",
        "exchange_delta",
        "revaluation",
        "notice",
        "closing",
        "account_closing",
    ),
    volatile=("folded_at",),
    remake=Remake(prepare=gathering.prepare, gather=handlers.gather, add_up=gathering.add_up),
)
