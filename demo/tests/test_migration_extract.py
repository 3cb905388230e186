"""Reading somebody's extract: cells, mappings, files."""

import gzip
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from demo.mapping import Unreadable
from demo.migration.extract import Cells, Extract, Row
from demo.migration.mapping import LinesMapping, OpeningMapping, Written, load
from demo.migration.rounding import carried, exact_minor
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = '[columns]\ndocument_no = "no"\ncustomer = "who"\nissued_on = "on"\namount = "sum"\n'


def a_cell(text: str, **written: object) -> Cells:
    fields: dict[str, object] = {"name": "m", **written}
    return Cells(Written(**fields), ["cell"], Row(2, (text,)))  # type: ignore[arg-type]  # A test says which fields.


@pytest.mark.parametrize(
    ("text", "orders", "day"),
    [
        ("30-04-2020", ["day-month-year"], date(2020, 4, 30)),
        ("20200430", ["yearmonthday"], date(2020, 4, 30)),
        ("20200430.0", ["day-month-year", "yearmonthday"], date(2020, 4, 30)),
        ("2010-12-01 08:26:00", ["year-month-day"], date(2010, 12, 1)),
        ("12/1/2010 8:26", ["month/day/year"], date(2010, 12, 1)),
        ("1.12.2010", ["year-month-day", "day.month.year"], date(2010, 12, 1)),
    ],
)
def test_days_are_read_by_the_first_order_that_fits(text: str, orders: list[str], day: date) -> None:
    assert a_cell(text, dates=orders).day("issued_on", "cell") == day


@pytest.mark.parametrize("text", ["31-04-2020", "04-30-2020", "30-04-20", "2020", "٣٠-٠٤-٢٠٢٠", "30-04-2020 tomorrow"])
def test_what_is_no_day_is_refused(text: str) -> None:
    cells = a_cell(text, dates=["day-month-year"])

    assert cells.day("due_on", "cell") is None
    assert [(reason.code, reason.field) for reason in cells.reasons] == [("BAD_DATE", "due_on")]


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "number"),
    [
        ("1234.5", ".", "", "1234.5"),
        ("-0.01", ".", "", "-0.01"),
        ("1.234,50", ",", ".", "1234.50"),
        ("1 234 567,8", ",", " ", "1234567.8"),
        ("120.00-", ".", "", "-120"),
        ("(1,200.00)", ".", ",", "-1200"),
        ("007", ".", "", "7"),
    ],
)
def test_numbers_are_read_exactly_as_the_mapping_writes_them(text: str, decimal: str, thousands: str, number: str) -> None:
    cells = a_cell(text, decimal=decimal, thousands=thousands)

    assert cells.number("amount", "cell") == Decimal(number)
    assert not cells.reasons


@pytest.mark.parametrize("text", ["1e5", "12,34", "1,23", "1.2.3", "NaN", "--1", "-(1)", "£5", "1_000", ".5", "5.", "１２", "9" * 19])
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    cells = a_cell(text)

    assert cells.number("amount", "cell") is None
    assert [reason.code for reason in cells.reasons] == ["AMOUNT_NOT_PLAIN"]


def test_separators_of_thousands_stand_every_three_digits() -> None:
    assert a_cell("1,23", thousands=",").number("amount", "cell") is None


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [("0.001", "USD", "AMOUNT_TOO_PRECISE"), ("1.5", "JPY", "AMOUNT_TOO_PRECISE"), ("99999999999999", "USD", "AMOUNT_TOO_LARGE")],
)
def test_an_amount_has_the_decimals_of_its_currency_and_a_bound(text: str, currency: str, code: str) -> None:
    cells = a_cell(text)

    assert cells.amount("amount", "cell", currency, exact=True) is None
    assert [reason.code for reason in cells.reasons] == [code]


def test_zeros_behind_the_decimals_of_a_currency_say_nothing() -> None:
    assert a_cell("97.6000").amount("amount", "cell", "USD", exact=True) == Decimal("97.6")


@given(st.lists(st.integers(0, 10**9), min_size=1), st.sampled_from([1, -1]), st.integers(1, 10**4))
def test_carried_rounding_keeps_the_sum_and_moves_no_amount_by_a_unit(numerators: list[int], sign: int, denominator: int) -> None:
    exact = [Fraction(sign * one, denominator) for one in numerators]

    rounded = carried(exact)

    total = sum(exact, start=Fraction())
    assert abs(sum(rounded) - total) <= Fraction(1, 2)
    assert all(abs(whole - one) < 1 for whole, one in zip(rounded, exact, strict=True))
    assert all(whole == one for whole, one in zip(rounded, exact, strict=True) if one.denominator == 1)


