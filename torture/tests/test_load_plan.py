"""The plan: the same for the same seed, and made so that an oracle can know its end."""

import re
import tomllib
from collections import Counter
from pathlib import Path
from random import Random

from torture.load.amounts import read_minor
from torture.load.mixer import WINDOW, Mixer
from torture.load.operation import Call, HangUp, Meant, Operation, Publication
from torture.load.payer import numbers_in
from torture.load.plan import Plan
from torture.load.plan.copies import respelled
from torture.load.world import World

STEPS = 3000


def planned(seed: int, steps: int = STEPS) -> list[Operation]:
    plan = Plan(World(seed), seed)
    return [operation for _ in range(steps) for operation in plan.next()]


def publications(operations: list[Operation]) -> list[Publication]:
    return [one for one in operations if isinstance(one, Publication)]


def test_the_same_seed_plans_the_same_operations_byte_for_byte() -> None:
    assert planned(7, 500) == planned(7, 500)
    assert planned(7, 500) != planned(8, 500)


def test_one_of_forty_customers_gets_a_quarter_of_everything() -> None:
    world, random = World(1), Random(1)
    drawn = Counter(world.choose(random).number for _ in range(20_000))
    assert len(drawn) == 40
    assert 0.22 < drawn[world.hot.number] / 20_000 < 0.28


def test_all_scales_of_currency_and_both_ways_in_are_used() -> None:
    operations = planned(1)
    assert {one.body["currency"] for one in operations if "currency" in one.body} >= {"USD", "EUR", "JPY", "KWD"}
    assert {(one.kind, type(one)) for one in operations if one.meant is Meant.ACCEPTED} >= {
        ("invoice", Publication),
        ("invoice", Call),
        ("debit_memo", Publication),
        ("debit_memo", Call),
        ("memo", Publication),
        ("memo", Call),
        ("opening", Publication),
        ("opening", Call),
        ("void", Publication),
        ("receipt", Publication),
        ("receipt", Call),
        ("customer", Publication),
        ("limit", Call),
    }


def test_facts_are_told_up_to_five_times_and_one_in_fifty_is_held_to_the_end() -> None:
    told = [one for one in publications(planned(1)) if one.meant is Meant.ACCEPTED]
    assert {len(one.copies) for one in told} == {1, 2, 3, 4, 5}
    assert 0.01 < sum(one.is_held for one in told) / len(told) < 0.03


def test_one_client_in_ten_hangs_up() -> None:
    calls = [one for one in planned(1) if isinstance(one, Call)]
    assert 0.07 < sum(one.hang_up is not HangUp.NO for one in calls) / len(calls) < 0.13
    assert {one.hang_up for one in calls} == set(HangUp)


def test_every_operation_over_http_has_a_key_of_its_own() -> None:
    calls = [one for one in planned(1) if isinstance(one, Call)]
    assert len({one.key for one in calls}) == len(calls)


def test_copies_of_a_fact_have_one_kafka_key_and_so_one_partition() -> None:
    for one in publications(planned(1, 600)):
        assert len({(copy.topic, copy.key) for copy in one.copies}) == 1


def test_what_is_refused_is_told_byte_for_byte_the_same() -> None:
    """Otherwise each spelling would be refused for itself, and nobody could say how many refusals there have to be."""
    refused = [one for one in publications(planned(1)) if one.meant is Meant.REFUSED]
    assert refused
    assert all(len(set(one.copies)) == 1 for one in refused)


def test_a_conflict_waits_until_its_number_is_taken_and_says_something_else() -> None:
    operations = {one.id: one for one in planned(1)}
    conflicts = [one for one in operations.values() if one.code == "CONFLICT"]
    assert {type(one) for one in conflicts} == {Call, Publication}
    for one in conflicts:
        (before,) = one.after
        original = operations.get(before)
        if original is None:  # Put off beyond the end of this plan.
            continue
        number = "bank_ref" if one.kind in ("receipt", "return") else "document_no"
        assert original.meant is Meant.ACCEPTED
        assert original.body[number] == one.body[number]
        assert (original.body.get("issued_on"), original.body.get("value_on")) != (one.body.get("issued_on"), one.body.get("value_on"))
        # A fact in Kafka may not have been heard when the API is asked, so only what was posted is contradicted over HTTP.
        assert isinstance(original, Call) or isinstance(one, Publication)


