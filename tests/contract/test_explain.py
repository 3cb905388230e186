"""`make explain`: the tree of what follows from a fact, read from the code."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))  # Scripts are run, not installed.
from explain import find

ROOT = Path(__file__).parents[2]


@cache
def explain(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "scripts" / "explain.py", *arguments], capture_output=True, text=True, check=False)


def facts_in(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        yield node
        for handler in node.get("handlers", ()):
            yield from facts_in(handler["publishes"])


@pytest.mark.parametrize(
    "name", ["payment.received", "PaymentReceived", "receivables.PaymentReceived.v1", "receivables.PaymentReceived", "payment_received"]
)
def test_a_fact_is_found_by_any_of_its_names(name: str) -> None:
    assert [kind.type for kind in find(name)] == ["receivables.PaymentReceived.v1"]


def test_who_publishes_a_fact_is_told() -> None:
    (tree,) = json.loads(explain("payment.received", "--json").stdout)
    assert tree["fact"] == "receivables.PaymentReceived.v1"
    assert {place["by"] for place in tree["published"]} == {"payment"}


def test_every_place_that_is_named_is_there() -> None:
    (tree,) = json.loads(explain("bank.EntryBooked", "--json").stdout)
    for node in facts_in([tree]):
        for place in (*node.get("published", ()), *node.get("handlers", ())):
            line = (ROOT / place["file"]).read_text().splitlines()[place["line"] - 1]
            named = node["fact"].split(".")[1] if "by" in place else place["function"].rpartition(".")[2]
            assert named in line, place


def test_what_a_bank_entry_leads_to_is_followed_over_the_services() -> None:
    (tree,) = json.loads(explain("bank.EntryBooked", "--json").stdout)
    (payment,) = (handler for handler in tree["handlers"] if not handler["when"])
    published = {node["fact"]: node for node in payment["publishes"]}
    assert payment["service"] == "payment"
    assert {"receivables.PaymentReceived.v1", "receivables.PaymentApplied.v1"} <= set(published)
    assert {handler["service"] for handler in published["receivables.PaymentApplied.v1"]["handlers"]} >= {"invoice", "reporting"}
    assert "receivables.EntryRejected.v1" in {node["fact"] for node in facts_in([tree])}


def test_two_facts_of_one_name_are_both_explained_ours_first() -> None:
    trees = json.loads(explain("invoice.issued", "--json").stdout)
    assert [tree["fact"] for tree in trees] == ["receivables.InvoiceIssued.v1", "erp.InvoiceIssued.v1"]
    assert "receivables.PaymentApplied.v1" in {node["fact"] for node in facts_in(trees)}, "an invoice is settled from money that waits"


def test_the_text_names_publishers_handlers_and_what_follows() -> None:
    text = explain("erp.InvoiceIssued").stdout
    assert "published by an ERP or billing system" in text
    assert "-> invoice: " in text
    assert "services/invoice/invoice/" in text
    assert "receivables.InvoiceIssued.v1" in text


def test_an_unknown_fact_gets_near_matches_and_a_status_of_its_own() -> None:
    answer = explain("paymnt.recieved")
    assert answer.returncode == 2
    assert "did you mean" in answer.stderr
    assert "receivables.PaymentReceived.v1" in answer.stderr
    assert "There are: bank.EntryBooked.v1" in explain("xyzzy").stderr
