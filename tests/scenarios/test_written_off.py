"""A7: a debt that is given up by two people, and paid in part after all."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from events.invoice import WriteOffApproved
from events.payment import AdjustmentPosted, AdjustmentReversed
from testkit.document_stories import written_off
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY = "S07"
ACTED_ON = date(2026, 4, 22)


def test_a_bad_debt_is_written_off_with_its_tax_when_a_second_person_approves(world: World) -> None:
    """A7, INV-08, XC-05: clerks, limit 100.00, cannot approve 480.00 (the story is refused with 403), the manager can; the item closes."""
    world.tell(written_off(ENTITY), up_to=date(2026, 4, 23))

    adjustment, invoice = adjustment_of(world, "INV-8"), world.read("invoice", "/v1/invoices/INV-8", ENTITY)
    assert (adjustment["status"], adjustment["requested_by"], adjustment["decided_by"]) == ("posted", "clerk-1", "manager-1")
    assert (adjustment["posted"], adjustment["posted_tax"]) == ("480.00", "80.00")
    assert (invoice["settlement_status"], invoice["open"], invoice["settled"]["adjusted"]) == ("written_off", "0.00", "480.00")
    assert world.open_of(ENTITY, "C-8") == {"INV-8|1": "0.00"}
    assert [world.balance(ENTITY, "C-8", day)["open"] for day in (date(2026, 4, 21), ACTED_ON)] == ["480.00", "0.00"]
    assert world.exposure(ENTITY, "C-8") == "0.00"


def test_money_that_names_a_written_off_item_is_recovered_and_the_counter_of_bad_debt_stays(world: World) -> None:
    """A7, INV-08: of 240.00 that name the invoice 200.00 are recovered debt and 40.00 tax; nothing is unapplied."""
    world.tell(written_off(ENTITY))

    receipt = world.receipt(ENTITY, "BR-8")
    assert (receipt["applied"], receipt["unapplied"], receipt["on_account"]) == ("240.00", "0.00", "0.00")
    adjustment, settled = adjustment_of(world, "INV-8"), world.read("invoice", "/v1/invoices/INV-8", ENTITY)["settled"]
    assert (adjustment["posted"], adjustment["recovered"], adjustment["recovered_tax"]) == ("480.00", "240.00", "40.00")
    assert settled == {"applied": "240.00", "credited": "0.00", "discounted": "0.00", "adjusted": "240.00"}
    (counter,) = world.read("invoice", "/v1/customers/C-8/bad-debt", ENTITY)["bad_debts"]
    assert (counter["written_off"], counter["written_off_tax"], counter["recovered"]) == ("480.00", "80.00", "240.00")
    (posted,) = [one for one in world.facts(AdjustmentPosted, ENTITY) if one.kind == "bad_debt"]
    (reversed_,) = world.facts(AdjustmentReversed, ENTITY)
    assert [(one.amount, one.tax) for one in (posted, reversed_)] == [("480.00", "80.00"), ("240.00", "40.00")]
    assert reversed_.reason == "recovered"
    assert world.open_of(ENTITY, "C-8") == {"INV-8|1": "0.00"}


def test_a_small_residual_is_written_off_by_policy_and_one_a_cent_too_large_waits(world: World) -> None:
    """A7: 3.20 needs nobody, 5.01 a second person."""
    world.tell(written_off(ENTITY))

    small, large = adjustment_of(world, "INV-8S"), adjustment_of(world, "INV-8T")
    assert (small["status"], small["posted"], small["decided_by"]) == ("posted", "3.20", None)
    assert (large["status"], large["asked"], large["posted"]) == ("pending", "5.01", "0.00")
    assert world.open_of(ENTITY, "C-8S") == {"INV-8S|1": "0.00"}
    assert world.open_of(ENTITY, "C-8T") == {"INV-8T|1": "5.01"}


def test_the_written_off_amounts_close_with_the_month(world: World) -> None:
    """A7, RPT-03: what was written off, net of what was recovered, is one of the columns by which April rolls forward."""
    world.tell(written_off(ENTITY))

    (row,) = world.read("reporting", "/v1/roll-forward", ENTITY, month="2026-04")["rows"]
    assert (row["written_off"], row["settled"], row["closing"]) == ("243.20", "440.00", "5.01")


def test_every_approval_says_who_asked_and_under_which_limit(world: World) -> None:
    """XC-05, XC-07"""
    world.tell(written_off(ENTITY))

    said = {one.item: (one.requested_by, one.approved_by, one.limit, one.policy_version) for one in world.facts(WriteOffApproved, ENTITY)}
    assert said == {
        f"{ENTITY}|INV-8|1": ("clerk-1", "manager-1", "5000.00", "1"),
        f"{ENTITY}|INV-8S|1": ("clerk-1", None, "5.00", "standard-1"),
    }


def adjustment_of(world: World, document_no: str) -> Mapping[str, Any]:
    """The one adjustment that was asked for of a document."""
    found = world.read("invoice", "/v1/adjustments", ENTITY)["adjustments"]
    (one,) = [one for one in found if one["document_no"] == document_no]
    assert isinstance(one, dict)
    return one