def test_no_two_refused_facts_are_the_same() -> None:
    """The second would be a repeat of the first, and nobody would answer it."""
    refused = [one.copies[0] for one in publications(planned(1)) if one.meant is Meant.REFUSED]
    assert len({(one.topic, one.key, one.value) for one in refused}) == len(refused)


def test_money_that_names_documents_of_one_customer_gives_no_other_number_and_of_two_none() -> None:
    """So it matters to the payer which of several documents came first only where the oracle sees that."""
    operations = planned(3)
    of_two = 0
    account_of = {
        (one.body["entity"], one.body["document_no"].casefold()): one.body["customer"]
        for one in operations
        if one.kind in ("invoice", "debit_memo", "memo", "opening") and one.meant is Meant.ACCEPTED
    }
    for one in operations:
        if one.kind != "receipt" or one.meant is not Meant.ACCEPTED:
            continue
        numbers = [*numbers_in(one.body.get("remittance", "")), *(line["document_no"].casefold() for line in one.body.get("lines", ()))]
        accounts = {account_of[one.body["entity"], number] for number in numbers if (one.body["entity"], number) in account_of}
        of_two += len(accounts) == 2
        assert len(accounts) <= 2
        assert one.body.get("customer") in ({None, *accounts} if len(accounts) == 1 else {None}) or not accounts
    assert of_two > 10


def test_some_money_comes_before_its_invoice() -> None:
    operations = planned(1)
    place = {one.body["document_no"]: n for n, one in reversed(list(enumerate(operations))) if one.kind == "invoice"}
    early = [
        one
        for n, one in enumerate(operations)
        if one.kind == "receipt"
        for number in re.findall(r"INV-\d+", one.body.get("remittance", "").upper())
        if place.get(number, 0) > n
    ]
    assert len(early) > 20
    assert any("customer" not in one.body for one in early)


def test_voids_come_before_and_behind_what_they_void_and_of_what_never_comes() -> None:
    operations = planned(1)
    place = {one.body["document_no"]: n for n, one in reversed(list(enumerate(operations))) if one.kind in ("invoice", "debit_memo")}
    voids = [(n, one) for n, one in enumerate(operations) if one.kind == "void" and one.meant is Meant.ACCEPTED]
    early = [one for n, one in voids if place.get(one.body["document_no"], n) > n]
    unknown = [one for _, one in voids if one.body["document_no"] not in place]
    assert len(early) > 20 and unknown and len(voids) > len(early) + len(unknown) + 20


def test_a_void_is_not_called_as_its_document_is_and_may_have_another_key() -> None:
    """Two facts of one source and id would be one cause to whoever looks for it."""
    told = publications(planned(1))
    ids = {
        kind: {dict(copy.headers).get(b"ce_id") for one in told if (one.kind == "void") is kind for copy in one.copies}
        for kind in (True, False)
    }
    assert ids[True] & ids[False] <= {None}
    keys = {one.key == f"{one.body['entity']}|{one.body['document_no']}" for one in told if one.kind == "void"}
    assert keys == {True, False}


def test_a_void_that_has_to_be_refused_stands_behind_its_document_in_the_same_partition() -> None:
    operations = {one.id: one for one in planned(1)}
    refused = [one for one in operations.values() if one.kind == "void" and one.meant is Meant.REFUSED]
    assert {(type(one), one.code) for one in refused} >= {(kind, "CUSTOMER_MISMATCH") for kind in (Call, Publication)}
    for one in refused:
        (before,) = one.after
        original = operations.get(before)
        if original is None:  # Put off beyond the end of this plan.
            continue
        assert (original.kind == "memo") == (one.code == "VOID_OF_CREDIT_MEMO")
        assert not (isinstance(original, Publication) and isinstance(one, Publication)) or original.key == one.key


