"""
Stripe: the events `invoice.finalized`, `invoice.voided`, `credit_note.created`, `credit_note.voided` and `customer.created`/`.updated`.

The fields: docs.stripe.com/api/events/object, docs.stripe.com/api/invoices/object, docs.stripe.com/api/invoice-line-item/object,
docs.stripe.com/api/credit_notes/object; both shapes of taxes, from before and after the version 2025-03-31. Amounts are integers in the
currency's minor unit as Stripe has it: docs.stripe.com/currencies.
"""

from collections.abc import Sequence
from typing import Any, Final

from events.fact import Event

from demo.producers.draft import Books, Draft, Line, customer, void
from demo.producers.fields import Json, Unusable, day_of_instant, decimals_of, part, parts, text, text_or_none

_DECIMALS: Final = {"MGA": 0, "ISK": 2, "UGX": 2}
"""
Where Stripe's minor unit is not that of ISO 4217: the ariary is a zero-decimal currency, króna and shilling are written with two decimals
that are always 00 ("Special cases" of docs.stripe.com/currencies).
"""


def read(document: Json, books: Books) -> list[Event]:
    """
    Return the facts of an event as the webhook delivers it.

    A credit note's `invoice` has to be expanded (`expand[]=invoice`), because an event names it by its id only, and the customer knows its
    number. An invoice or credit note with more lines than the event carries has to be fetched whole.

    :raises Unusable: another event, or something is missing.
    """
    kind = text(document, "type")
    told = part(part(document, "data"), "object")
    match kind:
        case "invoice.finalized":
            return [_invoice(told, books).invoice()]
        case "invoice.voided":
            voided_at = part(told, "status_transitions").get("voided_at")
            effective_on = None if voided_at is None else day_of_instant(voided_at, "status_transitions.voided_at", books.zone)
            return [void(books, text(told, "number"), _id_of(told, "customer"), effective_on)]
        case "credit_note.created":
            return [_credit_note(told, books).credit_memo()]
        case "credit_note.voided":
            return [_credit_note(told, books).taken_back()]
        case "customer.created" | "customer.updated":
            return [customer(books, text(told, "id"), text_or_none(told, "name") or text(told, "email"))]
    raise Unusable(f"events of the type {kind} are not told")


def _invoice(told: Json, books: Books) -> Draft:
    """Read an invoice; one that is charged at once has no due date and is due on the day it is issued."""
    currency = text(told, "currency").upper()
    at = told.get("effective_at") or part(told, "status_transitions").get("finalized_at") or told.get("created")
    issued_on = day_of_instant(at, "effective_at", books.zone)
    due_on = issued_on if told.get("due_date") is None else day_of_instant(told["due_date"], "due_date", books.zone)
    total_minor = _minor(told, "total", currency)
    return Draft(
        books=books,
        number=text(told, "number"),
        customer=_id_of(told, "customer"),
        currency=currency,
        issued_on=issued_on,
        total_minor=total_minor,
        tax_minor=_taxes(told, currency),
        lines=_lines(told, currency),
        due=[(due_on, total_minor)],
    )


def _credit_note(told: Json, books: Books) -> Draft:
    currency = text(told, "currency").upper()
    credited = told.get("invoice")
    if isinstance(credited, str):
        raise Unusable("invoice is an id only: fetch the credit note with expand[]=invoice")
    return Draft(
        books=books,
        number=text(told, "number"),
        customer=_id_of(told, "customer"),
        currency=currency,
        issued_on=day_of_instant(told.get("effective_at") or told.get("created"), "effective_at", books.zone),
        total_minor=_minor(told, "total", currency),
        tax_minor=_taxes(told, currency),
        lines=_lines(told, currency),
        ref_document_no=text(part(told, "invoice"), "number"),
    )


def _lines(told: Json, currency: str) -> list[Line]:
    """
    Read lines without tax and after discounts, and shipping as one more.

    :raises Unusable: there are more lines than stand here.
    """
    listed = part(told, "lines")
    if listed.get("has_more"):
        raise Unusable("lines has more than it lists: fetch the rest of them")
    lines = [Line(_net(line, currency)) for line in parts(listed, "data")]
    shipping = part(told, "shipping_cost")
    if shipping:
        lines.append(Line(_minor(shipping, "amount_total", currency) - _minor(shipping, "amount_tax", currency), "freight"))
    return lines


def _net(line: Json, currency: str) -> int:
    """Take discounts and such taxes as are in the price out of a line's amount."""
    discounts = sum(_minor(discount, "amount", currency) for discount in parts(line, "discount_amounts"))
    included = [
        tax for tax in _taxes_of(line, "taxes", "tax_amounts") if tax.get("tax_behavior") == "inclusive" or tax.get("inclusive") is True
    ]
    return _minor(line, "amount", currency) - discounts - sum(_minor(tax, "amount", currency) for tax in included)


def _taxes(told: Json, currency: str) -> int:
    """Return what of the total is tax; versions that do not state the total without it list the taxes (credit notes: `tax_amounts`)."""
    if told.get("total_excluding_tax") is not None:
        return _minor(told, "total", currency) - _minor(told, "total_excluding_tax", currency)
    return sum(_minor(tax, "amount", currency) for tax in _taxes_of(told, "total_taxes", "total_tax_amounts", "tax_amounts"))


def _taxes_of(told: Json, *names: str) -> Sequence[Json]:
    return next((parts(told, name) for name in names if told.get(name)), ())


def _minor(told: Json, name: str, currency: str) -> int:
    """
    Return an integer in Stripe's minor unit in ours.

    :raises Unusable: not an integer, or one that our minor unit cannot say.
    """
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unusable(f"{name} is not an integer")
    decimals = decimals_of(currency)
    more = decimals - _DECIMALS.get(currency, decimals)
    if more >= 0:
        return int(value * 10**more)
    whole, rest = divmod(value, 10**-more)
    if rest:
        raise Unusable(f"{name} has more decimals than {currency}")
    return int(whole)


def _id_of(told: Json, name: str) -> str:
    """Return the id of something that may be expanded."""
    value: Any = told.get(name)
    return text(part(told, name), "id") if isinstance(value, dict) else text(told, name)
