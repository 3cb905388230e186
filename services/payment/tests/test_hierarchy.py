"""Money of a customer goes to the account it settles under, by whatever it was identified (PAY-11)."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from events import bank, erp, invoice
from events.invoice import Reason
from events.payment import EntryRejected, PayerIdentified, PaymentApplied, PaymentReceived
from payment.queries.hierarchy import in_one_group
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db

Services = Callable[[], Awaitable[ServiceUnderTest]]
D1, D2, D3, D4 = (FIRST_DAY + timedelta(days=n) for n in range(4))
CHILDREN = ("C-1", "C-2", "C-3")


def a_customer(number: str, *bank_accounts: str, parent: str | None = None, name: str = "Example Stores") -> erp.CustomerUpserted:
    return erp.CustomerUpserted(entity="US01", customer=number, name=name, bank_accounts=list(bank_accounts), parent=parent)


def a_group() -> list[erp.CustomerUpserted]:
    """Three stores under one parent, all of whom pay from accounts of their own."""
    stores = [a_customer(one, f"IBAN-{one}", parent="GROUP", name=f"Store number {one}") for one in CHILDREN]
    return [a_customer("GROUP", "IBAN-GROUP", name="Holding of stores"), *stores]


def an_invoice(number: str, total: str, customer: str, account: str = "GROUP") -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=customer,
        account=account,
        currency="USD",
        issued_on=D1,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=D1, amount=total)],
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, remittance=remittance, **fields)


def pays_from(iban: str | None = None, name: str | None = None) -> dict[str, bank.Debtor]:
    return {"debtor": bank.Debtor(iban=iban, name=name)}


async def accounts(payment: ServiceUnderTest) -> dict[str, str]:
    """Whose every receipt is, by bank reference."""
    rows = await payment.db.pool.fetch("SELECT bank_ref, account FROM receipt JOIN account ON account.id = account_id")
    return {row["bank_ref"]: row["account"] for row in rows}


async def test_a_parent_pays_for_its_children_with_one_transfer_that_names_nothing(payment: ServiceUnderTest) -> None:
    """PAY-11: all of it, on one account; the items stay the children's."""
    await payment.receive(*a_group())
    await payment.turn("US01", D2)
    await payment.receive(*(an_invoice(f"INV-{n}", f"{n}00.00", customer) for n, customer in enumerate(CHILDREN, start=1)))
    payment.published()

    await payment.receive(an_entry("BR-1", "600.00", **pays_from("IBAN-GROUP")))

    received, *applied = payment.published()
    assert isinstance(received, PaymentReceived)
    assert received.account == "GROUP"
    assert [(one.item, one.amount) for one in applied if isinstance(one, PaymentApplied)] == [
        ("US01|INV-1|1", "100.00"),
        ("US01|INV-2|1", "200.00"),
        ("US01|INV-3|1", "300.00"),
    ]
    shown = (await payment.get("/v1/items", entity="US01", account="GROUP")).json()["items"]
    assert [(one["customer"], one["open"]) for one in shown] == [(customer, "0.00") for customer in CHILDREN]


async def test_whatever_a_child_is_identified_by_its_money_goes_to_its_account(payment: ServiceUnderTest) -> None:
    """PAY-11: bank account, customer number, advice; a document named has its own account."""
    await payment.receive(*a_group(), an_invoice("OLD", "40.00", "C-1", account="C-1"))
    await payment.turn("US01", D2)
    advice = bank.RemittanceAdvised(
        entity="US01",
        advice_no="A-1",
        payment_ref="E2E-4",
        currency="USD",
        customer="C-3",
        lines=[bank.RemittanceLine(document_no="NONE", amount="1.00")],
    )
    await payment.receive(
        an_entry("BY-IBAN", "10.00", **pays_from("IBAN-C-1")),
        an_entry("BY-NUMBER", "20.00", customer="C-2"),
        an_entry("BY-ADVICE", "30.00", payment_ref="E2E-4"),
        an_entry("BY-DOCUMENT", "40.00", "OLD", customer="C-2"),
        an_entry("STRANGER", "50.00", customer="C-9"),
        advice,
    )
    assert await accounts(payment) == {
        "BY-IBAN": "GROUP",
        "BY-NUMBER": "GROUP",
        "BY-ADVICE": "GROUP",
        "BY-DOCUMENT": "C-1",
        "STRANGER": "C-9",
    }