def test_whoever_asks_for_a_write_off_is_not_meant_to_approve_it() -> None:
    operations = planned(5)
    asked = {one.id: one for one in operations if one.kind == "adjustment" and isinstance(one, Call)}
    decisions = [one for one in operations if one.kind == "decision" and isinstance(one, Call)]
    assert {one.code for one in decisions} == {"", "MAKER_IS_CHECKER", "LIMIT_MISSING", "NOT_THE_MAKER"}
    for one in decisions:
        makers = {asked[id_].subject for id_ in one.after}
        if one.code == "MAKER_IS_CHECKER":
            assert makers == {one.subject}
        elif not one.code and not one.path.endswith("/withdraw"):
            assert one.subject not in makers and one.subject.startswith("approver")
    assert {one.path.rsplit("/", 1)[1] for one in decisions} == {"approve", "reject", "withdraw"}
    assert any(len(one.after) == 2 for one in decisions), "two ask at once"


def test_documents_are_over_nothing_discounted_taxed_and_due_in_every_way() -> None:
    bodies = [one.body for one in planned(1) if one.kind in ("invoice", "debit_memo") and one.meant is Meant.ACCEPTED]
    terms = {re.sub(r"\d+", "n", body["terms"]) for body in bodies if "terms" in body}
    assert terms == {"NETn", "n/n NETn", "n/n n/n NETn", "IMMEDIATE", "EOM", "EOM+n", "EONM", "n/n EOM"}
    assert any(body["total"] in ("0", "0.00", "0.000") for body in bodies)
    assert any("discounts" in body for body in bodies) and any(len(body.get("lines", ())) == 3 for body in bodies)
    assert {body["type"] for body in bodies if "type" in body} == {"384"}


def test_a_round_of_limits_begins_behind_the_one_before_and_names_its_version() -> None:
    rounds: dict[tuple[str, str, str], list[list[Call]]] = {}
    for one in planned(1):
        if isinstance(one, Call) and one.kind == "limit":
            of_slot = rounds.setdefault((one.body["entity"], one.path, one.body["currency"]), [])
            if of_slot and one.after == of_slot[-1][0].after:
                of_slot[-1].append(one)
            else:
                of_slot.append([one])
    assert max(map(len, rounds.values())) > 3
    for of_slot in rounds.values():
        for n, racers in enumerate(of_slot):
            assert {one.if_match for one in racers} == {f'"{n}"' if n else None}
            assert {one.after for one in racers} == {tuple(before.id for before in of_slot[n - 1]) if n else ()}
            assert {one.meant for one in racers} == {Meant.EITHER if len(racers) > 1 else Meant.ACCEPTED}


def test_an_amount_respelled_is_the_same_amount() -> None:
    body = {"total": "10.50", "tax": "1.00", "lines": [{"amount": "9.50"}], "document_no": "INV-1.00", "terms": "NET10"}
    assert respelled(body) == {"total": "10.5", "tax": "1", "lines": [{"amount": "9.5"}], "document_no": "INV-1.00", "terms": "NET10"}
    assert respelled({"open": "-7.50", "original_total": "15.00"}) == {"open": "-7.5", "original_total": "15"}
    assert respelled({"total": "1200"}) == {"total": "1200"}


def test_a_mixer_shuffles_within_its_window_and_loses_nothing() -> None:
    mixer: Mixer[int] = Mixer(Random(1))
    out = [thing for n in range(1000) for thing in mixer.put(n)]
    out += mixer.rest()
    assert sorted(out) == list(range(1000))
    assert out != list(range(1000))
    assert all(thing <= place + WINDOW for place, thing in enumerate(out))


def test_the_entities_file_declares_three_entities_that_are_told_their_days(tmp_path: Path) -> None:
    content = tomllib.loads(World(1).declare(tmp_path / "entities.toml").read_text())
    assert {name: one["currency"] for name, one in content["entities"].items()} == {"US01": "USD", "JP01": "JPY", "KW01": "KWD"}
    assert {one["day_starts"] for one in content["entities"].values()} == {"told"}


