"""Documents of every kind, side by side in one set of books: how each is opened, what closes it, and what everybody says about it."""

from datetime import date
from typing import Any

import pytest
from events.invoice import ConsolidatedBillIssued, DocumentRejected, InstalmentFellDue, InvoiceVoided
from testkit.document_stories import every_document
from testkit.world import World

pytestmark = pytest.mark.scenario
ENTITY = "S20"
FIRST, SECOND, THIRD, FOURTH = date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2)


@pytest.fixture(scope="module")
def told(world: World) -> World:
    """The world after the story."""
    world.tell(every_document(ENTITY))
    return world


def invoice(world: World, document_no: str, **query: object) -> dict[str, Any]:
    return world.read("invoice", f"/v1/invoices/{document_no}", ENTITY, **query)


def said_by_all(world: World, customer: str, open_: str, on_account: str = "0.00") -> None:
    """Ledger, reporting and credit say the same about a customer at the end."""
    (row,) = world.read("payment", f"/v1/accounts/{customer}", ENTITY)["balances"]
    balance = world.balance(ENTITY, customer, FOURTH)
    assert (row["open"], balance["open"], balance["on_account"]) == (open_, open_, on_account)
    assert world.exposure(ENTITY, customer) == balance["balance"]


@pytest.mark.parametrize(
    ("document_no", "until_on", "amount", "tax", "tax_choice", "version"),
    [
        pytest.param("INV-2", "2026-03-11", "24.00", "4.00", "included", "standard-1", id="tax included"),
        pytest.param("INV-2X", "2026-04-10", "20.00", "0.00", "excluded", "1", id="tax excluded, by the entity's own code"),
    ],
)
def test_a2_what_an_early_payment_is_worth_is_stated_when_the_invoice_is_issued(
    told: World, document_no: str, until_on: str, amount: str, tax: str, tax_choice: str, version: str
) -> None:
    """A2, INV-04: 2/10 net 30 of 1 000.00 and 20 % tax."""
    shown = invoice(told, document_no)

    (tier,) = shown["discount"]["tiers"]
    assert tier == {"percent": "2", "until_on": until_on, "amount": amount, "tax": tax}
    assert (shown["discount"]["tax_choice"], shown["policy_version"]) == (tax_choice, version)


def test_a_policy_is_in_force_on_the_day_after_it_was_approved_and_not_before(told: World) -> None:
    """XC-07: the code that was approved on the first day is unknown that day, and known the next."""
    (rejected,) = told.facts(DocumentRejected, ENTITY)

    assert (rejected.document_no, [(one.code, one.field) for one in rejected.reasons]) == ("INV-2N", [("TERMS_UNKNOWN", "terms")])
    assert told.get("invoice", "/v1/invoices/INV-2N", entity=ENTITY).status_code == 404
    assert invoice(told, "INV-2X")["terms"] == "2/10 NET-TAX"


def test_a10_a_document_in_euros_is_valued_at_the_rate_it_brings_or_at_the_one_in_force(told: World) -> None:
    """A10, INV-13: 10 000.00 at 1.10 are 11 000.00; the rate of 1.14, published on the first day, counts from the second."""
    valued = {number: invoice(told, number)["valuation"] for number in ("EUR-1", "EUR-2")}

    assert {number: (one["rate"], one["total"]) for number, one in valued.items()} == {
        "EUR-1": ("1.10", "11000.00"),
        "EUR-2": ("1.14", "114.00"),
    }


def test_a_void_before_its_invoice_waits_for_it(told: World) -> None:
    """INV-07, EVT-03: issued and void in that order, on the day the invoice came."""
    shown = invoice(told, "EARLY-1")

    assert (shown["document_status"], shown["open"], shown["booked_on"], shown["voided_on"]) == ("voided", "0.00", str(SECOND), str(SECOND))
    said_by_all(told, "EARLY", "0.00")


@pytest.mark.parametrize(
    ("customer", "receipt", "on_account"),
    [
        pytest.param("PAID", "BR-PAID", "300.00", id="paid two days before"),
        pytest.param("SAME", "BR-SAME", "60.00", id="paid on the same day"),
        pytest.param("OPEN", "BR-OPEN", "50.00", id="paid the day after"),
    ],
)
def test_money_for_a_voided_invoice_is_on_account_whenever_it_came(told: World, customer: str, receipt: str, on_account: str) -> None:
    """INV-07, PAY-08: a void in every order with its payment; people may void only what is unpaid (409 in the story), an ERP always."""
    found = told.receipt(ENTITY, receipt)

    assert (found["applied"], found["on_account"], found["unapplied"]) == ("0.00", on_account, "0.00")
    assert invoice(told, f"{customer}-1")["document_status"] == "voided"
    said_by_all(told, customer, "0.00", on_account)


def test_a_paid_invoice_that_is_voided_was_paid_until_then(told: World) -> None:
    """INV-07, RPT-01: as of the day before, the money was applied; from the void on, it is on-account."""
    before, after = (told.balance(ENTITY, "PAID", day) for day in (SECOND, THIRD))

    assert (before["open"], before["on_account"], before["balance"]) == ("0.00", "0.00", "0.00")
    assert (after["open"], after["on_account"], after["balance"]) == ("0.00", "300.00", "-300.00")
    assert invoice(told, "PAID-1", as_of=SECOND)["settlement_status"] == "settled"