async def test_a_parent_and_a_bank_account_told_together_count_together(payment: ServiceUnderTest) -> None:
    """PAY-11: what waited goes to the account of the day on which its payer is known."""
    await payment.receive(an_entry("BR-1", "10.00", **pays_from("IBAN-C-1")), an_entry("BR-2", "10.00", customer="C-2"), *a_group())
    assert await accounts(payment) == {"BR-1": "receipt:BR-1", "BR-2": "C-2"}
    payment.published()
    await payment.turn("US01", D2)
    (identified,) = payment.published(PayerIdentified)
    assert (identified.receipt, identified.account, identified.by) == ("US01|BR-1", "GROUP", "bank_account")


async def test_a_person_names_a_child_and_the_money_is_its_account_s(payment: ServiceUnderTest) -> None:
    """PAY-11: what was learned of the child follows it to another account."""
    await payment.receive(*a_group(), an_entry("BR-1", "10.00", **pays_from("IBAN-NEW", "Somebody Else Inc")))
    await payment.turn("US01", D2)
    body = {"entity": "US01", "customer": "C-1", "reason": "CALLED_THEM", "learn": True}
    answer = (await payment.post("/v1/receipts/BR-1/payer", body, key="1")).json()
    assert (answer["account"], await accounts(payment)) == ("GROUP", {"BR-1": "GROUP"})
    for alias in answer["aliases"]:
        linked = await payment.post(f"/v1/aliases/{alias}/link", {"reason": "SURE"}, key=f"{alias}", roles=["approver"], sub="boss")
        assert (linked.status_code, linked.json()["customer"]) == (200, "C-1")
    await payment.receive(an_entry("BR-2", "20.00", **pays_from("IBAN-NEW")))
    await payment.turn("US01", D3)
    assert (await accounts(payment))["BR-2"] == "GROUP"
    await payment.receive(a_customer("C-1", parent="BUYER", name="Store number C-1"))
    await payment.turn("US01", D4)
    await payment.receive(an_entry("BR-3", "30.00", **pays_from(name="SOMEBODY ELSE")))
    assert await accounts(payment) == {"BR-1": "GROUP", "BR-2": "GROUP", "BR-3": "BUYER"}


async def test_an_alias_of_two_children_of_one_account_means_that_account(payment: ServiceUnderTest) -> None:
    """PAY-11: of two accounts it would mean nobody."""
    await payment.receive(*a_group(), a_customer("C-4", name="Stranger"))
    await payment.turn("US01", D2)
    taught = (("BR-1", "C-1", "IBAN-X"), ("BR-2", "C-2", "IBAN-X"), ("BR-3", "C-1", "IBAN-Y"), ("BR-4", "C-4", "IBAN-Y"))
    for ref, customer, iban in taught:
        await payment.receive(an_entry(ref, "10.00", **pays_from(iban)))
        body = {"entity": "US01", "customer": customer, "reason": "CALLED_THEM", "learn": True}
        (alias,) = (await payment.post(f"/v1/receipts/{ref}/payer", body, key=ref)).json()["aliases"]
        await payment.post(f"/v1/aliases/{alias}/link", {"reason": "SURE"}, key=f"{ref}-link", roles=["approver"], sub="boss")
    await payment.turn("US01", D3)
    await payment.receive(an_entry("BR-5", "10.00", **pays_from("IBAN-X")), an_entry("BR-6", "10.00", **pays_from("IBAN-Y")))
    found = await accounts(payment)
    assert (found["BR-5"], found["BR-6"]) == ("GROUP", "receipt:BR-6")


async def test_the_name_of_a_child_recommends_its_account(payment: ServiceUnderTest) -> None:
    """PAY-06, PAY-11: with the items of all its children."""
    await payment.receive(*a_group())
    await payment.turn("US01", D2)
    await payment.receive(an_invoice("INV-2", "75.00", "C-2"), an_entry("BR-1", "75.00", **pays_from(name="Store number C-1")))
    await payment.turn("US01", D3)
    (one,) = (await payment.get("/v1/unidentified", entity="US01")).json()["receipts"]
    assert [(each["customer"], each["account"]) for each in one["customers"]][0] == ("C-1", "GROUP")
    (suggestion,) = one["suggestions"]
    assert (suggestion["account"], [part["item"] for part in suggestion["candidates"]]) == ("GROUP", ["US01|INV-2|1"])
    accepted = await payment.post(f"/v1/suggestions/{suggestion['suggestion']}/accept", {"reason": "SURE"}, key="1")
    assert accepted.status_code == 200, accepted.text
    assert await accounts(payment) == {"BR-1": "GROUP"}


