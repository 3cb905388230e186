"""A4 under all rules of an entity: money that names nothing is placed by the first that fits."""

from datetime import date

import pytest
from testkit.cash_stories import cash_rules
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY = "S04R"


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """The world after the story."""
    world.tell(cash_rules(ENTITY))
    return world


@pytest.mark.parametrize(
    ("customer", "rule", "paid", "unapplied"),
    [
        pytest.param("P600", "oldest_first", {"A": "500.00", "B": "100.00"}, "0.00", id="600.00 with partials: rule 5"),
        pytest.param("W600", "oldest_first", {"A": "500.00"}, "100.00", id="600.00 without partials: the rest is unapplied"),
        pytest.param("P800", "clear_past_due", {"A": "500.00", "B": "300.00"}, "0.00", id="800.00: rule 3"),
        pytest.param("P300", "exact_item", {"B": "300.00"}, "0.00", id="300.00: rule 1"),
        pytest.param("P1000", "clear_account", {"A": "500.00", "B": "300.00", "C": "200.00"}, "0.00", id="1,000.00: rule 2"),
    ],
)
def test_a4_the_first_rule_that_fits_places_the_money_and_is_told(
    told: World, customer: str, rule: str, paid: dict[str, str], unapplied: str
) -> None:
    """A4, PAY-05"""
    receipt = told.receipt(ENTITY, f"BR-{customer}")
    assert {one["item"].split("|")[1].removeprefix(f"{customer}-"): one["amount"] for one in receipt["applications"]} == paid
    assert ({one["rule"] for one in receipt["applications"]}, receipt["unapplied"]) == ({rule}, unapplied)
    left = told.balance(ENTITY, customer, date(2026, 1, 26))
    assert (left["open"], left["unapplied"]) == (told.exposure(ENTITY, customer) if unapplied == "0.00" else "500.00", unapplied)


def test_a4_every_application_says_under_which_policy_it_was_made(told: World) -> None:
    """PAY-06, XC-07: the rules with partials are version 1, those without version 2."""
    for customer, version in (("P600", "1"), ("W600", "2")):
        (first, *_) = told.receipt(ENTITY, f"BR-{customer}")["applications"]
        explained = told.read("payment", f"/v1/explain/applications/{first['application']}", ENTITY)
        assert (explained["rule"], explained["policy_version"]) == ("oldest_first", version)
