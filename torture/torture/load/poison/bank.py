"""Poison by what banks and payers say beyond a payment: remittance line by line, exchange, returns, advices."""

from collections.abc import Sequence
from typing import Any, Final

from torture.check.expected import Outcome
from torture.load.poison.ingress import ENTITY, an_entry, in_ascii, poison, received
from torture.load.poison.kind import Poison
from torture.load.wire import ADVICE, ENTRY, RETURN


def a_return(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return a bank's word that it took ten dollars back, of money that never comes; None takes a field out."""
    body = an_entry(name, customer=None, returned_bank_ref=f"P-{name}-entry"[:64], kind="nsf", reason_code="R01")
    return {field: value for field, value in {**body, **changes}.items() if value is not None}


def an_advice(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return a payer's word about money that never comes likewise."""
    line = {"document_no": f"P-{name}"[:64], "amount": "10.00"}
    body = {"entity": ENTITY, "advice_no": f"P-{name}"[:64], "payment_ref": f"E2E-{name}"[:64], "currency": "USD", "lines": [line]}
    return {field: value for field, value in {**body, **changes}.items() if value is not None}


def _lines(**changes: Any) -> list[dict[str, Any]]:
    return [{"document_no": "P-1", "amount": "10.00", **changes}]


_DAMAGED: Final = {"code": "DAMAGED", "amount": "1.00"}


def _refused_entries() -> list[Poison]:
    changes: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("lines-exceed-amount", "LINES_EXCEED_AMOUNT", {"lines": _lines(amount="10.01")}),
        ("lines-not-a-list", "WRONG_TYPE", {"lines": {"document_no": "P-1"}}),
        ("lines-too-many", "TOO_MANY", {"lines": _lines(amount="0.01") * 1001}),
        ("line-without-number", "MISSING", {"lines": [{"amount": "10.00"}]}),
        ("line-number-with-pipe", "BAD_IDENTIFIER", {"lines": _lines(document_no="P|1")}),
        ("line-amount-a-number", "WRONG_TYPE", {"lines": _lines(amount=10)}),
        ("line-gross-exponent", "AMOUNT_NOT_PLAIN", {"lines": _lines(gross="1e1")}),
        ("line-discount-negative", "AMOUNT_NOT_POSITIVE", {"lines": _lines(discount_taken="-1.00")}),
        ("line-of-instalment-zero", "OUT_OF_RANGE", {"lines": _lines(n=0)}),
        ("line-deduction-of-nothing", "AMOUNT_NOT_POSITIVE", {"lines": _lines(deductions=[{**_DAMAGED, "amount": "0.00"}])}),
        ("line-deduction-without-code", "MISSING", {"lines": _lines(deductions=[{"amount": "1.00"}])}),
        ("line-deductions-too-many", "TOO_MANY", {"lines": _lines(deductions=[_DAMAGED] * 21)}),
        ("entry-payment-ref-with-newline", "BAD_IDENTIFIER", {"payment_ref": "E2E-1\nE2E-2"}),
        ("entry-rate-of-nothing", "RATE_MALFORMED", {"rate": "0"}),
        ("entry-rate-not-a-number", "RATE_MALFORMED", {"rate": "NaN"}),
        ("entry-exchanged-into-itself", "CURRENCY_NOT_EXCHANGED", {"exchange": {"currency": "USD", "amount": "9.00"}}),
        ("entry-exchanged-into-nothing", "AMOUNT_NOT_POSITIVE", {"exchange": {"currency": "EUR", "amount": "0.00"}}),
        ("entry-exchanged-into-half-a-yen", "AMOUNT_TOO_PRECISE", {"exchange": {"currency": "JPY", "amount": "0.5"}}),
    )
    return [poison(name, ENTRY, in_ascii(an_entry(name, **change)), Outcome.REFUSED, code) for name, code, change in changes]


def _refused_returns() -> list[Poison]:
    changes: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("return-of-nothing-named", "MISSING", {"returned_bank_ref": None}),
        ("return-of-a-pipe", "BAD_IDENTIFIER", {"returned_bank_ref": "P|1"}),
        ("return-of-unknown-kind", "KIND_UNKNOWN", {"kind": "regret"}),
        ("return-kind-a-number", "WRONG_TYPE", {"kind": 7}),
        ("return-amount-negative", "AMOUNT_NOT_POSITIVE", {"amount": "-10.00"}),
        ("return-amount-exponent", "AMOUNT_NOT_PLAIN", {"amount": "1e1"}),
        ("return-in-no-currency", "CURRENCY_UNKNOWN", {"currency": "XXX"}),
        ("return-for-a-story", "REASON_INVALID", {"reason_code": "<b>because</b> " * 20}),
        ("return-fee-of-nothing", "AMOUNT_NOT_POSITIVE", {"fee": "0.00"}),
        ("return-fee-below-the-cent", "AMOUNT_TOO_PRECISE", {"fee": "0.001"}),
        ("return-before-time", "DATE_OUT_OF_RANGE", {"value_on": "1969-12-31"}),
        ("return-on-a-day-that-never-was", "BAD_DATE", {"value_on": "2025-02-30"}),
        ("return-entity-unknown", "ENTITY_UNKNOWN", {"entity": "ZZ99"}),
    )
    refused = [poison(name, RETURN, in_ascii(a_return(name, **change)), Outcome.REFUSED, code) for name, code, change in changes]
    return [*refused, poison("return-not-json", RETURN, b"take it back", Outcome.REFUSED, "NOT_JSON")]


