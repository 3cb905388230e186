"""What people do by hand with money and credit, over HTTP: apply, take off again, release, and what the books say of it."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from events import bank, invoice
from events.payment import ApplicationReversed, CreditApplied, PaymentApplied
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
D1, D2, D3, D4 = (date(2026, 1, 5) + timedelta(days=n) for n in range(4))


def an_invoice(number: str, total: str, account: str = "C-1", *, issued: date = D1) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=issued,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=issued + timedelta(days=30), amount=total)],
    )


def a_memo(number: str, total: str, *, ref: str | None = None, account: str = "C-1") -> invoice.CreditMemoIssued:
    return invoice.CreditMemoIssued(
        entity="US01",
        memo=f"US01|{number}",
        document_no=number,
        type="381",
        customer=account,
        account=account,
        currency="USD",
        issued_on=D1,
        total=total,
        ref_invoice=f"US01|{ref}" if ref else None,
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, *, customer: str | None = None, value_on: date = D1) -> bank.EntryBooked:
    return bank.EntryBooked(
        entity="US01",
        account_ref="OUR-1",
        bank_ref=ref,
        amount=amount,
        currency="USD",
        value_on=value_on,
        remittance=remittance,
        customer=customer,
    )


async def apply(payment: ServiceUnderTest, source: str, item: str, amount: str | None = None, **other: Any) -> httpx.Response:
    """Apply money (`receipts/BR-1`) or credit (`memos/CM-1`) to an item."""
    body = {"entity": "US01", "item": f"US01|{item}", "reason": "AS_ASKED", **({"amount": amount} if amount else {}), **other}
    return await payment.post(f"/v1/{source}/applications", body, key=f"apply {source} {item} {amount} {other}")


async def take_off(payment: ServiceUnderTest, application: str, on: date, amount: str | None = None, key: str = "off") -> httpx.Response:
    body = {"entity": "US01", "effective_on": str(on), "reason": "WRONG_INVOICE", **({"amount": amount} if amount else {})}
    return await payment.post(f"/v1/applications/{application}/unapply", body, key=f"{key} {application}")


async def release(payment: ServiceUnderTest, source: str) -> httpx.Response:
    return await payment.post(f"/v1/{source}/release", {"entity": "US01", "reason": "CLEARED_UP"}, key=f"release {source}")


async def receipt(payment: ServiceUnderTest, ref: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await payment.get(f"/v1/receipts/{ref}", entity="US01")).json()
    return shown


async def open_items(payment: ServiceUnderTest, account: str, **asked: Any) -> dict[str, str]:
    """What is open of the items of an account, by number of the invoice."""
    shown = (await payment.get(f"/v1/accounts/{account}/open-items", entity="US01", **asked)).json()
    return {one["invoice"].removeprefix("US01|"): one["open"] for one in shown["items"]}


def codes(answer: httpx.Response) -> set[tuple[str, str]]:
    return {(one["field"], one["code"]) for one in answer.json()["reasons"]}


async def without_rules(payment: ServiceUnderTest) -> None:
    """Publish a policy under which no rule places anything, and open the next day, on which it is in force."""
    body = {"rules": [], "auto_apply": "never"}
    proposal = {"entity": "US01", "kind": "cash_application", "valid_from": str(D1), "body": body}
    proposed = await payment.post("/v1/policies", proposal, roles=["policy_maker"], sub="maker", key="propose")
    number = proposed.json()["policy"]
    approved = await payment.post(f"/v1/policies/{number}/approve", {}, roles=["policy_checker"], sub="checker", key="approve")
    assert approved.status_code == 200, approved.text
    await payment.turn("US01", await payment.open_on() + timedelta(days=1))


async def test_held_money_is_applied_by_hand_from_the_booked_day_on(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-07, PAY-08, A11: who, when and why are kept, a fact names the decision, and what was open before stays so."""
    await without_rules(payment)
    await payment.receive(an_invoice("INV-1", "60.00"), an_invoice("INV-2", "60.00"), an_entry("BR-1", "100.00", customer="C-1"))
    await payment.turn("US01", D3)
    assert (await receipt(payment, "BR-1"))["unapplied"] == "100.00"
    payment.published()

    answer = await apply(payment, "receipts/BR-1", "INV-2|1")
    assert (answer.status_code, answer.json()["applied"], answer.json()["unapplied"]) == (201, "60.00", "40.00")
    (told,) = payment.published_envelopes()
    assert isinstance(told.data, PaymentApplied)
    assert (told.data.item, told.data.amount, told.data.rule, told.data.decision) == (
        "US01|INV-2|1",
        "60.00",
        "person",
        "US01|decision|C-1|1",
    )
    assert told.envelope.effective_on == D3
    assert await open_items(payment, "C-1", as_of=D2) == {"INV-1": "60.00", "INV-2": "60.00"}
    assert await open_items(payment, "C-1") == {"INV-1": "60.00"}

    assert codes(await apply(payment, "receipts/BR-1", "INV-1|1", "15.00", effective_on=str(D4))) == {("effective_on", "DATE_AHEAD")}
    await apply(payment, "receipts/BR-1", "INV-1|1", "15.00", effective_on=str(D1))  # Held money: from the booked day all the same.
    assert await open_items(payment, "C-1", as_of=D2) == {"INV-1": "60.00", "INV-2": "60.00"}
    assert await open_items(payment, "C-1", as_of=D3) == {"INV-1": "45.00"}
    row = await payment.db.pool.fetchrow("SELECT * FROM decision ORDER BY id DESC LIMIT 1")
    assert (row["decided_by"], row["reason"], row["booked_on"], row["amount_minor"]) == ("clerk-1", "AS_ASKED", D3, 15_00)
    await assert_books_balance(payment)


