"""The review queue: told when a day turns, computed when asked, accepted, split, rejected by people (PAY-06, PAY-18)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from events import bank, invoice
from events.fact import Event
from events.payment import MatchSuggested, PaymentApplied, PaymentReceived, SuggestionAccepted, SuggestionRejected
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db

D1, D2, D3 = (FIRST_DAY + timedelta(days=n) for n in range(3))
BY_PEOPLE = {"rules": [], "auto_apply": "never"}


def an_invoice(number: str, total: str, account: str = "C-1", *, due: date = D1) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=D1,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=due, amount=total)],
    )


def a_memo(number: str, total: str) -> invoice.CreditMemoIssued:
    return invoice.CreditMemoIssued(
        entity="US01",
        memo=f"US01|{number}",
        document_no=number,
        type="381",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=D1,
        total=total,
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D2, "currency": "USD", "customer": "C-1", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, remittance=remittance, **fields)


async def follow(payment: ServiceUnderTest, body: dict[str, Any]) -> None:
    """Put a policy of cash application in force; the second day is open then."""
    proposal = {"entity": "US01", "kind": "cash_application", "valid_from": str(D1), "body": body}
    policy = (await payment.post("/v1/policies", proposal, key="p", roles=["policy_maker"], sub="maker")).json()["policy"]
    await payment.post(f"/v1/policies/{policy}/approve", {}, key="a", roles=["policy_checker"], sub="checker")
    await payment.turn("US01", D2)
    payment.published()


@pytest.fixture
async def people(payment: ServiceUnderTest) -> ServiceUnderTest:
    """A payment service where money that names nothing waits for people, on its second day."""
    await follow(payment, BY_PEOPLE)
    return payment


async def listed(payment: ServiceUnderTest, **asked: Any) -> list[dict[str, Any]]:
    answer = await payment.get("/v1/suggestions", entity="US01", **asked)
    assert answer.status_code == 200
    return list(answer.json()["suggestions"])


async def decide(payment: ServiceUnderTest, suggestion: str, what: str, *, key: str = "d", **body: Any) -> Any:
    path = f"/v1/suggestions/{suggestion.replace('|', '%7C')}/{what}"
    return await payment.post(path, {"reason": "CHECKED", **body}, key=key)


async def applied(payment: ServiceUnderTest) -> dict[str, int]:
    rows = await payment.db.pool.fetch("SELECT item, sum(amount_minor)::bigint AS minor FROM chk.application GROUP BY item")
    return {row["item"]: row["minor"] for row in rows if row["minor"]}


async def test_a_suggestion_is_told_once_when_the_day_turns_and_again_when_it_changes(people: ServiceUnderTest) -> None:
    """PAY-06: 0.2 + 0.5 x 6/7 + 0.3 for the amount; another amount is another suggestion."""
    await people.receive(an_invoice("INV-1001", "500.00"), an_entry("BR-1", "500.00", "INV-1007"))
    assert people.published(MatchSuggested) == []
    await people.turn("US01", D3)
    (one,) = people.published(MatchSuggested)
    assert (one.receipt, one.account, one.amount, one.score, one.rule) == ("US01|BR-1", "C-1", "500.00", "0.9285", "similar")
    (candidate,) = one.candidates
    assert (candidate.item, candidate.amount, candidate.score) == ("US01|INV-1001|1", "500.00", "0.9285")
    assert candidate.reasons == ["CUSTOMER=1.0000", "TRANSACTION=0.8571", "AMOUNT=1.0000"]
    await people.turn("US01", D3 + timedelta(days=1))
    assert people.published(MatchSuggested) == []
    await people.receive(an_entry("BR-2", "100.00", "INV-1001", customer=None))
    await people.turn("US01", D3 + timedelta(days=2))
    (changed,) = people.published(MatchSuggested)
    assert (changed.receipt, [part.amount for part in changed.candidates]) == ("US01|BR-1", ["400.00"])
    assert changed.suggestion != one.suggestion


async def test_the_order_of_a_days_facts_changes_nothing_that_is_suggested(services: Callable[[], Awaitable[ServiceUnderTest]]) -> None:
    """PAY-18: what is told at the turn is a function of the day's facts."""
    facts: list[Event] = [an_invoice("INV-1001", "500.00"), an_invoice("INV-2", "75.00"), an_entry("BR-1", "500.00", "INV-1007")]
    facts.append(an_entry("BR-2", "75.00"))
    told = set()
    for order in list(permutations(facts))[::7]:
        payment = await services()
        await follow(payment, BY_PEOPLE)
        for fact in order:
            await payment.receive(fact)
        await payment.turn("US01", D3)
        told.add(tuple(sorted(str(one) for one in payment.published(MatchSuggested))))
    assert len(told) == 1
    assert len(told.pop()) == 2


