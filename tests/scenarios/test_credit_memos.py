"""A5: what was billed too much."""

from datetime import date

import pytest
from testkit.stories import credit_memos
from testkit.world import World

pytestmark = pytest.mark.scenario


def test_a_memo_that_names_an_invoice_makes_it_worth_less_and_what_is_paid_too_much_is_on_account(world: World) -> None:
    """A5, INV-06: 1 200.00 less 300.00 is 900.00; of 1 200.00 paid, 300.00 is on-account."""
    world.tell(credit_memos("S05"))

    reduced, paid = (world.balance("S05", "C-5", day) for day in (date(2026, 4, 4), date(2026, 4, 5)))
    assert (reduced["open"], reduced["balance"]) == ("900.00", "900.00")
    assert (paid["open"], paid["on_account"], paid["balance"]) == ("0.00", "300.00", "-300.00")
    receipt = world.receipt("S05", "BR-5")
    assert (receipt["applied"], receipt["on_account"]) == ("900.00", "300.00")
    assert world.read("invoice", "/v1/invoices/INV-5", "S05")["settlement_status"] == "settled"
    assert world.read("invoice", "/v1/credit-memos/CM-5", "S05")["open"] == "0.00"


def test_an_on_account_memo_credits_the_oldest_item_first(world: World) -> None:
    """A5: 300.00 over X 200.00 and Y 400.00 leaves X 0 and Y 300.00."""
    world.tell(credit_memos("S05"))

    assert world.open_of("S05", "C-6") == {"X|1": "0.00", "Y|1": "300.00"}
    before, after = (world.balance("S05", "C-6", day) for day in (date(2026, 4, 2), date(2026, 4, 3)))
    assert (before["open"], after["open"]) == ("600.00", "300.00")
    assert world.exposure("S05", "C-6") == "300.00"


def test_every_movement_says_which_parts_of_the_invoice_it_is_about(world: World) -> None:
    """A5, INV-06, INV-11: the memo takes 250.00 and its tax of 50.00, the money the other 750.00 and 150.00."""
    world.tell(credit_memos("S05"))

    events = world.read("invoice", "/v1/history/invoices/INV-5", "S05")["events"]
    parts = [(one["amount"], one["split"]["goods"], one["split"]["tax"]) for one in events if one["split"]]
    assert [tuple(part.removeprefix("-") for part in one) for one in parts] == [
        ("300.00", "250.00", "50.00"),
        ("900.00", "750.00", "150.00"),
    ]
    assert events[-1]["open_after"] == "0.00"
