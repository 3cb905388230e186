"""A3: more is paid than was billed."""

from datetime import date

import pytest
from testkit.stories import overpayment
from testkit.world import World

pytestmark = pytest.mark.scenario


def test_what_a_named_item_does_not_need_is_on_account_and_pays_the_next_invoice(world: World) -> None:
    """A3, PAY-08: on-account 150.00, balance -150.00; INV-4 takes it and 250.00 stays open."""
    story = overpayment("S03")

    world.tell(story, up_to=date(2026, 3, 5))

    receipt = world.receipt("S03", "BR-3")
    assert (receipt["applied"], receipt["on_account"], receipt["unapplied"]) == ("2350.00", "150.00", "0.00")
    assert world.exposure("S03", "C-3") == "-150.00"

    world.tell(story)

    before, after = (world.balance("S03", "C-3", day) for day in (date(2026, 3, 5), date(2026, 3, 6)))
    assert (set(before["buckets"].values()), before["on_account"], before["balance"]) == ({"0.00"}, "150.00", "-150.00")
    assert (after["open"], after["on_account"], after["balance"]) == ("250.00", "0.00", "250.00")
    assert world.open_of("S03") == {"INV-3|1": "0.00", "INV-4|1": "250.00"}
    assert world.exposure("S03", "C-3") == "250.00"
    paid = [(one["item"], one["amount"], one["effective_on"]) for one in world.receipt("S03", "BR-3")["applications"]]
    assert paid == [("S03|INV-3|1", "2350.00", "2026-03-04"), ("S03|INV-4|1", "150.00", "2026-03-06")]


def test_what_has_paid_the_next_invoice_is_not_paid_back(world: World) -> None:
    """A3, PAY-08: no credit is left two days later (the story is refused with 409)."""
    world.tell(overpayment("S03"))

    assert world.read("payment", "/v1/refunds", "S03")["refunds"] == []