async def test_what_is_asked_is_computed_now_with_thresholds_and_silence(people: ServiceUnderTest) -> None:
    """PAY-06: figures, policy version, and why there is nothing."""
    await people.receive(an_invoice("INV-1", "75.00"), an_invoice("INV-2", "75.00", "C-2"), an_invoice("INV-3", "75.00", "C-2"))
    await people.receive(an_entry("BR-1", "75.00"), an_entry("BR-2", "75.00", customer="C-2"), an_entry("BR-3", "1.00"))
    shown = (await people.get("/v1/suggestions", entity="US01")).json()
    (one,) = shown["suggestions"]
    assert (one["rule"], one["score"], one["state"], one["free"], one["policy_version"]) == ("exact_amount", "1.0000", "open", "75.00", "1")
    assert {(silent["receipt"], silent["reason"]) for silent in shown["without"]} == {
        ("US01|BR-2", "AMBIGUOUS"),
        ("US01|BR-3", "NOTHING_FITS"),
    }
    assert shown["thresholds"] == {
        "customer": "0.8000",
        "minimum": "0.6000",
        "auto_apply": None,
        "customer_weight": "0.2000",
        "transaction_weight": "0.5000",
        "amount_weight": "0.3000",
        "policy_version": "1",
    }
    assert await listed(people, receipt="BR-1") == [one]
    assert await listed(people, account="C-2") == []
    first = (await people.get("/v1/suggestions", entity="US01", limit=1)).json()
    assert first["suggestions"] == [one]
    assert (await people.get("/v1/suggestions", entity="US01", limit=2, cursor=first["next_cursor"])).json()["next_cursor"] is None
    assert (await people.get("/v1/suggestions", entity="XX99")).status_code == 404


async def test_an_accepted_suggestion_is_applied_by_the_person(people: ServiceUnderTest) -> None:
    """PAY-06, PAY-07: 475.00 is for INV-3 and INV-4 together."""
    await people.receive(*[an_invoice(f"INV-{n}", total) for n, total in enumerate(("100.00", "250.00", "400.00", "75.00"), 1)])
    await people.receive(an_entry("BR-1", "475.00"))
    (one,) = await listed(people)
    people.published()
    answer = await decide(people, one["suggestion"], "accept")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["decided_by"]) == ("accepted", "clerk-1")
    facts = people.published()
    (accepted,) = [fact for fact in facts if isinstance(fact, SuggestionAccepted)]
    assert (accepted.accepted_by, accepted.items) == ("clerk-1", ["US01|INV-3|1", "US01|INV-4|1"])
    assert {fact.rule for fact in facts if isinstance(fact, PaymentApplied)} == {"person"}
    assert await applied(people) == {"US01|INV-3|1": 400_00, "US01|INV-4|1": 75_00}
    again = await decide(people, one["suggestion"], "accept", key="again")
    assert (again.status_code, again.json()["code"]) == (409, "SUGGESTION_DECIDED")
    assert [shown["suggestion"] for shown in await listed(people, state="accepted")] == [one["suggestion"]]
    assert await listed(people) == []


