"""Credit memos above their maker's limit: asked for by one person, decided by another (INV-06, XC-05)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import httpx
import pytest
from events import erp
from events.invoice import CreditMemoIssued
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

REQUEST = "US01|cmr|CM-1|1"
MEMO = {"entity": "US01", "document_no": "CM-1", "customer": "C-1", "currency": "USD", "issued_on": "2026-01-05", "total": "300.00"}
LIMITS = {
    "limits": [
        {"role": "clerk", "currency": "USD", "activity": "credit_memo", "max": "100.00"},
        {"principal": "manager-1", "currency": "USD", "activity": "credit_memo", "max": "1000.00"},
    ],
    "expires_days": 2,
}
OF_ADJUSTMENTS = {"limits": [{"role": "clerk", "activity": "bad_debt", "max": "1.00"}], "expires_days": 2}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


async def limit(sut: ServiceUnderTest, body: dict[str, Any] = LIMITS) -> None:
    """Put limits in force: approved on the first day, they count from the opening of 6 January."""
    policy = {"entity": "US01", "kind": "approval_limits", "valid_from": "2026-01-01", "body": body}
    proposed = await sut.post("/v1/policies", policy, key="propose", sub="maker-1", roles=["policy_maker"])
    path = f"/v1/policies/{proposed.json()['policy']}/approve"
    assert (await sut.post(path, {}, key="approve policy", sub="checker-1", roles=["policy_checker"])).status_code == 200
    await sut.turn("US01", date(2026, 1, 6))
    sut.published()


async def memo(sut: ServiceUnderTest, key: str = "memo", sub: str = "clerk-1", role: str = "clerk", **changes: Any) -> httpx.Response:
    return await sut.post("/v1/credit-memos", {**MEMO, **changes}, key=key, sub=sub, roles=[role])


async def decide(
    sut: ServiceUnderTest,
    act: str,
    body: dict[str, Any] | None = None,
    *,
    request: str = REQUEST,
    key: str = "",
    sub: str = "manager-1",
    role: str = "approver",
) -> httpx.Response:
    return await sut.post(f"/v1/credit-memo-requests/{request}/{act}", body or {}, key=key or f"{act} {sub}", sub=sub, roles=[role])


async def read(sut: ServiceUnderTest, request: str = REQUEST) -> dict[str, Any]:
    shown: dict[str, Any] = (await sut.get(f"/v1/credit-memo-requests/{request}")).json()
    return shown


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def an_invoice(sut: ServiceUnderTest) -> Any:
    body = {**MEMO, "document_no": "INV-1", "total": "1200.00", "tax": "200.00", "terms": "NET30"}
    return sut.post("/v1/invoices", body, key="invoice")


async def test_a_memo_above_the_makers_limit_is_issued_once_somebody_else_approves(invoice: ServiceUnderTest) -> None:
    """INV-06, XC-05: the memo is booked on the day it is approved, and names the dispute it answers."""
    await limit(invoice)

    asked = await memo(invoice, reason="PRICE", dispute_id="D-7")

    assert (asked.status_code, asked.json()["status"], asked.json()["total"]) == (202, "pending", "300.00")
    assert asked.headers["Location"] == "/v1/credit-memo-requests/US01%7Ccmr%7CCM-1%7C1"
    assert (await invoice.get(asked.headers["Location"])).json() == asked.json()
    assert invoice.published() == []
    assert (await invoice.get("/v1/credit-memos/CM-1?entity=US01")).status_code == 404

    await invoice.turn("US01", date(2026, 1, 7))
    approved = (await decide(invoice, "approve")).json()

    assert (approved["status"], approved["memo"], approved["decided_by"]) == ("approved", "US01|CM-1", "manager-1")
    steps = [[step[name] for name in ("action", "by", "amount", "policy_version", "limit", "reason")] for step in approved["history"]]
    assert steps == [
        ["requested", "clerk-1", "300.00", None, None, "PRICE"],
        ["approved", "manager-1", "300.00", "1", "1000.00", None],
    ]
    (issued,) = invoice.published_envelopes(CreditMemoIssued)
    assert isinstance(issued.data, CreditMemoIssued)
    assert (issued.data.total, issued.data.dispute, issued.data.reason) == ("300.00", "D-7", "PRICE")
    assert (issued.envelope.booked_on, issued.envelope.effective_on) == (date(2026, 1, 7), date(2026, 1, 5))
    shown = (await invoice.get("/v1/credit-memos/CM-1?entity=US01")).json()
    assert (shown["booked_on"], shown["dispute_id"], shown["open"]) == ("2026-01-07", "D-7", "300.00")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"total": "100.00"}, 201),
        ({"total": "100.01"}, 202),
        ({"total": "1.00", "currency": "EUR", "fx": {"rate": "1.10", "rate_on": "2026-01-05"}}, 202),
        ({"total": "999.00", "sub": "manager-1"}, 201),
        ({"total": "5000.00", "sub": "erp", "role": "service"}, 201),
    ],
)
async def test_within_their_own_limit_people_issue_at_once(invoice: ServiceUnderTest, changes: dict[str, Any], status: int) -> None:
    """INV-06: a currency without limits is not a free one; a service has had its approval elsewhere."""
    await limit(invoice)
    answer = await memo(invoice, **changes)

    assert answer.status_code == status, answer.text
    assert len(invoice.published(CreditMemoIssued)) == (status == 201)
    assert ("Location" in answer.headers) == (status == 202)


@pytest.mark.parametrize("body", [None, OF_ADJUSTMENTS])
async def test_where_no_policy_speaks_of_memos_they_are_issued_at_once(invoice: ServiceUnderTest, body: dict[str, Any] | None) -> None:
    """INV-06: the stated default."""
    if body is not None:
        await limit(invoice, body)

    assert (await memo(invoice, total="90000.00")).status_code == 201


async def test_limits_for_any_activity_are_limits_for_memos(invoice: ServiceUnderTest) -> None:
    await limit(invoice, {"limits": [{"role": "clerk", "max": "100.00"}], "expires_days": 2})

    assert (await memo(invoice)).status_code == 202


async def test_nobody_approves_his_own_memo_or_beyond_his_limit(invoice: ServiceUnderTest) -> None:
    """INV-06, XC-05"""
    await limit(invoice)
    await memo(invoice, total="1000.01")

    assert code_of(await decide(invoice, "approve", sub="clerk-1", role="clerk")) == (403, "MAKER_IS_CHECKER")
    assert code_of(await decide(invoice, "approve", sub="clerk-2", role="clerk")) == (403, "LIMIT_EXCEEDED")
    assert code_of(await decide(invoice, "approve", sub="boss", role="approver")) == (403, "LIMIT_MISSING")
    refused = await decide(invoice, "approve")
    assert code_of(refused) == (403, "LIMIT_EXCEEDED")
    assert refused.json()["detail"] == "Your approval limit is 1000.00 USD (policy version 1)."
    assert code_of(await decide(invoice, "reject", {"reason": "NO"}, sub="clerk-1")) == (403, "MAKER_IS_CHECKER")
    assert code_of(await decide(invoice, "withdraw", sub="clerk-2", role="clerk")) == (403, "NOT_THE_MAKER")
    assert (await read(invoice))["status"] == "pending"
    assert invoice.published() == []


async def test_a_request_reserves_its_number_as_long_as_it_waits(invoice: ServiceUnderTest) -> None:
    """INV-06: the same content again is the same request, other content a conflict; after the approval it is the memo."""
    await limit(invoice)
    first = await memo(invoice, key="one")
    again = await memo(invoice, key="two", sub="clerk-2", total="300.0")
    replayed = await memo(invoice, key="one")

    assert [answer.status_code for answer in (first, again, replayed)] == [202, 202, 202]
    assert again.json() == first.json() == replayed.json()
    assert replayed.headers["Location"] == first.headers["Location"]
    for key, changes in (("three", {"total": "301.00"}), ("four", {"total": "1.00"}), ("five", {"total": "1.00", "role": "service"})):
        assert code_of(await memo(invoice, key=key, **changes)) == (409, "CONFLICT")

    assert (await decide(invoice, "approve")).status_code == 200
    assert (await memo(invoice, key="six")).status_code == 201
    assert code_of(await memo(invoice, key="seven", dispute_id="D-1")) == (409, "CONFLICT")
    assert len(invoice.published(CreditMemoIssued)) == 1


async def test_what_an_erp_issues_under_the_number_meanwhile_stands(invoice: ServiceUnderTest) -> None:
    """INV-01, INV-06"""
    await limit(invoice)
    await memo(invoice)
    other = erp.CreditMemoIssued(
        entity="US01", document_no="CM-1", customer="C-1", currency="USD", issued_on=date(2026, 1, 5), total="7.00"
    )
    await invoice.receive(other)

    assert code_of(await decide(invoice, "approve")) == (409, "CONFLICT")
    assert (await read(invoice))["status"] == "pending"
    assert [fact.total for fact in invoice.published(CreditMemoIssued)] == ["7.00"]


async def test_after_a_rejection_or_a_withdrawal_the_number_is_free_again(invoice: ServiceUnderTest) -> None:
    """INV-06"""
    await limit(invoice)
    await memo(invoice, key="one")
    wordy = await decide(invoice, "reject", {"reason": "Mr. Smith pays"}, key="wordy")
    assert (wordy.status_code, wordy.json()["reasons"]) == (422, [{"code": "REASON_INVALID", "field": "reason"}])
    assert (await decide(invoice, "reject", {"reason": "TOO_MUCH"})).json()["history"][-1]["reason"] == "TOO_MUCH"

    second = await memo(invoice, key="two", total="200.00")
    assert (second.status_code, second.json()["request"]) == (202, "US01|cmr|CM-1|2")
    withdrawn = await decide(invoice, "withdraw", request="US01|cmr|CM-1|2", sub="clerk-1", role="clerk")
    assert withdrawn.json()["status"] == "withdrawn"
    assert (await memo(invoice, key="three", total="1.00")).status_code == 201

    assert code_of(await decide(invoice, "approve")) == (409, "ALREADY_DECIDED")
    assert [fact.total for fact in invoice.published(CreditMemoIssued)] == ["1.00"]


async def test_a_memo_nobody_decided_about_expires_when_the_day_turns(invoice: ServiceUnderTest) -> None:
    """INV-06: asked for on 6 January, the last day to approve it is the 8th."""
    await limit(invoice)
    assert (await memo(invoice)).json()["expires_on"] == "2026-01-08"

    await invoice.turn("US01", date(2026, 1, 8))
    assert (await read(invoice))["status"] == "pending"
    await invoice.turn("US01", date(2026, 1, 9))

    expired = await read(invoice)
    assert (expired["status"], expired["decided_by"], expired["decided_on"]) == ("expired", None, "2026-01-09")
    assert [step["action"] for step in expired["history"]] == ["requested", "expired"]
    assert code_of(await decide(invoice, "approve")) == (409, "ALREADY_DECIDED")


async def test_a_net_memo_is_approved_by_what_it_comes_to(invoice: ServiceUnderTest) -> None:
    """INV-06: net 250.00 of an invoice with a fifth of tax is 300.00, above what a clerk may; issued with its tax."""
    await limit(invoice)
    await an_invoice(invoice)
    net = {name: value for name, value in MEMO.items() if name != "total"} | {"net": "250.00", "ref_document_no": "INV-1"}

    asked = await invoice.post("/v1/credit-memos", net, key="net")
    assert (asked.status_code, asked.json()["total"], asked.json()["net"]) == (202, "300.00", "250.00")
    await decide(invoice, "approve")

    assert [(fact.total, fact.tax, fact.ref_invoice) for fact in invoice.published(CreditMemoIssued)] == [("300.00", "50.00", "US01|INV-1")]


async def test_what_is_no_memo_is_refused_before_anybody_is_asked(invoice: ServiceUnderTest) -> None:
    await limit(invoice)

    answer = await memo(invoice, total="0.001", type="380", dispute_id="a|b")

    assert code_of(answer) == (422, "DOCUMENT_REFUSED")
    assert [reason["field"] for reason in answer.json()["reasons"]] == ["dispute_id", "type", "total"]
    assert (await invoice.get("/v1/credit-memo-requests?entity=US01")).json() == {"credit_memo_requests": [], "next_cursor": None}


async def test_a_reason_that_is_no_code_is_not_kept(invoice: ServiceUnderTest) -> None:
    """XC-08: other text may name people."""
    await limit(invoice)
    await memo(invoice, reason="Mr. Smith complained")

    async with invoice.db.transaction() as db:
        assert "Smith" not in await db.fetchval("SELECT draft::text FROM credit_memo_request")
    assert (await decide(invoice, "approve")).status_code == 200


async def test_two_who_ask_at_once_share_a_request_and_two_who_approve_issue_one_memo(invoice: ServiceUnderTest) -> None:
    await limit(invoice)
    asked = await asyncio.gather(*(memo(invoice, key=f"ask {n}") for n in range(3)))
    decided = await asyncio.gather(*(decide(invoice, "approve", key=f"approve {n}") for n in range(3)))

    assert {(answer.status_code, answer.json()["request"]) for answer in asked} == {(202, REQUEST)}
    assert sorted(answer.status_code for answer in decided) == [200, 409, 409]
    async with invoice.db.transaction() as db:
        assert await db.fetchval("SELECT count(*) FROM document WHERE document_no = 'CM-1'") == 1


async def test_pages_hold_every_request_once_and_a_status_narrows_them(invoice: ServiceUnderTest) -> None:
    await limit(invoice)
    for n in range(5):
        assert (await memo(invoice, key=f"memo {n}", document_no=f"2026/CM-{n}")).status_code == 202
    assert (await decide(invoice, "approve", request="US01|cmr|2026/CM-0|1")).status_code == 200

    pages, cursor = [], ""
    while cursor is not None:
        at = f"&cursor={cursor}" if cursor else ""
        page = (await invoice.get(f"/v1/credit-memo-requests?entity=US01&limit=2{at}")).json()
        pages.append([shown["document_no"] for shown in page["credit_memo_requests"]])
        cursor = page["next_cursor"]

    assert pages == [["2026/CM-0", "2026/CM-1"], ["2026/CM-2", "2026/CM-3"], ["2026/CM-4"]]
    approved = (await invoice.get("/v1/credit-memo-requests?entity=US01&status=approved")).json()["credit_memo_requests"]
    assert [shown["memo"] for shown in approved] == ["US01|2026/CM-0"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/credit-memo-requests/{REQUEST}", 404),
        ("/v1/credit-memo-requests?entity=XX99", 404),
        ("/v1/credit-memo-requests?entity=US01&status=lost", 422),
        ("/v1/credit-memo-requests?entity=US01&cursor=%25", 400),
    ],
)
async def test_what_cannot_be_found_or_asked_is_a_problem(invoice: ServiceUnderTest, path: str, status: int) -> None:
    answer = await invoice.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert code_of(await decide(invoice, "approve")) == (404, "CREDIT_MEMO_REQUEST_UNKNOWN")
