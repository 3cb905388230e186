"""A6: a bank takes money back that had paid two items."""

from datetime import date

import pytest
from events.payment import PaymentReversed
from testkit.cash_stories import returned
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY, CUSTOMER = "S06R", "C-6R"
BEFORE, RETURNED_ON = date(2026, 3, 12), date(2026, 3, 14)


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """The world after the story."""
    world.tell(returned(ENTITY))
    return world


def test_a6_both_items_are_open_again_with_their_own_due_dates_and_the_fee_is_owed(told: World) -> None:
    """A6, PAY-10: nothing on the 12th; 1 000.00 at 13 days and 35.00 current on the 14th."""
    assert (CUSTOMER, "USD") not in told.aging(ENTITY, BEFORE)
    aged = told.aging(ENTITY, RETURNED_ON)[CUSTOMER, "USD"]
    assert (aged["buckets"]["1-30"], aged["buckets"]["current"], aged["open"]) == ("1000.00", "35.00", "1035.00")
    assert told.exposure(ENTITY, CUSTOMER) == "1035.00"


def test_a6_the_money_is_gone_and_the_return_that_was_told_twice_is_told_once(told: World) -> None:
    """A6, PAY-02, PAY-10"""
    receipt = told.receipt(ENTITY, "BR-6R")
    assert (receipt["amount"], receipt["returned"], receipt["applications"]) == ("1000.00", "1000.00", [])
    (reversed_,) = told.facts(PaymentReversed, ENTITY)
    assert (reversed_.amount, reversed_.kind, reversed_.reason_code, reversed_.fee) == ("1000.00", "nsf", "R01", "35.00")
    assert reversed_.reopened == [f"{ENTITY}|INV-6R|1", f"{ENTITY}|INV-7R|1"]


def test_a6_the_items_are_back_at_level_1_and_level_2_comes_20_days_after_they_were_due(told: World) -> None:
    """A6, COL-01, COL-02: not 0, and not before 21 March."""
    sent = [(one["noticed_on"], one["level"], one["total"]) for one in told.notices(ENTITY, CUSTOMER)]
    assert sent[0] == ("2026-03-06", 1, "1000.00")
    assert [one for one in sent if one[1] == 2][0][:2] == ("2026-03-21", 2)
