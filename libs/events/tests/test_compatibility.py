"""The compatibility gate: what the tool says about the changes people make, held against what it said when it was chosen."""

import copy
from collections.abc import Callable
from typing import Any

import jsoncompat
import pytest
from events import compatibility
from events.compatibility import Undecided, breaks, compatible
from events.schema import schemas

OK, BREAK = True, False
OLD: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "amount": {"type": "string", "pattern": "^[0-9]+$"},
        "kind": {"enum": ["a", "b"]},
        "note": {"type": "string"},
    },
    "required": ["id", "amount", "kind"],
}
Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> dict[str, Any]:
    new = copy.deepcopy(OLD)
    change(new)
    return new


CHANGES: list[tuple[str, Change, bool, bool]] = [  # What was changed, as serializer, as deserializer.
    ("nothing but words", lambda new: new.update(description="better said"), OK, OK),
    ("an optional field added", lambda new: new["properties"].update(more={"type": "string"}), OK, OK),
    ("a required field added", lambda new: (new["properties"].update(more={}), new["required"].append("more")), OK, BREAK),
    ("a required field made optional", lambda new: new["required"].remove("amount"), BREAK, OK),
    ("an optional field made required", lambda new: new["required"].append("note"), OK, BREAK),
    ("an optional field dropped", lambda new: new["properties"].pop("note"), BREAK, OK),
    ("a value added to a closed set", lambda new: new["properties"]["kind"]["enum"].append("c"), BREAK, OK),
    ("a value taken from a closed set", lambda new: new["properties"]["kind"]["enum"].remove("b"), OK, BREAK),
    ("a pattern tightened", lambda new: new["properties"]["amount"].update(pattern="^[1-9]$"), BREAK, BREAK),
    ("a pattern added", lambda new: new["properties"]["note"].update(pattern="^[a-z]*$"), BREAK, BREAK),
    ("a type changed", lambda new: new["properties"].update(id={"type": "integer"}), BREAK, BREAK),
]


@pytest.mark.parametrize(("change", "as_serializer", "as_deserializer"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_the_tool_judges_changes_as_it_did_when_it_was_chosen(change: Change, as_serializer: bool, as_deserializer: bool) -> None:
    new = changed(change)
    assert passes(new, "serializer") == as_serializer
    assert passes(new, "deserializer") == as_deserializer


def passes(new: dict[str, Any], role: compatibility.Role) -> bool:
    """An "I do not know", which newer releases of the tool give to some breaks, lets nothing pass either."""
    try:
        return compatible(OLD, new, role)
    except Undecided:
        return False


def test_our_own_schemas_are_within_what_the_tool_understands() -> None:
    assert breaks(schemas(), schemas()) == []


def test_breaks_of_a_real_fact_are_told_in_both_roles() -> None:
    name = "receivables.PaymentApplied.v1"
    released, current = schemas(), schemas()
    current[name] = copy.deepcopy(current[name])
    current[name]["properties"]["amount"] = {"type": "integer"}
    told = breaks(released, current)
    assert len(told) == 2
    assert all(sentence.startswith(name) for sentence in told)


def test_a_fact_that_is_gone_is_a_break_and_a_new_one_is_none() -> None:
    fewer = {name: schema for name, schema in schemas().items() if name != "bank.EntryBooked.v1"}
    assert ["bank.EntryBooked.v1 has been published and is gone" in told for told in breaks(schemas(), fewer)] == [True]
    assert breaks(fewer, schemas()) == []


def test_an_optional_field_may_join_a_nested_object() -> None:
    name = "receivables.InvoiceIssued.v1"
    current = copy.deepcopy(schemas())
    current[name]["$defs"]["Instalment"]["properties"]["note"] = {"type": "string"}
    assert breaks(schemas(), current) == []
    current[name]["$defs"]["Instalment"]["required"].append("note")
    assert len(breaks(schemas(), current)) == 1


@pytest.mark.parametrize("answer", [{"status": "unknown", "reason": "too hard"}, ValueError("no such dialect")])
def test_not_knowing_is_never_a_yes(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def analyse(old: str, new: str, role: str) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(jsoncompat, "analyze_compat", analyse, raising=False)
    with pytest.raises(Undecided):
        compatible(OLD, OLD, "serializer")
