"""
ERPNext: the doctypes `Sales Invoice` and `Customer`, as the REST API or a webhook of Frappe has them.

The API: docs.frappe.io/framework/user/en/api/rest. The fields: docs.frappe.io/erpnext/user/manual/en/sales-invoice, …/credit-note,
…/debit-note, …/payment-terms, and in github.com/frappe/erpnext the doctypes themselves, under erpnext/accounts/doctype:
sales_invoice/sales_invoice.json, payment_schedule/payment_schedule.json.
"""

from datetime import date
from typing import Final

from events import erp
from events.fact import Event

from demo.producers.draft import Books, Draft, Line, customer, references, void
from demo.producers.fields import Json, Unusable, day, minor, minor_or_zero, part, parts, percent_or_none, text, text_or_none

_DRAFT, _SUBMITTED, _CANCELLED = 0, 1, 2  # `docstatus` of every doctype.
_FIXED: Final = "Actual"
"""The `charge_type` of a row of taxes and charges that is a fixed amount: shipping, handling, and not a tax by percentage."""


def read(document: Json, books: Books) -> list[Event]:
    """
    Return the facts of a document, bare or as the `data` of an answer.

    A return (`is_return`) is a credit memo, its amounts turned round; a rate adjustment (`is_debit_note`) a debit memo. A cancelled invoice
    is void; of a cancelled return its amount is billed again. An amended one has a number of its own, and is a document of its own.

    :raises Unusable: another doctype, a draft, or something is missing.
    """
    told = part(document, "data") or document
    match told.get("doctype"):
        case "Sales Invoice":
            return [_of_invoice(told, books)]
        case "Customer":
            return [customer(books, text(told, "name"), text(told, "customer_name"))]
    raise Unusable("doctype is neither Sales Invoice nor Customer")


def _of_invoice(told: Json, books: Books) -> Event:
    status = told.get("docstatus")
    if status not in (_SUBMITTED, _CANCELLED):
        raise Unusable("docstatus says that it is not submitted" if status == _DRAFT else "docstatus is missing")
    if told.get("is_return"):
        credit = _draft(told, books, -1)
        return credit.taken_back() if status == _CANCELLED else credit.credit_memo()
    if status == _CANCELLED:
        return void(books, text(told, "name"), text(told, "customer"))
    draft = _draft(told, books, 1)
    return draft.debit_memo() if told.get("is_debit_note") else draft.invoice()


def _draft(told: Json, books: Books, sign: int) -> Draft:
    """Read what is owed: the rounded total where rounding is on, else the grand total. A return has no instalments."""
    currency = text(told, "currency")
    rounded = not told.get("disable_rounded_total") and told.get("rounded_total")
    total = "rounded_total" if rounded else "grand_total"
    charged = sum(minor(row, _amount_of(row), currency) for row in parts(told, "taxes") if row.get("charge_type") == _FIXED)
    return Draft(
        books=books,
        number=text(told, "name"),
        customer=text(told, "customer"),
        currency=currency,
        issued_on=day(told, "posting_date"),
        total_minor=sign * minor(told, total, currency),
        tax_minor=sign * (minor_or_zero(told, "total_taxes_and_charges", currency) - charged),
        lines=_lines(told, currency, sign, rounding_minor=minor_or_zero(told, "rounding_adjustment", currency) if rounded else 0),
        due=[] if told.get("is_return") else _due(told, currency, total=total),
        discounts=_discounts(told),
        references=references(purchase_order_no=text_or_none(told, "po_no")),
        ref_document_no=text_or_none(told, "return_against"),
    )


def _lines(told: Json, currency: str, sign: int, *, rounding_minor: int) -> list[Line]:
    """Read items by `net_amount`, without tax and after every discount, then fixed charges, and what the total was rounded by."""
    lines = [Line(sign * minor(item, "net_amount", currency)) for item in parts(told, "items")]
    charges = [row for row in parts(told, "taxes") if row.get("charge_type") == _FIXED]
    lines += [Line(sign * minor(row, _amount_of(row), currency), "charges") for row in charges]
    return [*lines, Line(sign * rounding_minor)] if rounding_minor else lines


def _amount_of(row: Json) -> str:
    """Name the field that holds what a row of taxes and charges comes to."""
    after_discount = "tax_amount_after_discount_amount"
    return after_discount if row.get(after_discount) is not None else "tax_amount"


def _due(told: Json, currency: str, *, total: str) -> list[tuple[date, int]]:
    """Read the payment schedule, one row an instalment; without one all is due on `due_date`."""
    scheduled = [(day(row, "due_date"), minor(row, "payment_amount", currency)) for row in parts(told, "payment_schedule")]
    return scheduled or [(day(told, "due_date"), minor(told, total, currency))]


def _discounts(told: Json) -> list[erp.Discount]:
    """Read the early-payment discount, in percent of the whole: of a schedule with several rows there is none to tell."""
    schedule = parts(told, "payment_schedule")
    if len(schedule) != 1 or schedule[0].get("discount_type") != "Percentage" or not schedule[0].get("discount_date"):
        return []
    percent = percent_or_none(schedule[0], "discount")
    days = (day(schedule[0], "discount_date") - day(told, "posting_date")).days
    return [erp.Discount(percent=percent, days=days)] if percent else []
