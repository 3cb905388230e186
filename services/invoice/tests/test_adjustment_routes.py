"""Adjustments and write-offs over HTTP: asked for, decided by policy or by a second person, seen through."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import httpx
import pytest
from events.invoice import WriteOffApproved, WriteOffRejected
from events.payment import AdjustmentPosted, AdjustmentReversed
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

ADJUSTMENT = "US01|adj|INV-8|1|1"
BAD_DEBT = {"entity": "US01", "document_no": "INV-8", "kind": "bad_debt", "reason": "INSOLVENT"}
SMALL = {**BAD_DEBT, "kind": "small_balance", "reason": "RESIDUAL"}


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


async def issue(sut: ServiceUnderTest, total: str = "480.00", tax: str | None = "80.00", document_no: str = "INV-8") -> None:
    common = {"entity": "US01", "customer": "C-1", "currency": "USD", "issued_on": "2026-01-05", "terms": "NET0"}
    body = {**common, "document_no": document_no, "total": total, **({"tax": tax} if tax else {})}
    answer = await sut.post("/v1/invoices", body, key=f"issue {document_no}")
    assert answer.status_code == 201, answer.text
    sut.published()


async def ask(sut: ServiceUnderTest, key: str = "ask", sub: str = "clerk-1", **changes: Any) -> httpx.Response:
    return await sut.post("/v1/adjustments", {**BAD_DEBT, **changes}, key=key, sub=sub)


async def decide(
    sut: ServiceUnderTest, act: str, body: dict[str, Any] | None = None, *, key: str = "", sub: str = "manager-1", role: str = "approver"
) -> httpx.Response:
    return await sut.post(f"/v1/adjustments/{ADJUSTMENT}/{act}", body or {}, key=key or f"{act} {sub}", sub=sub, roles=[role])


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def reasons_of(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(reason["code"], reason["field"]) for reason in answer.json()["reasons"]]


def of_the_item(amount: str, tax: str) -> dict[str, Any]:
    common = {"entity": "US01", "customer": "C-1", "account": "C-1", "currency": "USD", "due_on": date(2026, 1, 5), "kind": "bad_debt"}
    return {**common, "adjustment": ADJUSTMENT, "item": "US01|INV-8|1", "invoice": "US01|INV-8", "amount": amount, "tax": tax}


async def test_a_clerk_asks_a_manager_approves_and_a_later_receipt_recovers_half(invoice: ServiceUnderTest) -> None:
    """INV-08, A7: bad debt 400.00, tax relief 80.00; after 240.00 more came in, the counter stays 480.00."""
    await issue(invoice)

    asked = await ask(invoice)
    shown = asked.json()
    assert (asked.status_code, shown["adjustment"], shown["status"], shown["asked"]) == (201, ADJUSTMENT, "pending", "480.00")
    assert invoice.published() == []
    assert code_of(await decide(invoice, "approve", sub="clerk-1")) == (403, "MAKER_IS_CHECKER")
    assert code_of(await decide(invoice, "approve", sub="clerk-2", role="clerk")) == (403, "LIMIT_MISSING")

    approved = await decide(invoice, "approve")
    assert approved.status_code == 200
    (fact,) = invoice.published(WriteOffApproved)
    assert fact == WriteOffApproved(
        entity="US01",
        request=ADJUSTMENT,
        item="US01|INV-8|1",
        invoice="US01|INV-8",
        customer="C-1",
        account="C-1",
        currency="USD",
        amount="480.00",
        tax="80.00",
        kind="bad_debt",
        requested_by="clerk-1",
        policy_version="standard-1",
        reason="INSOLVENT",
        approved_by="manager-1",
        limit="5000.00",
    )
    await invoice.receive(AdjustmentPosted(**of_the_item("480.00", "80.00")))
    await invoice.receive(AdjustmentReversed(**of_the_item("240.00", "40.00"), reason="recovered"))

    (debt,) = (await invoice.get("/v1/customers/C-1/bad-debt?entity=US01")).json()["bad_debts"]
    assert (debt["written_off"], debt["written_off_tax"]) == ("480.00", "80.00")
    assert (debt["recovered"], debt["recovered_tax"], debt["outstanding"]) == ("240.00", "40.00", "240.00")
    shown = (await invoice.get(f"/v1/adjustments/{ADJUSTMENT}")).json()
    assert [shown[name] for name in ("status", "amount", "tax", "posted", "recovered")] == [
        "recovered",
        "480.00",
        "80.00",
        "480.00",
        "240.00",
    ]


async def test_every_step_names_who_took_it_and_the_policy_version(invoice: ServiceUnderTest) -> None:
    """INV-08, XC-04, XC-07"""
    await issue(invoice)
    await ask(invoice)
    approved = (await decide(invoice, "approve", {"amount": "300.00"})).json()

    steps = [[step[name] for name in ("action", "by", "amount", "policy_version", "limit", "reason")] for step in approved["history"]]
    assert steps == [
        ["requested", "clerk-1", "480.00", None, None, "INSOLVENT"],
        ["approved", "manager-1", "300.00", "standard-1", "5000.00", None],
    ]
    assert (await invoice.get(f"/v1/adjustments/{ADJUSTMENT}")).json() == approved


@pytest.mark.parametrize(("total", "status"), [("3.20", "approved"), ("5.00", "approved"), ("5.01", "pending")])
async def test_a_small_residual_is_written_off_by_policy(invoice: ServiceUnderTest, total: str, status: str) -> None:
    """INV-08, A7: 3.20 needs nobody, 5.01 does."""
    await issue(invoice, total, tax=None)

    answer = await invoice.post("/v1/adjustments", SMALL)

    assert (answer.status_code, answer.json()["status"]) == (201, status)
    approved = [(fact.amount, fact.tax, fact.approved_by, fact.requested_by) for fact in invoice.published(WriteOffApproved)]
    assert approved == ([(total, "0.00", None, "clerk-1")] if status == "approved" else [])


async def test_a_request_repeated_is_one_request(invoice: ServiceUnderTest) -> None:
    """INV-08: once for an Idempotency-Key; what is asked for already cannot be asked for again under another one."""
    await issue(invoice)
    first, again = await ask(invoice), await ask(invoice)
    other = await ask(invoice, key="another")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (code_of(other), reasons_of(other)) == ((422, "ADJUSTMENT_REFUSED"), [("NOTHING_OPEN", "document_no")])


async def test_an_approval_repeated_is_one_approval(invoice: ServiceUnderTest) -> None:
    await issue(invoice)
    await ask(invoice)
    first, again = await decide(invoice, "approve"), await decide(invoice, "approve")
    other = await decide(invoice, "approve", key="another")

    assert again.json() == first.json()
    assert code_of(other) == (409, "ALREADY_DECIDED")
    assert len(invoice.published(WriteOffApproved)) == 1


async def test_a_part_may_be_approved_and_the_rest_asked_for_again(invoice: ServiceUnderTest) -> None:
    """INV-08: partial write-off; the tax of the parts sums to the whole."""
    await issue(invoice, "100.00", tax="16.67")
    await ask(invoice)
    await decide(invoice, "approve", {"amount": "33.33"})
    second = await ask(invoice, key="rest")
    assert (second.json()["adjustment"], second.json()["asked"]) == ("US01|adj|INV-8|1|2", "66.67")
    await invoice.post("/v1/adjustments/US01|adj|INV-8|1|2/approve", {}, key="rest", sub="manager-1", roles=["approver"])

    facts = invoice.published(WriteOffApproved)
    assert [(fact.amount, fact.tax) for fact in facts] == [("33.33", "5.56"), ("66.67", "11.11")]


async def test_nobody_approves_more_than_was_asked_for_or_than_is_open(invoice: ServiceUnderTest) -> None:
    await issue(invoice)
    await ask(invoice, amount="400.00")
    more = await decide(invoice, "approve", {"amount": "400.01"})
    assert (more.status_code, reasons_of(more)) == (422, [("AMOUNT_ABOVE_REQUEST", "amount")])

    await invoice.receive(AdjustmentPosted(**{**of_the_item("100.00", "16.67"), "adjustment": "US01|another"}))
    too_much = await decide(invoice, "approve")
    assert (too_much.status_code, reasons_of(too_much)) == (422, [("AMOUNT_ABOVE_OPEN", "amount")])
    assert (await decide(invoice, "approve", {"amount": "380.00"})).status_code == 200


async def test_above_the_limit_is_refused_and_the_limit_named(invoice: ServiceUnderTest) -> None:
    """INV-08, XC-05"""
    await issue(invoice, "6000.00")
    await ask(invoice)

    answer = await decide(invoice, "approve")

    assert code_of(answer) == (403, "LIMIT_EXCEEDED")
    assert answer.json()["detail"] == "Your approval limit is 5000.00 USD (policy version standard-1)."
    assert (await invoice.get(f"/v1/adjustments/{ADJUSTMENT}")).json()["status"] == "pending"
    assert invoice.published() == []


async def test_a_rejection_says_who_and_why(invoice: ServiceUnderTest) -> None:
    """INV-08"""
    await issue(invoice)
    await ask(invoice)
    assert code_of(await decide(invoice, "reject", {"reason": "NO"}, sub="clerk-1")) == (403, "MAKER_IS_CHECKER")
    assert code_of(await decide(invoice, "reject", {"reason": "NO"}, sub="clerk-2", role="clerk")) == (403, "ROLE_MISSING")
    wordy = await decide(invoice, "reject", {"reason": "Mr. Smith pays later"})
    assert (wordy.status_code, reasons_of(wordy)) == (422, [("REASON_INVALID", "reason")])

    assert (await decide(invoice, "reject", {"reason": "COLLECTIBLE"})).json()["status"] == "rejected"

    (fact,) = invoice.published(WriteOffRejected)
    assert (fact.outcome, fact.requested_by, fact.decided_by, fact.reason) == ("rejected", "clerk-1", "manager-1", "COLLECTIBLE")
    assert (fact.amount, fact.kind, fact.item) == ("480.00", "bad_debt", "US01|INV-8|1")
    assert code_of(await decide(invoice, "approve")) == (409, "ALREADY_DECIDED")


async def test_only_the_maker_withdraws_and_the_amount_is_free_again(invoice: ServiceUnderTest) -> None:
    """INV-08"""
    await issue(invoice)
    await ask(invoice)
    assert code_of(await decide(invoice, "withdraw", sub="clerk-2", role="clerk")) == (403, "NOT_THE_MAKER")

    assert (await decide(invoice, "withdraw", sub="clerk-1", role="clerk")).json()["status"] == "withdrawn"

    assert [(fact.outcome, fact.decided_by) for fact in invoice.published(WriteOffRejected)] == [("withdrawn", "clerk-1")]
    assert (await ask(invoice, key="again")).json()["asked"] == "480.00"


async def test_a_request_nobody_decided_about_expires_when_the_day_turns(invoice: ServiceUnderTest) -> None:
    """INV-08: asked for on 5 January, the last day to approve it is 4 February."""
    await issue(invoice)
    asked = (await ask(invoice)).json()
    assert (asked["requested_on"], asked["expires_on"]) == ("2026-01-05", "2026-02-04")

    await invoice.turn("US01", date(2026, 2, 4))
    assert invoice.published(WriteOffRejected) == []
    await invoice.turn("US01", date(2026, 2, 5))

    (expired,) = invoice.published_envelopes(WriteOffRejected)
    assert isinstance(expired.data, WriteOffRejected)
    assert (expired.data.outcome, expired.data.decided_by, expired.envelope.effective_on) == ("expired", None, date(2026, 2, 5))
    assert (await invoice.get(f"/v1/adjustments/{ADJUSTMENT}")).json()["history"][-1]["action"] == "expired"
    assert code_of(await decide(invoice, "approve")) == (409, "ALREADY_DECIDED")


async def test_what_cannot_be_asked_for_is_told_every_reason(invoice: ServiceUnderTest) -> None:
    await issue(invoice)
    answer = await ask(invoice, kind="theft", reason="because he said so", amount="480.001", n=2)

    assert code_of(answer) == (422, "ADJUSTMENT_REFUSED")
    assert reasons_of(answer) == [
        ("KIND_UNKNOWN", "kind"),
        ("REASON_INVALID", "reason"),
        ("ITEM_UNKNOWN", "n"),
        ("AMOUNT_TOO_PRECISE", "amount"),
    ]
    assert reasons_of(await ask(invoice, document_no="INV-9")) == [("ITEM_UNKNOWN", "document_no")]
    assert (await ask(invoice, entity="XX99")).status_code == 404
    assert (await invoice.post("/v1/adjustments", BAD_DEBT, roles=["collector"])).status_code == 403
    assert (await invoice.get("/v1/adjustments?entity=US01")).json() == {"adjustments": [], "next_cursor": None}


async def test_pages_hold_every_adjustment_once_and_filters_narrow_them(invoice: ServiceUnderTest) -> None:
    await issue(invoice)
    for n in range(5):
        assert (await ask(invoice, key=f"ask {n}", amount="1.00")).status_code == 201
    await decide(invoice, "approve")

    pages, cursor = [], ""
    while cursor is not None:
        at = f"&cursor={cursor}" if cursor else ""
        page = (await invoice.get(f"/v1/adjustments?entity=US01&limit=2{at}")).json()
        pages.append([shown["adjustment"] for shown in page["adjustments"]])
        cursor = page["next_cursor"]

    assert sum(pages, []) == [f"US01|adj|INV-8|1|{n}" for n in range(1, 6)]
    assert [len(page) for page in pages] == [2, 2, 1]
    pending = (await invoice.get("/v1/adjustments?entity=US01&status=pending&account=C-1")).json()["adjustments"]
    assert [shown["adjustment"][-1] for shown in pending] == ["2", "3", "4", "5"]
    assert (await invoice.get("/v1/adjustments?entity=US01&account=C-2")).json()["adjustments"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/adjustments/US01|adj|INV-8|1|1", 404),
        ("/v1/adjustments?entity=XX99", 404),
        ("/v1/adjustments?entity=US01&status=lost", 422),
        ("/v1/adjustments?entity=US01&cursor=%25", 400),
        ("/v1/adjustments?entity=US01&cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", 400),
        ("/v1/customers/C-1/bad-debt?entity=XX99", 404),
    ],
)
async def test_what_cannot_be_found_or_asked_is_a_problem(invoice: ServiceUnderTest, path: str, status: int) -> None:
    answer = await invoice.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_an_adjustment_of_a_number_with_slashes_can_be_approved(invoice: ServiceUnderTest) -> None:
    await issue(invoice, document_no="2026/approve")
    asked = (await ask(invoice, document_no="2026/approve")).json()["adjustment"]

    answer = await invoice.post(f"/v1/adjustments/{asked}/approve", {}, key="yes", sub="manager-1", roles=["approver"])

    assert (answer.status_code, answer.json()["adjustment"]) == (200, "US01|adj|2026/approve|1|1")
