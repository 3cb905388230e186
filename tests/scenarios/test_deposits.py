"""PAY-16: a deposit for an order waits for the invoices of the order."""

from datetime import date

import pytest
from events.payment import OverpaymentDetected
from testkit.cash_stories import drawn_down
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY, CUSTOMER = "S16", "C-16D"


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """The world after the story."""
    world.tell(drawn_down(ENTITY))
    return world


def test_a_deposit_is_drawn_down_by_its_order_alone(told: World) -> None:
    """PAY-16: 700.00 of the first invoice of the order and 300.00 of the second; the older item stays open."""
    receipt = told.receipt(ENTITY, "BR-16D")
    paid = {one["item"].split("|")[1]: (one["amount"], one["effective_on"]) for one in receipt["applications"]}
    assert paid == {"INV-16B": ("700.00", "2026-02-09"), "INV-16C": ("300.00", "2026-02-16")}
    assert told.exposure(ENTITY, CUSTOMER) == "800.00"
    assert told.facts(OverpaymentDetected, ENTITY) == []


def test_until_then_it_is_on_account(told: World) -> None:
    """PAY-08, PAY-16"""
    before = told.balance(ENTITY, CUSTOMER, date(2026, 2, 8))
    assert (before["open"], before["on_account"], before["unapplied"]) == ("300.00", "1000.00", "0.00")
