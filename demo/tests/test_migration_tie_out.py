"""XC-10: what the file says beside what the books say, and what is said of it at the end."""

import csv
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from demo.figures import Figures
from demo.migration.answers import Issued
from demo.migration.documents import Document, Sheet, credited, opening_balance
from demo.migration.extract import RefusedRow, Row
from demo.migration.load import Outcome, says
from demo.migration.report import exactly, write_refused
from demo.migration.tie_out import Books, TieOut, tie_out
from events import invoice
from events.invoice import Reason

ISSUED_ON = date(2020, 1, 5)
DUE_ON = date(2020, 2, 4)
AS_OF = date(2020, 2, 20)


def an_item(number: str, minor: int, *, due_on: date | None = DUE_ON, terms: str | None = None, exact: Fraction | None = None) -> Document:
    fact = opening_balance("US01", number, "C-1", "USD", ISSUED_ON, minor, as_of=AS_OF, due_on=due_on, terms=terms, original_total=None)
    return Document(fact, (Row(2, ("",)),), minor, Fraction(minor) if exact is None else exact, fact.due_on)


def taken_in(document: Document) -> Issued:
    kind = invoice.InvoiceIssued if document.minor > 0 else invoice.CreditMemoIssued
    due = ((document.due_on or DUE_ON, document.minor),) if document.minor > 0 else ()
    return Issued(kind, "C-1", "USD", ISSUED_ON, document.minor, due, "opening_balance")


def a_sheet(*documents: Document) -> Sheet:
    sheet = Sheet(len(documents), documents=list(documents))
    for document in documents:
        sheet.exact["USD"] += document.exact
    return sheet


def books(late: int, on_account: int = 0) -> Books:
    figures = Figures(on_account=on_account)
    figures.buckets["1-30"] = late
    return Books({"USD": figures}, {"USD": figures})


def compare(sheet: Sheet, outcome: Outcome, before: Books, after: Books, others: tuple[Document, ...] = ()) -> TieOut:
    issued = {document.number: taken_in(document) for document in (*outcome.in_books, *others)}
    return tie_out(sheet, outcome, issued, before, after, as_of=AS_OF)


NOTHING = Books({}, {})


def test_a_file_whose_every_item_is_in_the_books_ties() -> None:
    items = an_item("I-1", 7000), an_item("I-2", 3000, due_on=None, terms="NET30")

    tied = compare(a_sheet(*items), Outcome(accepted=[*items]), NOTHING, books(10000))

    (control,), (aged,) = tied.controls, tied.aging
    assert tied.ties and tied.alone
    assert (control.file, control.accepted, control.books, control.difference) == (10000, 10000, 10000, 0)
    assert (aged.items["1-30"], aged.file.buckets["1-30"]) == (2, 10000)


def test_a_cent_of_difference_does_not_tie() -> None:
    item = an_item("I-1", 7000)

    tied = compare(a_sheet(item), Outcome(accepted=[item]), NOTHING, books(6999))

    assert not tied.ties
    assert tied.controls[0].difference == -1


def test_the_second_run_ties_as_the_first_did_and_finds_a_cent_that_has_gone() -> None:
    item = an_item("I-1", 7000)

    assert compare(a_sheet(item), Outcome(there=[item]), books(7000), books(7000)).ties
    assert not compare(a_sheet(item), Outcome(there=[item]), books(6999), books(6999)).ties


def test_beside_other_documents_the_growth_of_the_books_is_compared() -> None:
    there, new, other = an_item("I-1", 7000), an_item("I-2", 500), an_item("X-1", 200)

    tied = compare(a_sheet(there, new), Outcome(accepted=[new], there=[there]), books(7200), books(7700), others=(other,))

    assert tied.ties and not tied.alone
    assert tied.controls[0].beside == 200
    assert not compare(a_sheet(there, new), Outcome(accepted=[new], there=[there]), books(7200), books(7699), others=(other,)).ties


