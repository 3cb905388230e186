"""
What happens when a fact is published: who publishes it, which handlers run, what those publish next.

    explain.py payment.received | PaymentReceived | receivables.PaymentReceived.v1   [--json]

Read from the subscriptions of the services and from the source of what their handlers lead to; nothing is written by hand.
"""

import argparse
import functools
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from chassis.service import Service
from composition import services
from events import facts
from events.catalogue import OUTSIDE, meaning
from events.fact import FactKind
from events.topics import EVERY
from publications import Publication, Source, read_package

ROOT = Path(__file__).parents[1]
_DAY_STARTED = "receivables.BusinessDayStarted.v1"


class FactUnknown(Exception):
    """No fact goes by the name that was asked for; the message offers those that look alike."""

    def __init__(self, asked: str) -> None:
        names = {spelling: wire_name for wire_name, kind in facts().items() for spelling in _spellings(kind)}
        alike = dict.fromkeys(names[spelling] for spelling in get_close_matches(_plain(asked), names, n=5, cutoff=0.5))
        hint = f"; did you mean {', '.join(alike)}?" if alike else f". There are: {', '.join(sorted(facts()))}"
        super().__init__(f"there is no fact {asked!r}{hint}")


def find(asked: str) -> list[FactKind]:
    """
    Return the facts that go by a name, ours first: an ERP and the invoice service both issue invoices.

    :raises FactUnknown: none does.
    """
    found = [kind for kind in facts().values() if _plain(asked) in _spellings(kind)]
    if not found:
        raise FactUnknown(asked)
    return sorted(found, key=lambda kind: (kind.owner in OUTSIDE, kind.type))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _spellings(kind: FactKind) -> set[str]:
    """`PaymentReceived`, `payment.received`, `receivables.PaymentReceived`, with or without version, module or wire name."""
    name = kind.event.__name__
    return {_plain(spelling) for spelling in (kind.type, kind.type.removesuffix(".v1"), name, f"{kind.owner}.{name}")}


@dataclass(frozen=True, slots=True)
class Explainer:
    """Answers for one state of the source: compositions of the services, and what was read of their packages and of the chassis."""

    composed: dict[str, Service]
    sources: dict[str, Source]
    chassis: Source

    def tree(self, kind: FactKind, above: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Return everything that follows from a fact, nested; what stands above it in its own branch is not opened again."""
        node: dict[str, Any] = {"fact": kind.type, "topic": kind.topic}
        if kind.type in above:
            return {**node, "shown_above": True}
        below = above | {kind.type}
        node["meaning"] = meaning(kind)
        node["published"] = [{"by": service, **_place(one)} for service, one in self._publications(kind)]
        node["handlers"] = [
            {"service": service, "when": when, **_function(function), "publishes": self._next(service, function, below)}
            for service, when, function in ((service, when, _function_in(found)) for service, when, found in self._handlers(kind))
        ]
        return node

    def _publications(self, kind: FactKind) -> Iterator[tuple[str, Publication]]:
        sources = {"chassis": self.chassis} if kind.topic == EVERY else self.sources
        for service, source in sources.items():
            for one in source.all_publications():
                if one.wire_name == kind.type and service in (kind.owner, "chassis"):
                    yield service, one

    def _handlers(self, kind: FactKind) -> Iterator[tuple[str, str, Callable[..., Any]]]:
        for name, service in self.composed.items():
            handler = service.subscriptions.handlers.get(kind.event)
            if handler is not None:
                yield name, "", handler
                if kind.owner in OUTSIDE and service.subscriptions.reject is not None:
                    yield name, "when it is refused", service.subscriptions.reject
            if kind.type == _DAY_STARTED and service.day_work is not None:
                yield name, "when its day turns", service.day_work.work

    def _next(self, service: str, function: Any, above: frozenset[str]) -> list[dict[str, Any]]:
        """Return what a function may publish: the facts its service owns, each with the places that construct it."""
        places: dict[str, list[Publication]] = {}
        for one in self.sources[service].publications_from((function.__module__, function.__qualname__)):
            if facts()[one.wire_name].owner == service:
                places.setdefault(one.wire_name, []).append(one)
        return [
            {**self.tree(facts()[wire_name], above), "published": [{"by": service, **_place(one)} for one in found]}
            for wire_name, found in sorted(places.items())
        ]


def _place(publication: Publication) -> dict[str, Any]:
    return {"file": str(publication.file.relative_to(ROOT)), "line": publication.line, "function": publication.function}


def _function(function: Any) -> dict[str, Any]:
    code = function.__code__
    return {"function": function.__qualname__, "file": str(Path(code.co_filename).resolve().relative_to(ROOT)), "line": code.co_firstlineno}


def _function_in(callable_: Callable[..., Any]) -> Any:
    """Return the function behind a partial, a wrapper or a bound method."""
    while isinstance(callable_, functools.partial):
        callable_ = callable_.func
    return inspect.unwrap(getattr(callable_, "__func__", callable_))


def lines(node: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Render a tree for people."""
    yield f"{indent}{node['fact']}{' (see above)' if node.get('shown_above') else ''}"
    inner = indent + "    "
    if not indent:
        yield f"{inner}{node['meaning']} Topic {node['topic']}."
    for place in node.get("published", ()):
        yield f"{inner}published by {place['by']}: {place['file']}:{place['line']} in {place['function'] or 'the module'}"
    if node.get("shown_above"):
        return
    if not node["published"]:
        owner = facts()[node["fact"]].owner
        yield f"{inner}published by {OUTSIDE.get(owner, 'nobody yet')}"
    for handler in node["handlers"]:
        when = f", {handler['when']}" if handler["when"] else ""
        yield f"{inner}-> {handler['service']}: {handler['function']}{when}  {handler['file']}:{handler['line']}"
        for follows in handler["publishes"]:
            yield from lines(follows, inner + "       ")
    if not node["handlers"]:
        yield f"{inner}-> nobody of ours listens"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fact", help="for example payment.received")
    parser.add_argument("--json", action="store_true", help="the tree for machines")
    asked = parser.parse_args(arguments)
    try:
        kinds = find(asked.fact)
    except FactUnknown as unknown:
        sys.stderr.write(f"{unknown}\n")
        return 2
    composed = services()
    sources = {name: read_package(ROOT / "services" / name / name, name) for name in composed}
    explainer = Explainer(composed, sources, read_package(ROOT / "libs" / "chassis" / "chassis", "chassis"))
    trees = [explainer.tree(kind) for kind in kinds]
    text = json.dumps(trees, indent=2) if asked.json else "\n\n".join("\n".join(lines(tree)) for tree in trees)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
