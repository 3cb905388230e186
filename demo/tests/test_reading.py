from datetime import date
from pathlib import Path

import pytest
from demo.ledger import BillAnew, CreditMemo, Customer, DebitMemo, Invoice, LateCharges, Receipt, Schedule, Void, WriteOff
from demo.mapping import Unreadable, load_mapping, shipped
from demo.reading import Fault, RowsUnreadable, read_ledger

PAID_IN_FULL = "countrycode,customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,SettledDate\n"


def a_csv(folder: Path, text: str) -> Path:
    path = folder / "ledger.csv"
    path.write_bytes(text.encode())
    return path


def a_mapping(folder: Path, text: str) -> Path:
    path = folder / "mapping.toml"
    path.write_text(text)
    return path


def a_mapping_text(*, entity: str = "US01", currency: str = "USD") -> str:
    columns = 'document_no = "no"\ncustomer = "who"\nissued_on = "on"\ndue_on = "due"\namount = "sum"\n'
    return f'name = "m"\nentity = "{entity}"\ncurrency = "{currency}"\n[columns]\n{columns}'


def test_a_settled_row_is_an_invoice_and_money_that_names_it(tmp_path: Path) -> None:
    ledger, mapping = read_ledger(a_csv(tmp_path, PAID_IN_FULL + "818,C-1,4711,03/01/2012,02/02/2012,97.6,25/02/2012\n"))

    assert mapping.name == "ibm"
    assert ledger.entries == (
        Invoice("4711", "C-1", "USD", date(2012, 1, 3), date(2012, 2, 2), 9760),
        Receipt("PAY-4711", "USD", date(2012, 2, 25), 9760, remittance="4711"),
    )


def test_an_invoice_that_was_not_settled_brings_no_money(tmp_path: Path) -> None:
    ledger, _ = read_ledger(a_csv(tmp_path, PAID_IN_FULL + "818,C-1,4711,03/01/2012,02/02/2012,97.6,\n"))

    assert [type(entry) for entry in ledger.entries] == [Invoice]


def test_every_kind_of_row_of_our_own_format_is_read(tmp_path: Path) -> None:
    ledger, mapping = read_ledger(
        a_csv(
            tmp_path,
            "kind,number,customer,issued_on,due_on,value_on,currency,amount,reference,bank_account,name\n"
            "customer,,C-1,2025-01-01,,,,,,DE89 3704,Amber Glass\n"
            "invoice,I-1,C-1,2025-01-02,2025-02-01,,EUR,10.00,,,\n"
            "credit_memo,M-1,C-1,2025-01-03,,,EUR,1.00,I-1,,\n"
            "receipt,B-1,,,,2025-01-04,EUR,9.00,for I-1,DE89 3704,\n"
            "debit_memo,D-1,C-1,2025-01-05,2025-01-19,,EUR,35.00,I-1,,\n"
            "void,D-1,C-1,2025-01-06,,,,,,,\n"
            "write_off,I-1,,2025-05-06,,,,,,,\n"
            "schedule,R-1,C-1,2025-01-31,2025-02-14,,EUR,100.00,,,\n"
            "late_charges,,,2025-01-01,,,,,8.5,,\n",
        )
    )

    assert mapping.name == "own"
    assert ledger.entries == (
        Customer("C-1", date(2025, 1, 1), "Amber Glass", "DE89 3704"),
        Invoice("I-1", "C-1", "EUR", date(2025, 1, 2), date(2025, 2, 1), 1000),
        CreditMemo("M-1", "C-1", "EUR", date(2025, 1, 3), 100, "I-1"),
        Receipt("B-1", "EUR", date(2025, 1, 4), 900, remittance="for I-1", bank_account="DE89 3704"),
        DebitMemo("D-1", "C-1", "EUR", date(2025, 1, 5), date(2025, 1, 19), 3500, "I-1"),
        Void("D-1", "C-1", date(2025, 1, 6)),
        WriteOff("I-1", date(2025, 5, 6)),
        Schedule("R-1", "C-1", "EUR", date(2025, 1, 31), 14, 10000),
        LateCharges(date(2025, 1, 1), "8.5"),
    )


def test_parents_orders_and_what_is_billed_anew_are_read(tmp_path: Path) -> None:
    header = "kind,number,customer,issued_on,due_on,value_on,currency,amount,reference,bank_account,name,discount,fee,order\n"
    rows = [
        "customer,,C-2,2025-01-01,,,,,C-1,,Child,,,",
        "invoice,I-1,C-2,2025-01-02,2025-02-01,,EUR,10.00,,,,,,SO-1",
        "receipt,B-1,,,,2025-01-04,EUR,9.00,,ACC,,,,SO-1",
        "bill_anew,B-1,,2025-01-09,,,,,,,,,,",
    ]
    ledger, _ = read_ledger(a_csv(tmp_path, header + "\n".join(rows) + "\n"))

    assert ledger.entries == (
        Customer("C-2", date(2025, 1, 1), "Child", None, "C-1"),
        Invoice("I-1", "C-2", "EUR", date(2025, 1, 2), date(2025, 2, 1), 1_000, order="SO-1"),
        Receipt("B-1", "EUR", date(2025, 1, 4), 900, bank_account="ACC", deposit_for="SO-1"),
        BillAnew("B-1", date(2025, 1, 9)),
    )
    with pytest.raises(RowsUnreadable, match="cannot be its own parent"):
        read_ledger(a_csv(tmp_path, header + "customer,,C-2,2025-01-01,,,,,C-2,,Child,,,\n"))


