"""
Every figure a process exposes at `/metrics`, in one place: name, labels, meaning.

All are per process; the scraper adds which service and which role. No label holds an account, a customer or a document.
"""

from datetime import UTC, date, datetime, time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TURN_SECONDS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0)


class Metrics:
    """The figures of one process; `metrics` below is the one in use, tests make their own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._consuming(registry)
        self._sending(registry)
        self._day(registry)
        self._serving(registry)

    def _consuming(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "receivables_records",
            "Kafka records by what became of them: handled, duplicate, ignored, refused, parked, held or late (late ones are handled too).",
            ["topic", "outcome"],
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "receivables_batch_seconds", "One micro-batch, from the lock to the commit.", ["topic"], buckets=_SECONDS, registry=registry
        )
        self.batches_bisected = Counter("receivables_batches_bisected", "Batches split to find a culprit.", ["topic"], registry=registry)
        self.rebalances = Counter(
            "receivables_rebalances", "Partitions taken from this process, by whether a batch was in flight.", ["batch"], registry=registry
        )
        self.lag = Gauge("receivables_lag_records", "Records not yet taken from a partition.", ["topic", "partition"], registry=registry)
        self.held = Gauge("receivables_held_records", "Records behind the marker of a day not yet open here.", ["topic"], registry=registry)
        self.parked = Gauge("receivables_parked_records", "Records set aside and not yet redriven.", registry=registry)
        self.worker_progress = Gauge(
            "receivables_worker_progress_timestamp_seconds", "When the worker's loop last came round.", registry=registry
        )

    def _sending(self, registry: CollectorRegistry) -> None:
        self.relayed = Counter("receivables_relayed", "Facts acknowledged by Kafka and deleted from the outbox.", registry=registry)
        self.outbox_depth = Gauge("receivables_outbox_rows", "Facts waiting in the outbox at the relay's last look.", registry=registry)
        self.outbox_age = Gauge("receivables_outbox_age_seconds", "Age of the oldest fact waiting in the outbox.", registry=registry)
        self.producers_built = Counter(
            "receivables_producers_built", "Kafka producers built; more than one follows a failure.", registry=registry
        )

    def _day(self, registry: CollectorRegistry) -> None:
        self.open_day = Gauge(
            "receivables_open_day_timestamp_seconds",
            "The entity's open business day, as midnight UTC of its date.",
            ["entity"],
            registry=registry,
        )
        self.turn_seconds = Histogram(
            "receivables_turn_seconds", "Turning a business day, all chunks.", ["entity"], buckets=_TURN_SECONDS, registry=registry
        )
        self.days_opened_without = Counter(
            "receivables_days_opened_without", "Days opened although a marker was missing.", ["entity"], registry=registry
        )

    def _serving(self, registry: CollectorRegistry) -> None:
        self.http_requests = Counter(
            "receivables_http_requests",
            "Answers by route template ('-' where none matched).",
            ["method", "route", "status"],
            registry=registry,
        )
        self.http_seconds = Histogram(
            "receivables_http_request_seconds", "Answering a request.", ["method", "route"], buckets=_SECONDS, registry=registry
        )
        self.replayed = Counter(
            "receivables_commands_replayed", "Commands answered from the idempotency store.", ["route"], registry=registry
        )
        self.command_retries = Counter(
            "receivables_command_retries",
            "Commands begun again: the day was turning, or a conflict between transactions.",
            ["cause"],
            registry=registry,
        )

    def show_open_day(self, entity: str, open_on: date) -> None:
        """Set `receivables_open_day_timestamp_seconds` of an entity."""
        self.open_day.labels(entity).set(datetime.combine(open_on, time(), UTC).timestamp())

    def exposition(self) -> bytes:
        """Return all figures in Prometheus' text format (content type: `CONTENT_TYPE`)."""
        return generate_latest(self.registry)


metrics: Final = Metrics(CollectorRegistry())
