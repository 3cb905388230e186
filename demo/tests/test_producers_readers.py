"""Each system's documents, field by field and to the minor unit (EVT-01)."""

from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from demo.producers import erpnext, odoo, quickbooks, stripe, xero
from demo.producers.draft import Books
from demo.producers.fields import Unusable
from demo.producers.systems import System, documents_of
from events import erp
from launcher.folders import checkout

SAMPLES = checkout() / "demo" / "producers-samples"
BOOKS = Books("US01")


def the_sample(system: System, index: int) -> dict[str, Any]:
    """A document of the shipped sample, to be changed as a test likes."""
    return deepcopy(dict(documents_of(SAMPLES / f"{system}.json")[index]))


def amounts(event: Any) -> tuple[str, str | None, list[tuple[str, str]]]:
    return event.total, event.tax, [(line.amount, line.kind) for line in event.lines]


def due(event: Any) -> list[tuple[str, str]]:
    return [(str(part.due_on), part.amount) for part in event.instalments]


# --- QuickBooks ---


def test_quickbooks_takes_a_bundle_apart_deducts_the_discount_and_knows_shipping_and_the_term() -> None:
    (event,) = quickbooks.read(the_sample(System.QUICKBOOKS, 1), BOOKS)

    assert isinstance(event, erp.InvoiceIssued)
    lines = [("275.00", "goods"), ("12.75", "goods"), ("74.75", "goods"), ("20.00", "freight"), ("-36.25", "goods")]
    assert amounts(event) == ("372.35", "26.10", lines)
    assert (event.document_no, event.customer, event.currency, event.issued_on) == ("1037", "58", "USD", date(2026, 1, 5))
    assert due(event) == [("2026-02-04", "372.35")]
    assert event.discounts == [erp.Discount(percent="2", days=10)]
    assert event.references == erp.References(delivery_no="DEL-5501")


@pytest.mark.parametrize(
    "notice",
    [
        {"name": "Invoice", "id": "130", "operation": "Delete"},
        {"name": "Invoice", "id": "130", "operation": "Void"},
        {"specversion": "1.0", "type": "qbo.invoice.voided.v1", "intuitentityid": "130", "data": {}},
    ],
)
def test_quickbooks_voids_by_a_notice_of_either_form(notice: dict[str, Any]) -> None:
    """INV-07: the notice is thin, number and customer are in the body."""
    document = the_sample(System.QUICKBOOKS, 1) | {"notice": notice}

    assert quickbooks.read(document, BOOKS) == [erp.InvoiceVoided(entity="US01", document_no="1037", customer="58", reason="VOIDED")]


def test_quickbooks_voids_by_a_body_that_was_voided_and_keeps_one_of_nothing() -> None:
    voided = the_sample(System.QUICKBOOKS, 3) | {"notice": None}
    of_nothing = deepcopy(voided)
    of_nothing["Invoice"]["PrivateNote"] = "Free of charge"

    assert isinstance(quickbooks.read(voided, BOOKS)[0], erp.InvoiceVoided)
    (event,) = quickbooks.read(of_nothing, BOOKS)
    assert isinstance(event, erp.InvoiceIssued)
    assert due(event) == [("2026-02-04", "0.00")]


def test_quickbooks_bills_a_deleted_credit_memo_again_and_cannot_for_a_voided_one() -> None:
    deleted = the_sample(System.QUICKBOOKS, 2) | {"notice": {"name": "CreditMemo", "operation": "Delete"}}
    voided = deepcopy(deleted)
    voided["CreditMemo"] |= {"PrivateNote": "Voided", "TotalAmt": 0}

    (event,) = quickbooks.read(deleted, BOOKS)
    assert isinstance(event, erp.DebitMemoIssued)
    assert (event.document_no, event.total, event.tax, due(event)) == ("1026-VOID", "54.00", "4.00", [("2026-01-12", "54.00")])
    with pytest.raises(Unusable, match="has lost its amounts"):
        quickbooks.read(voided, BOOKS)


def test_quickbooks_with_one_currency_is_told_which() -> None:
    document = the_sample(System.QUICKBOOKS, 2)
    del document["CreditMemo"]["CurrencyRef"]

    (event,) = quickbooks.read(document, Books("CA01", "CAD"))
    assert isinstance(event, erp.CreditMemoIssued)
    assert (event.entity, event.currency) == ("CA01", "CAD")
    with pytest.raises(Unusable, match="CurrencyRef is missing"):
        quickbooks.read(document, BOOKS)


