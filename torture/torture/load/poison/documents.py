"""Poison by what is said of debit memos, voids, corrections, opening balances, discounts and components."""

from collections.abc import Sequence
from typing import Any, Final

from torture.check.expected import Outcome
from torture.load.poison.ingress import ACCOUNT, ENTITY, an_invoice, billed, in_ascii, poison
from torture.load.poison.kind import Poison
from torture.load.wire import DEBIT, INVOICE, MEMO, OPENING, VOID

_HALF_OFF: Final = {"percent": "50", "days": 5}


def a_void(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return a void of a document that nobody knows; None takes a field out."""
    body = {"entity": ENTITY, "document_no": f"P-{name}"[:64], "customer": ACCOUNT, "reason": "DUPLICATE"}
    return {field: value for field, value in {**body, **changes}.items() if value is not None}


def an_opening(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return an opening balance of ten dollars likewise."""
    body = an_invoice(name, total=None, terms=None, issued_on="2024-11-30")
    opening = {"as_of": "2025-01-01", "open": "10.00", "due_on": "2024-12-31"}
    return {field: value for field, value in {**body, **opening, **changes}.items() if value is not None}


def _refused_bills() -> list[Poison]:
    """Debit memos, corrected invoices, discounts, lines, rates and tags that are none."""
    itself = "P-correction-of-itself"
    changes: Sequence[tuple[str, str, str, dict[str, Any]]] = (
        ("debit-memo-of-another-type", DEBIT, "TYPE_NOT_SUPPORTED", {"type": "380"}),
        ("debit-memo-negative", DEBIT, "AMOUNT_NEGATIVE", {"total": "-10.00"}),
        ("debit-memo-total-a-list", DEBIT, "WRONG_TYPE", {"total": ["10.00"]}),
        ("debit-memo-without-terms", DEBIT, "TERMS_MISSING", {"terms": None}),
        ("correction-of-nothing", INVOICE, "MISSING", {"type": "384"}),
        ("correction-of-itself", INVOICE, "REFERENCE_TO_ITSELF", {"type": "384", "ref_document_no": itself}),
        ("correction-of-a-pipe", INVOICE, "BAD_IDENTIFIER", {"type": "384", "ref_document_no": "P|1"}),
        ("discount-of-all-and-more", INVOICE, "PERCENT_OUT_OF_RANGE", {"discounts": [{"percent": "100.5", "days": 5}]}),
        ("discount-of-nothing", INVOICE, "PERCENT_OUT_OF_RANGE", {"discounts": [{"percent": "0", "days": 5}]}),
        ("discount-with-a-sign", INVOICE, "PERCENT_MALFORMED", {"discounts": [{"percent": "2%", "days": 5}]}),
        ("discount-that-grows", INVOICE, "DISCOUNTS_ORDER", {"discounts": [{"percent": "1", "days": 5}, {"percent": "2", "days": 9}]}),
        ("discount-in-halves-of-days", INVOICE, "WRONG_TYPE", {"discounts": [{"percent": "1", "days": 2.5}]}),
        ("discount-unlike-its-terms", INVOICE, "TERMS_AND_DISCOUNTS", {"terms": "2/10 NET30", "discounts": [_HALF_OFF]}),
        ("tax-above-total", INVOICE, "TAX_OUT_OF_RANGE", {"tax": "10.01"}),
        ("tax-negative", INVOICE, "TAX_OUT_OF_RANGE", {"tax": "-0.01"}),
        ("tax-of-lines-differs", INVOICE, "TAX_SUM", {"tax": "1.00", "lines": [{"amount": "9.00", "tax": "0.99"}]}),
        ("line-of-unknown-kind", INVOICE, "LINE_KIND_UNKNOWN", {"lines": [{"amount": "10.00", "kind": "gifts"}]}),
        ("rate-of-nothing", INVOICE, "RATE_MALFORMED", {"currency": "EUR", "fx": {"rate": "0", "rate_on": "2025-01-02"}}),
        ("rate-of-infinity", INVOICE, "RATE_MALFORMED", {"currency": "EUR", "fx": {"rate": "Infinity", "rate_on": "2025-01-02"}}),
        ("credit-memo-negative", MEMO, "AMOUNT_NEGATIVE", {"total": "-10.00"}),
        ("credit-memo-of-another-type", MEMO, "TYPE_NOT_SUPPORTED", {"type": "383"}),
    )
    return [poison(name, type_, in_ascii(an_invoice(name, **change)), Outcome.REFUSED, code) for name, type_, code, change in changes]


def _refused_voids() -> list[Poison]:
    changes: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("void-without-number", "MISSING", {"document_no": None}),
        ("void-without-customer", "MISSING", {"customer": None}),
        ("void-of-a-pipe", "BAD_IDENTIFIER", {"document_no": "P|1"}),
        ("void-for-a-number", "WRONG_TYPE", {"reason": 7}),
        ("void-before-time", "DATE_OUT_OF_RANGE", {"effective_on": "0001-01-01"}),
        ("void-on-a-day-that-never-was", "BAD_DATE", {"effective_on": "2025-02-30"}),
        ("void-entity-unknown", "ENTITY_UNKNOWN", {"entity": "ZZ99"}),
    )
    refused = [poison(name, VOID, in_ascii(a_void(name, **change)), Outcome.REFUSED, code) for name, code, change in changes]
    return [*refused, poison("void-not-json", VOID, b"void it", Outcome.REFUSED, "NOT_JSON")]


