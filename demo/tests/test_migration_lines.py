"""Document lines put together to documents (INV-01, INV-02), and summed up."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from demo.migration.documents import Sheet
from demo.migration.extract import Extract
from demo.migration.lines import LineCounts, read_lines
from demo.migration.mapping import LinesMapping
from demo.migration.plan import plan_lines
from events import erp
from launcher.folders import checkout

DATA = checkout().parent / "shared" / "data"
REAL = DATA / "ledgers" / "online_retail_2010-12.csv.gz"
TODAY = date(2026, 1, 1)
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def a_line(number: str, quantity: str, price: str, customer: str = "17850.0", day: str = "2010-12-01 08:26:00") -> str:
    return f'{number},85123A,"WHITE, HANGING",{quantity},{day},{price},{customer},United Kingdom'


def read(folder: Path, *lines: str) -> tuple[Sheet, LineCounts]:
    path = folder / "lines.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return read_lines(Extract(LinesMapping, path, None), "US01", TODAY)


def reasons_of(sheet: Sheet) -> list[tuple[int, list[str]]]:
    return [(one.row.line, [f"{reason.code} {reason.field}" for reason in one.reasons]) for one in sheet.refused]


def test_lines_of_a_number_are_one_invoice_of_their_sum(tmp_path: Path) -> None:
    sheet, _ = read(tmp_path, a_line("1", "6", "2.55"), a_line("2", "1", "9.00"), a_line("1", "-1", "0.30"))

    assert [document.fact for document in sheet.documents] == [
        erp.InvoiceIssued(
            entity="US01",
            document_no="1",
            customer="17850.0",
            currency="GBP",
            issued_on=date(2010, 12, 1),
            total="15.00",
            terms="NET30",
            lines=[erp.Line(amount="15.30"), erp.Line(amount="-0.30")],
        ),
        erp.InvoiceIssued(
            entity="US01",
            document_no="2",
            customer="17850.0",
            currency="GBP",
            issued_on=date(2010, 12, 1),
            total="9.00",
            terms="NET30",
            lines=[erp.Line(amount="9.00")],
        ),
    ]


def test_every_line_is_rounded_half_up_and_the_total_is_their_sum(tmp_path: Path) -> None:
    sheet, _ = read(tmp_path, a_line("1", "5", "0.001"), a_line("1", "5", "0.001"), a_line("1", "4", "0.001"))

    (document,) = sheet.documents
    assert isinstance(document.fact, erp.InvoiceIssued)
    assert document.fact.total == "0.02"
    assert [line.amount for line in document.fact.lines or ()] == ["0.01", "0.01", "0.00"]


def test_a_cancellation_is_credit_on_the_account_with_a_positive_total(tmp_path: Path) -> None:
    sheet, _ = read(tmp_path, a_line("C1", "-12", "1.65"), a_line("C1", "-1", "0.29"))

    (document,) = sheet.documents
    assert document.minor == -2009
    assert document.fact == erp.CreditMemoIssued(
        entity="US01",
        document_no="C1",
        customer="17850.0",
        currency="GBP",
        issued_on=date(2010, 12, 1),
        total="20.09",
        lines=[erp.Line(amount="19.80"), erp.Line(amount="0.29")],
    )


def test_an_adjustment_is_a_debit_memo_or_credit_by_its_sign_and_nobodys_lines_go_to_the_default_customer(tmp_path: Path) -> None:
    sheet, counts = read(tmp_path, a_line("A1", "1", "11062.06", ""), a_line("A2", "1", "-11062.06", ""))

    owed, credit = (document.fact for document in sheet.documents)
    assert isinstance(owed, erp.DebitMemoIssued) and isinstance(credit, erp.CreditMemoIssued)
    assert (owed.customer, owed.total, credit.customer, credit.total) == ("WALK-IN", "11062.06", "WALK-IN", "11062.06")
    assert (counts.without_customer, counts.customers) == (2, set())


def test_an_invoice_of_zero_is_an_invoice(tmp_path: Path) -> None:
    sheet, _ = read(tmp_path, a_line("1", "-10", "0.0", ""))

    (document,) = sheet.documents
    assert isinstance(document.fact, erp.InvoiceIssued)
    assert document.fact.total == "0.00"


def test_documents_whose_lines_disagree_or_whose_sign_is_wrong_are_refused_with_every_row(tmp_path: Path) -> None:
    lines = (
        *(a_line("1", "-2", "1.00"), a_line("1", "1", "1.00", "17851.0", "2010-12-02 08:26:00")),
        a_line("C2", "1", "1.00"),
        *(a_line("3", "many", "1.00"), a_line("3", "1", "1.00")),
        a_line("", "1", "1.00"),
        a_line("4", "1", "1.00"),
    )

    sheet, _ = read(tmp_path, *lines)

    differ = ["CUSTOMERS_DIFFER customer", "DATES_DIFFER issued_on", "TOTAL_NEGATIVE total"]
    assert reasons_of(sheet) == [
        *((2, differ), (3, differ)),
        (4, ["TOTAL_POSITIVE total"]),
        *((5, ["AMOUNT_NOT_PLAIN quantity"]), (6, ["AMOUNT_NOT_PLAIN quantity"])),
        (7, ["MISSING document_no"]),
    ]
    assert [document.number for document in sheet.documents] == ["4"]


@pytest.mark.skipif(not REAL.exists(), reason="needs ../shared/data/ledgers, which a clone of this repository alone does not have")
def test_the_real_lines_come_to_the_expected_figures_to_the_cent() -> None:
    expected = json.loads((DATA / "expected" / "online_retail_2010-12.json").read_text())

    figures = plan_lines(REAL, None, "US01", None, TODAY).figures((), {})

    file: dict[str, Any] = figures["summary"]["file"]["GBP"]
    assert figures["lines"] == expected["lines"]
    assert figures["lines_without_customer"] == expected["lines_without_customer"]
    assert figures["customers"] == file["customers"] == expected["customers"]
    assert (file["invoices"], file["gross_invoiced"]) == (expected["invoices"], expected["gross_invoiced"])
    assert (file["credit_memos"], file["credited"]) == (expected["cancellations_C"], expected["cancelled"])
    assert (file["adjustments"], file["zero_value_invoices"]) == (expected["adjustments_A"], expected["zero_value_invoices"])
    assert file["top5_net"] == expected["top5_net"]