def _refused_advices() -> list[Poison]:
    changes: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("advice-of-no-payment", "MISSING", {"payment_ref": None}),
        ("advice-payment-not-provided", "NOT_PROVIDED", {"payment_ref": "NOTPROVIDED"}),
        ("advice-without-lines", "MISSING", {"lines": None}),
        ("advice-line-exponent", "AMOUNT_NOT_PLAIN", {"lines": _lines(amount="1e1")}),
        ("advice-lines-too-many", "TOO_MANY", {"lines": _lines() * 1001}),
        ("advice-in-no-currency", "CURRENCY_UNKNOWN", {"currency": "usd"}),
        ("advice-number-with-pipe", "BAD_IDENTIFIER", {"advice_no": "P|1"}),
        ("advice-entity-unknown", "ENTITY_UNKNOWN", {"entity": "ZZ99"}),
    )
    refused = [poison(name, ADVICE, in_ascii(an_advice(name, **change)), Outcome.REFUSED, code) for name, code, change in changes]
    return [*refused, poison("advice-not-json", ADVICE, b"\x80", Outcome.REFUSED, "NOT_JSON")]


def _accepted() -> list[Poison]:
    """Odd, but what it says is plain; what waits for money that never comes waits for ever and harms nobody."""
    twice, below, zero = "lines-of-one-document-twice", "line-that-nets-a-credit", "line-of-nothing"
    entries = (
        (twice, {"lines": _lines(amount="5.00") * 2}),
        (below, {"lines": [*_lines(amount="12.00"), *_lines(document_no="P-CM-1", amount="-2.00")]}),
        (zero, {"lines": _lines(amount="0.00")}),
        ("entry-rate-of-its-own-currency", {"rate": "1.08"}),
    )
    said = [poison(name, ENTRY, in_ascii(an_entry(name, **change)), Outcome.ACCEPTED, effect=received(name)) for name, change in entries]
    waiting = (
        ("return-of-what-never-comes", RETURN, a_return("return-of-what-never-comes")),
        ("return-in-the-far-future", RETURN, a_return("return-in-the-far-future", value_on="9999-12-31", fee="9999999999999.99")),
        ("advice-of-what-never-comes", ADVICE, an_advice("advice-of-what-never-comes")),
        ("advice-of-no-documents", ADVICE, an_advice("advice-of-no-documents", lines=[])),
    )
    return [*said, *(poison(name, type_, in_ascii(data), Outcome.ACCEPTED) for name, type_, data in waiting)]


BANK: Final[Sequence[Poison]] = (*_refused_entries(), *_refused_returns(), *_refused_advices(), *_accepted())
"""Poison that is a bank's or a payer's word on more than that money came."""
