"""The oracle: what must be in the end, from the history alone."""

import json

from torture.check.expected import ExpectedAdjustment, ExpectedDocument, ExpectedPoison, Outcome
from torture.load.byhand import Told
from torture.load.operation import Call
from torture.load.oracle import Oracle
from torture.load.plan import Plan
from torture.load.poison import CATALOGUE, Poisoned
from torture.load.slots import service_of, slot_of
from torture.load.world import World

OWNER = ("US01", "C-01", "USD")


def test_a_document_told_often_is_there_once() -> None:
    told = Told()
    id_ = told.invoice("INV-1")
    told.came(id_, "ok", place=("erp.documents", 0, 99))
    oracle = told.oracle
    assert oracle.documents == {"US01|INV-1": ExpectedDocument("US01|INV-1", "invoice", "US01", "C-01", "USD", 10000)}
    assert oracle.nets == {OWNER: 10000}
    assert not oracle.undecided and not oracle.surprises


def test_what_was_never_acknowledged_may_be_there_or_not() -> None:
    told = Told()
    told.invoice("INV-1", acknowledged=False)
    assert (told.oracle.documents, told.oracle.maybe, told.oracle.undecided) == ({}, frozenset({"US01|INV-1"}), ("op-0",))


def test_one_way_in_is_enough() -> None:
    """The same invoice posted without an answer and told by the ERP is there for certain."""
    told = Told()
    told.invoice("INV-1", acknowledged=False)
    told.invoice("INV-1")
    assert (list(told.oracle.documents), told.oracle.maybe) == (["US01|INV-1"], frozenset())


def test_net_is_invoiced_less_credited_less_received() -> None:
    told = Told()
    told.invoice("INV-1", "100.00")
    memo = {"entity": "US01", "document_no": "CM-1", "customer": "C-01", "currency": "USD", "issued_on": "2025-01-02", "total": "30.00"}
    id_ = told.invoke("memo", "POST /v1/credit-memos", memo)
    told.came(id_, "ok", status=201, answer="{}")
    told.money("B-1", "5.50", remittance="INV-1")
    assert told.oracle.nets == {OWNER: 10000 - 3000 - 550}
    assert told.oracle.documents["US01|CM-1"].kind == "credit_memo"


def test_what_is_voided_is_owed_no_more_whichever_came_first() -> None:
    told = Told()
    told.document("void", "INV-1")
    told.invoice("INV-1", "100.00")
    told.document("debit_memo", "DM-1", total="20.00")
    told.document("void", "DM-1", route="POST /v1/voids", meant="either", done=False)
    told.document("void", "INV-404")
    assert told.oracle.voided == {"US01|INV-1"}
    assert told.oracle.nets == {OWNER: 2000}
    assert told.oracle.documents["US01|DM-1"].kind == "debit_memo"


def test_a_corrected_invoice_voids_what_it_names_if_it_was_accepted() -> None:
    told = Told()
    told.invoice("INV-1", "100.00")
    told.invoice("INV-2", "70.00")
    told.document("invoice", "INV-3", total="90.00", type="384", ref_document_no="INV-1")
    late = {"total": "60.00", "type": "384", "ref_document_no": "INV-2"}
    told.document("invoice", "INV-4", route="POST /v1/invoices", meant="either", done=False, **late)
    oracle = told.oracle
    assert oracle.voided == {"US01|INV-1"}
    assert oracle.nets == {OWNER: 9000 + 7000}
    assert "US01|INV-4" not in oracle.documents and not oracle.maybe and not oracle.surprises


def test_an_opening_balance_is_what_it_was_and_below_zero_credit() -> None:
    told = Told()
    told.document("opening", "OB-1", open="10.00", as_of="2025-01-01")
    told.document("opening", "OB-2", open="5.00", as_of="2025-01-01", type="383")
    told.document("opening", "OB-3", open="-2.50", as_of="2025-01-01")
    assert [one.kind for one in told.oracle.documents.values()] == ["invoice", "debit_memo", "credit_memo"]
    assert told.oracle.nets == {OWNER: 1000 + 500 - 250}


