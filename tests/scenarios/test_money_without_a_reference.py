"""A4: money that does not say what it is for, or whose it is."""

from datetime import date

import pytest
from testkit.stories import money_without_a_reference
from testkit.world import World

pytestmark = pytest.mark.scenario
DAY, TOLD_ON, IN_FORCE_ON = date(2026, 1, 25), date(2026, 1, 26), date(2026, 1, 27)


def test_money_of_a_known_payer_pays_the_oldest_item_first_and_the_last_one_in_part(world: World) -> None:
    """A4, PAY-05 rule 5 with partials: 600.00 pays A, and 100.00 of B; what finds nothing more stays unapplied."""
    world.tell(money_without_a_reference("S04"), up_to=DAY)

    assert world.open_of("S04", "FEW") == {"FEW-A|1": "0.00", "FEW-B|1": "200.00", "FEW-C|1": "200.00"}
    few, many = world.receipt("S04", "BR-600"), world.receipt("S04", "BR-1100")
    assert [(one["item"], one["amount"]) for one in few["applications"]] == [("S04|FEW-A|1", "500.00"), ("S04|FEW-B|1", "100.00")]
    assert (few["identified_by"], few["applied"], few["unapplied"]) == ("bank_account", "600.00", "0.00")
    assert (many["identified_by"], many["applied"], many["unapplied"], many["on_account"]) == ("customer", "1000.00", "100.00", "0.00")
    assert world.balance("S04", "MANY", DAY)["balance"] == "-100.00"


def test_money_of_an_unknown_payer_moves_nobodys_balance_until_the_payer_is_known(world: World) -> None:
    """A4, PAY-02, PAY-11: unidentified until its bank account is in force, then applied with its own value date."""
    story = money_without_a_reference("S04")

    world.tell(story, up_to=DAY)

    waiting = world.receipt("S04", "BR-300")
    assert (waiting["account"], waiting["unidentified"], waiting["applications"]) == (None, "300.00", [])
    assert world.exposure("S04", "LATE") == "1000.00"
    assert unidentified(world) == "371.00"

    world.tell(story)

    found = world.receipt("S04", "BR-300")
    assert (found["account"], found["identified_by"], found["applied"]) == ("LATE", "bank_account", "300.00")
    assert [(one["item"], one["booked_on"], one["effective_on"]) for one in found["applications"]] == [
        ("S04|LATE-A|1", str(IN_FORCE_ON), str(DAY))
    ]
    assert world.exposure("S04", "LATE") == "700.00"
    assert [one["noticed_on"] for one in world.notices("S04", "LATE")] == ["2026-01-24", "2026-01-25"]  # Not paused by it.
    assert world.aging("S04", DAY, known_at=TOLD_ON)["LATE", "USD"]["open"] == "1000.00"
    assert world.aging("S04", DAY, known_at=IN_FORCE_ON)["LATE", "USD"]["open"] == "700.00"


def test_money_that_names_a_document_still_to_come_waits_for_it(world: World) -> None:
    """A4, EVT-03: 70.00 came before the invoice it names, and pays it with its own value date; 1.00 names nothing for ever."""
    world.tell(money_without_a_reference("S04"))

    early, thanks = world.receipt("S04", "BR-70"), world.receipt("S04", "BR-THANKS")
    assert (early["account"], early["identified_by"], early["applied"]) == ("NEXT", "reference", "70.00")
    assert [(one["item"], one["effective_on"]) for one in early["applications"]] == [("S04|NEXT-D|1", str(DAY))]
    assert (thanks["account"], thanks["unidentified"]) == (None, "1.00")
    assert unidentified(world) == "1.00"


def unidentified(world: World) -> str:
    """Money without a payer, as reporting shows it on the last closed day."""
    (row,) = world.read("reporting", "/v1/kpis", "S04")["rows"]
    return str(row["unidentified"])