# --- Xero ---


def test_xero_takes_tax_out_of_inclusive_lines_and_skips_descriptions() -> None:
    event, void = xero.read(the_sample(System.XERO, 1), BOOKS)

    assert isinstance(event, erp.InvoiceIssued)
    assert amounts(event) == ("1229.97", "205.00", [("1000.00", "goods"), ("24.97", "goods")])
    assert (event.document_no, event.currency, str(event.issued_on), due(event)) == (
        "OIT-00546",
        "GBP",
        "2026-01-05",
        [("2026-02-04", "1229.97")],
    )
    assert event.references == erp.References(customer_reference="PO 4711")
    assert void == erp.InvoiceVoided(entity="US01", document_no="OIT-00547", customer=event.customer, reason="VOIDED")


def test_xero_credits_the_one_invoice_a_note_was_applied_to_and_the_account_where_there_are_two() -> None:
    """INV-06."""
    one = the_sample(System.XERO, 2)
    two = deepcopy(one)
    (applied_to,) = (value for value in two["CreditNotes"][0].values() if isinstance(value, list) and "Invoice" in value[0])
    applied_to.append({"Amount": 1, "Invoice": {"InvoiceNumber": "OIT-00548"}})

    (credit,), (on_account,) = xero.read(one, BOOKS), xero.read(two, BOOKS)
    assert isinstance(credit, erp.CreditMemoIssued)
    assert isinstance(on_account, erp.CreditMemoIssued)
    assert amounts(credit) == ("29.96", "4.99", [("24.97", "goods")])
    assert (str(credit.issued_on), credit.ref_document_no, on_account.ref_document_no) == ("2026-01-13", "OIT-00546", None)


@pytest.mark.parametrize(("said", "reason"), [({"Type": "ACCPAY"}, "Type is not ACCREC"), ({"Status": "DRAFT"}, "Status DRAFT")])
def test_xero_bills_and_drafts_are_not_told(said: dict[str, str], reason: str) -> None:
    document = the_sample(System.XERO, 1)
    document["Invoices"][0] |= said
    with pytest.raises(Unusable, match=reason):
        xero.read(document, BOOKS)


def test_a_voided_xero_credit_note_is_billed_again() -> None:
    document = the_sample(System.XERO, 2)
    document["CreditNotes"][0]["Status"] = "VOIDED"

    (event,) = xero.read(document, BOOKS)
    assert isinstance(event, erp.DebitMemoIssued)
    assert (event.document_no, event.total, event.ref_document_no) == ("CN-0042-VOID", "29.96", "OIT-00546")
    assert due(event) == [("2026-01-13", "29.96")]


# --- Stripe ---


def test_stripe_takes_discounts_and_inclusive_tax_out_of_lines_and_adds_shipping() -> None:
    (event,) = stripe.read(the_sample(System.STRIPE, 1), BOOKS)

    assert isinstance(event, erp.InvoiceIssued)
    assert amounts(event) == ("124.20", "9.20", [("90.00", "goods"), ("20.00", "goods"), ("5.00", "freight")])
    assert (event.document_no, event.customer, str(event.issued_on), due(event)) == (
        "FF-0001",
        "cus_Qx1",
        "2026-01-05",
        [("2026-02-04", "124.20")],
    )


def test_stripe_yen_are_whole_and_what_is_charged_at_once_is_due_at_once() -> None:
    """The older shape of taxes, too."""
    (event,) = stripe.read(the_sample(System.STRIPE, 2), BOOKS)

    assert isinstance(event, erp.InvoiceIssued)
    assert amounts(event) == ("55000", "5000", [("50000", "goods")])
    assert due(event) == [("2026-01-06", "55000")]


@pytest.mark.parametrize(
    ("currency", "integer", "total"),
    [
        ("jpy", 5000, "5000"),
        ("usd", 5000, "50.00"),
        ("kwd", 5120, "5.120"),
        ("isk", 5000, "50"),
        ("ugx", 5000, "50"),
        ("mga", 5000, "5000.00"),
    ],
)
def test_stripe_minor_units_are_those_of_stripe(currency: str, integer: int, total: str) -> None:
    document = the_sample(System.STRIPE, 2)
    document["data"]["object"] |= {"currency": currency, "total": integer, "total_tax_amounts": [], "lines": {}}

    (event,) = stripe.read(document, BOOKS)
    assert isinstance(event, erp.InvoiceIssued)
    assert (event.total, due(event)) == (total, [("2026-01-06", total)])


