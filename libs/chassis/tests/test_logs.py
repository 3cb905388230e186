"""Logs are JSON with the trace, and what is not on the list of fields stays out."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from chassis import logs
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    logs.set_up("payment", level="INFO", stream=out)
    yield out
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_says_service_level_time_and_fields(written: io.StringIO) -> None:
    structlog.get_logger().warning("relay.retry", pause_s=0.2, topic="receivables.payment")

    (line,) = lines(written)
    assert (line["event"], line["service"], line["level"], line["pause_s"]) == ("relay.retry", "payment", "warning", 0.2)
    assert line["timestamp"].endswith("Z")


def test_a_field_nobody_allowed_is_named_but_withheld(written: io.StringIO) -> None:
    structlog.get_logger().info("payment.recorded", key="US01|C-1", debtor_name="Ada Lovelace", iban="DE02120300000000202051")

    (line,) = lines(written)
    assert line["withheld"] == ["debtor_name", "iban"]
    assert "Lovelace" not in written.getvalue()
    assert "DE02" not in written.getvalue()
    assert line["key"] == "US01|C-1"


def test_an_exception_keeps_its_class_first_line_and_frames_only(written: io.StringIO) -> None:
    try:
        raise ValueError("duplicate key\nDETAIL: Key (name)=(Ada Lovelace) already exists.")
    except ValueError:
        structlog.get_logger().exception("consumer.failed")

    (line,) = lines(written)
    assert (line["kind"], line["error"]) == ("ValueError", "duplicate key")
    assert "test_logs.py" in line["stack"][-1]
    assert "Lovelace" not in written.getvalue()


def test_the_standard_librarys_logs_come_the_same_way(written: io.StringIO) -> None:
    try:
        raise RuntimeError("port taken")
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("server failed for %s", "reasons")
    logging.getLogger("uvicorn.access").info("GET /v1/customers/C-1")

    (line,) = lines(written)
    assert (line["event"], line["logger"], line["kind"], line["error"]) == (
        "server failed for reasons",
        "uvicorn.error",
        "RuntimeError",
        "port taken",
    )


def test_a_line_names_the_span_it_was_written_in(written: io.StringIO) -> None:
    context = SpanContext(0xAB, 0xCD, is_remote=False, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")

    inside, outside = lines(written)
    assert (inside["trace_id"], inside["span_id"]) == (f"{0xAB:032x}", f"{0xCD:016x}")
    assert "trace_id" not in outside