def test_a_half_is_rounded_away_from_zero_once() -> None:
    halves = [exact_minor(Decimal("0.125"), "USD"), exact_minor(Decimal("0.125"), "USD")]

    assert carried(halves) == [13, 12]
    assert carried([-one for one in halves]) == [-13, -12]


def a_file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def a_mapping(folder: Path, text: str) -> Path:
    return a_file(folder, "mapping.toml", text.encode())


def test_a_gzipped_extract_is_read_and_empty_lines_are_left_out(tmp_path: Path) -> None:
    content = gzip.compress(b"no,who,on,sum\r\n1,C-1,2020-01-01,5\r\n,,,\r\n\r\n2,C-1,2020-01-01,6\r\n")
    mapping = a_mapping(tmp_path, f'kind = "opening"\nname = "m"\ncurrency = "USD"\ndefault_terms = "NET30"\n{COLUMNS}')

    extract = Extract(OpeningMapping, a_file(tmp_path, "items.csv.gz", content), mapping)

    assert [row.line for row in extract.rows] == [2, 5]


def test_a_row_of_another_length_is_refused_for_that_alone(tmp_path: Path) -> None:
    mapping = a_mapping(tmp_path, f'kind = "opening"\nname = "m"\ncurrency = "USD"\ndefault_terms = "NET30"\n{COLUMNS}')
    extract = Extract(OpeningMapping, a_file(tmp_path, "items.csv", b"no,who,on,sum\n1,C-1\n"), mapping)

    (cells,) = extract.each()
    cells.day("issued_on", "on")

    assert [(reason.code, reason.field) for reason in cells.reasons] == [("ROW_LENGTH", "row")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"no,who,on,sum\n", "a header and no rows"),
        (b"\xff\xfe", "not UTF-8"),
        (gzip.compress(b"no,who", mtime=0)[:-4], "damaged"),
        (b"no,who,on\n1,2,3\n", "the columns sum are missing"),
        (b'no,who,on,sum\n"1\n', "not CSV"),
    ],
)
def test_a_file_that_is_no_extract_is_refused_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    mapping = a_mapping(tmp_path, f'kind = "opening"\nname = "m"\ncurrency = "USD"\ndefault_terms = "NET30"\n{COLUMNS}')

    with pytest.raises(Unreadable, match=said):
        Extract(OpeningMapping, a_file(tmp_path, "items.csv", content), mapping)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind = 3", "Expected `str`"),
        (f'kind = "opening"\nname = "m"\ndefault_terms = "NET30"\n{COLUMNS}', "neither `currency` nor a column"),
        (f'kind = "opening"\nname = "m"\ncurrency = "USD"\n{COLUMNS}', "says nowhere when items are due"),
        (f'kind = "opening"\nname = "m"\ncurrency = "XXQ"\ndefault_terms = "NET30"\n{COLUMNS}', "unknown currency"),
        (f'kind = "opening"\nname = "m"\ncurrency = "USD"\nthousands = "."\ndefault_terms = "NET30"\n{COLUMNS}', "the same character"),
        (f'kind = "lines"\nname = "m"\nterms = "NET30"\n{COLUMNS}', "unknown field `amount`"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        load(a_mapping(tmp_path, text))


def test_a_mapping_of_the_other_kind_is_refused(tmp_path: Path) -> None:
    mapping = a_mapping(tmp_path, f'kind = "opening"\nname = "m"\ncurrency = "USD"\ndefault_terms = "NET30"\n{COLUMNS}')

    with pytest.raises(Unreadable, match="of the other kind"):
        Extract(LinesMapping, a_file(tmp_path, "items.csv", b"no,who,on,sum\n1,2,3,4\n"), mapping)


def test_the_longest_prefix_says_what_a_document_is(tmp_path: Path) -> None:
    columns = COLUMNS.replace('amount = "sum"', 'quantity = "q"\nunit_price = "p"')
    mapping = load(
        a_mapping(tmp_path, f'kind = "lines"\nname = "m"\nterms = "NET0"\n[prefixes]\nC = "credit_memo"\nCA = "adjustment"\n{columns}')
    )

    assert isinstance(mapping, LinesMapping)
    assert [mapping.kind_of(number) for number in ("536365", "C1", "CA1")] == ["invoice", "credit_memo", "adjustment"]
