"""XC-01 and A10: money of one currency says nothing about another, but at a rate."""

from datetime import date

import pytest
from events.payment import FxRealised, FxRevalued
from testkit.cash_stories import euros_at_rates
from testkit.stories import four_currencies
from testkit.world import World

pytestmark = pytest.mark.scenario
THIRD = date(2026, 4, 10)


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


def test_a10_every_part_gains_or_loses_and_the_rest_is_valued_when_the_month_ends(world: World) -> None:
    """A10, PAY-13, RPT-08: 160.00 gained, 120.00 valued less and reversed the next day, 240.00 lost: 10 920 = 11 000 + 160 - 240."""
    world.tell(euros_at_rates("S10R"))

    assert [(one.receipt, one.gain, one.loss, one.currency) for one in world.facts(FxRealised, "S10R")] == [
        ("S10R|BR-10RA", "160.00", "0.00", "USD"),
        ("S10R|BR-10RB", "0.00", "240.00", "USD"),
    ]
    (valued,) = world.facts(FxRevalued, "S10R")
    assert (valued.open, valued.item_currency, valued.carrying, valued.revalued) == ("6000.00", "EUR", "6600.00", "6480.00")
    assert (valued.gain, valued.loss, valued.period_end_on, valued.reverses_on) == ("0.00", "120.00", date(2026, 3, 31), date(2026, 4, 1))
    as_of = {day: world.read("payment", "/v1/accounts/C-10R/open-items", "S10R", as_of=day)["items"] for day in (date(2026, 3, 31), THIRD)}
    assert [one["open"] for one in as_of[date(2026, 3, 31)]] == ["6000.00"]
    assert as_of[THIRD] == []
    aged = world.aging("S10R", date(2026, 3, 31))["C-10R", "EUR"]
    assert (aged["open"], aged["valued"]["currency"], aged["valued"]["open"]) == ("6000.00", "USD", "6480.00")
