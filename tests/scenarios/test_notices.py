"""A6 and A8, as far as notices go without promises and disputes: who is asked for money, and when."""

import pytest
from testkit.stories import late_payers
from testkit.world import World

pytestmark = pytest.mark.scenario


@pytest.mark.parametrize(
    ("customer", "sent"),
    [
        pytest.param("NEVER", [("2026-03-06", 1, "1000.00"), ("2026-03-21", 2, "1000.00")], id="5 and 20 days after the due date"),
        pytest.param("ON-1", [], id="nothing when paid on the day of the first notice"),
        pytest.param("ON-2", [("2026-03-06", 1, "3800.00")], id="no second notice when paid on its day"),
        pytest.param("AFTER-2", [("2026-03-06", 1, "3800.00"), ("2026-03-21", 2, "3800.00")], id="a second notice when booked a day late"),
        pytest.param("SLOW-MAIL", [("2026-03-18", 1, "100.00"), ("2026-03-28", 2, "100.00")], id="ten days between two notices"),
        pytest.param("SMALL", [], id="nothing below 25.00"),
    ],
)
def test_notices_follow_the_facts_booked_up_to_their_own_day(world: World, customer: str, sent: list[tuple[str, int, str]]) -> None:
    """COL-01, COL-02, COL-03: 5 and 20 days, 10 days between; what is booked on the notice's own day counts, what comes later does not."""
    world.tell(late_payers("S06"))

    assert [(one["noticed_on"], one["level"], one["total"]) for one in world.notices("S06", customer)] == sent


def test_one_letter_asks_for_all_items_of_a_customer_that_are_due_for_it(world: World) -> None:
    """A6, COL-02: INV-6 and INV-7 in one letter."""
    world.tell(late_payers("S06"))

    first = world.notices("S06", "NEVER")[0]
    assert [(one["item"], one["level"], one["open"]) for one in first["items"]] == [
        ("S06|INV-6|1", 1, "600.00"),
        ("S06|INV-7|1", 1, "400.00"),
    ]
