"""A policy is examined before it is kept: every fault at once, whatever JSON it is (XC-07)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policies.bodies import read_choice, read_flag, unknown_fields
from policies.faults import FIRST_DAY, Fault
from policies.kinds import BODY_CHARACTERS_MAX, FAULTS_MAX, PolicyKind, by_name, examine
from policies.versions import STANDARD, PolicyVersion

DAY = date(2026, 1, 5)


def parse_greeting(body: Mapping[str, Any]) -> str | list[Fault]:
    """A kind of policy nobody has: `{"words": "good" | "bad", "aloud": true}`."""
    faults = unknown_fields(body, ("words", "aloud"))
    words = read_choice(body.get("words"), ("good", "bad"), "words", faults)
    aloud = read_flag(body.get("aloud"), "aloud", faults)
    return faults or (words.upper() if aloud else words)


GREETING = PolicyKind("greeting", parse_greeting, {"words": "good", "aloud": False}, "Everybody is greeted in a low voice.")
KINDS = by_name(GREETING)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["good", "words"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["words", "aloud", "x"]), inner, max_size=3),
    max_leaves=8,
)


def test_every_fault_of_a_policy_is_told_with_its_place() -> None:
    body = {"words": 1.5, "aloud": "yes", "more": [{"deep": [0.5]}]}

    assert examine(KINDS, "greeting", date(1969, 12, 31), body) == [
        Fault("DATE_OUT_OF_RANGE", "valid_from"),
        Fault("NUMBER_NOT_WHOLE", "body.words"),
        Fault("NUMBER_NOT_WHOLE", "body.more[0].deep[0]"),
        Fault("FIELD_UNKNOWN", "body.more"),
        Fault("CHOICE_UNKNOWN", "body.words"),
        Fault("WRONG_TYPE", "body.aloud"),
    ]
    assert examine(KINDS, "farewell", FIRST_DAY, {"a": 1.5}) == [Fault("KIND_UNKNOWN", "kind"), Fault("NUMBER_NOT_WHOLE", "body.a")]
    assert examine(KINDS, "greeting", DAY, GREETING.standard) == []


def test_a_body_too_large_for_a_message_is_not_looked_into() -> None:
    assert examine(KINDS, "greeting", DAY, {"words": "x" * BODY_CHARACTERS_MAX}) == [Fault("TOO_LARGE", "body")]


def test_no_more_faults_are_told_than_somebody_would_read() -> None:
    assert len(examine(KINDS, "greeting", DAY, {f"x{n}": n for n in range(2 * FAULTS_MAX)})) == FAULTS_MAX


@given(st.dictionaries(st.text(max_size=5), anything, max_size=4))
def test_any_object_is_a_policy_or_has_faults(body: dict[str, Any]) -> None:
    assert all(isinstance(fault, Fault) for fault in examine(KINDS, "greeting", DAY, body))


def test_a_decision_reads_what_is_in_force_and_names_its_number() -> None:
    assert GREETING.read(None) == ("good", STANDARD)
    assert GREETING.read(PolicyVersion("3", DAY, {"words": "bad", "aloud": True})) == ("BAD", "3")


def test_a_body_nobody_can_have_approved_is_an_error() -> None:
    """A release that no longer reads what an old one approved must not decide by the standard instead."""
    with pytest.raises(ValueError, match="version 3 of the policy greeting"):
        GREETING.read(PolicyVersion("3", DAY, {"words": "worse"}))