def test_a_rate_is_a_decimal_a_schedule_looks_ahead_and_there_is_one_policy(tmp_path: Path) -> None:
    rows = (
        "kind,number,customer,issued_on,due_on,value_on,currency,amount,reference,bank_account,name\n"
        "late_charges,,,2025-01-01,,,,,9 %,,\n"
        "late_charges,,,2025-02-01,,,,,9,,\n"
        "schedule,R-1,C-1,2025-01-31,2025-01-14,,EUR,100.00,,,\n"
    )
    with pytest.raises(RowsUnreadable) as caught:
        read_ledger(a_csv(tmp_path, rows))

    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(2, "reference"), (3, "kind"), (4, "due_on")]


def test_every_row_that_cannot_be_read_is_named_at_once(tmp_path: Path) -> None:
    rows = (
        "818,C-1,1,13/13/2012,02/02/2012,97.6,25/02/2012\n"
        '818,"C|1",2,03/01/2012,02/02/2012,97.655,25/02/2012\n'
        "818,C-1,3,03/01/2012,02/02/2012,-1,25/02/2012\n"
        "\n"
        "818,C-1,3,03/01/2012,02/02/2012,1,25/02/2012,extra\n"
        '818,C-1,3,03/01/2012,02/02/12,"1,000.00",\n'
    )
    with pytest.raises(RowsUnreadable) as caught:
        read_ledger(a_csv(tmp_path, PAID_IN_FULL + rows))

    assert [(fault.line, fault.column) for fault in caught.value.faults] == [
        (2, "InvoiceDate"),
        (3, "customerID"),
        (3, "InvoiceAmount"),
        (4, "InvoiceAmount"),
        (6, "the row"),
        (7, "invoiceNumber"),
        (7, "DueDate"),
        (7, "InvoiceAmount"),
    ]
    assert Fault(7, "invoiceNumber", "'3' is already the document of line 4") in caught.value.faults
    assert "line 2, InvoiceDate: '13/13/2012' is not a day written as day/month/year" in str(caught.value)


def test_an_unknown_header_is_answered_with_what_is_missing_and_a_mapping_to_copy(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        read_ledger(a_csv(tmp_path, "Invoice No;Customer ID;Invoice Date;Due Date;Total\n1;C;2025-01-01;2025-01-31;1.00\n"))

    said, _, to_copy = str(caught.value).partition("\n\n")
    assert "`ibm`, the columns invoiceNumber, customerID, InvoiceDate, DueDate, InvoiceAmount, SettledDate are missing" in said
    assert (
        'document_no = "Invoice No"\ncustomer = "Customer ID"\nissued_on = "Invoice Date"\ndue_on = "Due Date"\namount = "Total"' in to_copy
    )


def test_the_mapping_to_copy_works_once_its_question_marks_are_filled(tmp_path: Path) -> None:
    ledger_path = a_csv(tmp_path, "Invoice No;Customer ID;Invoice Date;Due Date;Total\n1;C;2025-01-01;2025-01-31;1.00\n")
    with pytest.raises(Unreadable) as caught:
        read_ledger(ledger_path)
    to_copy = str(caught.value).partition("\n\n")[2].replace('settled_on = "?"', "#")

    ledger, _ = read_ledger(ledger_path, a_mapping(tmp_path, to_copy))

    assert ledger.entries == (Invoice("1", "C", "USD", date(2025, 1, 1), date(2025, 1, 31), 100),)


def test_a_given_mapping_that_does_not_fit_says_which_columns_are_missing(tmp_path: Path) -> None:
    mapping = a_mapping(tmp_path, a_mapping_text())
    with pytest.raises(Unreadable, match="the columns who, sum are missing"):
        read_ledger(a_csv(tmp_path, "no,on,due\n1,2025-01-01,2025-01-02\n"), mapping)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing required field"),
        (a_mapping_text(currency="XXQ"), "unknown currency"),
        (a_mapping_text(entity="US|01"), "no code of an entity"),
        ('name = "m"\nentity = "US01"\ncurrency = "USD"\n[columns]\nfoo = "x"', "unknown field `foo`"),
        ("name = ", "Invalid value"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        load_mapping(a_mapping(tmp_path, text))


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"\xff\xfe\x00", "is not UTF-8"), (PAID_IN_FULL.encode(), "a header and no rows")],
)
def test_a_file_that_is_no_ledger_is_refused_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "ledger.csv"
    path.write_bytes(content)

    with pytest.raises(Unreadable, match=said):
        read_ledger(path)


def test_the_shipped_mappings_can_be_read_and_have_different_names() -> None:
    assert [mapping.name for mapping in shipped()] == ["ibm", "own"]


def test_a_bank_account_belongs_to_one_customer_and_a_customer_is_told_once_a_day(tmp_path: Path) -> None:
    rows = "customer,,C-1,2025-01-01,,,,,,ACC-1,A\ncustomer,,C-1,2025-01-01,,,,,,ACC-2,A\ncustomer,,C-2,2025-01-01,,,,,,acc -1,B\n"
    with pytest.raises(RowsUnreadable) as caught:
        read_ledger(a_csv(tmp_path, f"kind,number,customer,issued_on,due_on,value_on,currency,amount,reference,bank_account,name\n{rows}"))

    assert [(fault.line, fault.column) for fault in caught.value.faults] == [(3, "customer"), (4, "bank_account")]
