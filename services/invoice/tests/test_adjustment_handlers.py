"""What the handlers of adjustments do: policies in force, the ledger's facts in any order, expiry, and nothing half-written."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from itertools import permutations
from typing import Any

import msgspec
import pytest
from events import erp
from events.invoice import WriteOffApproved, WriteOffRejected
from events.payment import AdjustmentPosted, AdjustmentReversed
from invoice.app import SERVICE
from invoice.domain.approvals import STANDARD_APPROVAL_LIMITS, STANDARD_TOLERANCES
from invoice.handlers.approvals import load_rules
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def an_invoice(document_no: str = "INV-8", **changes: object) -> erp.InvoiceIssued:
    smallest = erp.InvoiceIssued(
        entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="480.00", tax="80.00", terms="NET0"
    )
    return msgspec.structs.replace(smallest, **changes)


def posted(minor: int, adjustment: str = "US01|adj|INV-8|1|1") -> AdjustmentPosted:
    return AdjustmentPosted(**_of_the_item(minor, adjustment))


def reversed_(minor: int, reason: str, adjustment: str = "US01|adj|INV-8|1|1") -> AdjustmentReversed:
    return AdjustmentReversed(**_of_the_item(minor, adjustment), reason=reason)


def _of_the_item(minor: int, adjustment: str) -> dict[str, Any]:
    """An amount in cents, a sixth of it tax."""
    common = {"entity": "US01", "customer": "C-1", "account": "C-1", "currency": "USD", "due_on": DAY, "kind": "bad_debt"}
    amounts = {"amount": f"{minor // 100}.{minor % 100:02}", "tax": f"{minor // 600}.{minor // 6 % 100:02}"}
    return {**common, **amounts, "adjustment": adjustment, "item": "US01|INV-8|1", "invoice": "US01|INV-8"}


async def ask(sut: ServiceUnderTest, key: str = "ask", **changes: Any) -> str:
    body = {"entity": "US01", "document_no": "INV-8", "kind": "bad_debt", "reason": "INSOLVENT", **changes}
    answer = await sut.post("/v1/adjustments", body, key=key)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["adjustment"])


async def approve(sut: ServiceUnderTest, adjustment: str, key: str = "approve", sub: str = "manager-1", role: str = "approver") -> int:
    answer = await sut.post(f"/v1/adjustments/{adjustment}/approve", {}, key=key, sub=sub, roles=[role])
    return answer.status_code


async def publish_policy(
    sut: ServiceUnderTest, kind: str, body: dict[str, Any], decided_on: date, valid_from: date, version: int = 1
) -> None:
    """Put an approved policy into the books."""
    async with sut.db.transaction() as db:
        await db.execute(
            """
            INSERT INTO policy (
                entity, kind, status, version, valid_from, body, proposed_by, proposed_on, proposed_at, decided_by, decided_on, decided_at
            )
            VALUES ('US01', $1, 'approved', $2, $3, $4::jsonb, 'maker', $5, $6, 'checker', $5, $6)
            """,
            kind,
            version,
            valid_from,
            msgspec.json.encode(body).decode(),
            decided_on,
            sut.now,
        )


async def standing(sut: ServiceUnderTest, adjustment: str = "US01|adj|INV-8|1|1") -> list[Any]:
    shown = (await sut.get(f"/v1/adjustments/{adjustment}")).json()
    return [shown[name] for name in ("status", "posted", "posted_tax", "recovered", "recovered_tax")]


async def test_any_order_of_the_ledgers_facts_ends_in_the_same_figures(invoice: ServiceUnderTest) -> None:
    """INV-08: 480.00 posted, 60.00 of it wrongly, 210.00 recovered."""
    facts = [posted(480_00), reversed_(60_00, "worth_less"), reversed_(210_00, "recovered")]
    orders = list(permutations(facts))
    await invoice.receive(*[an_invoice(f"INV-{n}") for n in range(len(orders))])

    found = []
    for n, order in enumerate(orders):
        adjustment = await ask(invoice, key=f"ask {n}", document_no=f"INV-{n}")
        assert await approve(invoice, adjustment, key=f"approve {n}") == 200
        for fact in order:
            await invoice.receive(msgspec.structs.replace(fact, adjustment=adjustment))
        await invoice.receive_again()
        found.append(await standing(invoice, adjustment))

    assert found == [["recovered", "420.00", "70.00", "210.00", "35.00"]] * len(orders)


async def test_facts_of_one_batch_are_folded_together(invoice: ServiceUnderTest) -> None:
    await invoice.receive(an_invoice())
    assert await approve(invoice, await ask(invoice)) == 200

    await invoice.receive(posted(480_00), reversed_(480_00, "reordered"), posted(300_00), posted(6_00, "US01|not ours"))

    assert await standing(invoice) == ["posted", "300.00", "50.00", "0.00", "0.00"]


async def test_what_was_never_posted_is_only_approved(invoice: ServiceUnderTest) -> None:
    """INV-08: approved, and then taken back because the item was worth less."""
    await invoice.receive(an_invoice())
    assert await approve(invoice, await ask(invoice)) == 200

    await invoice.receive(posted(480_00))
    await invoice.receive(reversed_(480_00, "worth_less"))

    assert await standing(invoice) == ["approved", "0.00", "0.00", "0.00", "0.00"]


async def test_limits_approved_today_count_from_tomorrow(invoice: ServiceUnderTest) -> None:
    """INV-08, XC-07: and the decision names the version that was in force."""
    await invoice.receive(an_invoice())
    adjustment = await ask(invoice, amount="100.00")
    clerks = {"limits": [{"role": "clerk", "currency": "USD", "activity": "bad_debt", "max": "100.00"}], "expires_days": 5}
    await publish_policy(invoice, "approval_limits", clerks, decided_on=DAY, valid_from=DAY)

    assert await approve(invoice, adjustment, key="today", sub="clerk-2", role="clerk") == 403
    await invoice.turn("US01", date(2026, 1, 6))
    assert await approve(invoice, adjustment, key="today", sub="clerk-2", role="clerk") == 200

    (fact,) = invoice.published(WriteOffApproved)
    assert (fact.policy_version, fact.approved_by, fact.limit) == ("1", "clerk-2", "100.00")
    assert await approve(invoice, await ask(invoice, key="manager's"), key="no limit any more") == 403


async def test_tolerances_of_the_entity_replace_the_standard(invoice: ServiceUnderTest) -> None:
    """INV-08, XC-07"""
    await publish_policy(invoice, "tolerances", {"fee_waiver": {"USD": "35.00"}}, decided_on=date(2026, 1, 4), valid_from=DAY)
    await invoice.receive(an_invoice(total="3.20", tax="0.00"), an_invoice("INV-9"))

    await ask(invoice, key="small", kind="small_balance")
    await ask(invoice, key="fee", document_no="INV-9", kind="fee_waiver", amount="35.00")

    assert [(fact.kind, fact.amount, fact.policy_version) for fact in invoice.published(WriteOffApproved)] == [("fee_waiver", "35.00", "1")]


async def test_two_at_once_never_write_off_more_than_is_open(invoice: ServiceUnderTest) -> None:
    """INV-08: requests for one document queue behind each other."""
    await invoice.receive(an_invoice())
    body = {"entity": "US01", "document_no": "INV-8", "kind": "bad_debt", "reason": "INSOLVENT", "amount": "300.00"}

    answers = await asyncio.gather(*[invoice.post("/v1/adjustments", body, key=f"{n}") for n in range(4)])

    assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422]


async def test_two_who_decide_at_once_decide_once(invoice: ServiceUnderTest) -> None:
    await invoice.receive(an_invoice())
    adjustment = await ask(invoice)

    codes = await asyncio.gather(*[approve(invoice, adjustment, key=f"{n}", sub=f"manager-{n}") for n in range(3)])

    assert sorted(codes) == [200, 409, 409]
    assert len(invoice.published(WriteOffApproved)) == 1


async def test_nothing_is_taken_off_a_document_that_was_voided_meanwhile(invoice: ServiceUnderTest) -> None:
    """INV-07, INV-08"""
    await invoice.receive(an_invoice(), an_invoice("INV-9"))
    adjustment = await ask(invoice)
    await invoice.receive(*[erp.InvoiceVoided(entity="US01", document_no=number, customer="C-1") for number in ("INV-8", "INV-9")])

    approval = await invoice.post(f"/v1/adjustments/{adjustment}/approve", {}, sub="manager-1", roles=["approver"])
    body = {"entity": "US01", "document_no": "INV-9", "kind": "bad_debt", "reason": "INSOLVENT"}
    request = await invoice.post("/v1/adjustments", body, key="late")

    assert [answer.status_code for answer in (approval, request)] == [422, 422]
    assert [answer.json()["reasons"] for answer in (approval, request)] == [[{"code": "ITEM_VOIDED", "field": "document_no"}]] * 2


async def test_many_expire_in_one_turn_each_with_its_fact(invoice: ServiceUnderTest) -> None:
    """INV-08: only what is still pending, and once."""
    customers = [f"C-{n}" for n in range(4)]
    await invoice.receive(*[an_invoice(f"INV-{customer}", customer=customer) for customer in customers])
    for customer in customers:
        await ask(invoice, key=customer, document_no=f"INV-{customer}")
    assert await approve(invoice, "US01|adj|INV-C-2|1|1") == 200
    invoice.published()

    await invoice.turn("US01", date(2026, 2, 6))

    expired = invoice.published_envelopes(WriteOffRejected)
    assert [one.envelope.key for one in expired] == ["US01|C-0", "US01|C-1", "US01|C-3"]
    assert [getattr(one.data, "outcome", None) for one in expired] == ["expired"] * 3


async def test_a_refused_request_leaves_no_trace(invoice: ServiceUnderTest) -> None:
    await invoice.receive(an_invoice())
    invoice.published()
    answer = await invoice.post("/v1/adjustments", {"entity": "US01", "document_no": "INV-8", "kind": "bad_debt", "reason": "a b"})

    assert answer.status_code == 422
    assert invoice.published() == []
    async with invoice.db.transaction() as db:
        assert await db.fetchval("SELECT count(*) FROM adjustment") == 0
        assert await db.fetchval("SELECT count(*) FROM adjustment_step") == 0


async def test_the_rules_of_an_entity_without_policies_are_the_standard(invoice: ServiceUnderTest) -> None:
    async with invoice.db.transaction() as db:
        rules = await load_rules(db, "US01", DAY)

    assert (rules.limits_version, rules.tolerances_version) == ("standard-1", "standard-1")
    assert rules.limits.expires_days == STANDARD_APPROVAL_LIMITS["expires_days"]
    assert set(rules.tolerances.most) == set(STANDARD_TOLERANCES)
