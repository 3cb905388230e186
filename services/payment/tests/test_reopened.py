"""What is open of an item again was not open before: money that pays it then counts from there, whatever its value date."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest
from events import bank, invoice
from events.payment import CreditApplied, PaymentApplied
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

Balance = Callable[[ServiceUnderTest], Awaitable[None]]
D1, D2, D3, D4, D5 = (date(2026, 1, 5) + timedelta(days=n) for n in range(5))


def an_invoice() -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice="US01|INV-1",
        document_no="INV-1",
        type="380",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=D1,
        total="100.00",
        instalments=[invoice.Instalment(n=1, due_on=D1 + timedelta(days=30), amount="100.00")],
    )


def an_entry(ref: str, value_on: date, amount: str = "100.00") -> bank.EntryBooked:
    """Money of a date for the invoice."""
    fields = {"entity": "US01", "account_ref": "OUR-1", "amount": amount, "currency": "USD", "remittance": "INV-1"}
    return bank.EntryBooked(bank_ref=ref, value_on=value_on, **fields)


def a_return(of: str, on: date) -> bank.EntryReturned:
    fields = {"entity": "US01", "account_ref": "OUR-1", "amount": "100.00", "currency": "USD", "kind": "nsf"}
    return bank.EntryReturned(bank_ref=f"RT-{of}", returned_bank_ref=of, value_on=on, **fields)


def counted_from(payment: ServiceUnderTest) -> list[date]:
    """The effective dates of what was applied since the last look."""
    return [one.envelope.effective_on for one in payment.published_envelopes(PaymentApplied)]


@pytest.mark.parametrize("comes_on", [D4, D5])
async def test_money_pays_what_a_return_opened_again_not_before_it_was_open(
    payment: ServiceUnderTest, assert_books_balance: Balance, comes_on: date
) -> None:
    """PAY-08, PAY-10: money of the 6th, on the day of the return and on a later one, for what was paid until the 7th."""
    await payment.receive(an_invoice(), an_entry("BR-1", D1))
    await payment.turn("US01", D4)
    await payment.receive(a_return("BR-1", D3))
    if comes_on > D4:
        await payment.turn("US01", comes_on)
    payment.published()

    await payment.receive(an_entry("BR-2", D2))

    assert counted_from(payment) == [D3]
    await assert_books_balance(payment)


async def test_what_a_memo_took_off_only_until_a_person_took_the_memo_off_has_opened_nothing(
    payment: ServiceUnderTest, assert_books_balance: Balance
) -> None:
    """PAY-08, A14: on the third day 10.00 were given back for a while; the 40.00 that are open were so all along."""
    memo = invoice.CreditMemoIssued(
        entity="US01",
        memo="US01|CM-1",
        document_no="CM-1",
        type="381",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=D3,
        total="50.00",
        ref_invoice="US01|INV-1",
    )
    await payment.receive(an_invoice(), an_entry("BR-1", D1, "60.00"))
    await payment.turn("US01", D3)
    await payment.receive(memo)
    (credit,) = payment.published(CreditApplied)
    taken_off = {"entity": "US01", "effective_on": str(D3), "reason": "WRONG_INVOICE"}
    assert (await payment.post(f"/v1/applications/{credit.application}/unapply", taken_off, key="off")).status_code == 200
    assert [one.amount for one in payment.published(PaymentApplied)] == ["10.00"]
    await payment.turn("US01", D4)

    await payment.receive(an_entry("BR-2", D2))

    assert counted_from(payment) == [D2]
    await assert_books_balance(payment)
