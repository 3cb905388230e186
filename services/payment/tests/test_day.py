"""A turning day judges accounts by the books that closed, and only then gives money that finds its payer to them."""

from datetime import date, timedelta

import pytest
from events import bank, erp, invoice
from events.payment import InstalmentOverdue, PayerIdentified, PaymentApplied
from payment.handlers.day import find_accounts
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
NEXT = DAY + timedelta(days=1)
IBAN = "DE02120300000000202051"


def an_invoice(account: str, issued_on: date = DAY) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|INV-{account}",
        document_no=f"INV-{account}",
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=issued_on,
        total="300.00",
        instalments=[invoice.Instalment(n=1, due_on=issued_on, amount="300.00")],
    )


def an_entry(ref: str) -> bank.EntryBooked:
    return bank.EntryBooked(
        entity="US01",
        account_ref="OUR-1",
        bank_ref=ref,
        value_on=DAY,
        amount="300.00",
        currency="USD",
        debtor=bank.Debtor(iban=IBAN),
        remittance="thank you",
    )


async def test_money_that_finds_its_payer_on_a_day_does_not_settle_what_was_overdue_when_it_began(payment: ServiceUnderTest) -> None:
    """INV-03, PAY-02: whatever the account is called, it was overdue when the day before closed."""
    await payment.receive(
        an_invoice("A"),
        an_invoice("z"),
        an_entry("BR-1"),
        erp.CustomerUpserted(entity="US01", customer="z", name="Z", bank_accounts=[IBAN]),
    )
    payment.published()
    await payment.turn("US01", NEXT)
    told = payment.published()
    assert [one.item for one in told if isinstance(one, InstalmentOverdue)] == ["US01|INV-A|1", "US01|INV-z|1"]
    assert [one.account for one in told if isinstance(one, PayerIdentified)] == ["z"]
    assert [one.item for one in told if isinstance(one, PaymentApplied)] == ["US01|INV-z|1"]


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
async def test_every_name_is_listed_once_whatever_the_size_of_a_chunk(payment: ServiceUnderTest, limit: int) -> None:
    """Accounts before receipts without a payer, which stand in the middle of the alphabet."""
    await payment.receive(*(an_invoice(name) for name in ("a", "Z", "s", "receipts")))
    await payment.receive(an_entry("BR-2"), an_entry("BR-1"))
    await payment.receive(erp.CustomerUpserted(entity="US01", customer="s", name="S", bank_accounts=[IBAN]))
    listed: list[str] = []
    async with payment.db.pool.acquire() as db:
        while names := await find_accounts(db, "US01", NEXT, listed[-1] if listed else "", limit):
            assert len(names) == limit or len(listed) + len(names) == 6
            listed += names
    assert listed == ["Z", "a", "receipts", "s", "receipt:BR-1", "receipt:BR-2"]
