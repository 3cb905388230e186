"""The rules of a document, with nothing running."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain import INSTALMENTS_MAX, Document, Draft, Fault, Instalment, examine
from invoice.domain.components import Line
from invoice.domain.documents import InForce
from invoice.domain.drafts import Opening
from invoice.domain.tags import Assignment, Project, References
from invoice.domain.valuation import Rate
from money import format_minor, scale

DAY = date(2026, 1, 5)


def an_invoice(**changes: object) -> Draft:
    smallest = Draft("invoice", "US01", "INV-1", "C-1", "USD", DAY, "12000.00", "380", terms="NET30")
    return msgspec.structs.replace(smallest, **changes)


def a_memo(**changes: object) -> Draft:
    smallest = Draft("credit_memo", "US01", "CM-1", "C-1", "USD", DAY, "300.00", "381")
    return msgspec.structs.replace(smallest, **changes)


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
        ({"total": "-1.00"}, Fault("AMOUNT_NEGATIVE", "total")),
        ({"total": "-0.00"}, Fault("AMOUNT_NOT_PLAIN", "total")),
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
        ({"terms": "EOM-1"}, Fault("TERMS_UNKNOWN", "terms")),
        ({"terms": "10/2 20/1 NET30"}, Fault("TERMS_UNKNOWN", "terms")),
        ({"type": "384"}, Fault("MISSING", "ref_document_no")),
        ({"ref_document_no": "INV-1"}, Fault("REFERENCE_TO_ITSELF", "ref_document_no")),
        ({"discounts": [("2", 10), ("3", 20)]}, Fault("DISCOUNTS_ORDER", "discounts")),
        ({"discounts": [("0", 10)]}, Fault("PERCENT_OUT_OF_RANGE", "discounts[0].percent")),
        ({"discounts": [("2", -1)]}, Fault("OUT_OF_RANGE", "discounts[0].days")),
        ({"terms": "2/10 NET30", "discounts": [("3", 10)]}, Fault("TERMS_AND_DISCOUNTS", "discounts")),
        ({"references": References(payment="RF00539007547034")}, Fault("REFERENCE_CHECK_DIGITS", "references.payment")),
        ({"project": Project("P-1", retention_percent="10")}, Fault("MISSING", "project.retention_due_on")),
        (
            {"project": Project("P-1", retention_percent="101", retention_due_on=DAY)},
            Fault("PERCENT_OUT_OF_RANGE", "project.retention_percent"),
        ),
        ({"assignment": Assignment(insured_percent="x")}, Fault("PERCENT_MALFORMED", "assignment.insured_percent")),
        ({"issued_on": date(1969, 12, 31)}, Fault("DATE_OUT_OF_RANGE", "issued_on")),
        ({"issued_on": date(9999, 12, 31)}, Fault("DATE_OUT_OF_RANGE", "terms")),
        ({"terms": None, "instalments": [(DAY, "11999.99")]}, Fault("INSTALMENTS_SUM", "instalments")),
        ({"terms": None, "instalments": [(DAY, "12000.00"), (DAY, "0")]}, Fault("AMOUNT_NOT_POSITIVE", "instalments[1].amount")),
        ({"terms": None, "instalments": [(date(1900, 1, 1), "12000.00")]}, Fault("DATE_OUT_OF_RANGE", "instalments[0].due_on")),
        ({"terms": None, "instalments": [(DAY, "1.00")] * (INSTALMENTS_MAX + 1)}, Fault("INSTALMENTS_TOO_MANY", "instalments")),
        ({"lines": [Line("10000.00")]}, Fault("LINES_SUM", "lines")),
        ({"lines": [Line("10000.00")], "tax": "1999.99"}, Fault("LINES_SUM", "lines")),
        ({"lines": [Line("10000.00", tax="1999.99")]}, Fault("LINES_SUM", "lines")),
        ({"lines": [Line("10000.00", tax="1999.99")], "tax": "2000.00"}, Fault("TAX_SUM", "tax")),
        ({"lines": [Line("12000.00"), Line("1.001")]}, Fault("AMOUNT_TOO_PRECISE", "lines[1].amount")),
        ({"lines": [Line("12000.00", "postage")]}, Fault("LINE_KIND_UNKNOWN", "lines[0].kind")),
        ({"tax": "12000.01"}, Fault("TAX_OUT_OF_RANGE", "tax")),
        ({"tax": "-1.00"}, Fault("TAX_OUT_OF_RANGE", "tax")),
    ],
)
def test_one_thing_wrong_is_one_reason(changes: dict[str, object], fault: Fault) -> None:
    """INV-01, XC-01: sums, scales and terms are checked, and no wrong part is blamed for another."""
    assert the_faults(an_invoice(**changes)) == [fault]


def test_everything_wrong_is_told_at_once() -> None:
    """INV-01: an unknown currency does not hide what is wrong with the amounts."""
    faults = the_faults(an_invoice(currency="???", type="999", total="1e3", tax="NaN", terms="soon", lines=[Line("x"), Line("1.00")]))

    assert faults == [
        Fault("CURRENCY_UNKNOWN", "currency"),
        Fault("TYPE_NOT_SUPPORTED", "type"),
        Fault("AMOUNT_NOT_PLAIN", "total"),
        Fault("AMOUNT_NOT_PLAIN", "tax"),
        Fault("AMOUNT_NOT_PLAIN", "lines[0].amount"),
        Fault("TERMS_UNKNOWN", "terms"),
    ]


@pytest.mark.parametrize(
    ("kind", "taken"),
    [("invoice", ["380", "384", "386", "389", "393"]), ("debit_memo", ["383"]), ("credit_memo", ["261", "381", "396"])],
)
def test_each_kind_of_document_has_its_codes(kind: str, taken: list[str]) -> None:
    """INV-02: by UNTDID 1001; a code of another kind, or none of ours, is refused."""
    terms = None if kind == "credit_memo" else "NET30"
    for type_ in ["380", "381", "383", "384", "386", "389", "393", "261", "396", "325", "", "0380"]:
        examined = examine(an_invoice(kind=kind, type=type_, terms=terms, ref_document_no="INV-0"))
        assert examined == [Fault("TYPE_NOT_SUPPORTED", "type")] if type_ not in taken else isinstance(examined, Document)


def test_a_memo_has_no_instalments() -> None:
    """INV-02"""
    assert the_document(a_memo()).instalments == ()
    assert the_faults(a_memo(terms="NET30")) == [Fault("TERMS_OF_CREDIT", "terms")]


def test_lines_and_tax_make_the_total_and_a_line_may_deduct() -> None:
    assert the_document(an_invoice(lines=[Line("11000"), Line("-1000.00")], tax="2000.0")).tax_minor == 200_000


@pytest.mark.parametrize("draft", [{"terms": "NET30"}, {"terms": None, "instalments": [(DAY, "0")]}])
def test_a_document_of_nothing_is_accepted_with_an_instalment_of_nothing(draft: dict[str, object]) -> None:
    """INV-02: real ledgers have them; one is settled when it is issued. A memo of nothing is accepted too."""
    assert [part.amount_minor for part in the_document(an_invoice(total="0.00", **draft)).instalments] == [0]
    assert the_document(a_memo(total="0")).total_minor == 0


def test_lines_say_what_is_goods_freight_and_charges() -> None:
    """INV-11: the parts sum to the total, tax by line is the tax of the document."""
    lines = [Line("1000.00", tax="200.00"), Line("50.00", "freight", "10.00"), Line("8.00", "charges")]

    parts = the_document(an_invoice(total="1268.00", lines=lines)).components

    assert (parts.goods_minor, parts.tax_minor, parts.freight_minor, parts.charges_minor) == (100_000, 21_000, 5_000, 800)
    assert parts.goods_tax == 20_000


def test_a_part_that_would_be_negative_is_goods() -> None:
    """INV-11: more freight given back than there was; a split by parts below zero would mean nothing."""
    parts = the_document(an_invoice(total="90.00", lines=[Line("100.00"), Line("-10.00", "freight")])).components

    assert (parts.goods_minor, parts.freight_minor) == (9_000, 0)


def test_a_correction_names_what_it_replaces() -> None:
    """INV-07: credit and rebill."""
    document = the_document(an_invoice(document_no="INV-2", type="384", ref_document_no="INV-1"))

    assert (document.origin, document.origin_id, document.corrects) == ("correction", "US01|INV-1", "INV-1")
    assert the_document(an_invoice(document_no="INV-2", ref_document_no="INV-1")).corrects is None


def test_a_retention_is_the_last_instalment_and_has_its_own_date() -> None:
    """INV-14: ten percent of 12,000.00 a year later."""
    project = Project("P-1", "M-1", retention_percent="10", retention_due_on=date(2027, 1, 5))

    parts = the_document(an_invoice(project=project)).instalments

    assert parts == (Instalment(1, date(2026, 2, 4), 1_080_000), Instalment(2, date(2027, 1, 5), 120_000))
    same = [(part.due_on, format_minor(part.amount_minor, "USD")) for part in parts]
    assert the_document(an_invoice(terms=None, instalments=same, project=project)).instalments == parts
    assert the_faults(an_invoice(terms=None, instalments=same[::-1], project=project)) == [Fault("RETENTION_NOT_LAST", "instalments")]


def test_a_creditor_reference_that_is_none_is_taken_as_it_is() -> None:
    for payment in ("RF18539007547034", "RF18 5390 0754 7034", "0000 1234"):
        assert the_document(an_invoice(references=References(payment=payment))).references == References(payment=payment)


@pytest.mark.parametrize(
    ("currency", "total", "minor"), [("JPY", "5", 5), ("USD", "5", 500), ("KWD", "5.001", 5001), ("CLF", "5.0001", 50001)]
)
def test_an_amount_has_as_many_decimals_as_its_currency(currency: str, total: str, minor: int) -> None:
    """XC-01"""
    assert the_document(an_invoice(currency=currency, total=total)).total_minor == minor


def test_the_same_content_written_otherwise_has_the_same_hash() -> None:
    """INV-01: how many decimals are written is spelling."""
    fx, other_fx = Rate("1.10", DAY), Rate("1.1000", DAY)
    one = an_invoice(total="10.0", lines=[Line("10")], discounts=[("2.0", 10)], fx=fx)
    other = an_invoice(total="10.00", lines=[Line("10.0")], discounts=[("2", 10)], fx=other_fx)

    assert the_document(one).content_hash == the_document(other).content_hash


def test_what_policies_and_rates_make_of_a_document_is_no_content() -> None:
    """INV-01, XC-07: the same invoice told again under other policies is still the same."""
    rate = InForce("EUR", rates={("USD", DAY): Rate("0.9", DAY)}, default_terms=[(DAY, "NET60")])
    without_terms = an_invoice(terms=None)
    by_default = examine(without_terms, rate)
    later = examine(without_terms, InForce(default_terms=[(DAY, "NET30")]))

    assert isinstance(by_default, Document)
    assert isinstance(later, Document)
    assert by_default.content_hash == later.content_hash
    assert by_default.instalments != later.instalments
    assert (by_default.terms, by_default.policy_version) == ("NET60", "standard-1")


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
        {"lines": [Line("12000.00")]},
        {"lines": [Line("12000.00", "freight")]},
        {"terms": "2/10 NET30"},
        {"discounts": [("2", 10)]},
        {"type": "386"},
        {"ref_document_no": "INV-0"},
        {"reason": "PRICE"},
        {"references": References(order_no="SO-1")},
        {"fx": Rate("1.1", DAY)},
        {"project": Project("P-1")},
        {"assignment": Assignment(factor="F-1")},
        {"opening": Opening(DAY)},
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
    assert examine(
        an_invoice(
            total=total,
            tax=tax,
            currency=currency,
            terms=terms,
            lines=[Line(tax, terms, total)],
            discounts=[(tax, 3)],
            references=References(payment=total),
            fx=Rate(tax, DAY),
        )
    )