async def test_a_suggestion_is_split_and_what_is_wrong_is_told_at_once(people: ServiceUnderTest) -> None:
    """PAY-06"""
    await people.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-2", "250.00"), an_entry("BR-1", "350.00"))
    (one,) = await listed(people)
    items = [
        {"item": "US01|INV-9|1", "amount": "1.00"},
        {"item": "US01|INV-1|1", "amount": "100.01"},
        {"item": "US01|INV-1|1", "amount": "0.00"},
        {"item": "US01|INV-2|1", "amount": "1.005"},
    ]
    refused = await decide(people, one["suggestion"], "accept", items=items)
    assert refused.status_code == 422
    assert [(reason["code"], reason["field"]) for reason in refused.json()["reasons"]] == [
        ("ITEM_NOT_SUGGESTED", "items[0].item"),
        ("MORE_THAN_SUGGESTED", "items[1].amount"),
        ("ITEM_REPEATED", "items[2].item"),
        ("AMOUNT_NOT_POSITIVE", "items[2].amount"),
        ("AMOUNT_TOO_PRECISE", "items[3].amount"),
    ]
    assert await applied(people) == {}
    split = await decide(people, one["suggestion"], "accept", key="s", items=[{"item": "US01|INV-2|1", "amount": "200.00"}])
    assert split.status_code == 200, split.text
    assert await applied(people) == {"US01|INV-2|1": 200_00}


async def test_credit_of_a_memo_goes_with_the_money(people: ServiceUnderTest) -> None:
    """PAY-18: 450.00 is INV-1 of 500.00 less the 50.00 of CM-1."""
    await people.receive(an_invoice("INV-1", "500.00"), a_memo("CM-1", "50.00"), an_entry("BR-1", "450.00"))
    (one,) = await listed(people)
    assert [(part["item"], part["amount"]) for part in one["candidates"]] == [("US01|INV-1|1", "500.00"), ("US01|CM-1", "-50.00")]
    assert (await decide(people, one["suggestion"], "accept")).status_code == 200
    assert await applied(people) == {"US01|INV-1|1": 500_00}


async def test_a_rejected_suggestion_is_not_made_again_neither_told_nor_shown(people: ServiceUnderTest) -> None:
    """PAY-06"""
    await people.receive(an_invoice("INV-1", "75.00"), an_entry("BR-1", "75.00"))
    (one,) = await listed(people)
    people.published()
    assert (await decide(people, one["suggestion"], "reject")).status_code == 200
    (rejected,) = people.published()
    assert isinstance(rejected, SuggestionRejected)
    assert (rejected.rejected_by, rejected.reason, rejected.account) == ("clerk-1", "CHECKED", "C-1")
    assert await listed(people) == []
    await people.turn("US01", D3)
    assert people.published(MatchSuggested) == []
    assert [shown["reason"] for shown in await listed(people, state="rejected")] == ["CHECKED"]


async def test_money_for_what_is_paid_already_is_told_and_cannot_be_applied(people: ServiceUnderTest) -> None:
    """PAY-06: the second payment of INV-1001 finds the item that the first one has closed."""
    await people.receive(an_invoice("INV-1001", "500.00"), an_entry("BR-1", "500.00", "INV-1001"))
    await people.receive(an_entry("BR-2", "500.00", "INV-1001", customer=None))
    await people.turn("US01", D3)
    (one,) = people.published(MatchSuggested)
    assert (one.receipt, one.rule, one.score, one.candidates[0].item) == ("US01|BR-2", "already_paid", "1.0000", "US01|INV-1001|1")
    refused = await decide(people, one.suggestion, "accept")
    assert (refused.status_code, refused.json()["code"]) == (409, "NOTHING_TO_APPLY")


async def test_what_has_changed_since_cannot_be_accepted(people: ServiceUnderTest) -> None:
    await people.receive(an_invoice("INV-1001", "500.00"), an_entry("BR-1", "500.00", "INV-1007"))
    await people.turn("US01", D3)
    (one,) = people.published(MatchSuggested)
    await people.receive(an_entry("BR-2", "500.00", "INV-1001", customer=None))
    gone = await decide(people, one.suggestion, "accept")
    assert (gone.status_code, gone.json()["code"]) == (409, "SUGGESTION_GONE")
    for unknown in ("US01|BR-9|0000000000000000", "US01|BR-1|0000000000000000", "US01"):
        assert (await decide(people, unknown, "accept", key=unknown)).status_code == 404
    assert (await people.post("/v1/suggestions/US01%7CBR-1%7C0/accept", {"reason": "X"}, roles=["auditor"])).status_code == 403