def _refused_openings() -> list[Poison]:
    changes: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("opening-of-nothing", "NOTHING_OPEN", {"open": "0.00"}),
        ("opening-before-its-document", "AS_OF_BEFORE_ISSUE", {"as_of": "2024-11-29"}),
        ("opening-above-its-total", "OPEN_EXCEEDS_TOTAL", {"original_total": "9.99"}),
        ("opening-due-twice", "TERMS_AND_INSTALMENTS", {"terms": "NET30"}),
        ("opening-never-due", "TERMS_MISSING", {"due_on": None}),
        ("opening-credit-that-is-due", "TERMS_OF_CREDIT", {"open": "-10.00"}),
        ("opening-exponent", "AMOUNT_NOT_PLAIN", {"open": "1e1"}),
        ("opening-twice-negative", "AMOUNT_NEGATIVE", {"open": "--10.00", "due_on": None}),
    )
    return [poison(name, OPENING, in_ascii(an_opening(name, **change)), Outcome.REFUSED, code) for name, code, change in changes]


def _accepted() -> list[Poison]:
    """Odd, but what it says is plain; a void of what never comes waits for ever and harms nobody."""
    zero, debit, credit, late = "amount-zero", "debit-memo-about-nothing", "opening-overpaid", "due-on-the-last-day-there-is"
    tiny = "discount-of-a-ten-thousandth"
    last_day = [{"due_on": "9999-12-31", "amount": "10.00"}]
    said = (
        (zero, INVOICE, an_invoice(zero, total="0.00"), billed(zero, 0)),
        (tiny, INVOICE, an_invoice(tiny, discounts=[{"percent": "0.0001", "days": 0}]), billed(tiny)),
        (late, INVOICE, an_invoice(late, terms=None, instalments=last_day), billed(late)),
        (debit, DEBIT, an_invoice(debit, ref_document_no="P-nothing"), billed(debit, kind="debit_memo")),
        (credit, OPENING, an_opening(credit, open="-10.00", due_on=None), billed(credit, kind="credit_memo")),
        ("void-of-what-never-comes", VOID, a_void("what-never-comes"), None),
        ("void-for-a-story", VOID, a_void("void-for-a-story", reason="\u202e<b>because</b> " * 50), None),
        ("void-in-the-far-future", VOID, a_void("void-in-the-far-future", effective_on="9999-12-31"), None),
    )
    return [poison(name, type_, in_ascii(data), Outcome.ACCEPTED, effect=effect) for name, type_, data, effect in said]


DOCUMENTS: Final[Sequence[Poison]] = (*_refused_bills(), *_refused_voids(), *_refused_openings(), *_accepted())
"""Poison that is an ERP's word on documents, beyond plain invoices."""
