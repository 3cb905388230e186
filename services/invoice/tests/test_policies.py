"""Policies as data: what a body may say, who decides about it, and from when it counts (XC-05, XC-07)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from events.invoice import InvoicePolicyPublished
from hypothesis import given, settings
from hypothesis import strategies as st
from invoice.app import SERVICE
from invoice.domain.policy_kinds import KINDS
from policies import queries
from policies.faults import Fault
from policies.kinds import BODY_CHARACTERS_MAX, examine
from policies.versions import EXPIRES_DAYS, STANDARD, PolicyVersion
from testkit.service import ServiceUnderTest, service_under_test

DAY = date(2026, 1, 5)
BODY = {"small_balance": {"*": "4.00"}}
POLICY = {"entity": "US01", "kind": "tolerances", "valid_from": "2026-02-01", "body": BODY}
RICH: dict[str, dict[str, Any]] = {
    "terms": {
        "codes": {
            "2/10N30": {"due": {"net_days": 30}, "discounts": [{"percent": "2", "days": 10}], "grace_days": 3, "roll": "following"},
            "THIRDS": {
                "instalments": [
                    {"percent": "33.3", "due": {"end_of_month": 1, "plus_days": 5}},
                    {"percent": "66.7", "due": {"day": 15, "months": 1, "cut_off_day": 25}},
                ],
                "discount_tax": "mixed",
                "discount_base": "goods",
                "partial": "full_payment_only",
            },
        }
    },
    "documents": {"default_terms": "NET30"},
    "split": {"rule_set": "line_first_tax_after"},
    "late_charges": {
        "day_count": "ACT/360",
        "cycle": "monthly",
        "posting": "debit_memo",
        "minimum": {"USD": "1.00"},
        "cap": {"USD": "500.00"},
        "cap_percent": "25",
        "from_kinds": ["invoice", "debit_memo"],
        "statutory": {
            "reference_rates": [{"from": "2026-01-01", "percent": "-0.5"}, {"from": "2026-07-01", "percent": "2"}],
            "points": "8",
            "fixed_for_claim": True,
            "currency": "EUR",
            "fixed": [{"below": "1000.00", "amount": "40.00"}, {"amount": "100.00"}],
        },
    },
    "approval_limits": {
        "limits": [
            {"role": "clerk", "currency": "USD", "activity": "bad_debt", "min": "1.00", "max": "100.00"},
            {"principal": "manager-1", "max": "5000"},
        ],
        "expires_days": 14,
    },
    "tolerances": {"small_balance": {"*": "5.00", "JPY": "500"}, "rounding": {"USD": "0.05"}},
}
"""One body of each kind with every sort of field it may have."""
MAKER, CHECKER = ["policy_maker"], ["policy_checker"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.text(max_size=8) | st.sampled_from(["USD", "*", "5.00", "2026-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def places_of(part: object) -> list[tuple[Any, Any]]:
    """Every place of a body that something else could stand in: what holds it, and under which name or index."""
    names = list(part) if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    here: list[tuple[Any, Any]] = [(part, name) for name in names]
    return here + [place for holder, name in here for place in places_of(holder[name])]


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


async def propose(sut: ServiceUnderTest, *, key: str = "p1", sub: str = "maker-1", **changes: Any) -> httpx.Response:
    return await sut.post("/v1/policies", {**POLICY, **changes}, key=key, roles=MAKER, sub=sub)


async def decide(sut: ServiceUnderTest, policy: int, decision: str = "approve", *, key: str = "d1", **of: Any) -> httpx.Response:
    body = {} if decision == "approve" else {"reason": "TOO_GENEROUS"}
    return await sut.post(f"/v1/policies/{policy}/{decision}", body, key=key, **{"roles": CHECKER, "sub": "checker-1", **of})


async def approved(sut: ServiceUnderTest, n: int, **changes: Any) -> dict[str, Any]:
    proposed = await propose(sut, key=f"p{n}", **changes)
    answer = await decide(sut, proposed.json()["policy"], key=f"d{n}")
    assert answer.status_code == 200
    shown: dict[str, Any] = answer.json()
    return shown


def facts_by_id(sut: ServiceUnderTest) -> dict[str, str]:
    """The version that each published fact tells of; those who ask at the same time may each have seen a fact."""
    published = sut.published_envelopes(InvoicePolicyPublished)
    return {one.envelope.id: one.data.version for one in published if isinstance(one.data, InvoicePolicyPublished)}


def reasons_of(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(reason["code"], reason["field"]) for reason in answer.json().get("reasons", [])]


@pytest.mark.parametrize("kind", KINDS)
def test_every_standard_is_a_policy_that_could_have_been_proposed(kind: str) -> None:
    assert examine(KINDS, kind, DAY, KINDS[kind].standard) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_with_every_field_of_its_kind_has_no_fault(kind: str) -> None:
    assert examine(KINDS, kind, DAY, RICH[kind]) == []


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
    assert all(isinstance(fault, Fault) for fault in examine(KINDS, kind, DAY, body))


def test_a_policy_is_told_every_fault_at_once() -> None:
    """XC-07: with the path of the field in its body."""
    limits = {"limits": [{"role": "clerk", "currency": "XXQ", "max": 100.5}, {"max": "1.00"}], "more": 1}
    assert set(examine(KINDS, "approval_limits", date(1969, 12, 31), limits)) >= {
        Fault("DATE_OUT_OF_RANGE", "valid_from"),
        Fault("NUMBER_NOT_WHOLE", "body.limits[0].max"),
        Fault("CURRENCY_UNKNOWN", "body.limits[0].currency"),
        Fault("WRONG_TYPE", "body.limits[0].max"),
        Fault("PRINCIPAL_OR_ROLE", "body.limits[1]"),
        Fault("MISSING", "body.expires_days"),
        Fault("FIELD_UNKNOWN", "body.more"),
    }
    assert examine(KINDS, "discounts", DAY, {"a": [1.5]}) == [Fault("KIND_UNKNOWN", "kind"), Fault("NUMBER_NOT_WHOLE", "body.a[0]")]
    assert examine(KINDS, "terms", DAY, {"codes": {"A" * BODY_CHARACTERS_MAX: {}}}) == [Fault("TOO_LARGE", "body")]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"default_terms": 30}, "WRONG_TYPE", "body.default_terms"),
        ({"default_terms": ""}, "TERMS_UNKNOWN", "body.default_terms"),
        ({"default": "NET30"}, "FIELD_UNKNOWN", "body.default"),
    ],
)
def test_a_documents_policy_names_terms_or_none(body: dict[str, Any], code: str, field: str) -> None:
    assert examine(KINDS, "documents", DAY, body) == [Fault(code, field)]
    assert KINDS["documents"].parse({"default_terms": "NET30"}) == "NET30"
    assert KINDS["documents"].parse({}) is None


@pytest.mark.db
async def test_a_policy_is_proposed_by_one_and_published_when_another_approves_it(invoice: ServiceUnderTest) -> None:
    """XC-05, XC-07"""
    proposed = await propose(invoice)
    assert proposed.status_code == 201
    assert invoice.published() == []

    answer = await decide(invoice, proposed.json()["policy"])

    assert answer.status_code == 200
    assert answer.json() == {
        **proposed.json(),
        "status": "approved",
        "version": "1",
        "decided_by": "checker-1",
        "decided_on": "2026-01-05",
        "in_force_from": "2026-01-06",
    }
    (published,) = invoice.published_envelopes(InvoicePolicyPublished)
    assert (published.envelope.key, published.envelope.effective_on) == ("US01|policy", DAY)
    assert published.data == InvoicePolicyPublished(
        entity="US01",
        kind="tolerances",
        version="1",
        valid_from=date(2026, 2, 1),
        body=BODY,
        proposed_by="maker-1",
        approved_by="checker-1",
    )
    assert (await invoice.get(f"/v1/policies/{proposed.json()['policy']}")).json() == answer.json()


@pytest.mark.db
async def test_an_approved_policy_counts_from_the_next_opening_for_what_it_dates(invoice: ServiceUnderTest) -> None:
    """XC-07: approved on D, it counts from D+1; what is dated before `valid_from` keeps what was there."""

    async def version(on: str) -> list[Any]:
        shown = (await invoice.get(f"/v1/policies/in-force?entity=US01&kind=tolerances&on={on}")).json()
        return [[one["kind"], one["version"], one["body"]] for one in shown["policies"]]

    standard = ["tolerances", STANDARD, dict(KINDS["tolerances"].standard)]
    await approved(invoice, 1)

    assert await version("2026-02-01") == [standard]
    await invoice.turn("US01", DAY + timedelta(days=1))
    assert await version("2026-02-01") == [["tolerances", "1", BODY]]
    assert await version("2026-01-31") == [standard]
    async with invoice.db.transaction() as db:
        of_one = await queries.load_in_force(db, "tolerances", ["US01", "JP01"], {"US01": date(2026, 1, 6), "JP01": date(2026, 1, 6)})
        assert of_one == {"US01": [PolicyVersion("1", date(2026, 2, 1), BODY)]}
        assert await queries.load_in_force(db, "tolerances", ["US01"], {"US01": DAY}) == {}
        assert await queries.load_in_force(db, "terms", ["US01"], {"US01": date(2026, 1, 6)}) == {}


@pytest.mark.db
async def test_versions_count_approvals_and_of_one_day_the_last_holds(invoice: ServiceUnderTest) -> None:
    """XC-07: by entity and kind; a proposal that comes to nothing takes no number."""
    await decide(invoice, (await propose(invoice, key="no")).json()["policy"], "reject", key="r")
    numbers = [(await approved(invoice, n, body={"rounding": {"*": f"0.0{n}"}}))["version"] for n in range(1, 4)]
    other_kind = await approved(invoice, 7, kind="documents", body={"default_terms": "NET30"})
    other_entity = await approved(invoice, 8, entity="JP01")
    earlier = await approved(invoice, 9, valid_from="2026-01-01")

    assert (numbers, other_kind["version"], other_entity["version"], earlier["version"]) == (["1", "2", "3"], "1", "1", "4")
    async with invoice.db.transaction() as db:
        found = await queries.load_in_force(db, "tolerances", ["US01"], {"US01": date(2026, 1, 6)})
    assert [(one.version, one.valid_from) for one in found["US01"]] == [("4", date(2026, 1, 1)), ("3", date(2026, 2, 1))]


@pytest.mark.db
async def test_two_policies_approved_at_once_get_two_numbers(invoice: ServiceUnderTest) -> None:
    """XC-07: the one that meets the other's number begins again and takes the next."""
    made = [(await propose(invoice, key=f"p{n}")).json()["policy"] for n in range(3)]

    answers = await asyncio.gather(*(decide(invoice, policy, key=f"d{policy}") for policy in made))

    assert sorted(answer.json()["version"] for answer in answers) == ["1", "2", "3"]
    assert sorted(facts_by_id(invoice).values()) == ["1", "2", "3"]


