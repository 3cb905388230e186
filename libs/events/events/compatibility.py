"""
May a schema be published in place of another, without a new `.v2`?

Asked of jsoncompat in two roles: as serializer (old consumers read what a new producer writes) and as deserializer (a new consumer
reads what was ever written). Both must say yes. It is a tool of checks and releases, not needed to run: `jsoncompat` comes with the
development requirements. Its releases differ with the Python they need, and three things are put right here so that they agree:
`$id` is left out (0.3 takes it for a reference), the old schema is closed when old facts are to be read (a producer sent no field
it did not declare, else no field could ever be added), and a changed `pattern` or `format` is a break (0.3 does not look at them).
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

import jsoncompat

Role = Literal["serializer", "deserializer"]
_BREAKS: Mapping[Role, str] = {
    "serializer": "a consumer of the last release would refuse what is published now",
    "deserializer": "a consumer of today would refuse what the last release has published",
}


class Undecided(Exception):
    """The tool cannot tell whether two schemas are compatible: simplify the change, or publish a new version of the type."""


def compatible(old: Mapping[str, Any], new: Mapping[str, Any], role: Role) -> bool:
    """
    Return whether `new` may replace `old` in one role.

    :raises Undecided: the tool does not know; never to be read as a yes.
    """
    were, are = _formats(old, ""), _formats(new, "")
    if any(were[path] != are[path] for path in were.keys() & are.keys()):
        return False
    was, now = (json.dumps(_comparable(schema, closed=schema is old and role == "deserializer")) for schema in (old, new))
    try:
        # From 0.4 on (Python 3.12) there is a three-valued answer; the older one is a yes or a no, and a no where it cannot tell.
        analyse = getattr(jsoncompat, "analyze_compat", None)
        if analyse is None:
            return bool(jsoncompat.check_compat(was, now, role))
        verdict = analyse(was, now, role)
    except ValueError as error:
        raise Undecided(f"{new.get('$id', 'the schema')}: {error}") from error
    if verdict["status"] == "unknown":
        raise Undecided(f"{new.get('$id', 'the schema')}, as {role}: {verdict['reason']}")
    return bool(verdict["status"] == "compatible")


def breaks(released: Mapping[str, Mapping[str, Any]], current: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """
    Return a sentence for every fact whose schema (by wire name) broke a promise of the last release; new facts break none.

    :raises Undecided: see `compatible`.
    """
    found = []
    for wire_name, old in sorted(released.items()):
        if wire_name not in current:
            found.append(f"{wire_name} has been published and is gone: keep its class, old facts are replayed")
            continue
        found += [
            f"{wire_name}: {sentence}; publish a new version of the type beside it"
            for role, sentence in _BREAKS.items()
            if not compatible(old, current[wire_name], role)
        ]
    return found


def _comparable(schema: Any, *, closed: bool) -> Any:
    """Copy a schema without `$id`; closed, its objects have no other fields than those they name."""
    if isinstance(schema, list):
        return [_comparable(part, closed=closed) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    copy = {key: _comparable(part, closed=closed) for key, part in schema.items() if key != "$id"}
    if closed and isinstance(schema.get("properties"), Mapping):
        copy.setdefault("additionalProperties", False)
    return copy


def _formats(schema: Any, path: str) -> dict[str, object]:
    """Return what every string of a schema must look like, by its place; one without a pattern stands there as None."""
    if isinstance(schema, list):
        return {found: look for index, part in enumerate(schema) for found, look in _formats(part, f"{path}/{index}").items()}
    if not isinstance(schema, Mapping):
        return {}
    looks: dict[str, object] = {path: (schema.get("pattern"), schema.get("format"))} if schema.get("type") == "string" else {}
    for key, part in schema.items():
        looks |= _formats(part, f"{path}/{key}")
    return looks
