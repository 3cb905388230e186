"""
QuickBooks Online: `Invoice`, `CreditMemo` and `Customer`, as the accounting API returns them.

The fields: developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice, …/creditmemo, …/term, …/customer. A notice of a
webhook names an entity, its id and what was done, in the older form (developer.intuit.com/app/developer/qbo/docs/develop/webhooks) or as a
CloudEvent (blogs.a.intuit.com/2025/11/12/upcoming-change-to-webhooks-payload-structure), and never carries the body: a connector has to
fetch that.
"""

from collections.abc import Iterator
from typing import Final

from events import erp
from events.fact import Event

from demo.producers.draft import Books, Draft, Line, customer, references, void
from demo.producers.fields import Json, Unusable, day, minor, minor_or_zero, part, parts, percent_or_none, text, text_or_none

_VOIDING: Final = ("void", "voided", "delete", "deleted")
_VOID_NOTE: Final = "Voided"
"""What QuickBooks writes before the private note of a voided document, whose amounts become zero."""
_SHIPPING_ITEM: Final = "SHIPPING_ITEM_ID"


def read(document: Json, books: Books) -> list[Event]:
    """
    Return the facts of one body: `{"Invoice": {…}}`, `{"CreditMemo": {…}}` or `{"Customer": {…}}`.

    Beside it may stand the `notice` that made the connector fetch it (one element of the webhook, in either form) and the `Term` of the
    invoice's `SalesTermRef`, which states the early-payment discount. What is deleted cannot be fetched any more: the body is then the one
    that was fetched last.

    :raises Unusable: another entity, or something is missing.
    """
    is_void = _operation(part(document, "notice")) in _VOIDING
    if "Invoice" in document:
        body = part(document, "Invoice")
        if is_void or _says_void(body):
            return [void(books, text(body, "DocNumber"), text(part(body, "CustomerRef"), "value"))]
        return [_draft(body, books, part(document, "Term")).invoice()]
    if "CreditMemo" in document:
        body = part(document, "CreditMemo")
        if _says_void(body):
            raise Unusable("a voided credit memo has lost its amounts: what it credited is in the body that was fetched before")
        credit = _draft(body, books, {})
        return [credit.taken_back() if is_void else credit.credit_memo()]
    if "Customer" in document:
        body = part(document, "Customer")
        return [customer(books, text(body, "Id"), text(body, "DisplayName"))]
    raise Unusable("there is neither Invoice nor CreditMemo nor Customer")


def _operation(notice: Json) -> str:
    """Return what was done: `Void` of the older form, the third part of `qbo.invoice.voided.v1` of a CloudEvent."""
    kind = (text_or_none(notice, "type") or "").split(".")
    return (text_or_none(notice, "operation") or (kind[2] if len(kind) > 2 else "")).lower()


def _says_void(body: Json) -> bool:
    """Tell a voided document from one of nothing: by its note, and because nothing is left of it."""
    return (text_or_none(body, "PrivateNote") or "").startswith(_VOID_NOTE) and not body.get("TotalAmt")


def _draft(body: Json, books: Books, term: Json) -> Draft:
    currency = text_or_none(part(body, "CurrencyRef"), "value") or books.currency  # Stated only where several are in use.
    if currency is None:
        raise Unusable("CurrencyRef is missing: say the currency of the company")
    issued_on, total_minor = day(body, "TxnDate"), minor(body, "TotalAmt", currency)
    return Draft(
        books=books,
        number=text(body, "DocNumber"),
        customer=text(part(body, "CustomerRef"), "value"),
        currency=currency,
        issued_on=issued_on,
        total_minor=total_minor,
        tax_minor=minor_or_zero(part(body, "TxnTaxDetail"), "TotalTax", currency),
        lines=list(_lines(body, "Line", currency)),
        due=[(day(body, "DueDate") if body.get("DueDate") else issued_on, total_minor)],
        discounts=_discounts(term),
        references=references(delivery_no=text_or_none(body, "TrackingNum")),
    )


def _lines(body: Json, name: str, currency: str) -> Iterator[Line]:
    """
    Read lines, those of bundles one by one; subtotals and descriptions are none. Amounts are without tax, whatever `GlobalTaxCalculation`.

    :raises Unusable: a line of a kind nobody knows.
    """
    for line in parts(body, name):
        match line.get("DetailType"):
            case "SalesItemLineDetail":
                item = text_or_none(part(part(line, "SalesItemLineDetail"), "ItemRef"), "value")
                yield Line(minor_or_zero(line, "Amount", currency), "freight" if item == _SHIPPING_ITEM else "goods")
            case "DiscountLineDetail":
                yield Line(-minor_or_zero(line, "Amount", currency))
            case "GroupLineDetail":
                yield from _lines(part(line, "GroupLineDetail"), "Line", currency)
            case "SubTotalLineDetail" | "DescriptionOnly":
                continue
            case _:
                raise Unusable("Line has a DetailType that is not told")


def _discounts(term: Json) -> list[erp.Discount]:
    """Read the discount of a `STANDARD` term; one by the day of the month is not told as days."""
    percent = percent_or_none(term, "DiscountPercent")
    days = term.get("DiscountDays")
    return [erp.Discount(percent=percent, days=days)] if percent and isinstance(days, int) else []
