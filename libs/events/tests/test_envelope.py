"""CloudEvents on Kafka: our reader and writer agree with the SDK, and nothing that is sent breaks the reader."""

import base64
import json
from datetime import UTC, date, datetime

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.v1.event import CloudEvent
from events.envelope import ATTRIBUTE_LENGTH_MAX, Envelope, Unreadable, read, to_headers
from hypothesis import given
from hypothesis import strategies as st

DATA = b'{"entity":"US01","amount":"1.00"}'
FULL = Envelope(
    id="a|b|1",
    type="receivables.PaymentApplied.v1",
    source="receivables/payment",
    time="2026-01-05T10:00:00Z",
    entity="US01",
    key="US01|C-Ä",
    sequence=7,
    booked_on=date(2026, 1, 5),
    effective_on=date(2026, 1, 4),
    correlation_id="corr",
    causation_id="cause",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
LEAST = Envelope(id="1", type="erp.InvoiceIssued.v1", source="erp")
text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), min_size=1, max_size=40)


def structured(**members: object) -> bytes:
    event = {"specversion": "1.0", "id": "1", "type": "erp.InvoiceIssued.v1", "source": "erp", "data": json.loads(DATA), **members}
    return json.dumps({name: member for name, member in event.items() if member is not ...}).encode()


STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


@pytest.mark.parametrize("envelope", [FULL, LEAST])
def test_what_we_write_we_read(envelope: Envelope) -> None:
    assert read(to_headers(envelope), DATA) == (envelope, DATA)


@given(
    st.builds(Envelope, id=text, type=text, source=text, entity=text, key=text, sequence=st.integers(0, 2**63 - 1), booked_on=st.dates())
)
def test_any_attributes_survive_the_wire(envelope: Envelope) -> None:
    assert read(to_headers(envelope), DATA) == (envelope, DATA)


def test_the_sdk_reads_what_we_write() -> None:
    event = kafka.from_kafka_event(kafka.KafkaMessage(headers=dict(to_headers(FULL)), key=b"US01|C-\xc3\x84", value=DATA))
    assert (event.get_id(), event.get_type(), event.get_source()) == (FULL.id, FULL.type, FULL.source)
    assert event.get_time() == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert event.get_dataschema() == "urn:receivables:schema:receivables.PaymentApplied.v1"
    assert event.get_data() == json.loads(DATA)
    extensions = ("entity", "partitionkey", "sequence", "bookedon", "effectiveon", "correlationid", "causationid")
    assert [event.get_extension(name) for name in extensions] == ["US01", "US01|C-Ä", "7", "2026-01-05", "2026-01-04", "corr", "cause"]


@pytest.mark.parametrize("to_message", [kafka.to_binary_event, kafka.to_structured_event], ids=["binary", "structured"])
def test_we_read_what_the_sdk_writes_in_either_mode(to_message) -> None:  # type: ignore[no-untyped-def]
    attributes = {
        "id": "INV-1",
        "type": "erp.InvoiceIssued.v1",
        "source": "erp",
        "time": datetime(2026, 1, 5, 10, tzinfo=UTC),
        "datacontenttype": "application/json",
        "partitionkey": "US01|C-Ä",
        "entity": "US01",
    }
    message = to_message(CloudEvent(attributes=attributes, data=json.loads(DATA)))
    envelope, data = read(list(message.headers.items()), message.value)
    assert envelope == Envelope(
        id="INV-1", type="erp.InvoiceIssued.v1", source="erp", time="2026-01-05T10:00:00Z", entity="US01", key="US01|C-Ä"
    )
    assert json.loads(data) == json.loads(DATA)


def test_structured_data_may_be_base64() -> None:
    envelope, data = read(STRUCTURED, structured(data=..., data_base64=base64.b64encode(DATA).decode()))
    assert (envelope, data) == (LEAST, DATA)


