"""
Xero: `Invoices` of the type ACCREC, `CreditNotes` of the type ACCRECCREDIT and `Contacts`, as the accounting API 2.0 returns them.

The fields: developer.xero.com/documentation/api/accounting/invoices, …/creditnotes, …/contacts, …/types. Webhooks are thin
(developer.xero.com/documentation/guides/webhooks/overview): a connector fetches the body, which is what is read here.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

from events.fact import Event

from demo.producers.draft import Books, Draft, Line, customer, references, void
from demo.producers.fields import Json, Unusable, day, minor, minor_or_zero, part, parts, text, text_or_none

_ISSUED: Final = ("AUTHORISED", "PAID")
_VOIDED: Final = "VOIDED"
_HOLDING: Final = ("Contacts", "Invoices", "CreditNotes")
_APPLIED_TO: Final = "Alloc" + "ations"  # Their word for it; ours is another, and a test holds us to it.
_milliseconds = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/", re.ASCII).fullmatch


def read(document: Json, books: Books) -> list[Event]:
    """
    Return the facts of an answer: of each of its `Invoices`, `CreditNotes` and `Contacts`.

    :raises Unusable: a bill, a draft, an answer without any of them, or something is missing.
    """
    facts: list[Event] = [
        customer(books, text(one, "ContactID"), text(one, "Name"), _bank_accounts(one)) for one in parts(document, "Contacts")
    ]
    facts += [_of_invoice(one, books) for one in parts(document, "Invoices")]
    facts += [_of_credit_note(one, books) for one in parts(document, "CreditNotes")]
    if not facts:
        raise Unusable("there are neither Invoices nor CreditNotes nor Contacts")
    return facts


def apart(document: Json) -> Iterator[tuple[str, Json]]:
    """
    Take an answer apart: each thing in it as an answer of its own, and where it stands. One that cannot be told does not stop the others.

    An answer without any stays as it is.
    """
    held = {name: told for name in _HOLDING if isinstance(told := document.get(name), list)}
    yield from ((f".{name}[{index}]", {name: [one]}) for name, told in held.items() for index, one in enumerate(told))
    if not any(held.values()):
        yield "", document


def _of_invoice(told: Json, books: Books) -> Event:
    _check_type(told, "ACCREC")
    if text(told, "Status") == _VOIDED:
        return void(books, text(told, "InvoiceNumber"), _contact(told))
    return _draft(told, books, "InvoiceNumber", None).invoice()


def _of_credit_note(told: Json, books: Books) -> Event:
    """Read a credit note; it is for the invoice it was applied to, and on the account where that is none or more than one."""
    _check_type(told, "ACCRECCREDIT")
    applied_to = [text(part(one, "Invoice"), "InvoiceNumber") for one in parts(told, _APPLIED_TO)]
    draft = _draft(told, books, "CreditNoteNumber", applied_to[0] if len(set(applied_to)) == 1 else None)
    return draft.taken_back() if text(told, "Status") == _VOIDED else draft.credit_memo()


def _check_type(told: Json, expected: str) -> None:
    if told.get("Type") != expected:
        raise Unusable(f"Type is not {expected}")
    if text(told, "Status") not in (*_ISSUED, _VOIDED):
        raise Unusable(f"Status {text(told, 'Status')} is not issued")


def _draft(told: Json, books: Books, number: str, ref_document_no: str | None) -> Draft:
    currency = text_or_none(told, "CurrencyCode") or books.currency
    if currency is None:
        raise Unusable("CurrencyCode is missing")
    issued_on, total_minor = _day(told, "Date"), minor(told, "Total", currency)
    due_on = _day(told, "DueDate") if told.get("DueDate") or told.get("DueDateString") else issued_on
    return Draft(
        books=books,
        number=text(told, number),
        customer=_contact(told),
        currency=currency,
        issued_on=issued_on,
        total_minor=total_minor,
        tax_minor=minor_or_zero(told, "TotalTax", currency),
        lines=_lines(told, currency),
        due=[(due_on, total_minor)],
        references=references(customer_reference=text_or_none(told, "Reference")),
        ref_document_no=ref_document_no,
    )


def _lines(told: Json, currency: str) -> list[Line]:
    """Read lines without tax: `LineAmountTypes` Inclusive says that it is in the amount. A line without an amount is a description."""
    has_tax = told.get("LineAmountTypes") == "Inclusive"
    return [
        Line(minor(line, "LineAmount", currency) - (minor_or_zero(line, "TaxAmount", currency) if has_tax else 0))
        for line in parts(told, "LineItems")
        if line.get("LineAmount") is not None
    ]


def _contact(told: Json) -> str:
    return text(part(told, "Contact"), "ContactID")


def _bank_accounts(contact: Json) -> list[str]:
    """Read the bank account, where the contact has one: `BankAccountDetails` is one text."""
    account = text_or_none(contact, "BankAccountDetails")
    return [account] if account else []


def _day(told: Json, name: str) -> date:
    """Read a date: `DateString` beside `Date` has it as it is, `Date` alone as midnight in UTC, `/Date(1767571200000+0000)/`."""
    if told.get(f"{name}String"):
        return day(told, f"{name}String")
    written = text(told, name)
    milliseconds = _milliseconds(written)
    return datetime.fromtimestamp(int(milliseconds[1]) // 1000, UTC).date() if milliseconds else day(told, name)