def test_a_write_off_is_as_it_was_asked_for_and_decided() -> None:
    told = Told()
    whole, part, left = told.asked("INV-1", "480.00"), told.asked("INV-2", "50.00", amount="50.00"), told.asked("INV-3", "9.00")
    tolerated = told.asked("INV-4", "3.20", status="approved")
    told.decided(whole, "approve", "clerk-1", status=403)
    told.decided(whole, "approve", "approver-1")
    told.decided(part, "approve", "approver-2", amount="20.00")
    told.decided(left, "withdraw", "clerk-1")
    oracle = told.oracle
    found = {name: (one.status, one.approved_minor, one.decided_by) for name, one in oracle.adjustments.items()}
    assert found == {
        whole: ("approved", 48000, "approver-1"),
        part: ("approved", 2000, "approver-2"),
        left: ("withdrawn", 0, "clerk-1"),
        tolerated: ("approved", 320, None),
    }
    assert oracle.adjustments[part] == ExpectedAdjustment(
        part, "US01", "US01|INV-2|1", "USD", 5000, "clerk-1", "approved", 2000, "approver-2"
    )
    assert not oracle.surprises and not oracle.nets, "how much is still open when it is posted is not for the oracle to know"
    routes = {(one.route, one.entity) for one in oracle.commands}
    assert ("POST /v1/adjustments/{adjustment:path}/approve", "US01") in routes


def test_a_maker_who_was_let_approve_and_two_decisions_are_surprises() -> None:
    told = Told()
    first, second = told.asked("INV-1", "480.00", maker="approver-1"), told.asked("INV-2", "480.00")
    told.decided(first, "approve", "approver-1")
    told.decided(second, "reject", "approver-1", reason="NO")
    told.decided(second, "approve", "approver-2")
    told.decided("US01|adj|INV-9|1|1", "approve", "approver-2")
    told.asked("INV-3", "480.00", amount="470.00")
    assert len(told.oracle.surprises) == 4


def test_a_request_that_nobody_knows_the_decision_about_is_left_open() -> None:
    told = Told()
    adjustment = told.asked("INV-1", "480.00")
    told.decided(adjustment, "approve", "approver-1", status=None)
    assert told.oracle.maybe == {adjustment} and told.oracle.undecided


def test_the_limit_in_force_is_the_one_with_the_highest_version() -> None:
    told = Told()
    told.limit("5.00", status=200, version=2)
    told.limit("3.00", status=200, version=1)
    told.limit("9.00", status=412, meant="either")
    assert told.oracle.limits == {OWNER: 500}
    assert not told.oracle.surprises
    told.limit("7.00", status=None)
    assert told.oracle.limits == {}, "the last writer is not known"


def test_two_racers_who_both_won_are_a_surprise() -> None:
    told = Told()
    told.limit("5.00", status=200, version=1, meant="either")
    told.limit("6.00", status=200, version=1, meant="either")
    assert len(told.oracle.surprises) == 1


def test_refusing_what_is_sound_and_accepting_what_is_not_are_surprises() -> None:
    told = Told()
    body = {"entity": "US01", "document_no": "INV-1", "customer": "C-01", "currency": "USD", "total": "1.00"}
    told.came(told.invoke("invoice", "POST /v1/invoices", body), "fail", status=409, answer="CONFLICT")
    bad = {**body, "document_no": "BAD-1"}
    told.came(told.invoke("invoice", "POST /v1/invoices", bad, meant="refused", code="CURRENCY_UNKNOWN"), "ok", status=201, answer="{}")
    assert ["409" in told.oracle.surprises[0], "201" in told.oracle.surprises[1]] == [True, True]
    assert told.oracle.documents == {}


