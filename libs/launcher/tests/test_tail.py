"""What a person sees of a fact."""

import json

from aiokafka import ConsumerRecord
from launcher.tail import Record, as_event, as_line


def a_record(value: bytes | None, headers: dict[str, str], key: bytes | None = b"US01|C-1") -> Record:
    pairs = tuple((name, text.encode()) for name, text in headers.items())
    return ConsumerRecord("receivables.invoice", 3, 17, 0, 0, key, value, None, 0, 0, pairs)


def test_a_binary_event_is_one_line_with_its_day_and_sequence() -> None:
    headers = {"ce_type": "receivables.InvoiceIssued.v1", "ce_entity": "US01", "ce_bookedon": "2026-01-05", "ce_sequence": "4"}
    line = as_line(a_record(b'{"document_no":"INV-1"}', headers))
    assert line.split() == ["3:17", "receivables.InvoiceIssued.v1", "[US01|C-1]", "US01", "2026-01-05", "4", '{"document_no":', '"INV-1"}']


def test_a_structured_event_shows_the_same_attributes() -> None:
    envelope = {"specversion": "1.0", "type": "erp.InvoiceIssued.v1", "data": {"total": "12.00"}}
    event = as_event(a_record(json.dumps(envelope).encode(), {"content-type": "application/cloudevents+json; charset=utf-8"}))
    assert event["headers"]["ce_type"] == "erp.InvoiceIssued.v1"
    assert event["data"] == {"total": "12.00"}


def test_what_is_no_event_at_all_is_shown_and_does_not_stop_the_reader() -> None:
    assert as_event(a_record(b"\xff\xfe", {}, key=None))["data"] == "\ufffd\ufffd"
    assert as_event(a_record(None, {}))["data"] is None
