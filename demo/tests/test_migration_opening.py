"""XC-10: open items of another system, read, rounded, and made facts."""

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from demo.figures import BUCKETS
from demo.migration.documents import Document, Sheet
from demo.migration.extract import Extract
from demo.migration.mapping import OpeningMapping
from demo.migration.opening import Days, read_opening
from demo.migration.tie_out import figures_of_file
from events import erp
from launcher.folders import checkout
from money import format_minor

DATA = checkout().parent / "shared" / "data"
REAL = DATA / "ledgers" / "highradius_open_items_a.csv"
TODAY = date(2026, 1, 1)
HEADER = "number,customer,currency,issued,due,terms,open,total,cleared\n"
MAPPING = """
kind = "opening"
name = "test"
currency = "USD"
{more}
[terms]
"30T" = "NET30"
[columns]
document_no = "number"
customer = "customer"
currency = "currency"
issued_on = "issued"
due_on = "due"
terms = "terms"
amount = "open"
original_total = "total"
settled_on = "cleared"
"""


def read(folder: Path, *rows: str, more: str = "", as_of: date | None = None) -> tuple[Sheet, Days]:
    ledger, mapping = folder / "items.csv", folder / "mapping.toml"
    ledger.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    mapping.write_text(MAPPING.format(more=more))
    return read_opening(Extract(OpeningMapping, ledger, mapping), "US01", as_of, TODAY)


def reasons_of(sheet: Sheet) -> list[tuple[int, list[str]]]:
    return [(one.row.line, [f"{reason.code} {reason.field}" for reason in one.reasons]) for one in sheet.refused]


def fact_of(document: Document) -> erp.OpeningBalanceLoaded:
    assert isinstance(document.fact, erp.OpeningBalanceLoaded)
    return document.fact


def test_an_open_item_ages_from_its_own_due_date_and_says_what_it_was_issued_for(tmp_path: Path) -> None:
    sheet, days = read(tmp_path, "I-1,C-1,EUR,2020-01-05,2020-02-04,,70.50,100,")

    (document,) = sheet.documents
    assert document.fact == erp.OpeningBalanceLoaded(
        entity="US01",
        document_no="I-1",
        customer="C-1",
        currency="EUR",
        issued_on=date(2020, 1, 5),
        as_of=date(2020, 1, 5),
        open="70.50",
        due_on=date(2020, 2, 4),
        original_total="100.00",
    )
    assert days == Days(date(2020, 1, 5), date(2020, 1, 5))


def test_terms_are_told_in_our_words_where_no_due_date_stands(tmp_path: Path) -> None:
    rows = ("I-1,C-1,,2020-01-05,,30T,1,,", "I-2,C-1,,2020-01-05,,NET7,1,,", "I-3,C-1,,2020-01-05,2020-03-01,30T,1,,")

    sheet, _ = read(tmp_path, *rows)

    assert [(fact_of(one).terms, one.due_on) for one in sheet.documents] == [("NET30", None), ("NET7", None), (None, date(2020, 3, 1))]


def test_less_than_nothing_open_is_credit_without_a_due_date(tmp_path: Path) -> None:
    sheet, _ = read(tmp_path, "CM-1,C-1,USD,2020-01-05,2020-02-04,30T,-12.00,,")

    (document,) = sheet.documents
    assert (fact_of(document).open, fact_of(document).type, fact_of(document).due_on, fact_of(document).terms) == (
        "-12.00",
        "381",
        None,
        None,
    )


def test_every_reason_against_a_row_is_said_at_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows = (
        ",C|1,XXQ,2020-01-32,2020-13-01,,1e5,,",
        "I-2,C-1,USD,,,,,,",
        "I-3,C-1,USD,2026-01-02,2026-02-01,,0.005,,",
        "I-4,C-1",
        "I-5,C-1,USD,2020-01-05,2020-02-04,,1.00,,",
    )

    sheet, _ = read(tmp_path, *rows)

    assert reasons_of(sheet) == [
        (
            2,
            [
                "MISSING document_no",
                "BAD_IDENTIFIER customer",
                "BAD_DATE issued_on",
                "CURRENCY_UNKNOWN currency",
                "AMOUNT_NOT_PLAIN amount",
                "BAD_DATE due_on",
            ],
        ),
        (3, ["MISSING issued_on", "MISSING amount", "MISSING due_on"]),
        (4, ["DATE_OUT_OF_RANGE issued_on", "AMOUNT_TOO_PRECISE amount"]),
        (5, ["ROW_LENGTH row"]),
    ]
    assert [document.number for document in sheet.documents] == ["I-5"]