def test_an_attempt_that_reached_nobody_decides_nothing() -> None:
    told = Told()
    body = {"entity": "US01", "document_no": "INV-1", "customer": "C-01", "currency": "USD", "total": "1.00"}
    id_ = told.invoke("invoice", "POST /v1/invoices", body)
    told.came(id_, "fail", error="nobody listens")
    assert told.oracle.undecided == (id_,)
    told.came(id_, "info", status=503, answer="")
    told.came(id_, "ok", status=201, answer='{"a":1}')
    (command,) = told.oracle.commands
    assert (command.status, command.answer, command.effect, command.was_accepted) == (201, b'{"a":1}', "US01|INV-1", True)
    assert json.loads(command.body) == body


def test_commands_name_the_slot_they_are_kept_under() -> None:
    told = Told()
    told.limit("5.00", status=200, version=1)
    (command,) = told.oracle.commands
    assert (command.service, command.route, command.url_path) == (
        "credit",
        "PUT /v1/accounts/{account}/limit",
        "/v1/accounts/C-01/limit",
    )
    assert (command.entity, command.principal, command.effect) == ("US01", "clerk-1", "")


def test_a_conflict_is_expected_where_kafka_says_it_stands_and_claims_no_effect() -> None:
    told = Told()
    told.invoice("INV-1")
    other = {**(told.entries[0].body or {}), "issued_on": "2025-01-01"}
    id_ = told.invoke("invoice", "erp.documents", other, meant="refused", code="CONFLICT")
    told.came(id_, "ok", place=("erp.documents", 2, 5))
    posted = told.invoke("invoice", "POST /v1/invoices", other, meant="refused", code="CONFLICT")
    told.came(posted, "fail", status=409, answer="{}")
    oracle = told.oracle
    assert oracle.poisons == (ExpectedPoison(f"CONFLICT {id_}", "erp.documents", 2, 5, Outcome.REFUSED),)
    assert oracle.documents["US01|INV-1"].total_minor == 10000
    assert [command.effect for command in oracle.commands] == [""]


def test_poison_that_is_accepted_counts_and_the_rest_is_expected_where_it_stands() -> None:
    poisons = {poison.name: poison for poison in CATALOGUE}
    places = (("erp.documents", 1, 3),)
    poisoned = [
        Poisoned(poisons[name], poisons[name].doses[0], places if name != "two-megabytes" else ())
        for name in ("extra-fields", "not-json", "two-megabytes")
    ]
    oracle = Oracle.of([], poisoned)
    assert list(oracle.documents) == ["US01|P-extra-fields"]
    assert oracle.nets == {("US01", "P-01", "USD"): 1000}
    assert {(one.kind, one.outcome) for one in oracle.poisons} == {("extra-fields", Outcome.ACCEPTED), ("not-json", Outcome.REFUSED)}


def test_it_is_known_where_the_answer_to_every_call_is_kept() -> None:
    plan = Plan(World(3), 3)
    calls = [one for _ in range(4000) for one in plan.next() if isinstance(one, Call) and one.kind != "look"]
    slots = {(service_of(one.kind), *slot_of(one.kind, one.route, one.body)) for one in calls}
    routes: dict[str, tuple[str, ...]] = {
        **dict.fromkeys(("adjustments/{adjustment:path}", "refunds/{refund:path}"), ("approve", "reject", "withdraw")),
        "receipts/{bank_ref:path}": ("applications", "release", "transfers", "reverse", "payer"),
        **{"policies/{policy}": ("approve",), "applications/{application:path}": ("unapply",), "memos/{document_no:path}": ("release",)},
        "suggestions/{suggestion:path}": ("accept", "reject"),
    }
    kept = {f"POST /v1/{what}/{verb}" for what, verbs in routes.items() for verb in verbs}
    assert {route for _, route, _ in slots if "{" in route} == kept | {"PUT /v1/accounts/{account}/limit"}
    assert {service for service, route, _ in slots if route in kept and "adjustment" not in route} == {"payment"}
    learnt = {"{suggestion}"}
    assert {entity for _, _, entity in slots} - learnt == {"US01", "JP01", "KW01", "ZZ99"}