def test_stripe_days_are_those_of_the_books() -> None:
    """2026-01-05 09:00 UTC is the 5th in New York and in Tokyo, 20:00 is the 6th in Tokyo."""
    document = the_sample(System.STRIPE, 1)
    document["data"]["object"]["effective_at"] += 11 * 3600

    days = [stripe.read(document, Books("JP01", zone=ZoneInfo(zone)))[0] for zone in ("America/New_York", "Asia/Tokyo")]
    assert [str(event.issued_on) for event in days if isinstance(event, erp.InvoiceIssued)] == ["2026-01-05", "2026-01-06"]


def test_stripe_voids_from_the_day_it_says() -> None:
    """INV-07."""
    assert stripe.read(the_sample(System.STRIPE, 4), BOOKS) == [
        erp.InvoiceVoided(entity="US01", document_no="FF-0002", customer="cus_Qx1", reason="VOIDED", effective_on=date(2026, 1, 13))
    ]


def test_a_stripe_credit_note_names_its_invoice_by_number_and_voided_is_billed_again() -> None:
    created = the_sample(System.STRIPE, 3)
    voided = created | {"type": "credit_note.voided"}

    (credit,), (debit,) = stripe.read(created, BOOKS), stripe.read(voided, BOOKS)
    assert isinstance(credit, erp.CreditMemoIssued)
    assert isinstance(debit, erp.DebitMemoIssued)
    assert (amounts(credit), credit.ref_document_no) == (("10.80", "0.80", [("10.00", "goods")]), "FF-0001")
    assert (debit.document_no, debit.total, debit.ref_document_no, due(debit)) == (
        "FF-0001-CN-01-VOID",
        "10.80",
        "FF-0001",
        [("2026-01-12", "10.80")],
    )


@pytest.mark.parametrize(
    ("index", "said", "reason"),
    [
        (3, {"invoice": "in_1"}, "expand"),
        (1, {"lines": {"has_more": True, "data": []}}, "has more than it lists"),
        (1, {"total": Decimal("1.5")}, "total is not an integer"),
        (1, {"number": None}, "number is missing"),
        (1, {"currency": "xts"}, "unknown currency"),
        (1, {"total": 10**16}, "larger than any"),
    ],
)
def test_a_stripe_event_that_is_not_whole_is_not_told(index: int, said: dict[str, Any], reason: str) -> None:
    document = the_sample(System.STRIPE, index)
    document["data"]["object"] |= said
    with pytest.raises(Unusable, match=reason):
        stripe.read(document, BOOKS)


# --- ERPNext ---


def test_erpnext_owes_the_rounded_total_by_its_schedule() -> None:
    (event,) = erpnext.read(the_sample(System.ERPNEXT, 1), BOOKS)

    assert isinstance(event, erp.InvoiceIssued)
    lines = [("810.00", "goods"), ("190.00", "goods"), ("12.60", "charges"), ("0.01", "goods")]
    assert amounts(event) == ("1205.00", "192.39", lines)
    assert due(event) == [("2026-02-04", "602.50"), ("2026-03-06", "602.50")]
    assert event.references == erp.References(purchase_order_no="PO-881")


def test_erpnext_states_an_early_payment_discount_in_days_of_issue() -> None:
    """INV-04."""
    (event,) = erpnext.read(the_sample(System.ERPNEXT, 2), BOOKS)

    assert isinstance(event, erp.InvoiceIssued)
    assert event.discounts == [erp.Discount(percent="2.5", days=10)]


def test_an_erpnext_return_is_a_credit_of_a_positive_total_and_a_rate_adjustment_a_debit_memo() -> None:
    (credit,), (debit,) = (erpnext.read(the_sample(System.ERPNEXT, index), BOOKS) for index in (3, 4))

    assert isinstance(credit, erp.CreditMemoIssued)
    assert isinstance(debit, erp.DebitMemoIssued)
    assert (amounts(credit), credit.ref_document_no) == (("226.10", "36.10", [("190.00", "goods")]), "ACC-SINV-2026-00001")
    assert (amounts(debit), debit.ref_document_no) == (("11.90", "1.90", [("10.00", "goods")]), "ACC-SINV-2026-00001")


