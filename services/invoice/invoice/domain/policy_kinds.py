"""
The kinds of policy there are: how the body of each is read, and what holds where an entity has none.

A kind is added by one line of `KINDS`; its rules, its parser and its standard stand in a module of their own.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from invoice.domain.approvals import STANDARD_APPROVAL_LIMITS, STANDARD_TOLERANCES, parse_approval_limits, parse_tolerances
from invoice.domain.charge_terms import STANDARD_LATE_CHARGES, parse_late_charges
from invoice.domain.faults import Fault, check_day
from invoice.domain.split import STANDARD_SPLIT, parse_split
from invoice.domain.terms import parse_terms_policy

BODY_CHARACTERS_MAX: Final = 64_000
"""A body travels in one message, with room to spare."""
FAULTS_MAX: Final = 100

STANDARD_TERMS: Final[Mapping[str, Any]] = {"codes": {}}
STANDARD_DOCUMENTS: Final[Mapping[str, Any]] = {"default_terms": None}


@dataclass(frozen=True, slots=True)
class PolicyKind:
    """
    A kind of policy.

    `parse` makes something of a body, or returns a list of every `Fault` in it; it never raises, whatever JSON object it is given.
    `standard` is the body in force where an entity has no policy, and `says` what that means.
    """

    parse: Callable[[Mapping[str, Any]], object]
    standard: Mapping[str, Any]
    says: str


def parse_documents_policy(body: Mapping[str, Any]) -> str | list[Fault] | None:
    """
    Read the body of a policy of kind `documents`, `{"default_terms": null | "<CODE>"}`, or return every fault it has.

    Returns the terms of a document that comes with none, or None: such a document is refused. Whether a code of its own is defined is told
    when a document needs it.
    """
    faults = [Fault("FIELD_UNKNOWN", str(name)) for name in sorted(body) if name != "default_terms"]
    code = body.get("default_terms")
    if code is not None and not isinstance(code, str):
        faults.append(Fault("WRONG_TYPE", "default_terms"))
    elif code is not None and not 1 <= len(code) <= 64:
        faults.append(Fault("TERMS_UNKNOWN", "default_terms"))
    return faults or (code if isinstance(code, str) else None)


KINDS: Final[Mapping[str, PolicyKind]] = MappingProxyType(
    {
        "terms": PolicyKind(parse_terms_policy, STANDARD_TERMS, "NET<n>, IMMEDIATE, EOM, EOM+<n>, EONM, discount tiers before them."),
        "documents": PolicyKind(parse_documents_policy, STANDARD_DOCUMENTS, "A document without terms is refused."),
        "split": PolicyKind(parse_split, STANDARD_SPLIT, "What is settled is shared among a document's parts in proportion."),
        "late_charges": PolicyKind(parse_late_charges, STANDARD_LATE_CHARGES, "Nothing is charged."),
        "approval_limits": PolicyKind(
            parse_approval_limits, STANDARD_APPROVAL_LIMITS, "Approvers decide up to 5,000 units; credit memos need nobody."
        ),
        "tolerances": PolicyKind(parse_tolerances, STANDARD_TOLERANCES, "Small balances and roundings need no person."),
    }
)


def examine_policy(kind: str, valid_from: date, body: Mapping[str, Any]) -> list[Fault]:
    """
    Return every fault of a policy that is proposed; none, and it could be in force. Fields of its body are `body.limits[0].max`.

    Numbers in a body are whole, for anything else is written as a decimal string.
    """
    faults: list[Fault] = []
    known = KINDS.get(kind)
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