async def test_accepting_for_an_unknown_payer_identifies_it(people: ServiceUnderTest) -> None:
    """PAY-11: the only item of the entity with just this amount is C-1's."""
    await people.receive(an_invoice("INV-1", "75.00"), an_entry("BR-1", "75.00", customer=None))
    assert [one.account for one in people.published(PaymentReceived)] == [None]
    await people.turn("US01", D3)
    (told,) = people.published_envelopes(MatchSuggested)
    assert isinstance(told.data, MatchSuggested)
    assert (told.data.account, told.data.score, told.envelope.key) == (None, "0.6000", "US01|receipt:BR-1")
    assert (await decide(people, told.data.suggestion, "accept")).status_code == 200
    assert await applied(people) == {"US01|INV-1|1": 75_00}
    kinds = [type(fact).__name__ for fact in people.published()]
    assert kinds == ["PayerIdentified", "SuggestionAccepted", "PaymentApplied"]
    assert await people.db.pool.fetchval("SELECT decided_by FROM identification") == "clerk-1"


async def test_what_the_policy_thinks_sure_is_applied_when_the_day_turns(payment: ServiceUnderTest) -> None:
    """PAY-06: the third threshold; the second receipt for the same item waits, and is a suggestion no more."""
    await follow(payment, {**BY_PEOPLE, "suggestions": {"customer": "0.95", "minimum": "0.6", "auto_apply": "0.92"}})
    await payment.receive(an_invoice("INV-1001", "500.00"), an_entry("BR-1", "500.00", "INV-1007"), an_entry("BR-2", "500.00", "INV-1008"))
    payment.published()
    await payment.turn("US01", D3)
    (one,) = [fact for fact in payment.published_envelopes() if isinstance(fact.data, PaymentApplied | MatchSuggested)]
    assert isinstance(one.data, PaymentApplied)
    assert (one.data.receipt, one.data.rule, one.data.policy_version, one.envelope.effective_on) == ("US01|BR-1", "score", "1", D3)
    row = await payment.db.pool.fetchrow("SELECT decision, reason, decided_by FROM decision")
    assert row["decision"] == one.data.decision
    assert row["reason"] == "SCORE=0.9285 CUSTOMER=1.0000 TRANSACTION=0.8571 AMOUNT=1.0000"
    assert row["decided_by"] == "policy 1"
    assert [(shown["receipt"], shown["decided_by"]) for shown in await listed(payment, state="accepted")] == [("US01|BR-1", "policy 1")]
    await payment.turn("US01", D3 + timedelta(days=1))
    (paid_twice,) = payment.published(MatchSuggested)
    assert (paid_twice.receipt, paid_twice.rule) == ("US01|BR-2", "already_paid")


async def test_of_many_who_accept_at_the_same_time_one_does(people: ServiceUnderTest) -> None:
    """PAY-06 under races: one and the same money is applied once."""
    await people.receive(an_invoice("INV-1", "75.00"), an_entry("BR-1", "75.00", customer=None))
    (one,) = await listed(people)
    answers = await asyncio.gather(*[decide(people, one["suggestion"], "accept", key=f"k{n}") for n in range(6)])
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert await applied(people) == {"US01|INV-1|1": 75_00}
    assert await people.db.pool.fetchval("SELECT count(*) FROM decision") == 1


async def test_what_a_person_took_off_an_item_is_not_suggested_for_it(people: ServiceUnderTest) -> None:
    """PAY-08: an unapply stands against suggestions too."""
    await people.receive(an_invoice("INV-1", "75.00"), an_entry("BR-1", "75.00"))
    (one,) = await listed(people)
    await people.db.pool.execute(
        """
        INSERT INTO decision (decision, account_id, receipt_id, item_id, kind, amount_minor, effective_on, booked_on, reason, decided_by)
        SELECT 'D-1', receipt.account_id, receipt.id, item.id, 'unapply', 1, $1, $1, 'WRONG', 'ann' FROM receipt, item
        """,
        D2,
    )
    assert await listed(people) == []
    assert (await decide(people, one["suggestion"], "accept")).status_code == 404