def test_a_number_twice_is_one_item_or_a_conflict_and_the_first_row_counts(tmp_path: Path) -> None:
    """INV-01, before anything is sent."""
    rows = (
        "I-1,C-1,USD,2020-01-05,2020-02-04,,1.00,,",
        "I-1,C-1,USD,2020-01-05,2020-02-04,,1.0,,",
        "I-1,C-1,USD,2020-01-05,2020-02-04,,2.00,,",
    )

    sheet, _ = read(tmp_path, *rows)

    assert (len(sheet.documents), sheet.duplicates, reasons_of(sheet)) == (1, 1, [(4, ["CONFLICT document_no"])])
    assert (sheet.exact["USD"], sheet.refused_exact["USD"]) == (100, 200)


def test_what_is_settled_or_zero_is_counted_and_not_told(tmp_path: Path) -> None:
    sheet, _ = read(tmp_path, "I-1,C-1,USD,2020-01-05,2020-02-04,,1.00,,2020-03-01", "I-2,C-1,USD,2020-01-05,2020-02-04,,0.00,,")

    assert (sheet.nothing_open, sheet.documents, sheet.refused) == (2, [], [])


def test_rounding_by_total_rounds_every_bucket_once_and_every_row_to_a_neighbour(tmp_path: Path) -> None:
    late = [f"I-{n},C-1,USD,2020-01-05,2020-02-04,,1.005,," for n in range(10)]
    current = [f"J-{n},C-1,USD,2020-01-05,2020-03-04,,1.004,," for n in range(10)]

    sheet, days = read(tmp_path, *late, *current, more='rounding = "by_total"', as_of=date(2020, 2, 20))

    figures, items = figures_of_file(sheet.documents, {}, days.as_of)
    assert (figures["USD"].buckets["1-30"], figures["USD"].buckets["current"]) == (1005, 1004)
    assert (items["USD"]["1-30"], items["USD"]["current"]) == (10, 10)
    assert {document.minor for document in sheet.documents} == {100, 101}
    assert sheet.exact["USD"] == Fraction(2009)


def test_the_cut_over_is_the_last_day_of_the_file_or_the_day_asked_for(tmp_path: Path) -> None:
    rows = ("I-1,C-1,USD,2020-01-05,2020-02-04,,1.00,,", "I-2,C-1,USD,2020-03-01,2020-04-01,,1.00,,")

    assert read(tmp_path, *rows)[1] == Days(date(2020, 3, 1), date(2020, 3, 1))
    assert read(tmp_path, *rows, as_of=date(2020, 2, 1))[1] == Days(date(2020, 3, 1), date(2020, 2, 1))
    assert read(tmp_path, *rows, more="as_of = 2020-02-02")[1] == Days(date(2020, 3, 1), date(2020, 2, 2))
    assert read(tmp_path, *rows, as_of=date(2020, 5, 1))[1] == Days(date(2020, 5, 1), date(2020, 5, 1))


def test_the_same_row_is_the_same_event_and_a_corrected_one_another(tmp_path: Path) -> None:
    row = "I-1,C-1,USD,2020-01-05,2020-02-04,,1.00,,"
    ids = [read(tmp_path, text)[0].documents[0].record().headers[1] for text in (row, row, row.replace("1.00", "2.00"))]

    assert ids[0] == ids[1] != ids[2]
    assert ids[0][0] == "ce_id" and ids[0][1].startswith(b"US01|I-1|")


@pytest.mark.skipif(not REAL.exists(), reason="needs ../shared/data/ledgers, which a clone of this repository alone does not have")
def test_the_real_open_items_age_to_the_expected_figures_to_the_cent() -> None:
    expected = json.loads((DATA / "expected" / "ledger_highradius.json").read_text())
    (aged,) = expected["aging"]

    sheet, days = read_opening(Extract(OpeningMapping, REAL, None), "US01", date.fromisoformat(aged["as_of"]), TODAY)

    figures, items = figures_of_file(sheet.documents, {}, days.as_of)
    buckets = {name: {"n": items["USD"][name], "usd": format_minor(figures["USD"].buckets[name], "USD")} for name in BUCKETS}
    assert buckets == aged["buckets"]
    assert format_minor(figures["USD"].open, "USD") == aged["total"]
    assert (sheet.rows, len(sheet.documents), sheet.refused) == (expected["rows"], expected["rows"], [])
    assert len({document.fact.customer for document in sheet.documents}) == expected["customers"]
