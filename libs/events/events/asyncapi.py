"""
The AsyncAPI 3.1 document of the whole system: topics, facts with their envelope, who publishes and who listens.

Source of the format: https://www.asyncapi.com/docs/reference/specification/v3.1.0 and the Kafka bindings 0.5.0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from events.catalogue import Consumers, does_not_imply, meaning
from events.fact import FactKind, facts
from events.schema import URN, schema_of
from events.topics import DOMAIN, EVERY, INGRESS, TOPICS

Examples = Mapping[str, Sequence[Mapping[str, Any]]]
"""Messages by wire name, each with `name`, `headers` and `data`."""

PARTITIONS = 12
_KAFKA = "0.5.0"


def document(consumers: Consumers, examples: Examples, *, version: str) -> dict[str, Any]:
    """Return the document; every reference in it points into it."""
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Receivables",
            "version": version,
            "description": "Facts as CloudEvents 1.0 on Kafka in binary mode; where others publish, structured mode is read as well.",
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic) for topic in TOPICS},
        "operations": dict(sorted(_operations(consumers).items())),
        "components": {
            "messages": {wire_name: _message(kind, examples.get(wire_name, ())) for wire_name, kind in sorted(facts().items())},
            "schemas": _schemas(),
        },
    }


def dangling(document: Mapping[str, Any]) -> list[str]:
    """Return every reference of a document that points to nothing in it."""
    return [reference for reference in _references(document) if not _resolves(document, reference)]


def _kinds_on(topic: str) -> list[FactKind]:
    return [kind for _, kind in sorted(facts().items()) if kind.topic == topic or _stands_in(kind, topic)]


def _stands_in(kind: FactKind, topic: str) -> bool:
    """Markers stand in every topic; that a day opened without one is told in a service's own topic only."""
    return kind.topic == EVERY and (topic in DOMAIN or kind.event.__name__ == "BusinessDayStarted")


def _channel(topic: str) -> dict[str, Any]:
    configuration: dict[str, Any] = {"cleanup.policy": ["delete"]}
    if topic in DOMAIN:
        configuration["retention.ms"] = -1  # Kept for ever: read models are rebuilt from them.
    return {
        "address": topic,
        "title": topic,
        "messages": {kind.type: {"$ref": f"#/components/messages/{kind.type}"} for kind in _kinds_on(topic)},
        "bindings": {"kafka": {"topic": topic, "partitions": PARTITIONS, "topicConfiguration": configuration, "bindingVersion": _KAFKA}},
    }


def _operations(consumers: Consumers) -> dict[str, Any]:
    """One operation for each service and topic it publishes on or listens to."""
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        sent: dict[str, list[str]] = {}
        heard: dict[str, list[str]] = {}
        for kind in _kinds_on(topic):
            if kind.topic != EVERY and topic in DOMAIN:
                sent.setdefault(kind.owner, []).append(kind.type)
            for consumer in consumers.get(kind.type, ()):
                heard.setdefault(consumer, []).append(kind.type)
        for service, wire_names in sent.items():
            operations[f"{service}-publishes-{topic.replace('.', '-')}"] = _operation("send", service, topic, wire_names)
        for service, wire_names in heard.items():
            operations[f"{service}-hears-{topic.replace('.', '-')}"] = _operation("receive", service, topic, wire_names)
    return operations


def _operation(action: str, service: str, topic: str, wire_names: Sequence[str]) -> dict[str, Any]:
    return {
        "action": action,
        "title": f"{service} {'publishes on' if action == 'send' else 'hears'} {topic}",
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{wire_name}"} for wire_name in wire_names],
        "tags": [{"name": service}],
    }


def _message(kind: FactKind, examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": kind.type,
        "title": kind.event.__name__,
        "summary": meaning(kind),
        "description": f"Does not imply {does_not_imply(kind)}",
        "contentType": "application/json",
        "headers": {"$ref": f"#/components/schemas/{_headers_name(kind)}"},
        "payload": {"$ref": f"#/components/schemas/{kind.type}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": "entity|account"}, "bindingVersion": _KAFKA}},
    }
    if examples:
        message["examples"] = [{"name": one["name"], "headers": one["headers"], "payload": one["data"]} for one in examples]
    return message


def _headers_name(kind: FactKind) -> str:
    return "headers.of_others" if kind.topic in INGRESS else "headers.of_ours"


def _schemas() -> dict[str, Any]:
    """Every schema once: nested ones under the name of the fact they belong to, because several facts have an `Instalment`."""
    found: dict[str, Any] = {"headers.of_others": _headers(ours=False), "headers.of_ours": _headers(ours=True)}
    for wire_name, kind in sorted(facts().items()):
        schema = schema_of(kind)
        nested = schema.pop("$defs", {})
        del schema["$schema"], schema["$id"]
        found[wire_name] = _rehomed(schema, wire_name)
        found |= {f"{wire_name}.{name}": _rehomed(part, wire_name) for name, part in nested.items()}
    return found


def _rehomed(schema: Any, wire_name: str) -> Any:
    if isinstance(schema, list):
        return [_rehomed(part, wire_name) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        key: part.replace("#/$defs/", f"#/components/schemas/{wire_name}.") if key == "$ref" else _rehomed(part, wire_name)
        for key, part in schema.items()
    }


def _headers(*, ours: bool) -> dict[str, Any]:
    text = {"type": "string"}
    headers: dict[str, Any] = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "With ce_source the identity of the record."},
        "ce_type": {"type": "string", "description": "The name of the message."},
        "ce_source": text,
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_entity": {"type": "string", "description": "The legal entity."},
        "ce_partitionkey": {"type": "string", "description": "The key of the record: entity|account."},
        "content-type": {"type": "string"},
        "traceparent": {"type": "string", "description": "W3C trace context."},
    }
    required = ["ce_specversion", "ce_id", "ce_type", "ce_source"]
    if ours:
        headers |= {
            "ce_dataschema": {"type": "string", "description": f"{URN}<type>"},
            "ce_sequence": {
                "type": "string",
                "pattern": "^[0-9]+$",
                "description": "Without gaps for each topic and key; not on day markers.",
            },
            "ce_bookedon": {"type": "string", "format": "date", "description": "The business day it entered the books."},
            "ce_effectiveon": {"type": "string", "format": "date", "description": "The value date."},
            "ce_correlationid": text,
            "ce_causationid": {"type": "string", "description": "The ce_id of the fact it follows from."},
        }
        required += ["ce_dataschema", "content-type"]
    return {"type": "object", "properties": headers, "required": required}


def _references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [reference for one in part for reference in _references(one)]
    if not isinstance(part, Mapping):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [reference for one in part.values() for reference in _references(one)]


def _resolves(document: Mapping[str, Any], reference: str) -> bool:
    part: Any = document
    if not reference.startswith("#/"):
        return False
    for step in reference[2:].split("/"):
        step = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(part, Mapping) or step not in part:
            return False
        part = part[step]
    return True
