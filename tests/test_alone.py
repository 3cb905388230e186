"""A service works without the others: topics of services that are not deployed are not waited for (docs/messaging.md section 10)."""

from datetime import date

import pytest
from testkit.ingress import a_customer, a_receipt, an_invoice
from testkit.world import House, running

pytestmark = pytest.mark.scenario
ENTITY, DAY = "ALONE", date(2026, 4, 1)


def test_payment_alone_owns_the_calendar_and_takes_receipts() -> None:
    """PAY-01, PAY-02: days open and close, money is recorded, and the payer is known by what the ERP said of its customers."""
    with running([House(ENTITY, DAY)], deployed=["payment"]) as world:
        world.publish(a_customer(ENTITY, "C-1", "XA01"))
        world.start_day(ENTITY, DAY)
        world.publish(a_receipt(ENTITY, "BR-1", "5.00", value_on=DAY, iban="XA01"), a_receipt(ENTITY, "BR-2", "6.00", value_on=DAY))
        world.close_day(ENTITY, DAY)

        assert world.services == ("payment",)
        assert (world.receipt(ENTITY, "BR-1")["account"], world.receipt(ENTITY, "BR-1")["unapplied"]) == ("C-1", "5.00")
        assert (world.receipt(ENTITY, "BR-2")["account"], world.receipt(ENTITY, "BR-2")["unidentified"]) == (None, "6.00")
        (balance,) = world.read("payment", "/v1/accounts/C-1", ENTITY)["balances"]
        assert balance["unapplied"] == "5.00"


def test_invoice_and_reporting_age_what_was_billed_without_the_other_three() -> None:
    """RPT-01: all that is billed is open."""
    with running([House(ENTITY, DAY)], deployed=["invoice", "reporting"]) as world:
        world.start_day(ENTITY, DAY)
        world.publish(an_invoice(ENTITY, "INV-1", "C-1", "7.00", issued_on=DAY, due_on=DAY))
        world.close_day(ENTITY, date(2026, 4, 3))

        (row,) = world.aging(ENTITY, date(2026, 4, 3)).values()
        assert (row["open"], row["buckets"]["1-30"]) == ("7.00", "7.00")