@pytest.mark.db
async def test_two_who_decide_about_one_policy_at_once_decide_once(invoice: ServiceUnderTest) -> None:
    policy = (await propose(invoice)).json()["policy"]

    answers = await asyncio.gather(*(decide(invoice, policy, key=f"d{n}", sub=f"checker-{n}") for n in range(3)))

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(facts_by_id(invoice)) == 1


@pytest.mark.db
async def test_the_maker_of_a_policy_is_not_its_checker(invoice: ServiceUnderTest) -> None:
    """XC-05: four eyes, whatever roles somebody has."""
    policy = (await propose(invoice)).json()["policy"]
    both = {"roles": [*MAKER, *CHECKER], "sub": "maker-1"}

    answers = [await decide(invoice, policy, decision, key=decision, **both) for decision in ("approve", "reject")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "MAKER_IS_CHECKER")] * 2
    assert invoice.published() == []
    assert (await invoice.get(f"/v1/policies/{policy}")).json()["status"] == "proposed"


@pytest.mark.db
async def test_only_makers_propose_and_only_checkers_decide(invoice: ServiceUnderTest) -> None:
    """XC-03"""
    assert (await invoice.post("/v1/policies", POLICY, roles=[*CHECKER, "operator"])).status_code == 403
    policy = (await propose(invoice)).json()["policy"]
    assert (await decide(invoice, policy, roles=[*MAKER, "approver"])).status_code == 403
    assert (await decide(invoice, policy, "reject", key="d2", roles=[*MAKER, "approver"])).status_code == 403