def test_money_is_taken_back_once_for_the_same_amount_early_late_and_for_a_fee() -> None:
    operations = planned(1)
    place = {one.body["bank_ref"]: n for n, one in reversed(list(enumerate(operations))) if one.kind == "receipt"}
    entries = {one.body["bank_ref"]: one.body for one in operations if one.kind == "receipt"}
    returns = [(n, one) for n, one in enumerate(operations) if one.kind == "return" and one.meant is Meant.ACCEPTED]
    returned = [one.body["returned_bank_ref"] for _, one in returns]
    reversed_ = [one.path.split("/")[3] for one in operations if isinstance(one, Call) and one.kind == "reversal"]
    assert len(set(returned + reversed_)) == len(returned + reversed_) > 40
    assert any(place.get(one.body["returned_bank_ref"], n) > n for n, one in returns), "before its entry"
    assert {"fee" in one.body for _, one in returns} == {True, False}
    for _, one in returns:
        entry = entries.get(one.body["returned_bank_ref"], one.body)
        assert (entry["amount"], entry["currency"], entry["entity"]) == (one.body["amount"], one.body["currency"], one.body["entity"])
    assert {one.code for one in operations if one.kind == "return"} >= {"", "AMOUNT_DIFFERS", "ALREADY_RETURNED", "CONFLICT"}


def test_a_return_that_has_to_be_refused_is_of_money_that_is_there_and_stands_behind_the_one_before_it() -> None:
    operations = {one.id: one for one in planned(2)}
    for one in operations.values():
        if one.kind == "return" and one.code in ("AMOUNT_DIFFERS", "ALREADY_RETURNED"):
            (before,) = (operations[id_] for id_ in one.after)
            posted = before if one.code == "AMOUNT_DIFFERS" else operations[before.after[0]]
            assert isinstance(posted, Call) and posted.body["bank_ref"] == one.body["returned_bank_ref"]
            assert isinstance(one, Publication)
            assert one.code == "AMOUNT_DIFFERS" or (isinstance(before, Publication) and before.key == one.key)


def test_people_take_off_put_elsewhere_release_and_pay_back_and_makers_who_approve_are_meant_to_be_refused() -> None:
    operations = planned(3)
    calls = {one.id: one for one in operations if isinstance(one, Call)}
    verbs = {one.path.rsplit("/", 1)[1] for one in calls.values() if one.kind in ("placing", "reversal", "payer", "refund_decision")}
    assert verbs == {"applications", "unapply", "release", "transfers", "reverse", "payer", "approve", "reject", "withdraw"}
    for one in calls.values():
        if one.kind == "placing" and one.learnt:
            assert {learnt.of for learnt in one.learnt} == {one.after[0]}
            assert one.after[0] not in calls or calls[one.after[0]].kind in ("receipt", "look")
        if one.kind == "refund_decision" and not one.path.endswith("/withdraw"):
            makers = {calls[id_].subject for id_ in one.after}
            assert (one.subject in makers) == (one.code == "MAKER_IS_CHECKER")


def test_the_same_new_thing_is_told_by_two_at_once_to_both_processes_and_two_policies_are_approved_so() -> None:
    calls = [one for one in planned(4) if isinstance(one, Call)]
    at = {kind: [one for one in calls if one.at and one.kind == kind] for kind in ("invoice", "receipt", "policy_decision")}
    for kind in ("invoice", "receipt"):
        assert at[kind] and len(at[kind]) % 2 == 0
        for first, second in zip(at[kind][::2], at[kind][1::2], strict=True):
            assert first.body == second.body
            assert {first.at[-2:], second.at[-2:]} == {"-1", "-2"}
            assert first.key != second.key and first.subject != second.subject
    for first, second in zip(at["policy_decision"][::2], at["policy_decision"][1::2], strict=True):
        assert first.after == second.after and first.at != second.at and first.learnt != second.learnt


