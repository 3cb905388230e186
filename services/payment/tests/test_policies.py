"""Policies of payments: what a body may say, who decides about it, and from when settlement follows it (PAY-05, PAY-09, XC-05, XC-07)."""

from copy import deepcopy
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import httpx
import pytest
from events.payment import PaymentPolicyPublished
from hypothesis import given, settings
from hypothesis import strategies as st
from payment.domain import RULES, STANDARD, Policy
from payment.domain.policies import (
    CASH_APPLICATION,
    KINDS,
    REFUND_LIMITS,
    CashApplication,
    Thresholds,
    Tolerances,
    parse_cash_application,
    parse_revaluation,
    parse_tolerances,
    policy_of,
)
from payment.handlers.in_force import load_policies
from policies.approvals import Decision, Principal, judge_by_limits
from policies.faults import Fault
from policies.kinds import examine
from policies.queries import read_in_force
from testkit.service import FIRST_DAY, ServiceUnderTest

NEXT_DAY = FIRST_DAY + timedelta(days=1)
MAKER, CHECKER = ["policy_maker"], ["policy_checker"]
RICH: dict[str, dict[str, Any]] = {
    "cash_application": {
        "rules": ["combination", "exact_item", "oldest_first"],
        "partials": False,
        "discounts": "earned",
        "auto_apply": "same_reference",
        "rest": "on_account",
        "suggestions": {"customer": "0.9", "minimum": "0.7501", "auto_apply": "1.00"},
    },
    "tolerances": {
        "fixed": {"USD": "5.00", "JPY": "500"},
        "percent": "1.5",
        "codes": {"BANK": "bank_charge", "WHT": "withholding_tax"},
    },
    "refund_limits": {"limits": [{"role": "clerk", "currency": "USD", "min": "1.00", "max": "100.00"}], "expires_days": 14},
    "revaluation": {"period": "month"},
}
"""One body of each kind with every sort of field it may have."""

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**19), 10**19)
    | st.text(max_size=8)
    | st.sampled_from(["USD", "*", "0.75", "oldest_first"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places_of(part: object) -> list[tuple[Any, Any]]:
    """Every place of a body that something else could stand in: what holds it, and under which name or index."""
    names = list(part) if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    here: list[tuple[Any, Any]] = [(part, name) for name in names]
    return here + [place for holder, name in here for place in places_of(holder[name])]


async def propose(sut: ServiceUnderTest, kind: str, *, key: str = "p", **changes: Any) -> httpx.Response:
    body = {"entity": "US01", "kind": kind, "valid_from": str(FIRST_DAY), "body": RICH.get(kind, {}), **changes}
    return await sut.post("/v1/policies", body, key=key, roles=MAKER, sub="maker-1")


async def approve(
    sut: ServiceUnderTest, policy: int, *, key: str = "a", roles: list[str] = CHECKER, sub: str = "checker-1"
) -> httpx.Response:
    return await sut.post(f"/v1/policies/{policy}/approve", {}, key=key, roles=roles, sub=sub)


async def approved(sut: ServiceUnderTest, kind: str, **changes: Any) -> None:
    proposed = await propose(sut, kind, key=f"p-{kind}", **changes)
    assert (await approve(sut, proposed.json()["policy"], key=f"a-{kind}")).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_every_standard_is_a_policy_that_could_have_been_proposed(kind: str) -> None:
    assert examine(KINDS, kind, FIRST_DAY, KINDS[kind].standard) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_with_every_field_of_its_kind_has_no_fault(kind: str) -> None:
    assert examine(KINDS, kind, FIRST_DAY, RICH[kind]) == []


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=50, deadline=None)
@given(draw=st.data())
def test_no_body_is_too_odd_to_be_told_its_faults(kind: str, draw: st.DataObject) -> None:
    """Every parser answers with a policy or with faults, whatever stands in whatever place."""
    body = deepcopy(RICH[kind])
    for odd in draw.draw(st.lists(JSON, min_size=1, max_size=2)):
        holder, name = draw.draw(st.sampled_from(places_of(body)))
        if isinstance(holder, dict) and draw.draw(st.booleans()):
            name = draw.draw(st.text(max_size=8))
        holder[name] = odd
    assert all(isinstance(fault, Fault) for fault in examine(KINDS, kind, FIRST_DAY, body))


@pytest.mark.parametrize("kind", KINDS)
@given(body=st.dictionaries(st.text(max_size=8), JSON, max_size=3))
def test_any_object_is_a_policy_or_has_faults(kind: str, body: dict[str, Any]) -> None:
    assert all(isinstance(fault, Fault) for fault in examine(KINDS, kind, FIRST_DAY, body))


def test_the_standard_policies_are_what_settlement_knows_as_the_standard() -> None:
    """PAY-05, PAY-08, PAY-09: two places say it, and they say the same."""
    applying, tolerances = parse_cash_application({}), parse_tolerances({})
    assert isinstance(applying, CashApplication)
    assert isinstance(tolerances, Tolerances)
    assert policy_of(applying, STANDARD.version, tolerances) == STANDARD
    assert applying.suggestions == Thresholds(8000, 6000, None)


def test_what_a_body_says_is_what_settlement_follows() -> None:
    applying, tolerances = parse_cash_application(RICH["cash_application"]), parse_tolerances(RICH["tolerances"])
    assert isinstance(applying, CashApplication)
    assert isinstance(tolerances, Tolerances)
    assert policy_of(applying, "7", tolerances) == Policy(
        auto_apply="same_reference",
        version="7",
        rules=("combination", "exact_item", "oldest_first"),
        partials=False,
        discounts="earned",
        rest="on_account",
        tolerance_fixed={"USD": 500, "JPY": 500},
        tolerance_percent=Fraction(3, 2),
        codes={"BANK": "bank_charge", "WHT": "withholding_tax"},
    )
    assert applying.suggestions == Thresholds(9000, 7501, 10_000)


def test_every_fault_of_cash_application_is_told_at_once() -> None:
    """PAY-05, PAY-06"""
    body = {
        "rules": ["oldest_first", "guess", ["exact_item"], "oldest_first"],
        "partials": 1,
        "discounts": "all",
        "auto_apply": None,
        "rest": "kept",
        "suggestions": {"customer": "1.5", "minimum": 0, "auto_apply": ".9", "amount": "1"},
        "more": 1,
    }

    assert parse_cash_application(body) == [
        ("FIELD_UNKNOWN", "more"),
        ("RULE_UNKNOWN", "rules[1]"),
        ("RULE_UNKNOWN", "rules[2]"),
        ("RULE_REPEATED", "rules[3]"),
        ("WRONG_TYPE", "partials"),
        ("CHOICE_UNKNOWN", "discounts"),
        ("CHOICE_UNKNOWN", "auto_apply"),
        ("CHOICE_UNKNOWN", "rest"),
        ("FIELD_UNKNOWN", "suggestions.amount"),
        ("SHARE_MALFORMED", "suggestions.customer"),
        ("SHARE_MALFORMED", "suggestions.minimum"),
        ("SHARE_MALFORMED", "suggestions.auto_apply"),
    ]
    assert parse_cash_application({"rules": "all", "suggestions": []}) == [("WRONG_TYPE", "rules"), ("WRONG_TYPE", "suggestions")]


@pytest.mark.parametrize(
    ("suggestions", "is_ordered"),
    [
        ({"minimum": "0.80"}, False),
        ({"minimum": "0.79"}, True),
        ({"minimum": "0.70", "auto_apply": "0.70"}, False),
        ({"minimum": "0.70", "auto_apply": "0.75"}, True),
        ({"customer": "1", "minimum": "1"}, False),
    ],
)
def test_less_is_suggested_than_is_recommended_or_applied(suggestions: dict[str, Any], is_ordered: bool) -> None:
    """PAY-06: three thresholds, the minimum below the other two."""
    found = parse_cash_application({"suggestions": suggestions})
    assert isinstance(found, CashApplication) if is_ordered else found == [Fault("THRESHOLDS_ORDER", "suggestions.minimum")]


@given(st.permutations(RULES), st.integers(0, len(RULES)))
def test_rules_are_tried_in_the_order_they_are_given(rules: list[str], count: int) -> None:
    """PAY-05: an ordered rule set, any part of it."""
    found = parse_cash_application({"rules": rules[:count]})
    assert isinstance(found, CashApplication)
    assert found.rules == tuple(rules[:count])


def test_every_fault_of_tolerances_is_told_at_once() -> None:
    """PAY-09"""
    body = {
        "fixed": {"*": "5.00", "XXX": "1", "JPY": "0.5", "USD": "-1.00", "EUR": 5, "CHF": "0.00"},
        "percent": "0",
        "codes": {"": "bank_charge", "BANK": "damage"},
        "more": 1,
    }

    assert parse_tolerances(body) == [
        ("FIELD_UNKNOWN", "more"),
        ("CURRENCY_UNKNOWN", "fixed.*"),
        ("CURRENCY_UNKNOWN", "fixed.XXX"),
        ("AMOUNT_TOO_PRECISE", "fixed.JPY"),
        ("AMOUNT_NEGATIVE", "fixed.USD"),
        ("AMOUNT_NOT_PLAIN", "fixed.EUR"),
        ("PERCENT_OUT_OF_RANGE", "percent"),
        ("CODE_MALFORMED", "codes."),
        ("CHOICE_UNKNOWN", "codes.BANK"),
    ]
    assert parse_tolerances({"fixed": [], "percent": 1, "codes": "WHT"}) == [
        ("WRONG_TYPE", "fixed"),
        ("PERCENT_MALFORMED", "percent"),
        ("WRONG_TYPE", "codes"),
    ]


def test_a_revaluation_is_monthly_or_none() -> None:
    """PAY-13"""
    assert (parse_revaluation({}), parse_revaluation({"period": "month"})) == ("none", "month")
    assert parse_revaluation({"period": "day", "on": 1}) == [("FIELD_UNKNOWN", "on"), ("CHOICE_UNKNOWN", "period")]


def test_a_refund_is_limited_by_person_or_role_and_currency() -> None:
    """PAY-08, XC-05: as write-offs are."""
    limits, version = REFUND_LIMITS.read(None)
    approver = Principal("manager-1", frozenset({"approver"}))

    assert judge_by_limits(limits, version, 500_000, "USD", approver, maker="clerk-1") == Decision("approved", "standard-1", 500_000)
    assert judge_by_limits(limits, version, 500_001, "USD", approver, maker="clerk-1").verdict == "LIMIT_EXCEEDED"
    assert judge_by_limits(limits, version, 1, "USD", approver, maker="manager-1").verdict == "MAKER_IS_CHECKER"


@pytest.mark.db
async def test_a_policy_is_proposed_by_one_and_published_when_another_approves_it(payment: ServiceUnderTest) -> None:
    """XC-05, XC-07"""
    policy = (await propose(payment, "tolerances")).json()["policy"]
    own = await approve(payment, policy, key="own", roles=[*MAKER, *CHECKER], sub="maker-1")
    unasked = await approve(payment, policy, key="role", roles=["approver"])
    assert [(answer.status_code, answer.json()["code"]) for answer in (own, unasked)] == [(403, "MAKER_IS_CHECKER"), (403, "ROLE_MISSING")]
    assert payment.published() == []

    answer = await approve(payment, policy)

    shown = answer.json()
    assert (answer.status_code, shown["status"], shown["version"], shown["in_force_from"]) == (200, "approved", "1", str(NEXT_DAY))
    (published,) = payment.published_envelopes(PaymentPolicyPublished)
    assert (published.envelope.key, published.envelope.effective_on) == ("US01|policy", FIRST_DAY)
    assert published.data == PaymentPolicyPublished(
        entity="US01",
        kind="tolerances",
        version="1",
        valid_from=FIRST_DAY,
        body=RICH["tolerances"],
        proposed_by="maker-1",
        approved_by="checker-1",
    )
    assert (await approve(payment, policy, key="again", sub="checker-2")).json()["code"] == "PROPOSAL_DECIDED"


@pytest.mark.db
async def test_settlement_follows_a_policy_from_the_next_opening(payment: ServiceUnderTest) -> None:
    """XC-07: on the day it is approved everything is settled as before, whatever came first."""

    async def followed(**open_on: date) -> dict[str, Policy]:
        async with payment.db.transaction() as db:
            return await load_policies(db, open_on)

    await approved(payment, "cash_application")
    await approved(payment, "tolerances")

    assert await followed() == {}
    assert await followed(US01=FIRST_DAY, JP01=NEXT_DAY) == {"US01": STANDARD, "JP01": STANDARD}
    found = await followed(US01=NEXT_DAY, JP01=NEXT_DAY)
    assert found["JP01"] == STANDARD
    assert (found["US01"].version, found["US01"].rules, found["US01"].tolerance_fixed["USD"]) == (
        "1",
        ("combination", "exact_item", "oldest_first"),
        500,
    )
    async with payment.db.transaction() as db:
        applying, version = await read_in_force(db, CASH_APPLICATION, "US01", NEXT_DAY)
    assert (applying.suggestions, version) == (Thresholds(9000, 7501, 10_000), "1")


@pytest.mark.db
async def test_a_policy_of_tolerances_alone_leaves_the_rest_as_it_was(payment: ServiceUnderTest) -> None:
    await approved(payment, "tolerances", body={"percent": "2"})
    await approved(payment, "cash_application", valid_from="2026-02-01")

    async with payment.db.transaction() as db:
        (policy,) = (await load_policies(db, {"US01": NEXT_DAY})).values()
        (later,) = (await load_policies(db, {"US01": date(2026, 2, 1)})).values()

    assert policy == Policy("oldest", "standard-1", tolerance_percent=Fraction(2))
    assert (later.version, later.auto_apply, later.tolerance_percent) == ("1", "same_reference", 2)


@pytest.mark.db
async def test_a_policy_that_is_wrong_is_refused_with_every_reason(payment: ServiceUnderTest) -> None:
    """XC-07: nothing of it is kept; kinds of documents are not ours."""
    answer = await propose(payment, "cash_application", body={"rules": ["guess"], "partials": 0.5})
    assert (answer.status_code, answer.json()["code"]) == (422, "POLICY_REFUSED")
    assert [(reason["code"], reason["field"]) for reason in answer.json()["reasons"]] == [
        ("NUMBER_NOT_WHOLE", "body.partials"),
        ("RULE_UNKNOWN", "body.rules[0]"),
        ("WRONG_TYPE", "body.partials"),
    ]
    assert (await propose(payment, "terms", key="terms")).json()["reasons"][0] == {"code": "KIND_UNKNOWN", "field": "kind"}
    listed = (await payment.get("/v1/policies?entity=US01")).json()
    assert listed["policies"] == []
    assert {one["kind"]: one["body"] for one in listed["standards"]} == {name: dict(kind.standard) for name, kind in KINDS.items()}