def test_erpnext_cancelled_is_void_and_a_cancelled_return_is_billed_again() -> None:
    cancelled = the_sample(System.ERPNEXT, 3)
    cancelled["data"]["docstatus"] = 2

    assert erpnext.read(the_sample(System.ERPNEXT, 5), BOOKS) == [
        erp.InvoiceVoided(entity="US01", document_no="ACC-SINV-2026-00002", customer="CUST-0007", reason="VOIDED")
    ]
    (event,) = erpnext.read(cancelled, BOOKS)
    assert isinstance(event, erp.DebitMemoIssued)
    assert (event.document_no, event.total, due(event)) == ("ACC-SINV-RET-2026-00001-VOID", "226.10", [("2026-01-14", "226.10")])


def test_an_erpnext_draft_is_not_told_and_an_amount_is_never_rounded() -> None:
    document = the_sample(System.ERPNEXT, 2)
    document["data"]["docstatus"] = 0
    with pytest.raises(Unusable, match="not submitted"):
        erpnext.read(document, BOOKS)
    document["data"] |= {"docstatus": 1, "grand_total": Decimal("119.005")}
    with pytest.raises(Unusable, match="grand_total has more decimals than EUR"):
        erpnext.read(document, BOOKS)


# --- Odoo ---


def test_odoo_instalments_are_the_payment_term_items_of_the_move() -> None:
    """INV-03, INV-04, INV-14."""
    (event,) = odoo.read(the_sample(System.ODOO, 1), BOOKS)

    assert isinstance(event, erp.InvoiceIssued)
    assert amounts(event) == ("1190.05", "190.00", [("1100.00", "goods"), ("-100.00", "goods"), ("0.05", "goods")])
    assert due(event) == [("2026-01-05", "357.02"), ("2026-03-06", "833.03")]
    assert event.discounts == [erp.Discount(percent="2", days=7)]
    assert event.references == erp.References(order_no="S00012", customer_reference="Angebot 9", payment="RF18539007547034")
    assert (event.document_no, event.customer) == ("INV/2026/00001", "14")


def test_odoo_without_items_is_due_as_a_whole_and_without_a_company_the_partner_owes() -> None:
    document = the_sample(System.ODOO, 1) | {"line_ids": [1, 2, 3], "commercial_partner_id": False, "invoice_payment_term_id": [8, "2/7"]}

    (event,) = odoo.read(document, BOOKS)
    assert isinstance(event, erp.InvoiceIssued)
    assert (event.customer, event.lines, event.discounts, due(event)) == ("15", None, None, [("2026-03-06", "1190.05")])


def test_an_odoo_refund_credits_the_move_it_reverses_and_cancelled_is_billed_again() -> None:
    posted = the_sample(System.ODOO, 2)

    (credit,), (debit,) = odoo.read(posted, BOOKS), odoo.read(posted | {"state": "cancel"}, BOOKS)
    assert isinstance(credit, erp.CreditMemoIssued)
    assert isinstance(debit, erp.DebitMemoIssued)
    assert (amounts(credit), credit.ref_document_no) == (("119.00", "19.00", [("100.00", "goods")]), "INV/2026/00001")
    assert (debit.document_no, debit.total, due(debit)) == ("RINV/2026/00001-VOID", "119.00", [("2026-01-12", "119.00")])


def test_odoo_cancelled_is_void_a_debit_note_a_debit_memo_and_a_draft_nothing() -> None:
    assert odoo.read(the_sample(System.ODOO, 3), BOOKS) == [
        erp.InvoiceVoided(entity="US01", document_no="INV/2026/00002", customer="14", reason="VOIDED")
    ]
    (debit,) = odoo.read(the_sample(System.ODOO, 1) | {"debit_origin_id": [50, "INV/2025/00009"]}, BOOKS)
    assert isinstance(debit, erp.DebitMemoIssued)
    assert debit.ref_document_no == "INV/2025/00009"
    for said, reason in (({"state": "draft"}, "state"), ({"name": "/"}, "no number"), ({"move_type": "in_invoice"}, "move_type")):
        with pytest.raises(Unusable, match=reason):
            odoo.read(the_sample(System.ODOO, 1) | said, BOOKS)


def test_a_reference_that_none_can_be_with_us_is_left_out_rather_than_the_invoice_refused() -> None:
    (event,) = odoo.read(the_sample(System.ODOO, 1) | {"ref": "said on the phone | " * 9, "payment_reference": False}, BOOKS)

    assert isinstance(event, erp.InvoiceIssued)
    assert event.references == erp.References(order_no="S00012")
