"""
The kinds of policy there are: how the body of each is read, and what holds where an entity has none.

A kind is added by a line here; its rules, its parser and its standard stand in a module of their own.
"""

from collections.abc import Mapping
from typing import Any, Final

from policies.kinds import Kinds, PolicyKind, by_name

from invoice.domain.approvals import STANDARD_APPROVAL_LIMITS, STANDARD_TOLERANCES, parse_approval_limits, parse_tolerances
from invoice.domain.charge_terms import STANDARD_LATE_CHARGES, parse_late_charges
from invoice.domain.faults import Fault
from invoice.domain.split import STANDARD_SPLIT, parse_split
from invoice.domain.terms import parse_terms_policy

STANDARD_TERMS: Final[Mapping[str, Any]] = {"codes": {}}
STANDARD_DOCUMENTS: Final[Mapping[str, Any]] = {"default_terms": None}


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


TERMS: Final = PolicyKind("terms", parse_terms_policy, STANDARD_TERMS, "NET<n>, IMMEDIATE, EOM, EOM+<n>, EONM, discount tiers before them.")
DOCUMENTS: Final = PolicyKind("documents", parse_documents_policy, STANDARD_DOCUMENTS, "A document without terms is refused.")
SPLIT: Final = PolicyKind("split", parse_split, STANDARD_SPLIT, "What is settled is shared among a document's parts in proportion.")
LATE_CHARGES: Final = PolicyKind("late_charges", parse_late_charges, STANDARD_LATE_CHARGES, "Nothing is charged.")
APPROVAL_LIMITS: Final = PolicyKind(
    "approval_limits",
    parse_approval_limits,
    STANDARD_APPROVAL_LIMITS,
    "Approvers decide up to 5,000 units; credit memos need nobody.",
)
TOLERANCES: Final = PolicyKind("tolerances", parse_tolerances, STANDARD_TOLERANCES, "Small balances and roundings need no person.")
KINDS: Final[Kinds] = by_name(TERMS, DOCUMENTS, SPLIT, LATE_CHARGES, APPROVAL_LIMITS, TOLERANCES)
