"""XC-01: money of one currency says nothing about another."""

from datetime import date

import pytest
from testkit.stories import four_currencies
from testkit.world import World

pytestmark = pytest.mark.scenario


def test_currencies_never_mix_and_each_keeps_its_decimals(world: World) -> None:
    """XC-01, M7: euros that name a dollar invoice do not pay it; yen have no decimals, dinars three."""
    world.tell(four_currencies("S10"))

    assert world.open_of("S10") == {"USD-1|1": "100.00", "JPY-1|1": "200", "KWD-1|1": "0.001"}
    receipt = world.receipt("S10", "BR-EUR")
    assert (receipt["applications"], receipt["unapplied"]) == ([], "100.00")
    rows = world.aging("S10", date(2026, 4, 2))
    shown = {currency: (row["open"], row["unapplied"], row["on_account"]) for (_, currency), row in rows.items()}
    assert shown == {
        "EUR": ("0.00", "100.00", "0.00"),
        "JPY": ("200", "0", "0"),
        "KWD": ("0.001", "0.000", "0.000"),
        "USD": ("100.00", "0.00", "0.00"),
    }
    exposures = {row["currency"]: row["exposure"] for row in world.read("credit", "/v1/accounts/C-10", "S10")["currencies"]}
    assert {**exposures, "EUR": "0.00"} == {"EUR": "0.00", "JPY": "200", "KWD": "0.001", "USD": "100.00"}
