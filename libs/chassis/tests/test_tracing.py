"""One trace from the ERP to the read model; garbage is ignored and nothing is made where nobody listens."""

from collections.abc import Iterator

import pytest
from chassis import tracing
from opentelemetry.trace import SpanKind
from testkit.otlp import OtlpSink

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED, SAMPLED_RANDOM = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-03"
TOPICS = ("erp.documents", "receivables.invoice", "receivables.payment")
GARBAGE = [
    "",
    "00",
    "garbage",
    SAMPLED + " ",
    SAMPLED + "-extra",  # Version 00 has exactly four parts.
    SAMPLED.upper(),
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE[:-1]}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-1",
    f"00-{TRACE}-{SPAN}",
    f"00-{TRACE[:-1]}g-{SPAN}-01",
    f"0x-{TRACE}-{SPAN}-01",
    SAMPLED.replace("4", "４"),  # Full-width digits.
    f"00-{TRACE}-{SPAN}-01\n",
    f"01-{TRACE}-{SPAN}-01-" + "x" * 1000,
    "\0" * 55,
    "�" * 55,
]


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpSink]:
    with OtlpSink() as sink:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        for service in ("invoice", "payment", "reporting"):
            tracing.set_up(service)
        yield sink
        flush()


def flush() -> None:
    for service in ("invoice", "payment", "reporting"):
        tracing.shut_down(service)


@pytest.mark.parametrize("text", GARBAGE)
def test_a_malformed_traceparent_is_ignored(text: str) -> None:
    assert tracing.parse(text) is None
    with tracing.batch_span("invoice", "erp.documents", [text]) as onward:
        assert list(onward) == [None]


def test_a_later_version_may_carry_more() -> None:
    context = tracing.parse(f"cc-{TRACE}-{SPAN}-01-what-comes-later")
    assert context is not None
    assert (f"{context.trace_id:032x}", f"{context.span_id:016x}") == (TRACE, SPAN)


def test_without_an_endpoint_the_traceparent_is_passed_on_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    tracing.set_up("invoice")

    assert tracing.provider_of("invoice") is None
    with tracing.batch_span("invoice", "erp.documents", [SAMPLED, None, UNSAMPLED]) as onward:
        assert list(onward) == [SAMPLED, None, UNSAMPLED]
    with tracing.span_of("invoice", SAMPLED, "redrive") as traceparent:
        assert traceparent == SAMPLED


@pytest.mark.parametrize(("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")])
def test_the_standard_switches_turn_it_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv(name, value)
    tracing.set_up("invoice")
    assert tracing.provider_of("invoice") is None


def test_one_trace_runs_from_the_erp_through_every_service(sink: OtlpSink) -> None:
    with tracing.batch_span("invoice", "erp.documents", [SAMPLED]) as (from_invoice,):
        pass
    with tracing.batch_span("payment", "receivables.invoice", [from_invoice]) as (from_payment,):
        pass
    with tracing.batch_span("reporting", "receivables.payment", [from_payment]):
        pass
    flush()

    (first,), (second,), (third,) = (
        sink.named(f"process {topic}") for topic in ("erp.documents", "receivables.invoice", "receivables.payment")
    )
    assert {first.trace_id, second.trace_id, third.trace_id} == {TRACE}
    assert [first.parent_id, second.parent_id, third.parent_id] == [SPAN, first.span_id, second.span_id]
    assert [first.service, second.service, third.service] == ["receivables-invoice", "receivables-payment", "receivables-reporting"]


def test_a_batch_is_one_span_and_only_sampled_records_get_their_own(sink: OtlpSink) -> None:
    with tracing.batch_span("invoice", "erp.documents", [None, UNSAMPLED, SAMPLED_RANDOM, "garbage"]) as onward:
        assert onward[:2] == [None, UNSAMPLED]
        assert onward[2] is not None and onward[2].startswith(f"00-{TRACE}-") and onward[2].endswith("-03")
        assert onward[3] is None
    flush()

    (batch,), (record,) = sink.named("batch erp.documents"), sink.named("process erp.documents")
    assert (batch.parent_id, batch.kind, batch.links) == ("", 5, (SPAN,))
    assert batch.trace_id != TRACE
    assert (record.parent_id, record.kind, record.links) == (SPAN, 5, (batch.span_id,))


def test_a_flood_of_sampled_records_stays_connected_without_a_span_each(sink: OtlpSink) -> None:
    with tracing.batch_span("invoice", "erp.documents", [SAMPLED] * 500) as onward:
        assert onward[tracing.RECORD_SPANS_MAX - 1] != SAMPLED
        assert set(onward[tracing.RECORD_SPANS_MAX :]) == {SAMPLED}
    flush()
    assert len(sink.named("process erp.documents", count=tracing.RECORD_SPANS_MAX)) == tracing.RECORD_SPANS_MAX


def test_a_failed_batch_marks_its_spans_and_keeps_the_message_to_itself(sink: OtlpSink) -> None:
    with pytest.raises(ValueError), tracing.batch_span("invoice", "erp.documents", [SAMPLED]):
        raise ValueError("Ada Lovelace")
    with pytest.raises(ValueError), tracing.span_of("invoice", None, "turn day"):
        raise ValueError("Ada Lovelace")
    flush()
    for name in ("process erp.documents", "batch erp.documents", "turn day"):
        (span,) = sink.named(name)
        assert span.failed
        assert "ValueError" in span.text
        assert "Lovelace" not in span.text


def test_facts_without_a_cause_do_not_take_the_batchs_trace(sink: OtlpSink) -> None:
    with tracing.batch_span("invoice", "erp.documents", [None]):
        assert tracing.current_traceparent() is None
    with tracing.span_of("invoice", None, "turn day") as traceparent:
        assert tracing.current_traceparent() == traceparent
    assert tracing.current_traceparent() is None


def test_a_request_hands_on_what_it_brought_where_nothing_is_exported() -> None:
    with tracing.inbound(SAMPLED):
        assert tracing.current_traceparent() == SAMPLED
    with tracing.inbound("garbage"):
        assert tracing.current_traceparent() is None


def test_a_span_can_be_started_under_a_stored_traceparent(sink: OtlpSink) -> None:
    with tracing.span_of("payment", SAMPLED, "redrive", SpanKind.CONSUMER) as traceparent:
        assert traceparent is not None and TRACE in traceparent
    flush()
    assert sink.named("redrive")[0].parent_id == SPAN
