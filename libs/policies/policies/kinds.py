"""
Kinds of policy: how the body of each is read, and what holds where an entity has none.

A service lists the kinds it has in one place; the rules, the parser and the standard of each stand in a module of the service's domain.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final, Generic, TypeAlias, TypeVar

from policies.faults import Fault, check_day
from policies.versions import STANDARD, PolicyVersion

BODY_CHARACTERS_MAX: Final = 64_000
"""A body travels in one message, with room to spare."""
FAULTS_MAX: Final = 100

PolicyT = TypeVar("PolicyT")


@dataclass(frozen=True, slots=True)
class PolicyKind(Generic[PolicyT]):
    """
    A kind of policy.

    `parse` makes something of a body, or returns a list of every `Fault` in it; it never raises, whatever JSON object it is given.
    `standard` is the body in force where an entity has no policy, and `says` what that means.
    """

    name: str
    parse: Callable[[Mapping[str, Any]], PolicyT | list[Fault]]
    standard: Mapping[str, Any]
    says: str

    def read(self, found: PolicyVersion | None) -> tuple[PolicyT, str]:
        """
        Return what a version that was approved says, the standard where there is none, and the number a decision names.

        :raises ValueError: a body nobody can have approved, for it was examined when it was proposed.
        """
        version, body = (STANDARD, self.standard) if found is None else (found.version, found.body)
        policy = self.parse(body)
        if isinstance(policy, list):
            raise ValueError(f"version {version} of the policy {self.name} cannot be read: {policy}")
        return policy, version


Kinds: TypeAlias = Mapping[str, PolicyKind[Any]]


def by_name(*kinds: PolicyKind[Any]) -> Kinds:
    """List the kinds that a service has, in the order they are shown."""
    return MappingProxyType({kind.name: kind for kind in kinds})


def examine(kinds: Kinds, kind: str, valid_from: date, body: Mapping[str, Any]) -> list[Fault]:
    """
    Return every fault of a policy that is proposed; none, and it could be in force. Fields of its body are `body.limits[0].max`.

    Numbers in a body are whole, for anything else is written as a decimal string.
    """
    faults: list[Fault] = []
    known = kinds.get(kind)
    if known is None:
        faults.append(Fault("KIND_UNKNOWN", "kind"))
    check_day(valid_from, "valid_from", faults)
    if len(json.dumps(body, separators=(",", ":"))) > BODY_CHARACTERS_MAX:
        return [*faults, Fault("TOO_LARGE", "body")]
    faults += [Fault("NUMBER_NOT_WHOLE", path) for path in _broken_numbers(body, "body")]
    found = known.parse(body) if known is not None else None
    if isinstance(found, list):
        faults += [Fault(fault.code, f"body.{fault.field}" if fault.field else "body") for fault in found]
    return faults[:FAULTS_MAX]


def _broken_numbers(part: object, path: str) -> Iterator[str]:
    """Yield the path of every number that JSON has read as anything but an integer."""
    if isinstance(part, Mapping):
        for name, inner in part.items():
            yield from _broken_numbers(inner, f"{path}.{name}")
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from _broken_numbers(inner, f"{path}[{index}]")
    elif part is not None and not isinstance(part, str | int):
        yield path
