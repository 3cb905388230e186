"""Receipts without a payer: the worklist, a person's word, and what is learned from it (PAY-11)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from events import bank, erp, invoice
from events.payment import PayerIdentified, PaymentApplied, PaymentReceived
from testkit.service import FIRST_DAY, ServiceUnderTest

pytestmark = pytest.mark.db

D1, D2, D3, D4 = (FIRST_DAY + timedelta(days=n) for n in range(4))


def an_invoice(number: str, total: str, account: str = "C-1") -> invoice.InvoiceIssued:
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
        instalments=[invoice.Instalment(n=1, due_on=D1, amount=total)],
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, *, name: str | None = None, iban: str | None = None) -> bank.EntryBooked:
    return bank.EntryBooked(
        entity="US01",
        account_ref="OUR-1",
        bank_ref=ref,
        value_on=D1,
        amount=amount,
        currency="USD",
        debtor=bank.Debtor(name=name, iban=iban),
        remittance=remittance,
    )


def a_customer(number: str, name: str, *bank_accounts: str) -> erp.CustomerUpserted:
    return erp.CustomerUpserted(entity="US01", customer=number, name=name, bank_accounts=list(bank_accounts))


async def worklist(payment: ServiceUnderTest) -> dict[str, dict[str, Any]]:
    shown = (await payment.get("/v1/unidentified", entity="US01")).json()
    return {one["bank_ref"]: one for one in shown["receipts"]}


async def identify(payment: ServiceUnderTest, ref: str, customer: str, *, key: str = "i", learn: bool = False) -> Any:
    body = {"entity": "US01", "customer": customer, "reason": "CALLED_THEM", "learn": learn}
    return await payment.post(f"/v1/receipts/{ref}/payer", body, key=key)


async def texts(payment: ServiceUnderTest) -> int:
    return await payment.db.pool.fetchval("SELECT count(*) FROM receipt_text")  # type: ignore[no-any-return]


async def test_the_worklist_tells_age_text_and_who_may_have_paid_what(payment: ServiceUnderTest) -> None:
    """PAY-11: names count from the next opening; one edit in eight characters."""
    await payment.receive(a_customer("C-1", "Nordwind GmbH"), a_customer("C-2", "Südwind AG"), an_invoice("INV-1", "75.00"))
    await payment.receive(an_entry("BR/1", "75.00", "for the bicycle", name="NORDWINT"))
    await payment.turn("US01", D3)
    (one,) = (await worklist(payment)).values()
    assert (one["age_days"], one["amount"], one["debtor_name"], one["remittance"]) == (2, "75.00", "NORDWINT", "for the bicycle")
    assert one["customers"] == [{"customer": "C-1", "account": "C-1", "score": "0.8750", "reasons": ["NAME=0.8750"]}]
    (suggestion,) = one["suggestions"]
    assert (suggestion["account"], suggestion["rule"], suggestion["score"]) == ("C-1", "exact_amount", "0.9500")


async def test_a_person_identifies_a_payer_as_of_the_original_value_date(payment: ServiceUnderTest) -> None:
    """PAY-08, PAY-11: identified on the third day, effective on the first."""
    await payment.receive(an_invoice("INV-1", "75.00"), an_entry("BR/1", "75.00", name="Somebody"))
    await payment.turn("US01", D3)
    payment.published()
    assert (await identify(payment, "BR/1", "C-1")).json() == {"receipt": "US01|BR/1", "account": "C-1", "aliases": []}
    facts = payment.published_envelopes()
    assert [(type(one.data), one.envelope.booked_on, one.envelope.effective_on) for one in facts] == [
        (PayerIdentified, D3, D1),
        (PaymentApplied, D3, D1),
    ]
    assert [one.data.by for one in facts if isinstance(one.data, PayerIdentified)] == ["person"]
    assert await worklist(payment) == {}
    assert (await identify(payment, "BR/1", "C-1", key="j")).json()["code"] == "PAYER_KNOWN"
    assert (await identify(payment, "BR-9", "C-1", key="k")).json()["code"] == "RECEIPT_UNKNOWN"
    assert await payment.db.pool.fetchrow("SELECT account, reason, decided_by FROM identification") == ("C-1", "CALLED_THEM", "clerk-1")


async def test_of_two_people_who_name_different_payers_one_is_heard(payment: ServiceUnderTest) -> None:
    """PAY-11 under races."""
    await payment.receive(a_customer("C-1", "One"), a_customer("C-2", "Two"), an_entry("BR-1", "75.00"))
    answers = await asyncio.gather(*[identify(payment, "BR-1", f"C-{n}", key=f"k{n}") for n in (1, 2)])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await payment.db.pool.fetchval("SELECT count(*) FROM identification") == 1


async def test_only_customers_who_are_known_here_can_have_paid(payment: ServiceUnderTest) -> None:
    await payment.receive(an_entry("BR-1", "75.00"), a_customer("C-7", "Seven"))
    assert (await identify(payment, "BR-1", "C-8")).json()["code"] == "CUSTOMER_UNKNOWN"
    assert (await identify(payment, "BR-1", "receipt:BR-1", key="b")).status_code == 422
    assert (await identify(payment, "BR-1", "C-7", key="c")).status_code == 200


async def test_a_document_that_comes_later_does_not_overrule_a_person(payment: ServiceUnderTest) -> None:
    """PAY-11: the remittance names INV-2 of C-2, which comes after somebody has said that C-1 paid."""
    await payment.receive(an_invoice("INV-1", "75.00"), an_entry("BR-1", "75.00", "INV-2"))
    await identify(payment, "BR-1", "C-1")
    await payment.receive(an_invoice("INV-2", "75.00", "C-2"))
    assert (await payment.get("/v1/receipts/BR-1", entity="US01")).json()["account"] == "C-1"


async def test_what_was_learned_identifies_only_when_somebody_else_has_linked_it(payment: ServiceUnderTest) -> None:
    """PAY-11: PENDING recommends, LINKED identifies from the next opening, what waits and what comes."""
    await payment.receive(a_customer("C-1", "Nordwind"), an_entry("BR-1", "10.00", iban="IBAN-1", name="Pays For Others Ltd"))
    (bank_account, name) = (await identify(payment, "BR-1", "C-1", learn=True)).json()["aliases"]
    await payment.receive(an_entry("BR-2", "20.00", iban="IBAN-1"), an_entry("BR-3", "30.00", name="PAYS FOR OTHERS"))
    await payment.turn("US01", D2)
    waiting = await worklist(payment)
    assert {ref: one["customers"] for ref, one in waiting.items()} == {
        "BR-2": [{"customer": "C-1", "account": "C-1", "score": "0.8000", "reasons": ["ALIAS=bank_account"]}],
        "BR-3": [{"customer": "C-1", "account": "C-1", "score": "0.8000", "reasons": ["ALIAS=name"]}],
    }
    own = await payment.post(f"/v1/aliases/{name}/link", {"reason": "SURE"}, key="1", roles=["approver"], sub="clerk-1")
    assert (own.status_code, own.json()["code"]) == (403, "MAKER_IS_CHECKER")
    linked = await payment.post(f"/v1/aliases/{name}/link", {"reason": "SURE"}, key="2", roles=["approver"], sub="boss")
    assert (linked.json()["state"], linked.json()["name"], linked.json()["decided_by"]) == ("LINKED", "for others pays", "boss")
    payment.published()
    await payment.turn("US01", D3)
    (identified,) = payment.published(PayerIdentified)
    assert (identified.receipt, identified.account, identified.by, identified.value_on) == ("US01|BR-3", "C-1", "alias", D1)
    shown = (await payment.get("/v1/aliases", entity="US01", state="PENDING")).json()["aliases"]
    assert [(one["alias"], one["kind"], one["name"]) for one in shown] == [(bank_account, "bank_account", None)]


async def test_a_linked_alias_identifies_what_comes_and_an_unlinked_one_no_more(payment: ServiceUnderTest) -> None:
    """PAY-11"""
    await payment.receive(a_customer("C-1", "Nordwind"), an_entry("BR-1", "10.00", iban="IBAN-1"))
    (alias,) = (await identify(payment, "BR-1", "C-1", learn=True)).json()["aliases"]
    await payment.post(f"/v1/aliases/{alias}/link", {"reason": "SURE"}, key="l", roles=["approver"], sub="boss")
    await payment.turn("US01", D2)
    payment.published()
    await payment.receive(an_entry("BR-2", "20.00", iban="IBAN-1"))
    assert [one.account for one in payment.published(PaymentReceived)] == ["C-1"]
    await payment.post(f"/v1/aliases/{alias}/unlink", {"reason": "MOVED"}, key="u")
    await payment.receive(an_entry("BR-3", "20.00", iban="IBAN-1"))
    assert [one.account for one in payment.published(PaymentReceived)] == ["C-1"]  # Until the day is over.
    await payment.turn("US01", D3)
    await payment.receive(an_entry("BR-4", "20.00", iban="IBAN-1"))
    assert [one.account for one in payment.published(PaymentReceived)] == [None]
    again = await payment.post(f"/v1/aliases/{alias}/unlink", {"reason": "MOVED"}, key="v")
    assert (again.status_code, again.json()["code"]) == (409, "ALIAS_DECIDED")
    assert (await payment.post("/v1/aliases/99/unlink", {"reason": "MOVED"}, key="w")).status_code == 404


async def test_an_alias_of_two_accounts_identifies_nobody(payment: ServiceUnderTest) -> None:
    """PAY-11: money is not guessed."""
    await payment.receive(a_customer("C-1", "One"), a_customer("C-2", "Two"))
    await payment.receive(an_entry("BR-1", "10.00", iban="IBAN-1"), an_entry("BR-2", "10.00", iban="IBAN-1"))
    for n in (1, 2):
        (alias,) = (await identify(payment, f"BR-{n}", f"C-{n}", key=f"i{n}", learn=True)).json()["aliases"]
        await payment.post(f"/v1/aliases/{alias}/link", {"reason": "SURE"}, key=f"l{n}", roles=["approver"], sub="boss")
    await payment.receive(an_entry("BR-3", "10.00", iban="IBAN-1"))
    payment.published()
    await payment.turn("US01", D2)
    assert payment.published(PayerIdentified) == []


async def test_texts_are_kept_only_while_money_is_not_placed(payment: ServiceUnderTest) -> None:
    """What a payer wrote is forgotten when the day turns after its money was placed; names never travel."""
    await payment.receive(an_invoice("INV-1", "75.00"), a_customer("C-1", "SECRET-1"))
    await payment.receive(an_entry("BR-1", "75.00", "INV-1 SECRET-2", name="SECRET-3"), an_entry("BR-2", "5.00", "SECRET-4"))
    assert await texts(payment) == 2
    await payment.turn("US01", D2)
    assert await texts(payment) == 1
    await payment.receive(an_invoice("INV-2", "5.00"))
    await identify(payment, "BR-2", "C-1", learn=True)
    await payment.turn("US01", D3)
    assert await texts(payment) == 0
    rows = await payment.db.pool.fetch("SELECT key, headers, value FROM chassis.outbox")
    assert rows
    assert not any(b"SECRET" in row["key"].encode() + row["headers"] + row["value"] for row in rows)


async def test_of_two_names_of_one_day_the_same_one_counts_in_either_order(payment: ServiceUnderTest) -> None:
    await payment.receive(a_customer("C-1", "Alpha"))
    await payment.receive(a_customer("C-1", "Omega"))
    await payment.receive(a_customer("C-2", "Omega"))
    await payment.receive(a_customer("C-2", "Alpha"))
    await payment.turn("US01", D2)
    await payment.receive(a_customer("C-1", "Omega"))
    rows = await payment.db.pool.fetch("SELECT customer, name, booked_on FROM customer_name ORDER BY customer")
    assert [tuple(row) for row in rows] == [("C-1", "omega", D1), ("C-2", "omega", D1)]