async def test_credit_is_applied_by_hand(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """PAY-07: credit memo to invoice, a part of it."""
    await without_rules(payment)
    await payment.receive(an_invoice("INV-1", "60.00"), a_memo("CM-1", "50.00"))
    answer = await apply(payment, "memos/CM-1", "INV-1|1", "20.00")
    assert (answer.status_code, answer.json()["open"], answer.json()["applied"]) == (201, "30.00", "20.00")
    assert await open_items(payment, "C-1") == {"INV-1": "40.00"}
    await assert_books_balance(payment)


async def test_an_application_by_hand_needs_free_money_and_an_open_item_and_says_what_there_is(payment: ServiceUnderTest) -> None:
    """Every reason at once, with what is free and open."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_invoice("INV-9", "50.00", "C-9"), an_entry("BR-1", "150.00", "INV-1"))
    refused = await apply(payment, "receipts/BR-1", "INV-1|1")
    assert (refused.status_code, codes(refused)) == (409, {("item", "NOTHING_OPEN")})
    assert refused.json()["detail"] == "50.00 USD of the receipt is free, 0.00 USD of the item is open."

    refused = await apply(payment, "receipts/BR-1", "INV-9|1", "60.00", reason="no code at all!")
    assert refused.status_code == 422
    assert codes(refused) == {
        ("reason", "REASON_INVALID"),
        ("item", "ITEM_OF_ANOTHER_ACCOUNT"),
        ("amount", "AMOUNT_ABOVE_FREE"),
        ("amount", "AMOUNT_ABOVE_OPEN"),
    }
    for item in ("INV-8|1", "INV-1|2", "INV-1", "INV-1|x", "INV-1|1|1"):
        assert ("item", "ITEM_UNKNOWN") in codes(await apply(payment, "receipts/BR-1", item))
    assert (await apply(payment, "receipts/BR-8", "INV-1|1")).status_code == 404
    assert (await apply(payment, "memos/CM-8", "INV-1|1")).json()["code"] == "MEMO_UNKNOWN"
    assert await payment.db.pool.fetchval("SELECT count(*) FROM decision") == 0


async def test_only_clerks_and_approvers_apply_by_hand(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "50.00"))
    body = {"entity": "US01", "item": "US01|INV-1|1", "reason": "R"}
    assert (await payment.post("/v1/receipts/BR-1/applications", body, roles=["auditor"])).status_code == 403


async def test_money_of_nobody_is_not_applied(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "50.00"))
    assert ("receipt", "PAYER_UNKNOWN") in codes(await apply(payment, "receipts/BR-1", "INV-1|1"))


async def test_an_unapplied_credit_stays_where_it_was_before_its_own_date(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    """A5, PAY-07: the memo of 300.00 pays X whole and 100.00 of Y; unapplied later, Y is 300.00 as of before and 400.00 as of then."""
    await payment.receive(an_invoice("X", "200.00"), an_invoice("Y", "400.00"), a_memo("CM-1", "300.00"))
    assert await open_items(payment, "C-1") == {"Y": "300.00"}
    (application,) = [one for one in payment.published(CreditApplied) if one.item == "US01|Y|1"]
    await payment.turn("US01", D3)
    payment.published()

    answer = await take_off(payment, application.application, D2)
    assert (answer.status_code, answer.json()["amount"]) == (200, "0.00")
    assert await open_items(payment, "C-1", as_of=D1) == {"Y": "300.00"}
    assert await open_items(payment, "C-1", as_of=D2) == {"Y": "400.00"}
    assert await open_items(payment, "C-1", as_of=D2, known_at=D2) == {"Y": "300.00"}  # What was reported then stays reported.
    (reversal,) = payment.published_envelopes()
    assert isinstance(reversal.data, ApplicationReversed)
    assert (reversal.data.reason, reversal.data.memo, reversal.data.amount) == ("person", "US01|CM-1", "100.00")
    assert (reversal.envelope.effective_on, reversal.envelope.booked_on) == (D2, D3)

    await payment.turn("US01", D4)  # PAY-08: no rule puts it there again, on no later day.
    await payment.receive(an_invoice("Z", "30.00", issued=D4))
    assert await open_items(payment, "C-1") == {"Y": "400.00", "Z": "30.00"}
    assert (await payment.get("/v1/memos/CM-1", entity="US01")).json()["pinned"] == "100.00"
    await assert_books_balance(payment)


async def test_what_is_released_is_used_by_rules_again(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    assert (await release(payment, "receipts/BR-1")).json()["reasons"] == [{"code": "NOTHING_KEPT", "field": "receipt"}]
    await payment.turn("US01", D2)
    (applied,) = (await receipt(payment, "BR-1"))["applications"]
    await take_off(payment, applied["application"], D2)
    shown = await receipt(payment, "BR-1")
    assert (shown["on_account"], shown["pinned"], shown["applications"]) == ("100.00", "100.00", [])
    assert await open_items(payment, "C-1") == {"INV-1": "100.00"}

    await payment.turn("US01", D3)
    released = await payment.post("/v1/receipts/BR-1/release", {"entity": "US01", "reason": "CLEARED_UP"}, key="r2")
    assert (released.status_code, released.json()["pinned"], released.json()["applied"]) == (200, "0.00", "100.00")
    assert await open_items(payment, "C-1") == {}
    await assert_books_balance(payment)


async def test_a_person_uses_what_is_pinned_for_another_item(payment: ServiceUnderTest, assert_books_balance: Balance) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    await payment.turn("US01", D2)
    await payment.receive(an_invoice("INV-2", "80.00", issued=D2))
    (applied,) = (await receipt(payment, "BR-1"))["applications"]
    assert (await take_off(payment, applied["application"], D2, "90.00")).status_code == 200
    assert await open_items(payment, "C-1") == {"INV-1": "90.00", "INV-2": "80.00"}
    answer = await apply(payment, "receipts/BR-1", "INV-2|1")
    assert (answer.status_code, answer.json()["pinned"], answer.json()["on_account"]) == (201, "10.00", "10.00")
    assert await open_items(payment, "C-1") == {"INV-1": "90.00"}
    (told,) = [one for one in payment.published(PaymentApplied) if one.rule == "person"]
    assert (told.item, told.amount, told.decision) == ("US01|INV-2|1", "80.00", "US01|decision|C-1|2")
    await assert_books_balance(payment)


async def test_what_stands_no_more_is_not_taken_off_again(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    await payment.turn("US01", D2)
    (applied,) = (await receipt(payment, "BR-1"))["applications"]
    name = applied["application"]
    early = await take_off(payment, name, D1 - timedelta(days=1), "100.01", key="early")
    assert (early.status_code, codes(early)) == (422, {("effective_on", "BEFORE_APPLICATION"), ("amount", "AMOUNT_ABOVE_APPLIED")})
    assert (await take_off(payment, name, D2)).status_code == 200
    again = await take_off(payment, name, D2, key="again")
    assert (again.status_code, codes(again)) == (409, {("application", "NOTHING_APPLIED")})
    for unknown in ("receipt|US01|BR-1", "receipt|US01|BR-9|INV-1|1|x", "void|US01|INV-1|1", "receipt|JP01|BR-1|INV-1|1|x"):
        assert (await take_off(payment, unknown, D2)).status_code == 404


async def test_an_explanation_tells_the_whole_chain(payment: ServiceUnderTest) -> None:
    """Rule or person, source, item, every step with its reason."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    await payment.turn("US01", D2)
    (applied,) = (await receipt(payment, "BR-1"))["applications"]
    told = (await take_off(payment, applied["application"], D2, "40.00")).json()
    assert told == (await payment.get(f"/v1/explain/applications/{applied['application']}")).json()
    assert (told["rule"], told["policy_version"], told["decision"], told["amount"]) == ("reference", None, None, "60.00")
    assert told["source"]["id"] == "US01|BR-1"
    assert told["source"]["identified_by"] == "reference"
    assert told["item"]["open"] == "40.00"
    assert [(step["amount"], step["reason"], step["effective_on"]) for step in told["steps"]] == [
        ("100.00", None, "2026-01-05"),
        ("-40.00", "person", "2026-01-06"),
    ]
    (decision,) = told["decisions"]
    assert (decision["kind"], decision["amount"], decision["decided_by"], decision["reason"]) == (
        "unapply",
        "40.00",
        "clerk-1",
        "WRONG_INVOICE",
    )
    assert (await payment.get("/v1/explain/applications/receipt|US01|BR-1|nothing|1")).status_code == 404


async def test_an_explanation_of_a_rule_names_its_policy(payment: ServiceUnderTest) -> None:
    """XC-07: the version of what was in force on the day of the application."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", customer="C-1"))
    (applied,) = (await receipt(payment, "BR-1"))["applications"]
    told = (await payment.get(f"/v1/explain/applications/{applied['application']}")).json()
    assert (told["rule"], told["policy_version"]) == ("oldest_first", "standard-1")


async def test_an_explanation_of_what_a_person_took_from_a_suggestion_tells_its_score(payment: ServiceUnderTest) -> None:
    """PAY-06: decision, suggestion, score and reasons stay with the application."""
    await without_rules(payment)
    await payment.receive(an_invoice("INV-1001", "500.00"), an_entry("BR-1", "500.00", "INV-1007", customer="C-1"))
    (one,) = (await payment.get("/v1/suggestions", entity="US01")).json()["suggestions"]
    accepted = await payment.post(f"/v1/suggestions/{one['suggestion'].replace('|', '%7C')}/accept", {"reason": "TYPO"}, key="accept")
    assert accepted.status_code == 200
    (applied,) = (await receipt(payment, "BR-1"))["applications"]
    told = (await payment.get(f"/v1/explain/applications/{applied['application']}")).json()
    assert (told["rule"], told["decision"]["decided_by"], told["decision"]["reason"]) == ("person", "clerk-1", "TYPO")
    assert (told["suggestion"]["suggestion"], told["suggestion"]["score"]) == (one["suggestion"], one["score"])
    assert told["suggestion"]["reasons"] == ["CUSTOMER=1.0000", "TRANSACTION=0.8571", "AMOUNT=1.0000"]


async def test_receipts_are_listed_by_account_state_and_value_date(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "100.00", "INV-1"))
    await payment.receive(an_entry("BR-2", "10.00", customer="C-1", value_on=D2))
    await payment.receive(an_entry("BR-3", "10.00"))

    async def listed(**asked: Any) -> list[str]:
        found = (await payment.get("/v1/receipts", entity="US01", **asked)).json()
        return [one["bank_ref"] for one in found["receipts"]]

    assert await listed() == ["BR-1", "BR-2", "BR-3"]
    assert await listed(account="C-1") == ["BR-1", "BR-2"]
    assert [await listed(state=state) for state in ("placed", "open", "unidentified", "returned")] == [["BR-1"], ["BR-2"], ["BR-3"], []]
    assert await listed(**{"from": D2}) == ["BR-2"]
    assert await listed(until=D1, limit=1) == ["BR-1"]
    page = (await payment.get("/v1/receipts", entity="US01", limit=2)).json()
    assert (await payment.get("/v1/receipts", entity="US01", cursor=page["next_cursor"])).json()["receipts"][0]["bank_ref"] == "BR-3"


async def test_open_items_answer_for_both_time_axes(payment: ServiceUnderTest) -> None:
    """A11 (two axes), RPT-02: a receipt booked later with an earlier value date restates the past and leaves what was known."""
    await payment.receive(an_invoice("INV-1", "10000.00"))
    await payment.turn("US01", D3)
    await payment.receive(an_entry("BR-1", "2500.00", "INV-1", value_on=D2))
    assert await open_items(payment, "C-1", as_of=D2, known_at=D2) == {"INV-1": "10000.00"}
    assert await open_items(payment, "C-1", as_of=D2, known_at=D3) == {"INV-1": "7500.00"}
    assert await open_items(payment, "C-1", as_of=D1) == {"INV-1": "10000.00"}
    assert await open_items(payment, "C-1", as_of=D1 - timedelta(days=1)) == {}
    shown = (await payment.get("/v1/accounts/C-1/open-items", entity="US01", as_of=D2)).json()
    assert shown["totals"] == [
        {
            "currency": "USD",
            "open": "7500.00",
            "unapplied": "0.00",
            "on_account": "0.00",
            "memo_credit": "0.00",
            "balance": "7500.00",
        }
    ]
    assert (await payment.get("/v1/accounts/C-9/open-items", entity="US01")).status_code == 404


async def test_open_items_are_paged_by_due_date(payment: ServiceUnderTest) -> None:
    await payment.receive(*[an_invoice(f"INV-{n}", f"{n}.00", issued=D1 - timedelta(days=n)) for n in range(1, 6)])
    seen, cursor = [], "0"
    while cursor:
        page = (await payment.get("/v1/accounts/C-1/open-items", entity="US01", limit=2, cursor=cursor)).json()
        seen += [one["invoice"].removeprefix("US01|") for one in page["items"]]
        assert page["totals"][0]["open"] == "15.00"
        cursor = page["next_cursor"]
    assert seen == [f"INV-{n}" for n in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize(("amount", "left"), [("100.00", "400.00"), ("40.00", "280.00")])
async def test_of_what_was_placed_today_no_more_is_taken_off_than_was_asked_for(
    payment: ServiceUnderTest, assert_books_balance: Balance, amount: str, left: str
) -> None:
    """PAY-07: also where rules decide the day anew; what is taken off stays pinned when the day has turned."""
    await payment.receive(an_invoice("X", "200.00"), an_invoice("Y", "400.00"), a_memo("CM-1", "300.00"))
    await payment.receive(an_entry("BR-1", "100.00", "Y"))
    assert await open_items(payment, "C-1") == {"Y": "200.00"}
    shown = [(await payment.get(f"/v1/{one}", entity="US01")).json() for one in ("memos/CM-1", "receipts/BR-1")]
    for applied in [one for source in shown for one in source["applications"] if one["item"] == "US01|Y|1"]:
        assert (await take_off(payment, applied["application"], D1, amount)).status_code == 200
    assert await open_items(payment, "C-1") == {"Y": left}
    await payment.turn("US01", D3)
    assert await open_items(payment, "C-1") == {"Y": left}
    assert (await receipt(payment, "BR-1"))["pinned"] == amount
    await assert_books_balance(payment)
