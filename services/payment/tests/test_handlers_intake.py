"""What comes in: once, checked, refused for every reason, and nothing personal goes on."""

from datetime import date, timedelta
from typing import Any

import pytest
from events import bank, erp, invoice
from events.fact import Event
from events.payment import (
    EntryRejected,
    PaymentApplied,
    PaymentReceived,
)
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

D1 = date(2026, 1, 5)
D2 = date(2026, 1, 6)


def an_invoice(number: str, total: str, *, currency: str = "USD", entity: str = "US01") -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity=entity,
        invoice=f"{entity}|{number}",
        document_no=number,
        type="380",
        customer="C-1",
        account="C-1",
        currency=currency,
        issued_on=D1,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=D1, amount=total)],
    )


def an_entry(ref: str, amount: str, remittance: str | None = None, *, iban: str | None = None, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, remittance=remittance, debtor=bank.Debtor(iban=iban) if iban else None, **fields)


def a_customer(number: str, *bank_accounts: str) -> erp.CustomerUpserted:
    return erp.CustomerUpserted(entity="US01", customer=number, name="Somebody", bank_accounts=list(bank_accounts))


def facts_of(payment: ServiceUnderTest, kind: type[Event] | None = None) -> list[Any]:
    """What was published since the last look, with its envelopes."""
    return list(payment.published_envelopes(kind))


async def dispositions(payment: ServiceUnderTest, ref: str) -> dict[str, int]:
    """Where the money of a receipt is, without the empty places."""
    row = await payment.db.pool.fetchrow("SELECT * FROM chk.receipt WHERE receipt = $1", f"US01|{ref}")
    places = {name: row[f"{name}_minor"] for name in ("unidentified", "unapplied", "on_account", "applied")}
    assert sum(places.values()) == row["amount_minor"]
    return {name: minor for name, minor in places.items() if minor}


async def test_a_bank_account_identifies_from_the_next_opening_and_the_latest_list_counts(payment: ServiceUnderTest) -> None:
    """PAY-11: reference data counts from the next opening; of two lists of one day the same one wins in either order."""
    await payment.receive(a_customer("C-1", "IBAN-1"), a_customer("C-2", "IBAN-2"))
    await payment.receive(an_entry("BR-1", "10.00", iban="IBAN-1"))
    assert await dispositions(payment, "BR-1") == {"unidentified": 10_00}
    await payment.turn("US01", D2)
    await payment.receive(an_entry("BR-2", "10.00", iban="IBAN-2"), a_customer("C-2"))
    assert [one.account for one in payment.published(PaymentReceived)] == [None, "C-2"]
    await payment.turn("US01", D2 + timedelta(days=1))
    await payment.receive(an_entry("BR-3", "10.00", iban="IBAN-2"))
    assert [one.account for one in payment.published(PaymentReceived)] == [None]


async def test_only_equal_currencies_meet(payment: ServiceUnderTest) -> None:
    """PAY-07 and M7: dollars for an invoice in euros wait on the account."""
    await payment.receive(an_invoice("INV-1", "100.00", currency="EUR"))
    await payment.receive(an_entry("BR-1", "100.00", "INV-1"))
    assert payment.published(PaymentApplied) == []
    assert await dispositions(payment, "BR-1") == {"unapplied": 100_00}


async def test_yen_have_no_decimals(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "1000", currency="JPY", entity="JP01"), entity="JP01")
    await payment.receive(an_entry("BR-1", "400", "INV-1", entity="JP01", currency="JPY"), entity="JP01")
    assert [one.amount for one in payment.published(PaymentApplied)] == ["400"]


async def test_what_comes_twice_counts_once(payment: ServiceUnderTest) -> None:
    """Redelivered byte for byte, and sent again under another id."""
    await payment.receive(an_invoice("INV-1", "100.00"), an_entry("BR-1", "70.00", "INV-1"))
    await payment.receive_again()
    payment.published()
    await payment.receive(an_entry("BR-1", "70.00", "INV-1"))
    assert payment.published() == []
    assert await dispositions(payment, "BR-1") == {"applied": 70_00}
    assert await payment.db.pool.fetchval("SELECT count(*) FROM entry") == 1


async def test_another_content_under_the_same_reference_is_refused_also_within_one_batch(payment: ServiceUnderTest) -> None:
    await payment.receive(an_entry("BR-1", "70.00", "INV-1"), an_entry("BR-1", "70.0", "INV-1"), an_entry("BR-1", "71.00", "INV-1"))
    await payment.receive(an_entry("BR-1", "70.00", "INV-2"))
    rejected = payment.published(EntryRejected)
    assert [[reason.code for reason in one.reasons] for one in rejected] == [["CONFLICT"], ["CONFLICT"]]
    assert await dispositions(payment, "BR-1") == {"unidentified": 70_00}


async def test_an_entry_is_refused_for_every_reason_at_once_and_the_rest_goes_on(payment: ServiceUnderTest) -> None:
    await payment.receive(
        an_entry("BR|1", "-1.00", value_on=date(1969, 12, 31), customer=" C-1"),
        an_entry("BR-2", "1.005"),
        an_entry("BR-3", "0.00"),
        an_entry("BR-4", "1.00", currency="XXX"),
        an_entry("BR-5", "1.00", customer="C-1"),
    )
    facts = facts_of(payment)
    reasons = [{(reason.field, reason.code) for reason in one.data.reasons} for one in facts if isinstance(one.data, EntryRejected)]
    assert reasons == [
        {
            ("bank_ref", "BAD_IDENTIFIER"),
            ("customer", "BAD_IDENTIFIER"),
            ("amount", "AMOUNT_NOT_POSITIVE"),
            ("value_on", "DATE_OUT_OF_RANGE"),
        },
        {("amount", "AMOUNT_TOO_PRECISE")},
        {("amount", "AMOUNT_NOT_POSITIVE")},
        {("currency", "CURRENCY_UNKNOWN")},
    ]
    assert [one.data.receipt for one in facts if isinstance(one.data, PaymentReceived)] == ["US01|BR-5"]
    assert {one.envelope.key for one in facts if isinstance(one.data, EntryRejected)} >= {"US01|receipt:BR-2", "US01|receipt:BR-3"}


async def test_no_fact_and_no_key_carries_a_name_a_bank_account_or_free_text(payment: ServiceUnderTest) -> None:
    entry = an_entry("BR-1", "10.00", "from SECRET-77 for INV-1", iban="SECRET-78")
    await payment.receive(an_invoice("INV-1", "10.00"), entry, a_customer("C-1", "SECRET-79"))
    rows = await payment.db.pool.fetch("SELECT key, headers, value FROM chassis.outbox")
    assert rows
    assert not any(b"SECRET" in row["key"].encode() + row["headers"] + row["value"] for row in rows)