@pytest.mark.db
async def test_a_policy_is_decided_about_once(invoice: ServiceUnderTest) -> None:
    policy = (await propose(invoice)).json()["policy"]
    first = await decide(invoice, policy, "reject")
    repeated = await decide(invoice, policy, "reject")
    again = await decide(invoice, policy, key="d2", sub="checker-2")

    assert (first.json()["status"], first.json()["reason"], first.json()["in_force_from"]) == ("rejected", "TOO_GENEROUS", None)
    assert (repeated.json(), repeated.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert (again.status_code, again.json()["code"]) == (409, "PROPOSAL_DECIDED")
    assert invoice.published() == []


@pytest.mark.db
async def test_a_proposal_nobody_decides_about_expires(invoice: ServiceUnderTest) -> None:
    """XC-05"""
    policy = (await propose(invoice)).json()["policy"]
    last = DAY + timedelta(days=EXPIRES_DAYS)
    await invoice.turn("US01", last)
    assert (await invoice.get("/v1/policies?entity=US01&status=proposed")).json()["policies"][0]["expires_on"] == str(last)
    await invoice.turn("US01", last + timedelta(days=1))

    answer = await decide(invoice, policy)

    assert (answer.status_code, answer.json()["code"]) == (409, "PROPOSAL_EXPIRED")
    listed = [(await invoice.get(f"/v1/policies?entity=US01&status={status}")).json()["policies"] for status in ("proposed", "expired")]
    assert [[one["policy"] for one in found] for found in listed] == [[], [policy]]
    assert listed[1][0]["status"] == "expired"


@pytest.mark.db
async def test_a_policy_that_is_wrong_is_refused_with_every_reason(invoice: ServiceUnderTest) -> None:
    """INV-01 for policies: nothing of it is kept."""
    answer = await propose(invoice, entity="XX99", valid_from="1900-01-01", body={"small_balance": {"*": 4.5}, "x" * 99: {}})

    assert (answer.status_code, answer.json()["code"]) == (422, "POLICY_REFUSED")
    assert reasons_of(answer) == [
        ("ENTITY_UNKNOWN", "entity"),
        ("DATE_OUT_OF_RANGE", "valid_from"),
        ("NUMBER_NOT_WHOLE", "body.small_balance.*"),
        ("WRONG_TYPE", "body.small_balance.*"),
        ("ACTIVITY_UNKNOWN", f"body.{'x' * 58}…"),
    ]
    assert (await invoice.get("/v1/policies?entity=US01")).json()["policies"] == []


@pytest.mark.db
async def test_pages_hold_every_policy_once_and_the_standards(invoice: ServiceUnderTest) -> None:
    made = [(await propose(invoice, key=f"p{n}")).json()["policy"] for n in range(5)]
    await propose(invoice, key="other", entity="JP01")
    await propose(invoice, key="kind", kind="documents", body={})

    pages, cursor = [], "0"
    while cursor is not None:
        page = (await invoice.get(f"/v1/policies?entity=US01&kind=tolerances&limit=2&cursor={cursor}")).json()
        pages.append([one["policy"] for one in page["policies"]])
        cursor = page["next_cursor"]

    assert pages == [made[:2], made[2:4], made[4:]]
    shown = (await invoice.get("/v1/policies?entity=US01")).json()
    assert {one["kind"]: (one["version"], one["body"]) for one in shown["standards"]} == {
        kind: (STANDARD, dict(known.standard)) for kind, known in KINDS.items()
    }
    everything = (await invoice.get("/v1/policies/in-force?entity=US01")).json()
    assert (everything["on"], [one["version"] for one in everything["policies"]]) == ("2026-01-05", [STANDARD] * len(KINDS))


@pytest.mark.db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/policies?entity=XX99", 404),
        ("/v1/policies?entity=US01&kind=none", 404),
        ("/v1/policies?entity=US01&status=open", 422),
        ("/v1/policies?entity=US01&cursor=x", 422),
        ("/v1/policies/in-force?entity=XX99", 404),
        ("/v1/policies/in-force?entity=US01&on=soon", 422),
        ("/v1/policies/1", 404),
        ("/v1/policies/0", 422),
        ("/v1/policies/99999999999999999999", 422),
    ],
)
async def test_a_policy_that_is_not_there_is_a_problem(invoice: ServiceUnderTest, path: str, status: int) -> None:
    answer = await invoice.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (await decide(invoice, 1)).status_code == 404
