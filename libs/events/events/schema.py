"""
JSON Schema (2020-12) of every fact, generated from its class.

Objects are open and values of closed sets are plain strings, so that a consumer written today reads what is published tomorrow.
"""

from typing import Any

import msgspec

from events.fact import Event, FactKind, facts

DIALECT = "https://json-schema.org/draft/2020-12/schema"
URN = "urn:receivables:schema:"  # Followed by the wire name: the `dataschema` attribute of our facts.


def schema_of(kind: FactKind) -> dict[str, Any]:
    """Return the schema of a fact's data; it stands alone, what it nests lies in its own `$defs`."""
    nested = _components(kind.event)
    root = nested.pop(kind.event.__name__)
    schema = {"$schema": DIALECT, "$id": URN + kind.type, **root}
    if nested:
        schema["$defs"] = dict(sorted(nested.items()))
    return schema


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of every registered fact by wire name, sorted."""
    return {wire_name: schema_of(kind) for wire_name, kind in sorted(facts().items())}


def _components(event: type[Event]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([event], ref_template="#/$defs/{name}")
    return components
