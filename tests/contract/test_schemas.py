"""What is published about the facts: it is what the code says, it keeps the promises of the last release, and it is valid."""

import copy
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from events import facts
from events.asyncapi import dangling
from events.compatibility import breaks
from events.fact import FactKind
from events.schema import DIALECT, schemas
from events.topics import TOPICS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RELEASED = HERE / "released"


def asyncapi() -> Any:
    return json.loads((ROOT / "docs" / "asyncapi.json").read_text())


def violations(document: Any) -> list[str]:
    schema = json.loads((HERE / "vendor" / "asyncapi-3.1.0.json").read_text())
    return [error.message for error in jsonschema_rs.Draft7Validator(schema).iter_errors(document)]


def make_docs(*arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, root / "scripts" / "make_docs.py", *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the generator reads and writes; the code itself stays where it is installed."""
    for folder in ("scripts", "docs", "tests/contract"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_what_is_committed_is_what_the_code_says() -> None:
    checked = make_docs("--check")
    assert checked.returncode == 0, checked.stderr


def test_a_stale_page_a_left_over_schema_and_a_missing_one_are_found(checkout: Path) -> None:
    page = checkout / "docs" / "events.md"
    page.write_text(page.read_text().replace("Published once for every invoice", "Published for some invoices"))
    (checkout / "docs" / "events" / "receivables.NeverHeardOf.v1.json").write_text("{}")
    (checkout / "docs" / "events" / "bank.EntryBooked.v1.json").unlink()
    checked = make_docs("--check", root=checkout)
    assert checked.returncode == 1
    for name in ("docs/events.md", "receivables.NeverHeardOf.v1.json", "docs/events/bank.EntryBooked.v1.json"):
        assert name in checked.stderr
    assert make_docs(root=checkout).returncode == 0
    assert make_docs("--check", root=checkout).returncode == 0


def test_a_broken_promise_of_the_last_release_fails_the_check_and_the_next_release(checkout: Path) -> None:
    path = checkout / "tests" / "contract" / "released" / "bank.EntryBooked.v1.json"
    schema = json.loads(path.read_text())
    schema["required"].append("lei")
    schema["properties"]["lei"] = {"type": "string"}
    path.write_text(json.dumps(schema))
    for option in ("--check", "--release"):
        refused = make_docs(option, root=checkout)
        assert refused.returncode == 1
        assert "bank.EntryBooked.v1: a consumer of the last release would refuse" in refused.stderr
    assert "lei" in path.read_text(), "a release that breaks a promise changes nothing"


def test_every_schema_keeps_the_promises_of_the_last_release() -> None:
    last = {path.stem: json.loads(path.read_text()) for path in RELEASED.glob("*.json")}
    assert last, "there is no last release: scripts/make_docs.py --release"
    assert breaks(last, schemas()) == []


@pytest.mark.parametrize("wire_name", sorted(schemas()))
def test_a_schema_stands_alone_is_open_and_has_no_closed_sets(wire_name: str) -> None:
    schema = schemas()[wire_name]
    assert schema["$schema"] == DIALECT
    jsonschema_rs.Draft202012Validator(schema)
    text = json.dumps(schema)
    assert '"enum"' not in text
    assert '"additionalProperties"' not in text
    assert set(re.findall(r'"\$ref": "([^"]*)"', text)) <= {f"#/$defs/{name}" for name in schema.get("$defs", {})}


@pytest.mark.parametrize("kind", facts().values(), ids=lambda kind: kind.type)
def test_every_amount_is_told_apart_from_other_text(kind: FactKind) -> None:
    amounts = {"amount", "total", "tax", "open", "new", "old", "original_total", "goods", "freight", "charges", "principal", "accrued"}
    amounts |= {"charged_before", "fixed", "limit", "gross", "discount_taken", "fee", "refunded", "carrying", "revalued", "gain", "loss"}
    schema = schemas()[kind.type]
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, field in part["properties"].items():
            assert ("pattern" in json.dumps(field)) == (name in amounts), name


@pytest.mark.parametrize(
    ("amount", "valid"), [("1234.50", True), ("-0.5", True), ("1e3", False), ("１", False), ("1,0", False), (1, False)]
)
def test_the_schema_refuses_amounts_that_are_not_plain(amount: object, valid: bool) -> None:
    entry = {"entity": "US01", "account_ref": "A", "bank_ref": "B", "value_on": "2026-02-20", "amount": amount, "currency": "USD"}
    assert jsonschema_rs.Draft202012Validator(schemas()["bank.EntryBooked.v1"]).is_valid(entry) == valid


def test_the_asyncapi_document_is_valid_and_refers_to_nothing_that_is_not_there() -> None:
    assert violations(asyncapi()) == []
    assert dangling(asyncapi()) == []


def test_a_bad_action_a_misspelt_key_and_a_dangling_reference_would_be_found() -> None:
    whole = asyncapi()
    operation = next(iter(whole["operations"]))
    wrong_action, misspelt, lost = copy.deepcopy(whole), copy.deepcopy(whole), copy.deepcopy(whole)
    wrong_action["operations"][operation]["action"] = "shout"
    misspelt["chanels"] = misspelt.pop("channels")
    del lost["components"]["schemas"]["receivables.InvoiceIssued.v1.Instalment"]
    assert violations(wrong_action)
    assert violations(misspelt)
    assert dangling(lost) == ["#/components/schemas/receivables.InvoiceIssued.v1.Instalment"]


def test_the_asyncapi_document_has_every_topic_and_fact_and_examples_that_fit() -> None:
    whole = asyncapi()
    assert set(whole["channels"]) == set(TOPICS)
    assert set(whole["components"]["messages"]) == set(facts())
    for wire_name, message in whole["components"]["messages"].items():
        assert message["examples"], wire_name
        headers = whole["components"]["schemas"][message["headers"]["$ref"].rpartition("/")[2]]
        for example in message["examples"]:
            jsonschema_rs.validate(headers, example["headers"])
            jsonschema_rs.validate(schemas()[wire_name], example["payload"])


def test_the_catalogue_lists_every_fact_with_who_hears_it() -> None:
    page = (ROOT / "docs" / "events.md").read_text()
    for wire_name in facts():
        assert f"(events/{wire_name}.json)" in page
    assert re.search(r"invoice -->\|\"[^|]*InvoiceIssued[^|]*\"\| payment", page)
