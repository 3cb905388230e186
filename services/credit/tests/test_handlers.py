"""What facts do to exposure, seen through the view that outside checkers read."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

import pytest
from credit.domain import NOTHING
from credit.handlers import components_moved
from events import invoice, payment
from events.fact import Event
from hypothesis import given
from hypothesis import strategies as st
from testkit.service import ServiceUnderTest

JANUARY_5 = date(2026, 1, 5)


def an_invoice(total: str, *, account: str = "C-1", currency: str = "USD", document_no: str = "INV-1", entity: str = "US01") -> Event:
    return invoice.InvoiceIssued(
        entity=entity,
        invoice=f"{entity}|{document_no}",
        document_no=document_no,
        type="380",
        customer=account,
        account=account,
        currency=currency,
        issued_on=JANUARY_5,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=date(2026, 2, 4), amount=total)],
    )


def a_memo(total: str, *, document_no: str = "CM-1") -> Event:
    return invoice.CreditMemoIssued(
        entity="US01",
        memo=f"US01|{document_no}",
        document_no=document_no,
        type="381",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=JANUARY_5,
        total=total,
    )


def _settlement(amount: str) -> dict[str, Any]:
    return {
        "entity": "US01",
        "item": "US01|INV-1|1",
        "invoice": "US01|INV-1",
        "customer": "C-1",
        "account": "C-1",
        "currency": "USD",
        "due_on": date(2026, 2, 4),
        "amount": amount,
    }


def a_payment_applied(amount: str) -> Event:
    return payment.PaymentApplied(application=f"A-{amount}", receipt="US01|R-1", rule="reference", **_settlement(amount))


def a_credit_applied(amount: str) -> Event:
    return payment.CreditApplied(application=f"A-{amount}", memo="US01|CM-1", rule="reference", **_settlement(amount))


def a_payment_reversed(amount: str) -> Event:
    return payment.ApplicationReversed(application=f"A-{amount}", receipt="US01|R-1", reason="reordered", **_settlement(amount))


def a_credit_reversed(amount: str) -> Event:
    return payment.ApplicationReversed(application=f"A-{amount}", memo="US01|CM-1", reason="worth_less", **_settlement(amount))


def a_debit_memo(total: str) -> Event:
    return invoice.DebitMemoIssued(
        entity="US01",
        invoice="US01|DM-1",
        document_no="DM-1",
        type="383",
        customer="C-1",
        account="C-1",
        currency="USD",
        issued_on=JANUARY_5,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=date(2026, 2, 4), amount=total)],
    )


def a_void(total: str) -> Event:
    return invoice.InvoiceVoided(
        entity="US01",
        invoice="US01|DM-1",
        document_no="DM-1",
        customer="C-1",
        account="C-1",
        currency="USD",
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=date(2026, 2, 4), amount=total)],
    )


def a_write_off(amount: str) -> Event:
    return payment.AdjustmentPosted(adjustment="US01|WO-1", kind="bad_debt", tax="0.00", **_settlement(amount))


def a_recovery(amount: str) -> Event:
    return payment.AdjustmentReversed(adjustment="US01|WO-1", kind="bad_debt", tax="0.00", reason="recovered", **_settlement(amount))


def a_discount(amount: str) -> Event:
    return payment.DiscountGranted(discount="D-1", receipt="US01|R-1", tax="0.00", kind="earned", **_settlement(amount))


def a_discount_revoked(amount: str) -> Event:
    return payment.DiscountRevoked(discount="D-1", receipt="US01|R-1", tax="0.00", kind="earned", reason="returned", **_settlement(amount))


def money_put_on_account(amount: str) -> Event:
    return payment.OnAccountCredited(entity="US01", receipt="US01|R-1", account="C-1", currency="USD", amount=amount)


def money_taken_off_account(amount: str) -> Event:
    return payment.ReceiptUnapplied(entity="US01", receipt="US01|R-1", account="C-1", currency="USD", amount=amount)


A_DAY: Sequence[Event] = (
    an_invoice("1200.00"),
    a_memo("300.00"),
    a_credit_applied("300.00"),
    a_payment_applied("900.00"),
    money_put_on_account("300.00"),
    a_payment_reversed("900.00"),
    a_credit_reversed("300.00"),
    money_taken_off_account("100.00"),
    a_debit_memo("40.00"),
    a_void("40.00"),
    a_write_off("80.00"),
    a_recovery("30.00"),
    a_discount("24.00"),
    a_discount_revoked("4.00"),
)
AFTER_THE_DAY = (1130_00, 200_00, 300_00, 630_00)
"""Open, on-account, memo credit and exposure that A_DAY leaves."""


async def exposures(credit: ServiceUnderTest) -> dict[tuple[str, str, str], tuple[int, int, int, int]]:
    rows = await credit.db.pool.fetch("SELECT * FROM chk.exposure")
    return {
        (row["entity"], row["account"], row["currency"]): (
            row["open_minor"],
            row["on_account_minor"],
            row["memo_minor"],
            row["exposure_minor"],
        )
        for row in rows
    }


@given(st.permutations(A_DAY))
def test_the_facts_of_a_day_move_the_same_in_any_order(day: list[Event]) -> None:
    """CRD-02, A14."""
    components = sum((components_moved(fact) for fact in day), NOTHING)  # type: ignore[arg-type]
    assert (components.open_minor, components.on_account_minor, components.memo_minor, components.exposure_minor) == AFTER_THE_DAY


@pytest.mark.db
@pytest.mark.parametrize("seed", range(3))
async def test_a_day_delivered_fact_by_fact_in_any_order_ends_in_the_same_exposure(credit: ServiceUnderTest, seed: int) -> None:
    """CRD-02, A14: applications come before their invoice, credit before its memo, on-account money leaves before it came."""
    shuffled = list(A_DAY)
    Random(seed).shuffle(shuffled)
    for fact in shuffled:
        await credit.receive(fact)

    assert await exposures(credit) == {("US01", "C-1", "USD"): AFTER_THE_DAY}


@pytest.mark.db
async def test_facts_delivered_again_move_nothing(credit: ServiceUnderTest) -> None:
    """CRD-02: duplicates cannot inflate a component."""
    await credit.receive(*A_DAY)

    await credit.receive_again()

    assert await exposures(credit) == {("US01", "C-1", "USD"): AFTER_THE_DAY}


@pytest.mark.db
async def test_entities_accounts_and_currencies_never_meet(credit: ServiceUnderTest) -> None:
    """CRD-01."""
    await credit.receive(an_invoice("10.00"), an_invoice("1000", currency="JPY", document_no="INV-2"))
    await credit.receive(an_invoice("20.00", account="C-2", document_no="INV-3"))
    await credit.receive(an_invoice("500", currency="JPY", document_no="INV-1", entity="JP01"), entity="JP01")

    assert await exposures(credit) == {
        ("US01", "C-1", "USD"): (1000, 0, 0, 1000),
        ("US01", "C-1", "JPY"): (1000, 0, 0, 1000),
        ("US01", "C-2", "USD"): (2000, 0, 0, 2000),
        ("JP01", "C-1", "JPY"): (500, 0, 0, 500),
    }


@pytest.mark.db
async def test_exposure_moves_when_money_is_applied_or_put_on_account(credit: ServiceUnderTest) -> None:
    """CRD-02, A12 for the components there are: 32,000.00 open and 1,500.00 on-account, then 5,000.00 applied."""
    await credit.receive(an_invoice("32000.00"), money_put_on_account("1500.00"))
    assert (await exposures(credit))["US01", "C-1", "USD"][3] == 30_500_00

    await credit.receive(
        payment.PaymentReceived(
            entity="US01",
            receipt="US01|R-2",
            method="bank",
            amount="5000.00",
            currency="USD",
            value_on=JANUARY_5,
            bank_ref="R-2",
            account="C-1",
        )
    )
    assert (await exposures(credit))["US01", "C-1", "USD"][3] == 30_500_00

    await credit.receive(a_payment_applied("5000.00"))
    assert (await exposures(credit))["US01", "C-1", "USD"] == (27_000_00, 1_500_00, 0, 25_500_00)


@pytest.mark.db
async def test_a_returned_payment_raises_exposure_with_its_discount_and_its_fee(credit: ServiceUnderTest) -> None:
    """CRD-02, PAY-10, A6: paid and discounted, none; returned, 1,000.00 and the fee of 35.00. Money that left moves nothing more."""
    await credit.receive(an_invoice("1000.00"), a_payment_applied("980.00"), a_discount("20.00"), money_put_on_account("50.00"))
    assert (await exposures(credit))["US01", "C-1", "USD"] == (0, 50_00, 0, -50_00)

    await credit.receive(a_payment_reversed("980.00"), a_discount_revoked("20.00"), money_taken_off_account("50.00"))
    await credit.receive(
        payment.PaymentReversed(
            entity="US01", receipt="US01|R-1", currency="USD", amount="1030.00", kind="nsf", value_on=JANUARY_5, account="C-1", fee="35.00"
        )
    )
    await credit.receive(a_debit_memo("35.00"))
    assert (await exposures(credit))["US01", "C-1", "USD"] == (1035_00, 0, 0, 1035_00)


@pytest.mark.db
async def test_a_fact_with_a_broken_amount_stands_aside_and_the_rest_counts(credit: ServiceUnderTest) -> None:
    await credit.receive(an_invoice("10.00"), an_invoice("ten", account="C-2", document_no="INV-2"))

    assert await exposures(credit) == {("US01", "C-1", "USD"): (1000, 0, 0, 1000)}
    assert await credit.db.pool.fetchval("SELECT count(*) FROM chk.parked") == 1