def test_structured_data_is_passed_on_as_it_was_sent() -> None:
    odd = b'{ "amount":1.0000000000000000001, "n":' + b"9" * 1000 + b"}"
    assert read(STRUCTURED, structured().replace(json.dumps(json.loads(DATA)).encode(), odd))[1] == odd


def test_the_trace_is_found_in_the_header_first_and_else_in_the_event() -> None:
    assert read(STRUCTURED, structured(traceparent="in-event"))[0].traceparent == "in-event"
    assert read([*STRUCTURED, ("traceparent", b"in-header")], structured(traceparent="in-event"))[0].traceparent == "in-header"


def test_header_names_in_capitals_and_unknown_attributes_are_no_obstacle() -> None:
    headers = [(name.upper(), content) for name, content in to_headers(LEAST)] + [("ce_colour", b"red"), ("ce_sequence", None)]
    assert read(headers, DATA)[0] == LEAST


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_specversion"])
@pytest.mark.parametrize("content", [None, b""])
def test_a_missing_attribute_is_named(name: str, content: bytes | None) -> None:
    headers = [(header, content if header == name else value) for header, value in to_headers(LEAST)]
    with pytest.raises(Unreadable, match=name[3:]):
        read(headers, DATA)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b"\xff"),
        ("ce_id", b"a\x00"),
        ("ce_id", b"x" * (ATTRIBUTE_LENGTH_MAX + 1)),
        ("ce_sequence", b"seven"),
        ("ce_sequence", b"1" * 10_000),
        ("ce_bookedon", b"05.01.2026"),
        ("ce_effectiveon", b"2026-02-30"),
    ],
)
def test_an_attribute_that_cannot_be_used_makes_the_record_unreadable(name: str, content: bytes) -> None:
    headers = [(header, value) for header, value in to_headers(FULL) if header != name]
    with pytest.raises(Unreadable):
        read([*headers, (name, content)], DATA)


@pytest.mark.parametrize(
    "value",
    [b"", b"[]", b"null", b"1", b"{", b"\xff", b'{"id":"\xff"}', b'{"data":' * 100_000, structured(id=5), structured(source=["erp"])]
    + [structured(entity={}), structured(partitionkey=1), structured(bookedon=20260105), structured(sequence=[1]), structured(id=None)]
    + [structured(data_base64="%%%"), structured(data_base64=1), structured(time=5), structured(id="\x00")],
    ids=lambda value: repr(value[:20]),
)
def test_a_broken_structured_event_is_unreadable(value: bytes) -> None:
    with pytest.raises(Unreadable):
        read(STRUCTURED, value)


def test_a_record_without_a_value_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="no value"):
        read(to_headers(LEAST), None)


@given(st.lists(st.tuples(st.sampled_from([name for name, _ in to_headers(FULL)]), st.none() | st.binary())), st.none() | st.binary())
def test_any_record_is_read_or_called_unreadable(headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    for start in ([], STRUCTURED, to_headers(FULL)):
        try:
            read([*start, *headers], value)
        except Unreadable as unreadable:
            assert str(unreadable)


_fields = st.sampled_from([name for name, _ in to_headers(FULL)])
_contents = st.sampled_from([b"", b"1.0", b"7", b"\xff", b"a\x00b", b"2026-01-05", b"x" * (ATTRIBUTE_LENGTH_MAX + 1), "Ä".encode(), None])


@given(st.dictionaries(_fields, _contents, max_size=3), st.lists(_fields, max_size=3))
def test_headers_written_as_ours_are_read_as_any_others_are(changed: dict[str, bytes | None], left_out: list[str]) -> None:
    headers = [(name, changed.get(name, content)) for name, content in to_headers(FULL) if name not in left_out]
    assert outcome(headers) == outcome([(name.upper(), content) for name, content in headers])


def outcome(headers: list[tuple[str, bytes | None]]) -> object:
    try:
        return read(headers, DATA)
    except Unreadable as unreadable:
        return str(unreadable).lower()
