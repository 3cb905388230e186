"""
Traces from the ERP's `traceparent` to the read model, at next to no cost while nobody asked for one.

Set-up follows the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_TRACES_SAMPLER,
OTEL_SDK_DISABLED, ...). Without an endpoint nothing is made and the incoming `traceparent` is only passed on. With one, every micro-batch
is one span; a record gets a span of its own only where the sampled flag of its `traceparent` is set, because a span costs more than the
record (docs/performance.md). The facts a record causes carry the `traceparent` of its span, so the next service's span is its child.
Format of `traceparent`: W3C Trace Context level 2, https://www.w3.org/TR/trace-context-2/.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

if TYPE_CHECKING:  # The SDK is imported only where traces are exported: it costs memory and half a second.
    from opentelemetry.sdk.trace import TracerProvider

RECORD_SPANS_MAX = 50
"""Records of one batch that get a span; the traceparent of the others is passed on as it came, so their trace stays connected."""

FLUSH_MS_MAX = 3000
_SCOPE = "receivables.chassis"
_TRACEPARENT: Final = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_LENGTH_MAX = 200
_ODD = frozenset("13579bdf")  # Last digit of the flags: bit 0 says sampled, whatever the others say.

_providers: dict[str, "TracerProvider"] = {}
_inbound: ContextVar[str | None] = ContextVar("inbound_traceparent", default=None)
_in_batch: ContextVar[bool] = ContextVar("in_batch", default=False)


def set_up(service: str) -> None:
    """Export the spans of `service` where the environment names an OTLP endpoint; do nothing otherwise, or when called again."""
    wanted = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    switched_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
    if service in _providers or not wanted or switched_off:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"receivables-{service}"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _providers[service] = provider


def shut_down(service: str) -> None:
    """Send what is left, for at most 3 seconds, and stop exporting; blocks."""
    provider = _providers.pop(service, None)
    if provider is not None:
        provider.force_flush(FLUSH_MS_MAX)
        provider.shutdown()


def provider_of(service: str) -> "TracerProvider | None":
    """The provider behind the spans of a service; None where nothing is exported."""
    return _providers.get(service)


def parse(traceparent: str | None) -> SpanContext | None:
    """Read a `traceparent`; anything malformed is None, as the standard asks."""
    found = _match(traceparent)
    if found is None:
        return None
    return SpanContext(int(found[2], 16), int(found[3], 16), is_remote=True, trace_flags=TraceFlags(int(found[4], 16)))


def _match(traceparent: str | None) -> re.Match[str] | None:
    if not traceparent or len(traceparent) > _LENGTH_MAX:
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    return None if found is None or (found[1] == "00" and found[5] is not None) else found


def traceparent_of(context: SpanContext) -> str | None:
    """Write a span's context as a `traceparent`; None for the invalid context of no span."""
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}" if context.is_valid else None


def current_traceparent() -> str | None:
    """
    The `traceparent` for facts without a cause: of the current span, else what the request brought.

    None in a batch: its span is always sampled, and would have every later service make a span for every record.
    """
    if _in_batch.get():
        return None
    return traceparent_of(trace.get_current_span().get_span_context()) or _inbound.get()


@contextmanager
def inbound(traceparent: str | None) -> Iterator[None]:
    """Remember what a request brought, so that it is passed on where nothing is exported."""
    token = _inbound.set(traceparent if parse(traceparent) else None)
    try:
        yield
    finally:
        _inbound.reset(token)


@contextmanager
def span_of(service: str, traceparent: str | None, name: str, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[str | None]:
    """Run the block in a span under `traceparent` (a new trace without one) and yield the `traceparent` to hand on."""
    provider = _providers.get(service)
    if provider is None:
        yield traceparent if parse(traceparent) else None
        return
    span = provider.get_tracer(_SCOPE).start_span(name, context=_parent(parse(traceparent)), kind=kind)
    with _ended(span), _current(span):
        yield traceparent_of(span.get_span_context())


@contextmanager
def batch_span(service: str, topic: str, traceparents: Sequence[str | None]) -> Iterator[Sequence[str | None]]:
    """
    Run the block as one micro-batch and yield, record by record, the `traceparent` for the facts it causes.

    `traceparents` are those of the records, in their order. A sampled record gets a span `process <topic>` under its own trace, linked
    with the batch's span both ways; the others, and malformed ones, cost a glance.
    """
    provider = _providers.get(service)
    matches = [_match(one) for one in traceparents]
    onward = [one if match else None for one, match in zip(traceparents, matches, strict=True)]
    if provider is None:
        yield onward
        return
    places = [place for place, match in enumerate(matches) if match and match[4][1] in _ODD][:RECORD_SPANS_MAX]
    sampled = [(place, context) for place in places if (context := parse(traceparents[place]))]
    tracer, token = provider.get_tracer(_SCOPE), _in_batch.set(True)
    attributes = {"messaging.system": "kafka", "messaging.operation.type": "process", "messaging.destination.name": topic}
    links = [Link(context) for _, context in sampled]
    with ExitStack() as spans:
        spans.callback(_in_batch.reset, token)
        batch = tracer.start_span(
            f"batch {topic}",
            context=_parent(None),
            kind=SpanKind.CONSUMER,
            attributes={**attributes, "messaging.batch.message_count": len(traceparents)},
            links=links,
        )
        spans.enter_context(_ended(batch))
        spans.enter_context(_current(batch))
        to_batch = [Link(batch.get_span_context())]
        for place, context in sampled:
            span = tracer.start_span(
                f"process {topic}", context=_parent(context), kind=SpanKind.CONSUMER, attributes=attributes, links=to_batch
            )
            spans.enter_context(_ended(span))
            onward[place] = traceparent_of(span.get_span_context())
        yield onward


def _parent(context: SpanContext | None) -> Context:
    """A context with that span and nothing else in it: spans of a batch never hang under what happens to run around it."""
    return trace.set_span_in_context(NonRecordingSpan(context or trace.INVALID_SPAN_CONTEXT), Context())


def _current(span: Span) -> AbstractContextManager[Span]:
    return trace.use_span(span, record_exception=False, set_status_on_exception=False)


@contextmanager
def _ended(span: Span) -> Iterator[None]:
    """End a span with its block; a failure is told by its kind only, messages may quote the record."""
    try:
        yield
    except Exception as error:
        span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        span.end()