async def test_a_regrouping_moves_nothing_that_is_here(payment: ServiceUnderTest) -> None:
    """PAY-11: money that names an old item follows it; money that names nothing goes to the new account."""
    await payment.receive(an_invoice("OLD", "40.00", "C-1", account="C-1"), an_entry("BR-1", "10.00", customer="C-1"), *a_group())
    await payment.turn("US01", D2)
    assert await accounts(payment) == {"BR-1": "C-1"}
    await payment.receive(an_entry("BR-2", "10.00", "OLD", **pays_from("IBAN-C-1")), an_entry("BR-3", "10.00", **pays_from("IBAN-C-1")))
    assert await accounts(payment) == {"BR-1": "C-1", "BR-2": "C-1", "BR-3": "GROUP"}
    (item,) = (await payment.get("/v1/items", entity="US01", account="C-1")).json()["items"]
    assert item["open"] == "20.00"


async def test_a_day_with_groups_ends_the_same_in_any_order(services: Services) -> None:
    """PAY-11, EVT-05: customers, documents and money of one day, shuffled, and twice what comes from outside."""
    advice = bank.RemittanceAdvised(
        entity="US01",
        advice_no="A-1",
        payment_ref="E2E-1",
        currency="USD",
        customer="C-3",
        lines=[bank.RemittanceLine(document_no="INV-3", amount="5.00")],
    )
    documents = [an_invoice("INV-1", "100.00", "C-1"), an_invoice("INV-2", "200.00", "C-2")]
    told = [
        a_customer("C-1", "IBAN-C-1", parent="ANOTHER"),
        a_customer("GROUP", "IBAN-GROUP", parent="HOLDING", name="Holding of stores"),
        an_entry("BR-1", "50.00", "INV-2", **pays_from("IBAN-C-1")),
        an_entry("BR-2", "120.00", customer="C-3"),
        an_entry("BR-3", "5.00", payment_ref="E2E-1"),
        an_entry("BR-4", "7.00", **pays_from("IBAN-UNKNOWN")),
        advice,
    ]
    ends = []
    for seed in range(4):
        payment = await services()
        await payment.receive(*a_group())
        await payment.turn("US01", D2)
        shuffled = [*documents, *(told * 2 if seed else told)]
        random.Random(seed).shuffle(shuffled)
        for fact in shuffled:
            await payment.receive(fact)
        await payment.turn("US01", D3)
        await payment.receive(an_entry("LATER", "9.00", customer="C-1"), an_entry("LAST", "9.00", customer="C-2"))
        balances = await payment.db.pool.fetch("SELECT item, account, open_minor FROM chk.item ORDER BY item")
        ends.append((await accounts(payment), [tuple(row) for row in balances]))
    assert ends[0][0] == {
        **{"BR-1": "GROUP", "BR-2": "GROUP", "BR-3": "GROUP", "BR-4": "receipt:BR-4"},
        **{"LATER": "ANOTHER", "LAST": "HOLDING"},
    }
    assert all(end == ends[0] for end in ends[1:])


async def test_accounts_of_one_group_are_those_whose_topmost_parent_is_the_same(payment: ServiceUnderTest) -> None:
    """PAY-11: by the parents booked before the day."""
    await payment.receive(*a_group())
    async with payment.db.transaction() as db:
        assert not await in_one_group(db, "US01", ["C-1", "C-2"], D1)
        assert await in_one_group(db, "US01", ["C-1", "C-2", "GROUP"], D2)
        assert not await in_one_group(db, "US01", ["C-1", "C-9"], D2)
        assert await in_one_group(db, "US01", ["C-9", "C-9"], D2)
        assert not await in_one_group(db, "JP01", ["C-1", "C-2"], D2)


async def test_a_customer_that_is_its_own_parent_is_refused(payment: ServiceUnderTest) -> None:
    """PAY-11, EVT-04"""
    await payment.receive(a_customer("C-1", "IBAN-1", parent="C-1"))
    (answer,) = payment.published(EntryRejected)
    assert answer.reasons == [Reason(code="PARENT_OF_ITSELF", field="parent")]
    assert await payment.db.pool.fetchval("SELECT count(*) FROM bank_account") == 0
