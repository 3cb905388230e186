"""A1: an invoice is paid in parts, and its age is asked for on two days."""

from datetime import date

import pytest
from testkit.stories import partial_payments
from testkit.world import World

pytestmark = pytest.mark.scenario
NOTHING = {"current": "0.00", "1-30": "0.00", "31-60": "0.00", "61-90": "0.00", "90+": "0.00"}


def test_what_is_open_ages_by_its_due_date_on_any_day_asked_for(world: World) -> None:
    """A1, RPT-01: 7 000.00 at 24 days on 28 February, 4 000.00 at 55 days on 31 March."""
    world.tell(partial_payments("S01"))

    assert world.aging("S01", date(2026, 2, 28)) == {
        ("C-1", "USD"): {"buckets": {**NOTHING, "1-30": "7000.00"}, "open": "7000.00", "unapplied": "0.00", "on_account": "0.00"}
    }
    assert world.aging("S01", date(2026, 3, 31)) == {
        ("C-1", "USD"): {"buckets": {**NOTHING, "31-60": "4000.00"}, "open": "4000.00", "unapplied": "0.00", "on_account": "0.00"}
    }
    assert world.aging("S01", date(2026, 2, 4))["C-1", "USD"]["buckets"] == {**NOTHING, "current": "12000.00"}


def test_ledger_and_projections_agree_on_what_is_open(world: World) -> None:
    """M6: the settlement ledger, the invoice, the exposure and the balance say the same amount."""
    world.tell(partial_payments("S01"))

    invoice = world.read("invoice", "/v1/invoices/INV-1", "S01")
    assert world.open_of("S01") == {"INV-1|1": "4000.00"}
    assert (invoice["document_status"], invoice["settlement_status"], invoice["open"]) == ("issued", "partially_settled", "4000.00")
    assert (invoice["overdue"], invoice["overdue_days"]) == (True, 55)
    assert world.exposure("S01", "C-1") == world.balance("S01", "C-1", date(2026, 3, 31))["balance"] == "4000.00"


def test_each_notice_asks_for_what_was_open_when_its_day_closed(world: World) -> None:
    """COL-01, COL-02: 5, 20 and 40 days after 4 February."""
    world.tell(partial_payments("S01"))

    sent = [(notice["noticed_on"], notice["level"], notice["total"]) for notice in world.notices("S01")]
    assert sent == [("2026-02-09", 1, "12000.00"), ("2026-02-24", 2, "7000.00"), ("2026-03-16", 3, "4000.00")]


def test_interest_runs_day_by_day_on_what_was_open_and_is_charged_when_a_month_starts(world: World) -> None:
    """A1, INV-09: 99.12 through 31 March, of which 61.15 was charged for February; 162.74 on the whole, 54.25 on what is left are wrong."""
    world.tell(partial_payments("S01"))

    preview = world.read("invoice", "/v1/late-charges/preview", "S01", document_no="INV-1", as_of=date(2026, 3, 31))
    (item,) = preview["items"]
    assert preview["interest"] == "99.12"
    assert [(run["principal"], run["days"]) for run in item["ranges"]] == [("12000.00", 16), ("7000.00", 18), ("4000.00", 21)]
    charges = world.read("invoice", "/v1/late-charges", "S01")["late_charges"]
    assert [(one["booked_on"], one["amount"], one["accrued"]) for one in charges] == [
        ("2026-03-01", "61.15", "61.15"),
        ("2026-04-01", "37.97", "99.12"),
    ]
    assert {(one["posting"], one["document"]) for one in charges} == {("memo_only", None)}
