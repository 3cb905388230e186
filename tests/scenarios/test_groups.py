"""PAY-11: a holding pays for its stores, whose documents settle under its account from the day on which that is in force."""

from datetime import date

import pytest
from testkit.cash_stories import one_transfer_for_a_group
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY = "S11G"
BEFORE, SOLD_ON, AFTER = (date(2026, 1, n) for n in (24, 26, 27))


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """The world after the story."""
    world.tell(one_transfer_for_a_group(ENTITY))
    return world


def test_one_transfer_of_the_parent_that_names_nothing_pays_for_all_its_children(told: World) -> None:
    """PAY-11, PAY-05: by its bank account, the oldest first, whosever it is."""
    receipt = told.receipt(ENTITY, "BR-G600")
    assert (receipt["account"], receipt["identified_by"], receipt["applied"]) == ("HOLDING", "bank_account", "600.00")
    paid = {one["item"].removeprefix(f"{ENTITY}|"): (one["amount"], one["rule"]) for one in receipt["applications"]}
    assert paid == {f"G-{n}|1": (f"{n}00.00", "oldest_first") for n in (1, 2, 3)}


def test_one_receipt_that_names_invoices_of_two_children_pays_both(told: World) -> None:
    """PAY-11, PAY-04"""
    receipt = told.receipt(ENTITY, "BR-G40")
    assert (receipt["account"], receipt["on_account"]) == ("HOLDING", "0.00")
    assert {one["item"]: one["amount"] for one in receipt["applications"]} == {f"{ENTITY}|H-3|1": "30.00", f"{ENTITY}|H-1|1": "10.00"}
    assert {item: open_ for item, open_ in told.open_of(ENTITY, "HOLDING").items() if open_ != "0.00"} == {"H-2|1": "20.00"}


def test_documents_keep_their_customer_and_stay_on_the_account_they_were_given(told: World) -> None:
    """PAY-11: what came before the parent counted, or after the sale, is elsewhere; money and memos about old invoices follow them."""
    items = told.read("payment", "/v1/items", ENTITY, limit="100")["items"]
    assert {one["invoice"].removeprefix(f"{ENTITY}|"): (one["customer"], one["account"]) for one in items} == {
        **{f"F-{n}": (f"STORE-{n}", f"STORE-{n}") for n in (1, 2, 3)},
        **{f"{letter}-{n}": (f"STORE-{n}", "HOLDING") for letter in "GH" for n in (1, 2, 3)},
        "SOLD-3": ("STORE-3", "BUYER"),
    }
    assert told.receipt(ENTITY, "BR-OLD")["account"] == "STORE-1"
    assert told.open_of(ENTITY, "STORE-1") == {"F-1|1": "0.00"}
    assert told.open_of(ENTITY, "STORE-3") == {"F-3|1": "26.00"}


def test_aging_exposure_and_the_account_s_balance_are_those_of_the_account(told: World) -> None:
    """PAY-11, RPT-01, CRD-01: the children have none of their own but for what is older."""
    aged = {customer: row["open"] for (customer, _), row in told.aging(ENTITY, SOLD_ON).items()}
    assert aged == {"STORE-1": "11.00", "STORE-2": "21.00", "STORE-3": "31.00", "HOLDING": "20.00"}
    assert {customer for customer, _ in told.aging(ENTITY, BEFORE)} == {"STORE-1", "STORE-2", "STORE-3"}
    assert told.exposure(ENTITY, "HOLDING") == "20.00"
    assert (told.balance(ENTITY, "BUYER", AFTER)["open"], told.balance(ENTITY, "STORE-3", AFTER)["open"]) == ("33.00", "26.00")
    (item,) = [one for one in told.read("reporting", "/v1/items", ENTITY, customer="HOLDING", limit="10")["items"] if one["open"] != "0.00"]
    assert (item["item"], item["customer"]) == (f"{ENTITY}|H-2|1", "STORE-2")