def test_what_was_refused_keeps_a_file_from_tying_and_is_named_by_amount() -> None:
    good, bad = an_item("I-1", 7000), an_item("I-2", 3000)
    reasons = (Reason(code="TERMS_UNKNOWN", field="terms"),)

    tied = compare(a_sheet(good, bad), Outcome(accepted=[good], refused=[(bad, reasons)]), NOTHING, books(7000))

    assert not tied.ties
    assert (tied.controls[0].refused, tied.controls[0].difference) == (3000, 0)


def test_a_row_refused_without_a_readable_amount_keeps_a_file_from_tying() -> None:
    sheet = a_sheet(an_item("I-1", 7000))
    sheet.refused.append(RefusedRow(Row(3, ("?",)), (Reason(code="AMOUNT_NOT_PLAIN", field="amount"),)))

    assert not compare(sheet, Outcome(accepted=sheet.documents), NOTHING, books(7000)).ties


def test_rounding_is_stated_and_not_a_difference() -> None:
    item = an_item("I-1", 7000, exact=Fraction(69998, 10))

    tied = compare(a_sheet(item), Outcome(accepted=[item]), NOTHING, books(7000))

    assert tied.ties
    assert exactly(tied.controls[0].rounding, "USD") == "0.002"


@pytest.mark.parametrize(("late", "on_account", "ties"), [(7000, 500, True), (6500, 0, True), (6700, 200, True), (6500, 500, False)])
def test_credit_may_have_been_applied_to_items_but_not_have_gone(late: int, on_account: int, ties: bool) -> None:
    documents = an_item("I-1", 7000), an_item("CM-1", -500)

    assert compare(a_sheet(*documents), Outcome(accepted=[*documents]), NOTHING, books(late, on_account)).ties is ties


def test_documents_issued_after_the_day_of_the_aging_are_in_the_control_total_only() -> None:
    item = an_item("I-1", 7000)
    aged = tie_out(
        a_sheet(item), Outcome(accepted=[item]), {"I-1": taken_in(item)}, NOTHING, Books(books(7000).aged, {}), as_of=date(2020, 1, 4)
    )

    assert aged.ties
    assert not aged.aging


def test_a_document_in_the_books_is_ours_only_if_it_says_the_same() -> None:
    item, credit = an_item("I-1", 7000), an_item("CM-1", -500)
    memo = Document(credited("US01", "CM-2", "C-1", "USD", ISSUED_ON, [500]), (), -500, Fraction(-500), None)

    assert says(taken_in(item), item) and says(taken_in(credit), credit)
    assert says(replace(taken_in(credit), origin=None), memo)
    assert not says(replace(taken_in(item), origin=None), item)
    assert not says(replace(taken_in(item), minor=7001), item)
    assert not says(replace(taken_in(item), customer="C-2"), item)
    halved = an_item("I-1", 7000, exact=Fraction(13999, 2))
    assert says(replace(taken_in(halved), minor=6999), halved) and not says(replace(taken_in(halved), minor=7001), halved)
    assert not says(replace(taken_in(item), due=((date(2020, 2, 5), 7000),)), item)


def test_refused_rows_are_written_with_their_reasons_and_a_later_run_without_any_removes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "items.csv.refused.csv"
    reasons = (Reason(code="BAD_DATE", field="due_on"), Reason(code="MISSING", field="amount"))

    write_refused(path, ["no", "who"], ";", [RefusedRow(Row(7, ("1", "a;b")), reasons)])

    with path.open(newline="") as written:
        assert [*csv.reader(written, delimiter=";")] == [
            ["refused_line", "refused_because", "no", "who"],
            ["7", "BAD_DATE due_on; MISSING amount", "1", "a;b"],
        ]
    write_refused(path, ["no", "who"], ";", [])
    assert not path.exists()


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(Fraction(25, 2), "USD", "0.125"), (Fraction(-1, 5), "USD", "-0.002"), (Fraction(5), "JPY", "5"), (Fraction(1, 2), "JPY", "0.5")],
)
def test_exact_amounts_are_written_with_all_their_decimals(minor: Fraction, currency: str, text: str) -> None:
    assert exactly(minor, currency) == text
