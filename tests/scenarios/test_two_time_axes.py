"""A11, its second part: money that had come before anybody here knew."""

from datetime import date

import pytest
from testkit.stories import paid_before_it_was_known
from testkit.world import World

pytestmark = pytest.mark.scenario


def test_a_past_day_stays_as_it_was_reported_and_can_be_restated(world: World) -> None:
    """A11, RPT-02: as of 31 May 10 000.00 by what was known on 1 June, 7 500.00 by what was known on 6 June."""
    world.tell(paid_before_it_was_known("S11"))

    def open_on_31_may(known_at: date | None) -> str:
        return str(world.aging("S11", date(2026, 5, 31), known_at=known_at)["C-11", "USD"]["open"])

    assert open_on_31_may(date(2026, 6, 1)) == "10000.00"
    assert open_on_31_may(date(2026, 6, 4)) == "10000.00"
    assert open_on_31_may(date(2026, 6, 6)) == open_on_31_may(None) == "7500.00"
    assert world.aging("S11", date(2026, 5, 27)) == world.aging("S11", date(2026, 4, 14)) | {
        ("C-11", "USD"): {
            "buckets": {"current": "0.00", "1-30": "10000.00", "31-60": "0.00", "61-90": "0.00", "90+": "0.00"},
            "open": "10000.00",
            "unapplied": "0.00",
            "on_account": "0.00",
        }
    }


def test_the_month_that_was_reported_ties_at_what_was_known_then(world: World) -> None:
    """A11, RPT-08: May closes with 10 000.00 by what was known on 3 June, restated with 7 500.00."""
    world.tell(paid_before_it_was_known("S11"))

    def may(known_at: str | None) -> tuple[str, str]:
        (row,) = world.read("reporting", "/v1/roll-forward", "S11", month="2026-05", known_at=known_at)["rows"]
        return row["settled"], row["closing"]

    assert may("2026-06-03") == ("0.00", "10000.00")
    assert may(None) == ("2500.00", "7500.00")
