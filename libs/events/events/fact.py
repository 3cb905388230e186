"""What a fact is: a frozen struct with a permanent wire name, a topic and an owner."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, TypeVar

import msgspec
from money import PLAIN_DECIMAL

_ASCII_DECIMAL = PLAIN_DECIMAL.replace(r"\d", "[0-9]")  # In a JSON Schema `\d` may mean any digit of Unicode.
# To readers a plain `str`; the pattern goes into the published schema only, because services refuse amounts with reasons of their own.
Amount = Annotated[
    str,
    msgspec.Meta(
        description="Plain decimal string, at most the decimals of the currency.",
        extra_json_schema={"pattern": f"^{_ASCII_DECIMAL}$"},
    ),
]


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Base of every fact: frozen, unknown fields ignored, optional fields left out of the wire while they hold their default.

    The docstring of a subclass becomes its entry in the catalogue: when it is published (first paragraph) and what it does *not* imply.
    Amounts are decimal strings with at most the scale of the sibling `currency`; dates are `YYYY-MM-DD`. Values of a closed set stay
    open strings: a new one must not break old readers. Subclasses repeat `frozen` (for mypy) and `kw_only` (msgspec does not inherit it).
    """


@dataclass(frozen=True, slots=True)
class FactKind:
    """The permanent identity of a kind of fact: class, wire name (`ce_type`), topic, owning module and the release it came with."""

    event: type[Event]
    type: str
    topic: str
    owner: str
    since: str
    natural_key: tuple[str, ...] = ()  # Of an ingress fact: the fields that identify what it describes.


_by_event: dict[type[Event], FactKind] = {}
_by_type: dict[str, FactKind] = {}
EventT = TypeVar("EventT", bound=Event)


def fact(wire_name: str, *, topic: str, since: str = "0.1.0", natural_key: tuple[str, ...] = ()) -> Callable[[type[EventT]], type[EventT]]:
    """Register a class under its wire name; a name can be taken once."""

    def register(event: type[EventT]) -> type[EventT]:
        if wire_name in _by_type:
            raise ValueError(f"{wire_name} is registered twice")
        kind = FactKind(event, wire_name, topic, event.__module__.split(".")[1], since, natural_key)
        _by_event[event] = kind
        _by_type[wire_name] = kind
        return event

    return register


def kind_of(event: type[Event]) -> FactKind:
    """Return the identity of a fact class; KeyError when it was never registered."""
    return _by_event[event]


def kind_of_type(wire_name: str) -> FactKind | None:
    """Return the identity behind a wire name, or None for a type we do not know (counted and skipped by consumers)."""
    return _by_type.get(wire_name)


def facts() -> Mapping[str, FactKind]:
    """Every registered kind by wire name."""
    return MappingProxyType(_by_type)