def test_remittance_says_line_by_line_no_more_than_came_and_advices_are_about_a_payment_of_their_customer() -> None:
    operations = planned(5)
    bodies = [one.body for one in operations if one.kind == "receipt" and one.meant is Meant.ACCEPTED]
    for body in bodies:
        if "lines" in body:
            stated = sum(read_minor(line["amount"], body["currency"]) for line in body["lines"])
            assert stated <= read_minor(body["amount"], body["currency"])
    assert any("exchange" in body for body in bodies) and any("rate" in body for body in bodies)
    payments = {body["payment_ref"]: body for body in bodies if "payment_ref" in body}
    advices = [one.body for one in operations if one.kind == "advice"]
    assert len(advices) > 20
    said = {key for body in (*bodies, *advices) for line in body.get("lines", ()) for key in line}
    assert said == {"document_no", "n", "amount", "gross", "discount_taken", "deductions"}
    assert {(payments[one["payment_ref"]]["entity"], one["entity"]) for one in advices if one["payment_ref"] in payments} <= {
        (entity, entity) for entity in ("US01", "JP01", "KW01")
    }


def test_a_deposit_comes_before_the_invoices_that_bear_its_order() -> None:
    """PAY-16"""
    operations = planned(1)
    paid = {one.body["deposit_for"]: (n, one) for n, one in reversed(list(enumerate(operations))) if "deposit_for" in one.body}
    borne = [(n, one, *one.body["references"].items()) for n, one in enumerate(operations) if "references" in one.body]
    assert {type(one) for _, one in paid.values()} == {Call, Publication} and len(paid) > 20
    assert {field for _, _, (field, _) in borne} == {"order_no", "purchase_order_no", "contract_no"}
    for n, one, (_, order) in borne:
        came, money = paid[order]
        assert came < n
        assert all(one.body[name] == money.body[name] for name in ("entity", "customer", "currency"))
    released = [one for one in operations if isinstance(one, Call) and one.body.get("reason") == "ORDER_CANCELLED"]
    assert released and all(one.path.endswith("/release") and one.meant is Meant.EITHER for one in released)


def test_a_clerk_who_gives_money_outside_of_a_group_is_meant_to_be_refused_and_within_it_may() -> None:
    """PAY-11"""
    customers = {one.number: one for one in World(3).customers}
    given = [one for seed in (3, 4, 5) for one in planned(seed) if isinstance(one, Call) and one.path.endswith("/transfers")]
    assert {(one.subject, one.code) for one in given} == {("approver-1", ""), ("clerk-1", "OUTSIDE_THE_GROUP"), ("clerk-1", "")}
    for one in given:
        assert customers[one.body["to_customer"]].entity == one.body["entity"]
        assert (one.meant is Meant.REFUSED) == (one.code != "")


def test_a_suggestion_is_decided_by_what_the_look_at_it_showed() -> None:
    """PAY-06"""
    calls = {one.id: one for one in planned(2) if isinstance(one, Call)}
    decided = [one for one in calls.values() if one.kind == "suggestion"]
    assert {one.path.rsplit("/", 1)[1] for one in decided} == {"accept", "reject"}
    for one in decided:
        (learnt,) = one.learnt
        look = calls[learnt.of]
        issued, recorded = (calls[id_] for id_ in look.after)
        assert (look.method, look.kind, look.hang_up, one.after) == ("GET", "look", HangUp.NO, (look.id,))
        assert recorded.body["remittance"] == "thank you" and recorded.body["bank_ref"] in look.path
        parts = issued.body.get("instalments") or [{"amount": issued.body["total"]}]
        assert parts[0]["amount"] == recorded.body["amount"]


def test_customers_of_a_group_are_told_with_their_parent_whenever_they_are_told() -> None:
    """PAY-11: the parent never changes, so that it counts from the day it was heard of first."""
    world = World(1)
    customers = {one.number: one for one in world.customers}
    told = [one.body for one in planned(1) if one.kind == "customer"]
    assert all(body.get("parent") == customers[body["customer"]].parent for body in told)
    children = {one: customers[one.parent] for one in world.customers if one.parent}
    assert children and {one.number for one in children} <= {body["customer"] for body in told}
    assert all(one.entity == parent.entity and world.group(one) != one.number for one, parent in children.items())
    assert any(parent.parent for parent in children.values()), "a grandchild"
