"""
Odoo (16 and later): `account.move` of the types `out_invoice` and `out_refund`, and `res.partner`, as the external API reads them.

The API: www.odoo.com/documentation/18.0/developer/reference/external_api.html. The fields: addons/account/models/account_move.py,
account_move_line.py and account_payment_term.py of github.com/odoo/odoo. A connector fetches the move with its `line_ids` and
`invoice_payment_term_id` as objects (`web_read` with a specification), or without them; nothing is `false`.
"""

from datetime import date
from typing import Final

from events import erp
from events.fact import Event

from demo.producers.draft import Books, Draft, Line, customer, references, void
from demo.producers.fields import Json, Unusable, day, minor, minor_or_zero, part, parts, percent_or_none, text, text_or_none

_UNNUMBERED: Final = "/"
_CREDITOR_REFERENCE: Final = "RF"  # ISO 11649.


def read(document: Json, books: Books) -> list[Event]:
    """
    Return the facts of a move or a partner.

    A partner is read with its `bank_ids` as objects. A cancelled invoice is void; of a cancelled refund its amount is billed again. An
    invoice with a `debit_origin_id` (the module account_debit_note) is a debit memo.

    :raises Unusable: another kind of move, a draft, or something is missing.
    """
    kind, state = document.get("move_type"), document.get("state")
    if kind is None and "bank_ids" in document:
        return [customer(books, text(document, "id"), text(document, "name"), _bank_accounts(document))]
    if kind not in ("out_invoice", "out_refund"):
        raise Unusable("move_type is neither out_invoice nor out_refund")
    if state not in ("posted", "cancel"):
        raise Unusable("state is neither posted nor cancel")
    if text(document, "name") == _UNNUMBERED:
        raise Unusable("it has no number: it never was posted")
    if kind == "out_refund":
        credit = _draft(document, books)
        return [credit.taken_back() if state == "cancel" else credit.credit_memo()]
    if state == "cancel":
        return [void(books, text(document, "name"), _partner(document))]
    draft = _draft(document, books)
    return [draft.debit_memo() if document.get("debit_origin_id") else draft.invoice()]


def _draft(told: Json, books: Books) -> Draft:
    currency = _named(told, "currency_id")[1]
    if currency is None:
        raise Unusable("currency_id does not name the currency")
    lines = parts(told, "line_ids") if _are_objects(told, "line_ids") else ()
    total_minor = minor(told, "amount_total", currency)
    due = [
        (day(line, "date_maturity"), minor(line, "amount_currency", currency))
        for line in lines
        if line.get("display_type") == "payment_term"
    ]
    is_credit = told.get("move_type") == "out_refund"
    return Draft(
        books=books,
        number=text(told, "name"),
        customer=_partner(told),
        currency=currency,
        issued_on=day(told, "invoice_date"),
        total_minor=total_minor,
        tax_minor=minor_or_zero(told, "amount_tax", currency),
        lines=[line for one in lines for line in _line(one, currency, -1 if is_credit else 1)],
        due=() if is_credit else due or [(_due_on(told), total_minor)],
        discounts=_discounts(told),
        references=_references(told),
        ref_document_no=_number(told, "reversed_entry_id") or _number(told, "debit_origin_id"),
    )


def _line(line: Json, currency: str, sign: int) -> list[Line]:
    """
    Read a journal item as a line, if it is one: a product by its `price_subtotal`, cash rounding by what is booked of it.

    Items of income are credits, less than zero in `amount_currency`; those of a refund are the other way round.
    """
    match line.get("display_type"):
        case "product":
            return [Line(minor(line, "price_subtotal", currency))]
        case "rounding":
            return [Line(-sign * minor(line, "amount_currency", currency))]
    return []


def _due_on(told: Json) -> date:
    return day(told, "invoice_date_due" if told.get("invoice_date_due") else "invoice_date")


def _discounts(told: Json) -> list[erp.Discount]:
    """Read the early-payment discount of the payment terms, where they were fetched and have one."""
    if not isinstance(told.get("invoice_payment_term_id"), dict):
        return []
    term = part(told, "invoice_payment_term_id")
    percent, days = percent_or_none(term, "discount_percentage"), term.get("discount_days")
    return [erp.Discount(percent=percent, days=days)] if term.get("early_discount") and percent and isinstance(days, int) else []


def _references(told: Json) -> erp.References | None:
    """Read references; a payment reference is told where it is a creditor reference: by default it is the number again."""
    payment = text_or_none(told, "payment_reference") or ""
    return references(
        order_no=text_or_none(told, "invoice_origin"),
        customer_reference=text_or_none(told, "ref"),
        payment=payment if payment.startswith(_CREDITOR_REFERENCE) else None,
    )


def _partner(told: Json) -> str:
    """Name the customer: the company, where the invoice went to a contact of one."""
    number = _named(told, "commercial_partner_id")[0] or _named(told, "partner_id")[0]
    if number is None:
        raise Unusable("partner_id is missing")
    return number


def _number(told: Json, name: str) -> str | None:
    """Read the number of another move: it is shown with its reference in brackets, where it has one."""
    shown = _named(told, name)[1]
    return shown.partition(" (")[0] if shown else None


def _named(told: Json, name: str) -> tuple[str | None, str | None]:
    """Return id and name of a many2one: `[7, "EUR"]`, or an object, or false."""
    value = told.get(name)
    if isinstance(value, list) and len(value) == 2:
        pair = {"id": value[0], "display_name": value[1]}
        return text_or_none(pair, "id"), text_or_none(pair, "display_name")
    if isinstance(value, dict):
        return text_or_none(value, "id"), text_or_none(value, "display_name") or text_or_none(value, "name")
    return None, None


def _are_objects(told: Json, name: str) -> bool:
    """Whether a one2many was fetched with its records, or lists their ids only."""
    value = told.get(name)
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _bank_accounts(partner: Json) -> list[str]:
    """
    Read the account numbers of a partner.

    :raises Unusable: they were not fetched; told without them, those that are known would be forgotten.
    """
    return [account for one in parts(partner, "bank_ids") if (account := text_or_none(one, "acc_number"))]
