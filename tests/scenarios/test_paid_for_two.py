"""PAY-11: a receipt that names documents of two customers pays both the next morning; the bank takes it back from both."""

from datetime import date

import pytest
from events.payment import MoneyTransferredIn, MoneyTransferredOut, PaymentReversed
from testkit.cash_stories import paid_for_two
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY, FIRST, OTHER = "S12", "C-12A", "C-12B"
PAID_ON, BEFORE, RETURNED_ON = (date(2026, 2, n) for n in (3, 5, 6))


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """The world after the story."""
    world.tell(paid_for_two(ENTITY))
    return world


def test_the_next_morning_both_are_paid_as_of_the_value_date(told: World) -> None:
    """PAY-11, RPT-01: neither owes anything from then on, nor has anything with us."""
    (out,), (came,) = told.facts(MoneyTransferredOut, ENTITY), told.facts(MoneyTransferredIn, ENTITY)
    assert (out.account, out.to_account, out.amount, out.by) == (FIRST, OTHER, "60.00", "reference")
    assert (came.account, came.receipt, came.value_on, came.references) == (OTHER, f"{ENTITY}|BR-12/to/{OTHER}/1", PAID_ON, ["INV-12B"])
    for customer in (FIRST, OTHER):
        for as_of in (PAID_ON, BEFORE):
            left = told.balance(ENTITY, customer, as_of)
            assert (left["open"], left["unapplied"], left["on_account"]) == ("0.00", "0.00", "0.00")


def test_before_the_day_had_turned_all_of_it_was_the_first_one_s(told: World) -> None:
    """PAY-11, RPT-02: as it was known on the day it came."""
    known = {customer: row for (customer, _), row in told.aging(ENTITY, PAID_ON, known_at=PAID_ON).items()}
    assert (known[FIRST]["open"], known[FIRST]["on_account"], known[OTHER]["open"]) == ("0.00", "60.00", "60.00")


def test_both_are_open_again_when_the_bank_has_taken_it_back_and_the_fee_is_billed_once(told: World) -> None:
    """PAY-02, PAY-10: the parts add up to the receipt."""
    gone = {one.account: (one.amount, one.fee) for one in told.facts(PaymentReversed, ENTITY)}
    assert gone == {FIRST: ("100.00", "35.00"), OTHER: ("60.00", None)}
    assert {one: told.balance(ENTITY, one, RETURNED_ON)["open"] for one in (FIRST, OTHER)} == {FIRST: "135.00", OTHER: "60.00"}
    first, part = told.receipt(ENTITY, "BR-12"), told.receipt(ENTITY, f"BR-12/to/{OTHER}/1")
    assert (first["returned"], first["transferred"], part["returned"]) == ("100.00", "60.00", "60.00")
    assert (told.exposure(ENTITY, FIRST), told.exposure(ENTITY, OTHER)) == ("135.00", "60.00")
