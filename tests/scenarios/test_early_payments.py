"""A2: an invoice with a discount for paying early is paid in time, in parts, short, and late."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from events.payment import AdjustmentPosted, DiscountGranted, ShortPaymentDetected, UnearnedDiscountTaken
from testkit.cash_stories import early_payments
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY = "S02"


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """The world after the story."""
    world.tell(early_payments(ENTITY))
    return world


def granted(world: World, letter: str) -> list[tuple[str, str]]:
    """The discounts of one of the invoices, with their tax."""
    facts = world.facts(DiscountGranted, ENTITY)
    return [(one.amount, one.tax) for one in facts if one.item == f"{ENTITY}|INV-2-{letter}|1" and one.kind == "earned"]


def open_of(world: World, letter: str) -> str:
    """What is open, as ledger, document, exposure and reporting say."""
    customer = f"C-2-{letter}"
    (open_,) = world.open_of(ENTITY, customer).values()
    shown = world.read("invoice", f"/v1/invoices/INV-2-{letter}", ENTITY)
    assert {open_, shown["open"], world.balance(ENTITY, customer, date(2026, 3, 17))["open"]} == {open_}
    assert world.exposure(ENTITY, customer) == open_
    return open_


@pytest.mark.parametrize(
    ("letter", "discounts", "left"),
    [
        pytest.param("A", [("24.00", "4.00")], "0.00", id="(a) in time"),
        pytest.param("B", [("20.00", "0.00")], "0.00", id="(b) tax excluded"),
        pytest.param("C", [], "24.00", id="(c) two days after the grace"),
        pytest.param("D", [("10.20", "1.70"), ("13.80", "2.30")], "0.00", id="(d) in two parts"),
        pytest.param("E", [("24.00", "4.00")], "0.00", id="(e) with 3.50 too little"),
        pytest.param("F", [("23.47", "3.91"), ("0.53", "0.09")], "0.00", id="(f) short, and the rest in time"),
        pytest.param("G", [("23.47", "3.91")], "26.53", id="short, and no more"),
    ],
)
def test_a2_what_is_discounted_and_what_is_left(told: World, letter: str, discounts: list[tuple[str, str]], left: str) -> None:
    """A2, INV-04, PAY-09"""
    assert (granted(told, letter), open_of(told, letter)) == (discounts, left)


def test_a2_e_what_little_is_missing_is_written_off_by_policy(told: World) -> None:
    """A2 (e), PAY-09: 3.50 of at most 5.00, of which 0.58 is tax."""
    (posted,) = told.facts(AdjustmentPosted, ENTITY)
    assert (posted.item, posted.kind, posted.amount, posted.tax) == (f"{ENTITY}|INV-2-E|1", "tolerance", "3.50", "0.58")
    assert posted.receipt == f"{ENTITY}|BR-2-E10"


def test_a2_cash_and_discount_make_the_same_sum_in_whatever_parts(told: World) -> None:
    """A2 (d), (f): 1 176.00 in all."""
    for receipts in (["A10"], ["D5", "D9"], ["F10", "F11"]):
        applied = [told.receipt(ENTITY, f"BR-2-{receipt}")["applied"] for receipt in receipts]
        assert sum(map(Decimal, applied)) == Decimal("1176.00")


def test_a2_c_a_discount_taken_too_late_is_told_when_the_day_has_closed(told: World) -> None:
    """A2 (c), PAY-09: 24.00, which could be earned up to 11 March and two days of grace."""
    (taken,) = told.facts(UnearnedDiscountTaken, ENTITY)
    assert (taken.item, taken.receipt, taken.amount) == (f"{ENTITY}|INV-2-C|1", f"{ENTITY}|BR-2-C15", "24.00")


def test_a2_f_a_payment_sent_in_full_is_short_at_once_and_another_when_the_time_is_over(told: World) -> None:
    """A2 (f), PAY-09: 26.53, told as of the 10th; the payer of the same amount who did not call it all has until 11 March."""
    found = told.read("payment", "/v1/findings", ENTITY)["findings"]
    short = [(one["receipt"].split("|")[1], one["found_on"], one["amount"], one["open"]) for one in found if one["kind"] == "short_payment"]
    assert sorted(short) == [("BR-2-F10", "2026-03-10", "26.53", "0.00"), ("BR-2-G10", "2026-03-11", "26.53", "26.53")]
    assert {one.amount for one in told.facts(ShortPaymentDetected, ENTITY)} == {"26.53"}


def test_a2_the_document_says_what_was_discounted(told: World) -> None:
    """INV-05: settled in part by discount."""
    shown: dict[str, Any] = told.read("invoice", "/v1/invoices/INV-2-A", ENTITY)
    assert (shown["settlement_status"], shown["settled"]["applied"], shown["settled"]["discounted"]) == ("settled", "1176.00", "24.00")
