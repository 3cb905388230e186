"""PAY-10: a bank takes money back, what it had paid stays paid, and the customer is billed the amount."""

from datetime import date

import pytest
from events.payment import PaymentReversed, PaymentReversedAsDebit
from testkit.cash_stories import billed_anew
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY, CUSTOMER = "S10D", "C-10D"
RETURNED_ON = date(2026, 3, 14)


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """The world after the story."""
    world.tell(billed_anew(ENTITY))
    return world


def test_the_items_stay_paid_and_a_debit_memo_is_there_two_days_later(told: World) -> None:
    """PAY-10: due on the day the money was taken back, beside the fee."""
    assert told.open_of(ENTITY, CUSTOMER) == {
        "INV-1D|1": "0.00",
        "INV-2D|1": "0.00",
        "FEE-BR-10D|1": "35.00",
        "RETURN-BR-10D|1": "1000.00",
    }
    memo = told.read("invoice", "/v1/debit-memos/RETURN-BR-10D", ENTITY)
    assert (memo["total"], memo["issued_on"], memo["origin"], memo["origin_id"]) == (
        "1000.00",
        str(RETURNED_ON),
        "returned_payment",
        f"{ENTITY}|BR-10D",
    )
    aged = told.aging(ENTITY, RETURNED_ON)[CUSTOMER, "USD"]
    assert (aged["buckets"]["1-30"], aged["buckets"]["current"], aged["open"]) == ("0.00", "1035.00", "1035.00")
    assert told.exposure(ENTITY, CUSTOMER) == "1035.00"


def test_the_money_is_told_as_billed_anew_and_not_as_gone(told: World) -> None:
    """PAY-02, PAY-10"""
    receipt = told.receipt(ENTITY, "BR-10D")
    assert (receipt["applied"], receipt["returned"], receipt["debited_on"]) == ("1000.00", "0.00", str(RETURNED_ON))
    assert told.facts(PaymentReversed, ENTITY) == []
    (anew,) = told.facts(PaymentReversedAsDebit, ENTITY)
    assert (anew.amount, anew.kind, anew.reason_code, anew.fee) == ("1000.00", "nsf", "R01", "35.00")
