"""The catalogue of facts for people: docs/events.md, made from the docstrings, the registry and who listens."""

import inspect
import re
from collections.abc import Mapping, Sequence

from events.fact import FactKind, facts
from events.ingress import Code
from events.topics import EVERY, TOPICS

Consumers = Mapping[str, Sequence[str]]
"""The services that listen to a fact, by its wire name."""

OUTSIDE = {"erp": "an ERP or billing system", "bank": "a bank connection"}
_EVERY_SERVICE = "every service"
_TITLE = """# Facts

Made from the classes in `libs/events` and the subscriptions of the services by `make docs`; do not edit.

A fact is a CloudEvent on Kafka. What the envelope carries, which key and what order is promised: [architecture](architecture.md).
The same for machines: [AsyncAPI](asyncapi.json) and one JSON Schema for each type in [events/](events/).
A field may be added at any time and readers ignore what they do not know; everything else is a new `.v2` type beside the old one.
"""


def render(consumers: Consumers) -> str:
    """Return the whole page as Markdown."""
    parts = [_TITLE, "## Who tells whom\n", _flow(consumers)]
    for topic in (*TOPICS, EVERY):
        kinds = [kind for _, kind in sorted(facts().items()) if kind.topic == topic]
        if kinds:
            parts += [f"## {_topic_title(topic)}\n", _table(kinds, consumers)]
    quiet = [f"`{topic}`" for topic in TOPICS if all(kind.topic != topic for kind in facts().values())]
    if quiet:
        parts.append(f"Nothing but day markers travels on {', '.join(quiet)} yet.\n")
    parts += ["## Why a record's shape is refused\n", _codes()]
    return "\n".join(parts)


def meaning(kind: FactKind) -> str:
    """Return the first sentence of a fact's docstring: when it is published."""
    return _sentence(_words(kind), 0)


def does_not_imply(kind: FactKind) -> str:
    """
    Return what a fact does not imply, as its docstring says.

    :raises ValueError: it does not say.
    """
    words = _words(kind)
    start = words.find("Does not imply")
    if start < 0:
        raise ValueError(f"the docstring of {kind.type} does not say what the fact does not imply")
    return _sentence(words, start).removeprefix("Does not imply ")


def publisher(kind: FactKind) -> str:
    """Return who publishes a fact, in words."""
    return _EVERY_SERVICE if kind.topic == EVERY else OUTSIDE.get(kind.owner, kind.owner)


def _words(kind: FactKind) -> str:
    return " ".join(inspect.cleandoc(kind.event.__doc__ or "").split())


def _sentence(words: str, start: int) -> str:
    """Return the sentence that starts there: up to a full stop before a capital letter or a name in code, or the end."""
    end = re.compile(r"\.(?=\s+[A-Z`]|$)").search(words, start)
    return words[start : end.end()] if end else words[start:]


def _topic_title(topic: str) -> str:
    return "In every topic" if topic == EVERY else f"`{topic}`"


def _table(kinds: Sequence[FactKind], consumers: Consumers) -> str:
    rows = [
        "| fact | meaning | does not imply | published by | heard by | since |",
        "|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        heard_by = _EVERY_SERVICE if kind.topic == EVERY else ", ".join(consumers.get(kind.type, ())) or "whoever wants to know"
        fields = (f"[`{kind.type}`](events/{kind.type}.json)", meaning(kind), does_not_imply(kind), publisher(kind), heard_by, kind.since)
        rows.append("| " + " | ".join(field.replace("|", "\\|") for field in fields) + " |")
    return "\n".join(rows) + "\n"


def _flow(consumers: Consumers) -> str:
    """Draw who tells whom, one arrow for each pair with the facts it stands for."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for wire_name, kind in sorted(facts().items()):
        if kind.topic != EVERY:
            for consumer in consumers.get(wire_name, ()):
                arrows.setdefault((kind.owner, consumer), []).append(kind.event.__name__)
    nodes = dict.fromkeys(name for pair in sorted(arrows) for name in pair)
    lines = ["```mermaid", "flowchart LR"]
    lines += [f'    {name}(["{OUTSIDE[name]}"])' if name in OUTSIDE else f'    {name}["{name}"]' for name in nodes]
    lines += [f'    {teller} -->|"{"<br/>".join(names)}"| {listener}' for (teller, listener), names in sorted(arrows.items())]
    return "\n".join([*lines, "```"]) + "\n"


def _codes() -> str:
    rows = ["| code | meaning |", "|---|---|", *(f"| `{code.value}` | {code.sentence.replace('|', chr(92) + '|')} |" for code in Code)]
    return "\n".join(rows) + "\n\nReasons about content (sums, currencies, conflicts) are those of the rejecting service.\n"
