"""The rules of a document, with nothing running."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain import INSTALMENTS_MAX, Document, Draft, Fault, Instalment, examine, overdue_days, settlement_status
from money import format_minor, scale

DAY = date(2026, 1, 5)


def an_invoice(**changes: object) -> Draft:
    smallest = Draft("invoice", "US01", "INV-1", "C-1", "USD", DAY, "12000.00", "380", terms="NET30")
    return replace(smallest, **changes)  # type: ignore[arg-type]


def a_memo(**changes: object) -> Draft:
    smallest = Draft("credit_memo", "US01", "CM-1", "C-1", "USD", DAY, "300.00", "381")
    return replace(smallest, **changes)  # type: ignore[arg-type]


def the_document(draft: Draft) -> Document:
    document = examine(draft)
    assert isinstance(document, Document), document
    return document


def the_faults(draft: Draft) -> list[Fault]:
    faults = examine(draft)
    assert isinstance(faults, list), faults
    return faults


def test_net_30_is_one_instalment_thirty_days_after_issue() -> None:
    assert the_document(an_invoice()).instalments == (Instalment(1, date(2026, 2, 4), 1_200_000),)


def test_instalments_are_numbered_as_they_were_sent() -> None:
    later_first = [(date(2026, 3, 1), "7000.00"), (date(2026, 2, 1), "5000")]

    document = the_document(an_invoice(terms=None, instalments=later_first))

    assert document.instalments == (Instalment(1, date(2026, 3, 1), 700_000), Instalment(2, date(2026, 2, 1), 500_000))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"currency": "XXX"}, Fault("CURRENCY_UNKNOWN", "currency")),
        ({"currency": "usd"}, Fault("CURRENCY_UNKNOWN", "currency")),
        ({"total": "0.00"}, Fault("AMOUNT_NOT_POSITIVE", "total")),
        ({"total": "-1.00"}, Fault("AMOUNT_NOT_POSITIVE", "total")),
        ({"total": "1e3"}, Fault("AMOUNT_NOT_PLAIN", "total")),
        ({"total": "12000.001"}, Fault("AMOUNT_TOO_PRECISE", "total")),
        ({"currency": "JPY", "total": "0.5"}, Fault("AMOUNT_TOO_PRECISE", "total")),
        ({"total": "99999999999999999"}, Fault("AMOUNT_TOO_LARGE", "total")),
        ({"tax": "1,00"}, Fault("AMOUNT_NOT_PLAIN", "tax")),
        ({"terms": None}, Fault("TERMS_MISSING", "terms")),
        ({"instalments": [(DAY, "12000.00")]}, Fault("TERMS_AND_INSTALMENTS", "terms")),
        ({"terms": "NET366"}, Fault("TERMS_UNKNOWN", "terms")),
        ({"terms": "NET030"}, Fault("TERMS_UNKNOWN", "terms")),
        ({"terms": "NET-1"}, Fault("TERMS_UNKNOWN", "terms")),
        ({"terms": "EOM"}, Fault("TERMS_UNKNOWN", "terms")),
        ({"issued_on": date(1969, 12, 31)}, Fault("DATE_OUT_OF_RANGE", "issued_on")),
        ({"issued_on": date(9999, 12, 31)}, Fault("DATE_OUT_OF_RANGE", "terms")),
        ({"terms": None, "instalments": [(DAY, "11999.99")]}, Fault("INSTALMENTS_SUM", "instalments")),
        ({"terms": None, "instalments": [(DAY, "12000.00"), (DAY, "0")]}, Fault("AMOUNT_NOT_POSITIVE", "instalments[1].amount")),
        ({"terms": None, "instalments": [(date(1900, 1, 1), "12000.00")]}, Fault("DATE_OUT_OF_RANGE", "instalments[0].due_on")),
        ({"terms": None, "instalments": [(DAY, "1.00")] * (INSTALMENTS_MAX + 1)}, Fault("INSTALMENTS_TOO_MANY", "instalments")),
        ({"lines": ["10000.00"]}, Fault("LINES_SUM", "lines")),
        ({"lines": ["10000.00"], "tax": "1999.99"}, Fault("LINES_SUM", "lines")),
        ({"lines": ["12000.00", "1.001"]}, Fault("AMOUNT_TOO_PRECISE", "lines[1].amount")),
    ],
)
def test_one_thing_wrong_is_one_reason(changes: dict[str, object], fault: Fault) -> None:
    """INV-01, XC-01: sums, scales and terms are checked, and no wrong part is blamed for another."""
    assert the_faults(an_invoice(**changes)) == [fault]


def test_everything_wrong_is_told_at_once() -> None:
    """INV-01: an unknown currency does not hide what is wrong with the amounts."""
    faults = the_faults(an_invoice(currency="???", type="999", total="1e3", tax="NaN", terms="soon", lines=["x", "1.00"]))

    assert faults == [
        Fault("CURRENCY_UNKNOWN", "currency"),
        Fault("TYPE_NOT_SUPPORTED", "type"),
        Fault("AMOUNT_NOT_PLAIN", "total"),
        Fault("AMOUNT_NOT_PLAIN", "tax"),
        Fault("AMOUNT_NOT_PLAIN", "lines[0].amount"),
        Fault("TERMS_UNKNOWN", "terms"),
    ]


@pytest.mark.parametrize("type_", ["381", "383", "384", "386", "389", "393", "", "0380"])
def test_an_invoice_of_another_type_than_380_is_refused(type_: str) -> None:
    """INV-02: until debit memos, prepayments and the like have rules of their own, none is taken for an invoice."""
    assert the_faults(an_invoice(type=type_)) == [Fault("TYPE_NOT_SUPPORTED", "type")]


def test_a_memo_is_a_381_and_has_no_instalments() -> None:
    """INV-02"""
    assert the_document(a_memo()).instalments == ()
    assert the_faults(a_memo(type="380")) == [Fault("TYPE_NOT_SUPPORTED", "type")]


def test_lines_and_tax_make_the_total_and_a_line_may_deduct() -> None:
    assert the_document(an_invoice(lines=["11000", "-1000.00"], tax="2000.0")).tax_minor == 200_000


@pytest.mark.parametrize(
    ("currency", "total", "minor"), [("JPY", "5", 5), ("USD", "5", 500), ("KWD", "5.001", 5001), ("CLF", "5.0001", 50001)]
)
def test_an_amount_has_as_many_decimals_as_its_currency(currency: str, total: str, minor: int) -> None:
    """XC-01"""
    assert the_document(an_invoice(currency=currency, total=total)).total_minor == minor


def test_the_same_content_written_otherwise_has_the_same_hash() -> None:
    """INV-01: decimals and the way a due date is given are spelling."""
    as_terms = an_invoice(total="10.0", lines=["10"])
    as_instalment = an_invoice(total="10.00", lines=["10.0"], terms=None, instalments=[(date(2026, 2, 4), "10")])

    assert the_document(as_terms).content_hash == the_document(as_instalment).content_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "credit_memo", "type": "381", "terms": None},
        {"customer": "C-2"},
        {"currency": "EUR"},
        {"issued_on": date(2026, 1, 6), "terms": "NET29"},
        {"total": "12000.01"},
        {"terms": "NET31"},
        {"terms": None, "instalments": [(date(2026, 2, 4), "6000.00"), (date(2026, 2, 4), "6000.00")]},
        {"tax": "0.00"},
        {"lines": ["12000.00"]},
    ],
)
def test_other_content_has_another_hash(changes: dict[str, object]) -> None:
    """INV-01"""
    assert the_document(an_invoice(**changes)).content_hash != the_document(an_invoice()).content_hash


def test_a_reason_that_is_a_text_stays_with_the_sender() -> None:
    assert the_document(a_memo(reason="PRICE")).reason == "PRICE"
    assert the_document(a_memo(reason="Mrs Smith called")).reason is None


def test_the_reference_and_the_reason_of_a_memo_are_content() -> None:
    """INV-01"""
    hashes = {the_document(a_memo(**changes)).content_hash for changes in ({}, {"ref_document_no": "INV-1"}, {"reason": "PRICE"})}
    assert len(hashes) == 3


@given(
    st.sampled_from(["JPY", "USD", "KWD", "CLF"]),
    st.lists(st.tuples(st.dates(date(1970, 1, 1)), st.integers(1, 10**12)), min_size=1, max_size=12),
)
def test_instalments_that_add_up_are_kept_to_the_minor_unit(currency: str, parts: list[tuple[date, int]]) -> None:
    """XC-01: for currencies of 0, 2, 3 and 4 decimals."""
    total = format_minor(sum(minor for _, minor in parts), currency)
    instalments = [(due_on, format_minor(minor, currency)) for due_on, minor in parts]

    document = the_document(an_invoice(currency=currency, total=total, terms=None, instalments=instalments))

    assert [(part.due_on, part.amount_minor) for part in document.instalments] == parts
    assert sum(part.amount_minor for part in document.instalments) == document.total_minor
    assert len(total.partition(".")[2]) == scale(currency)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=10), st.text(max_size=10))
def test_no_text_makes_the_examination_fail(total: str, tax: str, currency: str, terms: str) -> None:
    assert examine(an_invoice(total=total, tax=tax, currency=currency, terms=terms, lines=[tax]))


@given(st.integers(1, 10**15), st.data())
def test_a_document_is_settled_exactly_when_nothing_is_open(total_minor: int, data: st.DataObject) -> None:
    """INV-05"""
    open_minor = data.draw(st.integers(0, total_minor))
    expected = "settled" if open_minor == 0 else "open" if open_minor == total_minor else "partially_settled"
    assert settlement_status(total_minor, open_minor) == expected


def test_overdue_counts_from_the_oldest_part_that_is_open() -> None:
    """INV-05: due dates of settled parts do not count, and the due date itself is in time."""
    owed = [(DAY, 0), (DAY + timedelta(days=10), 500), (DAY + timedelta(days=20), 500)]

    assert [overdue_days(owed, DAY + timedelta(days=days)) for days in (0, 10, 11, 25)] == [0, 0, 1, 15]
    assert overdue_days([], DAY) == 0