def test_a_corrected_invoice_takes_the_place_of_the_wrong_one_and_its_money(told: World) -> None:
    """INV-02, INV-07: credit and rebill (384). 1 000.00 were paid for the wrong one: the right one needs 900.00, 100.00 are left."""
    wrong, right = invoice(told, "WRONG-1"), invoice(told, "RIGHT-1")

    assert (wrong["document_status"], wrong["replaced_by"], wrong["open"]) == ("voided", "RIGHT-1", "0.00")
    assert (right["type"], right["origin"], right["settlement_status"]) == ("384", "correction", "settled")
    said_by_all(told, "WRONG", "0.00", "100.00")


def test_every_void_is_told_once(told: World) -> None:
    """INV-07"""
    voids = {one.document_no: (one.total, one.reason) for one in told.facts(InvoiceVoided, ENTITY)}

    assert voids == {
        "EARLY-1": ("80.00", "DUPLICATE"),
        "SAME-1": ("60.00", "DUPLICATE"),
        "PAID-1": ("300.00", "DUPLICATE"),
        "OPEN-1": ("50.00", None),
        "WRONG-1": ("1000.00", "CORRECTED"),
    }
    assert len(told.facts(InvoiceVoided, ENTITY)) == len(voids)


def test_an_opening_balance_is_as_old_as_it_was_in_the_books_before(told: World) -> None:
    """XC-10: 400.00 due on 20 December are more than 90 days late; credit is open credit of the customer."""
    aging = told.aging(ENTITY, FOURTH)

    assert aging["OLD", "USD"]["buckets"]["90+"] == "400.00"
    assert (aging["OLD-CREDIT", "USD"]["open"], aging["OLD-CREDIT", "USD"]["on_account"]) == ("0.00", "50.00")
    assert invoice(told, "OLD-1")["origin"] == "opening_balance"
    said_by_all(told, "OLD", "400.00")


def test_a_total_of_zero_is_settled_when_it_is_issued(told: World) -> None:
    """INV-01, INV-05"""
    shown = invoice(told, "ZERO-1")
    assert (shown["total"], shown["settlement_status"], shown["overdue"]) == ("0.00", "settled", False)


def test_a_debit_memo_is_owed_like_an_invoice(told: World) -> None:
    """INV-02"""
    (memo,) = told.read("invoice", "/v1/debit-memos", ENTITY)["debit_memos"]

    assert (memo["document_no"], memo["type"], memo["reason"], memo["overdue_days"]) == ("DM-1", "383", "BANK_FEE", 3)
    said_by_all(told, "FEE", "35.00")


def test_a_schedule_bills_every_month_s_end_once_and_what_has_passed_when_the_next_day_starts(told: World) -> None:
    """Billing schedules: from 31 January at the end of every month, made on 30 March, turned over the month's end."""
    shown = told.read("invoice", "/v1/billing-schedules/RENT-1", ENTITY)

    billed = [(one["document_no"], one["booked_on"]) for one in reversed(shown["billed"])]
    assert billed == [(f"RENT-{on}", str(SECOND)) for on in ("20260131", "20260228", "20260331")]
    assert shown["next_on"] == "2026-04-30"
    said_by_all(told, "RENT", "2700.00")
    assert [told.balance(ENTITY, "RENT", day)["open"] for day in (date(2026, 2, 27), date(2026, 2, 28))] == ["900.00", "1800.00"]


def test_a_consolidated_bill_has_one_payable_reference_for_all_that_is_open(told: World) -> None:
    """INV-12, PAY-04: its reference is a creditor reference (ISO 11649), its invoices stay the items."""
    (bill,) = told.facts(ConsolidatedBillIssued, ENTITY)
    shown = told.read("invoice", "/v1/bills/BILL-1", ENTITY)

    assert (bill.total, bill.invoices) == ("300.00", [f"{ENTITY}|BILLED-1", f"{ENTITY}|BILLED-2"])
    assert bill.payment_reference.startswith("RF")
    assert (shown["open"], shown["payment_reference"]) == ("300.00", bill.payment_reference)
    said_by_all(told, "BILLED", "300.00")


def test_what_fell_due_is_told_when_a_day_starts_once_for_each_instalment(told: World) -> None:
    """INV-03: what was due before it came is told at the next start; what was voided on its own day never falls due."""
    fell = {one.item.removeprefix(f"{ENTITY}|"): (str(one.due_on), one.amount) for one in told.facts(InstalmentFellDue, ENTITY)}

    assert {name: fell.get(name) for name in ("OLD-1|1", "DM-1|1", "RENT-20260131|1", "INV-2|1", "SAME-1|1")} == {
        "OLD-1|1": ("2025-12-20", "400.00"),
        "DM-1|1": ("2026-03-30", "35.00"),
        "RENT-20260131|1": ("2026-03-02", "900.00"),
        "INV-2|1": ("2026-03-31", "1200.00"),
        "SAME-1|1": None,
    }
    assert len(told.facts(InstalmentFellDue, ENTITY)) == len(fell)
