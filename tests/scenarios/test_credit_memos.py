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

    assert open_items(world, date(2026, 4, 3)) == {"Y": "300.00"}
    before, after = (world.balance("S05", "C-6", day) for day in (date(2026, 4, 2), date(2026, 4, 3)))
    assert (before["open"], after["open"]) == ("600.00", "300.00")


def test_credit_that_a_person_takes_off_is_open_from_that_day_on_and_stays_so(world: World) -> None:
    """A5, PAY-07, PAY-08: as of before Y has 300.00 open, after it 400.00; X, the older, has been paid by the rest of the same credit."""
    world.tell(credit_memos("S05"))

    assert [open_items(world, date(2026, 4, day)) for day in (6, 7)] == [{"Y": "300.00"}, {"Y": "400.00"}]
    known_then = world.read("payment", "/v1/accounts/C-6/open-items", "S05", as_of=date(2026, 4, 7), known_at=date(2026, 4, 6))
    assert [one["open"] for one in known_then["items"]] == ["300.00"]
    memo = world.read("payment", "/v1/memos/CM-6", "S05")
    assert (memo["open"], memo["pinned"]) == ("100.00", "100.00")
    after = world.balance("S05", "C-6", date(2026, 4, 7))
    assert (after["open"], after["on_account"], after["balance"]) == ("400.00", "100.00", "300.00")
    assert world.exposure("S05", "C-6") == "300.00"


def open_items(world: World, as_of: date) -> dict[str, str]:
    """What C-6 had open on a day, by document."""
    found = world.read("payment", "/v1/accounts/C-6/open-items", "S05", as_of=as_of)
    return {one["invoice"].split("|")[1]: one["open"] for one in found["items"]}


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
