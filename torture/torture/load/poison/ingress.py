"""Poison by what is said: well-formed CloudEvents on ingress topics whose data is broken, wrong or only odd."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from torture.check.expected import ExpectedDocument, ExpectedReceipt, Outcome
from torture.load.poison.kind import Dose, Effect, Poison
from torture.load.wire import (
    ADVICE,
    CUSTOMER,
    DEBIT,
    ENTRY,
    INVOICE,
    MEMO,
    OPENING,
    RETURN,
    SOURCES,
    VOID,
    Record,
    attributes,
    binary_headers,
    encoded,
)

ENTITY: Final = "US01"
ACCOUNT: Final = "P-01"
"""Whose books poison that is accepted goes into: nobody else's."""
TOPIC_OF: Final[Mapping[str, str]] = {
    **dict.fromkeys((INVOICE, DEBIT, MEMO, VOID, OPENING), "erp.documents"),
    **dict.fromkeys((ENTRY, RETURN, ADVICE), "bank.entries"),
    CUSTOMER: "erp.customers",
}
LABEL: Final = b"torture-poison"
TWO_MEGABYTES: Final = 2 * 1024 * 1024


def an_invoice(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return an invoice over ten dollars whose number is made of the poison's name; None takes a field out. Debit memos look the same."""
    body = {
        "entity": ENTITY,
        "document_no": f"P-{name}"[:64],
        "customer": ACCOUNT,
        "currency": "USD",
        "issued_on": "2025-01-02",
        "total": "10.00",
        "terms": "NET5",
    }
    return {field: value for field, value in {**body, **changes}.items() if value is not None}


def an_entry(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return a bank entry over ten dollars likewise."""
    body = {
        "entity": ENTITY,
        "account_ref": "US-OPERATING",
        "bank_ref": f"P-{name}"[:64],
        "value_on": "2025-01-02",
        "amount": "10.00",
        "currency": "USD",
        "customer": ACCOUNT,
    }
    return {field: value for field, value in {**body, **changes}.items() if value is not None}


def a_customer(name: str, /, **changes: Any) -> dict[str, Any]:
    """Return a customer likewise."""
    return {"entity": ENTITY, "customer": f"P-{name}"[:64], "name": "Poison Ltd", **changes}


def billed(name: str, minor: int = 1000, kind: str = "invoice") -> ExpectedDocument:
    """The effect of a poison document that is accepted."""
    return ExpectedDocument(f"{ENTITY}|P-{name}"[: len(ENTITY) + 65], kind, ENTITY, ACCOUNT, "USD", minor)


def received(name: str, minor: int = 1000) -> ExpectedReceipt:
    """The effect of a poison bank entry that is accepted."""
    return ExpectedReceipt(f"{ENTITY}|P-{name}"[: len(ENTITY) + 65], ENTITY, "USD", minor, ACCOUNT)


def record(type_: str, name: str, value: bytes | None, **how: Any) -> Record:
    """Put data into a record of its type's topic, in binary mode, under a key of the poison's own."""
    topic = TOPIC_OF[type_]
    headers = binary_headers(attributes(type_, SOURCES[topic], f"poison|{name}"), (LABEL, name.encode()))
    return Record(topic, f"poison|{name}".encode(), value, headers, **how)


def poison(
    name: str, type_: str, value: bytes, outcome: Outcome | None, reason: str = "", effect: Effect | None = None, **how: Any
) -> Poison:
    return Poison(name, (Dose(record(type_, name, value, **how), outcome, reason, effect),))


def _refused_bytes() -> list[Poison]:
    """Data that is no JSON, or no JSON object."""
    good = encoded(an_invoice("bytes"))
    deep = b'{"entity":"US01","more":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    spoilt = (
        ("not-utf8", good.replace(b"P-01", b"P-\xff\xfe"), "NOT_JSON"),
        ("not-json", good.replace(b'"', b"'"), "NOT_JSON"),
        ("cut-short", good[:-20], "NOT_JSON"),
        ("trailing-garbage", good + b"}", "NOT_JSON"),
        ("empty-value", b"", "NOT_JSON"),
        ("only-spaces", b"   ", "NOT_JSON"),
        ("byte-order-mark", b"\xef\xbb\xbf" + good, "NOT_JSON"),
        ("utf16", good.decode().encode("utf-16"), "NOT_JSON"),
        ("binary-zeros", b"\x00" * 100, "NOT_JSON"),
        ("avro-with-magic-byte", b"\x00\x00\x00\x00\x07" + good, "NOT_JSON"),
        ("nan", good.replace(b'"10.00"', b"NaN"), "NOT_JSON"),
        ("infinity", good.replace(b'"10.00"', b"-Infinity"), "NOT_JSON"),
        ("lone-surrogate", good.replace(b"P-01", b"P-\\ud800"), "NOT_JSON"),
        ("an-array", b"[" + good + b"]", "NOT_AN_OBJECT"),
        ("a-number", b"42", "NOT_AN_OBJECT"),
        ("a-null", b"null", "NOT_AN_OBJECT"),
        ("json-in-a-string", encoded(good.decode()), "NOT_AN_OBJECT"),
        ("ten-thousand-deep", deep, "TOO_DEEP"),
    )
    return [poison(name, INVOICE, value, Outcome.REFUSED, code) for name, value, code in spoilt]


def _refused_invoices() -> list[Poison]:
    """Invoices that are JSON and still none."""
    today = {"due_on": "2025-01-02"}
    changes: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("amount-a-number", "WRONG_TYPE", {"total": 10.5}),
        ("amount-a-boolean", "WRONG_TYPE", {"total": True}),
        ("amount-an-object", "WRONG_TYPE", {"total": {"amount": "10.00"}}),
        ("amount-missing", "MISSING", {"total": None}),
        ("everything-missing", "MISSING", dict.fromkeys(("document_no", "customer", "currency", "issued_on", "total"))),
        ("amount-exponent", "AMOUNT_NOT_PLAIN", {"total": "1e3"}),
        ("amount-arabic-digits", "AMOUNT_NOT_PLAIN", {"total": "١٢"}),
        ("amount-full-width-digits", "AMOUNT_NOT_PLAIN", {"total": "１２.００"}),
        ("amount-negative-zero", "AMOUNT_NOT_PLAIN", {"total": "-0.00"}),
        ("amount-plus-sign", "AMOUNT_NOT_PLAIN", {"total": "+10.00"}),
        ("amount-with-comma", "AMOUNT_NOT_PLAIN", {"total": "1,000.00"}),
        ("amount-with-spaces", "AMOUNT_NOT_PLAIN", {"total": " 10.00 "}),
        ("amount-underscored", "AMOUNT_NOT_PLAIN", {"total": "1_000"}),
        ("amount-leading-zero", "AMOUNT_NOT_PLAIN", {"total": "010.00"}),
        ("amount-empty", "AMOUNT_NOT_PLAIN", {"total": ""}),
        ("amount-nan-text", "AMOUNT_NOT_PLAIN", {"total": "NaN"}),
        ("amount-forty-digits", "AMOUNT_NOT_PLAIN", {"total": "1" * 40}),
        ("amount-too-large", "AMOUNT_TOO_LARGE", {"total": "10000000000000.01"}),
        ("amount-three-decimals", "AMOUNT_TOO_PRECISE", {"total": "10.001"}),
        ("yen-with-decimals", "AMOUNT_TOO_PRECISE", {"total": "10.0", "currency": "JPY"}),
        ("amount-negative", "AMOUNT_NEGATIVE", {"total": "-10.00"}),
        ("currency-lower-case", "CURRENCY_UNKNOWN", {"currency": "usd"}),
        ("currency-unknown", "CURRENCY_UNKNOWN", {"currency": "XXX"}),
        ("unknown-enum", "TYPE_NOT_SUPPORTED", {"type": "999"}),
        ("day-that-never-was", "BAD_DATE", {"issued_on": "2025-02-30"}),
        ("day-written-otherwise", "BAD_DATE", {"issued_on": "02.01.2025"}),
        ("day-of-five-digit-year", "BAD_DATE", {"issued_on": "12025-01-02"}),
        ("day-before-time", "DATE_OUT_OF_RANGE", {"issued_on": "1969-12-31"}),
        ("due-after-the-end-of-days", "DATE_OUT_OF_RANGE", {"issued_on": "9999-12-31"}),
        ("number-with-bell", "BAD_IDENTIFIER", {"document_no": "P-\x07"}),
        ("number-with-newline", "BAD_IDENTIFIER", {"document_no": "P-1\nP-2"}),
        ("number-right-to-left", "BAD_IDENTIFIER", {"document_no": "P-\u202e1"}),
        ("number-with-pipe", "BAD_IDENTIFIER", {"document_no": "P|1"}),
        ("number-empty", "BAD_IDENTIFIER", {"document_no": ""}),
        ("number-too-long", "BAD_IDENTIFIER", {"document_no": "P" * 65}),
        ("number-ends-in-space", "BAD_IDENTIFIER", {"document_no": "P-1 "}),
        ("customer-like-a-receipt", "BAD_IDENTIFIER", {"customer": "receipt:B-1"}),
        ("customer-with-nul", "BAD_TEXT", {"customer": "P-\x00"}),
        ("entity-unknown", "ENTITY_UNKNOWN", {"entity": "ZZ99"}),
        ("entity-like-a-query", "ENTITY_UNKNOWN", {"entity": "US01'; DROP TABLE document; --"}),
        ("terms-unknown", "TERMS_UNKNOWN", {"terms": "2 percent in 10 days"}),
        ("terms-twice", "TERMS_AND_INSTALMENTS", {"instalments": [{**today, "amount": "10.00"}]}),
        ("terms-missing", "TERMS_MISSING", {"terms": None}),
        ("instalments-do-not-sum", "INSTALMENTS_SUM", {"terms": None, "instalments": [{**today, "amount": "9.99"}]}),
        ("instalments-too-many", "INSTALMENTS_TOO_MANY", {"terms": None, "instalments": [{**today, "amount": "0.01"}] * 361}),
        ("lines-do-not-sum", "LINES_SUM", {"lines": [{"amount": "9.99"}], "tax": "0.02"}),
    )
    return [poison(name, INVOICE, in_ascii(an_invoice(name, **change)), Outcome.REFUSED, code) for name, code, change in changes]


def in_ascii(content: object) -> bytes:
    """Write JSON with escapes, as control characters have to be."""
    return json.dumps(content, separators=(",", ":")).encode()


def _refused_elsewhere() -> list[Poison]:
    """Bank entries and customers that are none."""
    entries: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("entry-amount-exponent", "AMOUNT_NOT_PLAIN", {"amount": "1e3"}),
        ("entry-amount-negative", "AMOUNT_NOT_POSITIVE", {"amount": "-5.00"}),
        ("entry-amount-forty-digits", "AMOUNT_NOT_PLAIN", {"amount": "9" * 40}),
        ("entry-currency-unknown", "CURRENCY_UNKNOWN", {"currency": "US$"}),
        ("entry-value-date-before-time", "DATE_OUT_OF_RANGE", {"value_on": "0001-01-01"}),
        ("entry-reference-with-nul", "BAD_TEXT", {"bank_ref": "P-\x00"}),
        ("entry-entity-unknown", "ENTITY_UNKNOWN", {"entity": "us01"}),
        ("entry-debtor-a-list", "NOT_AN_OBJECT", {"debtor": ["somebody"]}),
    )
    customers: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("customer-name-a-number", "WRONG_TYPE", {"name": 7}),
        ("customer-bank-account-null", "WRONG_TYPE", {"bank_accounts": [None]}),
        ("customer-number-with-pipe", "BAD_IDENTIFIER", {"customer": "P|1"}),
    )
    return [
        *(poison(name, ENTRY, in_ascii(an_entry(name, **change)), Outcome.REFUSED, code) for name, code, change in entries),
        *(poison(name, CUSTOMER, in_ascii(a_customer(name, **change)), Outcome.REFUSED, code) for name, code, change in customers),
        poison("entry-not-json", ENTRY, b"amount=10.00", Outcome.REFUSED, "NOT_JSON"),
        poison("customer-not-json", CUSTOMER, b"\x80\x81", Outcome.REFUSED, "NOT_JSON"),
    ]


def _too_large() -> list[Poison]:
    """
    Two megabytes. As they are, the broker turns them away (`max.message.bytes` is one).

    It counts what it gets, though: compressed they pass, and whoever reads has to take them.
    """
    padding = "x" * TWO_MEGABYTES
    return [
        poison("two-megabytes", INVOICE, encoded(an_invoice("two-megabytes", padding=padding)), None),
        poison(
            "two-megabytes-zipped",
            INVOICE,
            encoded(an_invoice("two-megabytes-zipped", padding=padding)),
            Outcome.ACCEPTED,
            effect=billed("two-megabytes-zipped"),
            zipped=True,
        ),
        poison(
            "two-megabytes-of-nothing-zipped",
            INVOICE,
            encoded(an_invoice("two-megabytes-of-nothing-zipped", total=None, padding=padding)),
            Outcome.REFUSED,
            "MISSING",
            zipped=True,
        ),
        poison("two-megabytes-of-name-zipped", CUSTOMER, encoded({"name": padding}), Outcome.REFUSED, "MISSING", zipped=True),
    ]


def _accepted() -> list[Poison]:
    """Odd, but what it says is plain."""
    twice = encoded(an_invoice("name-twice")).replace(b'"total":"10.00"', b'"total":"99.00","total":"10.00"')
    odd = (
        ("extra-fields", encoded(an_invoice("extra-fields", v2_of_tax={"rate": "0.2"}, lines_of_text=["a"], __proto__=1))),
        ("name-twice", twice),
        ("spaces-everywhere", json.dumps(an_invoice("spaces-everywhere"), indent=8).encode()),
        ("escaped-letters", encoded(an_invoice("escaped-letters")).replace(b'"USD"', b'"\\u0055SD"')),
        (
            "two-hundred-deep-beside",
            encoded(an_invoice("two-hundred-deep-beside")).replace(b"{", b'{"more":' + b"[" * 200 + b"]" * 200 + b",", 1),
        ),
    )
    said = [poison(name, INVOICE, value, Outcome.ACCEPTED, effect=billed(name)) for name, value in odd]
    name = "entry-remittance-of-nonsense"
    nonsense = "\u202e<script>alert(1)</script> {{7*7}} %s ; DROP TABLE receipt; " + "9" * 5000
    entry = poison(name, ENTRY, encoded(an_entry(name, remittance=nonsense)), Outcome.ACCEPTED, effect=received(name))
    return [*said, entry]


CONTENTS: Final[Sequence[Poison]] = (*_refused_bytes(), *_refused_invoices(), *_refused_elsewhere(), *_too_large(), *_accepted())
"""Poison that is a CloudEvent of a type we listen to."""
