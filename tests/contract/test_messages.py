"""
The example messages: what producers write and what each consumer reads.

`producers/<type>.json` holds what is published today (and illustrates the AsyncAPI document), `<consumer>/<type>.json` what a consumer
must be able to read: today's message, one of a later producer with fields and values nobody has heard of, and for what others publish
the odd ways they write it. A message has `data` (binary mode) or `event` (structured mode); `later` marks what our classes read but
do not write.
"""

import json
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from cloudevents.core.bindings import kafka
from events import facts, kind_of, kind_of_type
from events.envelope import read, to_headers
from events.ingress import read as read_ingress
from events.topics import INGRESS

HERE = Path(__file__).parent
SCHEMAS = HERE.parents[1] / "docs" / "events"
CONSUMERS = ["invoice", "payment", "credit", "dunning", "reporting"]


def messages(*folders: str) -> list[Any]:
    return [*_messages(folders)]


def _messages(folders: Iterable[str]) -> Iterator[Any]:
    for folder in folders:
        for path in sorted((HERE / folder).glob("*.json")):
            for message in json.loads(path.read_text())["messages"]:
                yield pytest.param(path.stem, message, id=f"{folder}-{path.stem}-{message['name']}")


def record(message: dict[str, Any]) -> tuple[list[tuple[str, bytes]], bytes]:
    """The headers and the value as they stand in Kafka."""
    return [(name, text.encode()) for name, text in message["headers"].items()], json.dumps(
        message.get("data", message.get("event"))
    ).encode()


def sent(message: dict[str, Any]) -> Any:
    return message["event"]["data"] if "event" in message else message["data"]


def declared(data: Any, like: Any) -> Any:
    """Data without what `like`, the same data written by our classes, does not have."""
    if isinstance(like, dict):
        return {name: declared(data[name], part) for name, part in like.items()}
    if isinstance(like, list):
        return [declared(*pair) for pair in zip(data, like, strict=True)]
    return data


@pytest.mark.parametrize(("wire_name", "message"), messages("producers", *CONSUMERS))
def test_the_class_reads_every_message_and_writes_it_again(wire_name: str, message: dict[str, Any]) -> None:
    envelope, data = read(*record(message))
    kind = kind_of_type(envelope.type)
    assert kind is not None
    assert kind.type == wire_name
    event = msgspec.json.decode(data, type=kind.event)
    written = json.loads(msgspec.json.encode(event))
    if message.get("later"):
        assert written == declared(sent(message), written)
        assert msgspec.json.decode(msgspec.json.encode(event), type=kind.event) == event
    else:
        assert written == sent(message)


@pytest.mark.parametrize(("wire_name", "message"), messages("producers", *CONSUMERS))
def test_every_message_is_what_the_committed_schema_says(wire_name: str, message: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / f"{wire_name}.json").read_text())
    faults = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(sent(message))
    assert [fault.message for fault in faults] == []


@pytest.mark.parametrize(("wire_name", "message"), messages("producers", *CONSUMERS))
def test_a_required_field_left_out_is_refused_by_schema_and_class_alike(wire_name: str, message: dict[str, Any]) -> None:
    schema = json.loads((SCHEMAS / f"{wire_name}.json").read_text())
    kind = facts()[wire_name]
    for field in msgspec.structs.fields(kind.event):
        if field.required:
            less = {name: part for name, part in sent(message).items() if name != field.encode_name}
            assert not jsonschema_rs.Draft202012Validator(schema).is_valid(less)
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(less, kind.event)


@pytest.mark.parametrize(("wire_name", "message"), messages("producers", *CONSUMERS))
def test_the_sdk_reads_the_same_context_and_data(wire_name: str, message: dict[str, Any]) -> None:
    headers, value = record(message)
    envelope, data = read(headers, value)
    event = kafka.from_kafka_event(kafka.KafkaMessage(headers=dict(headers), key=message["key"], value=value))
    assert (event.get_id(), event.get_type(), event.get_source()) == (envelope.id, envelope.type, envelope.source)
    assert event.get_extension("entity") == envelope.entity
    assert event.get_data() == json.loads(data)


@pytest.mark.parametrize(("wire_name", "message"), messages("producers"))
def test_our_writer_writes_every_header_of_our_own_facts(wire_name: str, message: dict[str, Any]) -> None:
    headers, value = record(message)
    envelope, _ = read(headers, value)
    if facts()[wire_name].topic not in INGRESS:
        assert dict(to_headers(envelope)) == dict(headers)
        assert envelope.key == message["key"]


@pytest.mark.parametrize("mode", [kafka.to_binary_event, kafka.to_structured_event], ids=["binary", "structured"])
@pytest.mark.parametrize(("wire_name", "message"), messages("producers"))
def test_what_the_sdk_writes_in_either_mode_we_read_the_same(wire_name: str, message: dict[str, Any], mode: Any) -> None:
    headers, value = record(message)
    event = kafka.from_kafka_event(kafka.KafkaMessage(headers=dict(headers), key=message["key"], value=value))
    rewritten = mode(event)
    trace = [header for header in headers if header[0] == "traceparent"]
    envelope, data = read([*rewritten.headers.items(), *trace], rewritten.value)
    original = read(headers, value)[0]  # The SDK takes the key into the context, and a time where there is none.
    assert envelope == msgspec.structs.replace(original, key=message["key"], time=original.time or envelope.time)
    assert json.loads(data) == sent(message)


@pytest.mark.parametrize(("wire_name", "message"), messages("producers", *CONSUMERS))
def test_what_others_publish_is_read_by_the_door_it_comes_through(wire_name: str, message: dict[str, Any]) -> None:
    kind = facts()[wire_name]
    if kind.topic in INGRESS:
        _, data = read(*record(message))
        assert read_ingress(kind.event, data) == msgspec.json.decode(data, type=kind.event)


def test_the_smallest_invoice_of_the_architecture_is_among_them() -> None:
    smallest = {
        "entity": "US01",
        "document_no": "INV-1",
        "customer": "C-1",
        "currency": "USD",
        "issued_on": "2026-01-05",
        "terms": "NET30",
        "total": "12000.00",
    }
    read_by_invoice = json.loads((HERE / "invoice" / "erp.InvoiceIssued.v1.json").read_text())["messages"]
    assert smallest in [message.get("data") for message in read_by_invoice]


def test_every_fact_has_a_message_of_its_producer() -> None:
    assert {path.stem for path in (HERE / "producers").glob("*.json")} == set(facts())


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_every_subscription_has_its_messages_and_no_other_is_there(consumer: str) -> None:
    subscriptions = import_module(f"{consumer}.subscriptions").SUBSCRIPTIONS
    assert {path.stem for path in (HERE / consumer).glob("*.json")} == {kind_of(event).type for event in subscriptions.handlers}
