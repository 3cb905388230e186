"""Reading ingress: a typed fact, or every reason at once, whatever is sent."""

from datetime import date

import msgspec
import pytest
from events import bank, erp
from events.ingress import IDENTIFIER_LENGTH_MAX, REASONS_MAX, Code, Refused, check_identifier, explain, read
from events.invoice import Reason
from hypothesis import given
from hypothesis import strategies as st

SMALLEST = (
    b'{"entity":"US01","document_no":"INV-1","customer":"C-1","currency":"USD","issued_on":"2026-01-05","terms":"NET30","total":"12000.00"}'
)


def refusals(data: bytes, cls: type = erp.InvoiceIssued) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        read(cls, data)
    return [(reason.code, reason.field) for reason in refused.value.reasons]


def with_extra(extra: bytes) -> bytes:
    return SMALLEST[:-1] + b"," + extra + b"}"


def test_the_smallest_useful_invoice_is_read() -> None:
    invoice = read(erp.InvoiceIssued, SMALLEST)
    assert (invoice.document_no, invoice.issued_on, invoice.total, invoice.type) == ("INV-1", date(2026, 1, 5), "12000.00", "380")


def test_unknown_fields_are_ignored_whatever_they_hold() -> None:
    for extra in (b'"colour":"red"', b'"n":' + b"9" * 1_000_000, b'"deep":' + b"[" * 100 + b"]" * 100, b'"entity2":null'):
        assert read(erp.InvoiceIssued, with_extra(extra)) == read(erp.InvoiceIssued, SMALLEST)


def test_an_optional_field_may_be_null() -> None:
    assert read(erp.InvoiceIssued, with_extra(b'"tax":null,"instalments":null')) == read(erp.InvoiceIssued, SMALLEST)


def test_every_reason_is_given_at_once_in_the_order_of_the_fields() -> None:
    data = b"""{"entity": 7, "document_no": "INV-1", "currency": null, "issued_on": "05.01.2026", "total": 12000.00, "terms": [],
        "instalments": [{"due_on": "2026-02-30", "amount": "1.00"}, {"due_on": 20260205}, "x"], "lines": {}, "tax": true}"""
    assert refusals(data) == [
        ("WRONG_TYPE", "entity"),
        ("MISSING", "customer"),
        ("WRONG_TYPE", "currency"),
        ("BAD_DATE", "issued_on"),
        ("WRONG_TYPE", "total"),
        ("WRONG_TYPE", "terms"),
        ("BAD_DATE", "instalments[0].due_on"),
        ("WRONG_TYPE", "instalments[1].due_on"),
        ("MISSING", "instalments[1].amount"),
        ("NOT_AN_OBJECT", "instalments[2]"),
        ("WRONG_TYPE", "lines"),
        ("WRONG_TYPE", "tax"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nonsense",
        b'\xef\xbb\xbf{"entity":"US01"}',
        SMALLEST + b" 1",
        SMALLEST[:-1],
        SMALLEST.replace(b'"12000.00"', b"NaN"),
        SMALLEST.replace(b'"12000.00"', b"Infinity"),
        SMALLEST.replace(b"US01", b"US\x00"),
        with_extra(b'"z":"\\ud800"'),
        SMALLEST.replace(b"US01", b"\\ud800"),
        SMALLEST.decode().encode("utf-16"),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_not_json_has_one_reason(data: bytes) -> None:
    assert refusals(data) == [("NOT_JSON", "data")]


def test_bytes_that_are_not_utf_8_are_found_in_their_field() -> None:
    assert refusals(SMALLEST.replace(b"C-1", b"\xff")) == [("NOT_JSON", "customer")]


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b'"text"', b"true", b"[" + SMALLEST + b"]"])
def test_what_is_not_an_object_is_told_so(data: bytes) -> None:
    assert refusals(data) == [("NOT_AN_OBJECT", "data")]


@pytest.mark.parametrize("depth", [10_000, 400_000])
@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_a_depth_bomb_is_refused_and_nothing_breaks(bracket: bytes, depth: int) -> None:
    assert refusals(with_extra(b'"z":' + bracket * depth)) == [("TOO_DEEP", "data")]
    assert refusals(bracket * depth)[0][0] in ("NOT_JSON", "TOO_DEEP", "NOT_AN_OBJECT", "MISSING")
    assert read(erp.InvoiceIssued, SMALLEST).entity == "US01"


def test_a_number_of_a_million_digits_is_a_wrong_type() -> None:
    assert refusals(SMALLEST.replace(b'"12000.00"', b"1" * 1_000_000)) == [("WRONG_TYPE", "total")]


def test_a_field_that_stands_twice_is_refused_where_either_is_wrong() -> None:
    assert refusals(b'{"total":1,' + SMALLEST[1:]) == [("WRONG_TYPE", "total")]
    assert refusals(with_extra(b'"total":1')) == [("WRONG_TYPE", "total")]
    assert read(erp.InvoiceIssued, with_extra(b'"total":"2"')).total == "2", "the last one counts"


def test_text_that_no_database_stores_is_refused() -> None:
    data = b'{"entity":"US01","account_ref":"A","bank_ref":"B","value_on":"2026-02-20","amount":"1","currency":"USD","remittance":"%s"}'
    assert refusals(data % b"a\\u0000b", bank.EntryBooked) == [("BAD_TEXT", "remittance")]
    assert read(bank.EntryBooked, data % b"a\\\\u0000b").remittance == "a\\u0000b"


def test_reasons_are_bounded() -> None:
    data = with_extra(b'"lines":[' + b",".join([b"1"] * 100_000) + b"]")
    assert len(refusals(data)) == REASONS_MAX


def test_reasons_never_repeat_what_was_sent() -> None:
    with pytest.raises(Refused) as refused:
        read(erp.InvoiceIssued, SMALLEST.replace(b"2026-01-05", b"Jane Doe").replace(b'"12000.00"', b'["DE02"]'))
    told = str(refused.value) + repr(refused.value.reasons)
    assert "issued_on: The field is not a day" in told
    assert "Jane" not in told
    assert "DE02" not in told


def test_every_code_has_a_sentence() -> None:
    for code in Code:
        assert code.sentence.endswith("."), code
        assert explain(Reason(code=code, field="total")).endswith(code.sentence)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_read_or_refused(value: object) -> None:
    for cls in (erp.InvoiceIssued, erp.CreditMemoIssued, erp.CustomerUpserted, bank.EntryBooked):
        fields = {field.encode_name: value for field in msgspec.structs.fields(cls)}
        try:
            data = msgspec.json.encode(fields)
        except (ValueError, OverflowError, UnicodeEncodeError):
            return
        try:
            read(cls, data)
        except Refused as refused:
            assert refused.reasons


@given(st.binary())
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(Refused):
        read(erp.InvoiceIssued, data)


@pytest.mark.parametrize("value", ["US01", "INV-1", "2026/001", "Ä-1", "a b", "x" * IDENTIFIER_LENGTH_MAX, "REC:receipt:1", "请求"])
def test_usable_identifiers_are_let_through(value: str) -> None:
    assert check_identifier("customer", value) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a|b",
        "x" * (IDENTIFIER_LENGTH_MAX + 1),
        "a\nb",
        "a\x00",
        " a",
        "a ",
        "a\u2028b",
        "\u202ea",
        "receipt:1",
        "\u00a0a",
        "\ud800",
    ],
)
def test_identifiers_that_would_break_keys_are_refused(value: str) -> None:
    reason = check_identifier("customer", value)
    assert reason is not None
    assert (reason.code, reason.field) == ("BAD_IDENTIFIER", "customer")
