"""Whatever a producer sends is something: a marker, a readable record or a broken one, under a key that can be stored."""

from datetime import date
from itertools import product

import pytest
from chassis.record import Broken, Fresh, MarkerMet, Record, classify, content_of
from chassis.relay import partition_of
from events.business_day import BusinessDayStarted
from events.envelope import Envelope, to_headers
from events.fact import kind_of
from hypothesis import given
from hypothesis import strategies as st

TYPES = (b"erp.InvoiceIssued.v1", b"receivables.InvoiceIssued.v1", kind_of(BusinessDayStarted).type.encode(), b"nobody.Knows.v9")
TOPICS = ("erp.documents", "receivables.invoice")
VALUES = (
    None,
    b"",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b"1e400",
    b"NaN",
    b'"text"',
    b'{"entity": 5}',
    b'{"entity": "US01", "document_no": 7}',
    b'{"entity": "US01", "document_no": "A\\u0000B"}',
    b'{"entity": "US01", "document_no": "\\ud800"}',
    b'{"entity": "US01", "date": "2026-02-30"}',
    b'{"entity": "US01", "date": 3}',
    b'{"entity": "US01"',
    b"[" * 200_000,
    b'{"a":' * 200_000,
    b'{"entity": "\xc3\x28", "document_no": "A"}',
    b'{"entity": "' + b"x" * 100_000 + b'", "document_no": "A"}',
)
HEADERS = ("ce_id", "ce_type", "ce_sequence", "ce_bookedon", "content-type", "x")
GARBAGE = st.binary(max_size=60) | st.sampled_from([value for value in VALUES if value is not None])


def headers_of(type_: bytes, *more: tuple[str, bytes | None]) -> list[tuple[str, bytes | None]]:
    return [("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/x"), ("ce_type", type_), *more]


@pytest.mark.parametrize(("topic", "type_"), list(product(TOPICS, TYPES)))
def test_no_value_makes_the_reader_raise_or_leaves_a_key_no_column_takes(topic: str, type_: bytes) -> None:
    for value, key in product(VALUES, (None, b"", b"\x00", b"\xff" * 1000)):
        found = classify(Record(topic, 0, 0, key, value, headers_of(type_)))
        content_of(value or b"")
        if not isinstance(found, MarkerMet):
            assert "\x00" not in found.key
            assert len(found.key) <= 1100


@given(
    topic=st.sampled_from(TOPICS),
    key=st.none() | st.binary(max_size=20),
    value=st.none() | GARBAGE,
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), st.none() | GARBAGE)),
    structured=st.booleans(),
)
def test_no_headers_make_the_reader_raise(
    topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]], structured: bool
) -> None:
    mode = [("content-type", b"application/cloudevents+json")] if structured else []
    assert classify(Record(topic, 0, 0, key, value, [*headers_of(TYPES[0]), *headers, *mode])) is not None


def test_a_marker_is_known_in_every_topic() -> None:
    context = Envelope("day", kind_of(BusinessDayStarted).type, "/receivables/calendar")
    for topic in TOPICS:
        found = classify(Record(topic, 1, 2, b"day", b'{"entity":"US01","date":"2026-01-05"}', to_headers(context)))
        assert isinstance(found, MarkerMet)
        assert (found.entity, found.day) == ("US01", date(2026, 1, 5))


@pytest.mark.parametrize("left_out", ["ce_entity", "ce_sequence", "ce_partitionkey"])
def test_a_domain_fact_without_its_place_in_a_stream_is_broken_and_keeps_the_key_of_its_record(left_out: str) -> None:
    context = Envelope("1", "receivables.InvoiceIssued.v1", "/x", entity="US01", key="US01|C-1", sequence=1)
    headers = [(name, content) for name, content in to_headers(context) if name != left_out]
    found = classify(Record("receivables.invoice", 0, 0, b"US01|C-1", b"{}", headers))
    assert isinstance(found, Broken)
    assert found.key == "US01|C-1"


def test_an_ingress_record_is_keyed_by_what_it_describes_and_else_by_who_sent_it() -> None:
    def key_of(value: bytes) -> tuple[str | None, str]:
        found = classify(Record("erp.documents", 0, 0, None, value, headers_of(TYPES[0])))
        assert isinstance(found, Fresh)
        return found.entity, found.key

    assert key_of(b'{"entity":"US01","document_no":"A"}') == ("US01", "US01|A")
    assert key_of(b'{"entity":"US01"}') == ("US01", "/x|1")
    assert key_of(b"?") == (None, "/x|1")


@pytest.mark.parametrize(("key", "hashed"), [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536)])
def test_keys_are_placed_as_java_places_them(key: str, hashed: int) -> None:
    """Hashes from UtilsTest.testMurmur2 of Apache Kafka; its partitioner drops the sign."""
    assert partition_of(key, 1000) == (hashed & 0x7FFFFFFF) % 1000


@pytest.mark.parametrize(
    ("type_", "value", "key"),
    [
        ("erp.InvoiceIssued.v1", b'{"entity":"US01","document_no":"INV-1"}', "US01|INV-1"),
        ("erp.CalendarPublished.v1", b'{"entity":"US01","year":2026,"holidays":[]}', "US01|2026"),
        ("erp.FxRatePublished.v1", b'{"entity":"US01","currency":"EUR","rate":"1.1","rate_on":"2026-01-05"}', "US01|EUR|2026-01-05|spot"),
        ("erp.FxRatePublished.v1", b'{"entity":"US01","currency":"EUR"}', "/x|1"),
    ],
)
def test_what_a_fact_describes_is_known_by_its_natural_key_with_what_it_leaves_to_the_default(type_: str, value: bytes, key: str) -> None:
    """Where the key is not complete, source and id tell the fact from others."""
    found = classify(Record("erp.reference", 0, 0, None, value, headers_of(type_.encode())))
    assert not isinstance(found, MarkerMet)
    assert found.key == key
