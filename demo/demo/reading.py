"""From a CSV to a ledger: every row that cannot be read is named, and then nothing is played."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Cells
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from events.ingress import check_identifier
from money import AmountRefused, CurrencyUnknown, parse_minor

from demo.ledger import (
    BillAnew,
    CreditMemo,
    Customer,
    DebitMemo,
    Entry,
    House,
    Invoice,
    LateCharges,
    Ledger,
    Rate,
    Receipt,
    Refund,
    Return,
    Schedule,
    TakeOff,
    Void,
    WriteOff,
)
from demo.mapping import Mapping, Unreadable, cells, choose

KINDS = (
    "invoice, debit_memo, credit_memo, void, receipt, return, rate, customer, write_off, schedule, late_charges, take_off, refund, "
    "bill_anew"
)
RECEIPT_OF = "PAY-"  # Bank reference of the money that settles a row: this and the document number.


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be read: its line in the file (the header is line 1), the column, the reason."""

    line: int
    column: str
    reason: str


class RowsUnreadable(Unreadable):
    """Some rows make no sense; all of them are in `faults`."""

    def __init__(self, ledger: Path, faults: list[Fault]) -> None:
        named = "\n".join(f"  line {fault.line}, {fault.column}: {fault.reason}" for fault in faults)
        super().__init__(f"{ledger} was not played: {len(faults)} cells cannot be read.\n{named}")
        self.faults = faults


def read_ledger(path: Path, mapping_path: Path | None = None) -> tuple[Ledger, Mapping]:
    """
    Read a CSV under a given mapping, or under the shipped one that its header fits; return the mapping too.

    :raises Unreadable: the file, its header or the mapping cannot be used.
    :raises RowsUnreadable: some rows cannot.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Unreadable(f"The ledger {path} cannot be opened: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise Unreadable(f"The ledger {path} is not UTF-8 text (byte {error.start}): save it as CSV UTF-8.") from None
    header_line = text.partition("\n")[0].rstrip("\r")
    if not header_line.strip():
        raise Unreadable(f"The ledger {path} is empty: its first line must name the columns.")
    mapping = choose(header_line, path, mapping_path)
    reader = _Reader(mapping)
    try:
        entries = tuple(reader.read(text))
    except csv.Error as error:
        raise Unreadable(f"The ledger {path} is not CSV (line {reader.line}): {error}.") from None
    if reader.faults:
        raise RowsUnreadable(path, reader.faults)
    if not entries:
        raise Unreadable(f"The ledger {path} has a header and no rows: there is nothing to play.")
    return Ledger(House(mapping.entity, mapping.currency, mapping.time_zone, mapping.calendar), entries), mapping


class _Reader:
    """Reads rows one by one and remembers what was wrong with them and which numbers are taken."""

    def __init__(self, mapping: Mapping) -> None:
        self.faults: list[Fault] = []
        self.line = 1
        self._mapping = mapping
        self._columns = mapping.columns
        self._taken: dict[tuple[str, str], int] = {}
        self._owners: dict[str, str] = {}

    def read(self, text: str) -> Iterator[Entry]:
        """Yield what the rows without faults say, in their order."""
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=self._mapping.delimiter, strict=True)
        header = cells(text.partition("\n")[0].rstrip("\r"), self._mapping.delimiter)
        next(rows)
        for row in rows:
            self.line = rows.line_num
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                self._fault("the row", f"it has {len(row)} cells, the header {len(header)}")
                continue
            before = len(self.faults)
            entries = self._entries(dict(zip(header, (cell.strip() for cell in row), strict=True)))
            if len(self.faults) == before:
                yield from entries

    def _entries(self, row: Cells[str, str]) -> list[Entry]:
        """Return what a row says; what makes no sense goes to the faults, and the entries are then worth nothing."""
        if self._columns.kind is None:
            return self._settled_invoice(row)
        reads: dict[str, Callable[[Cells[str, str]], Entry]] = {
            "invoice": self._invoice,
            "debit_memo": self._debit_memo,
            "credit_memo": self._credit_memo,
            "void": self._void,
            "receipt": self._receipt,
            "return": self._return,
            "rate": self._rate,
            "take_off": self._take_off,
            "refund": self._refund,
            "bill_anew": self._bill_anew,
            "customer": self._customer,
            "write_off": self._write_off,
            "schedule": self._schedule,
            "late_charges": self._late_charges,
        }
        read = reads.get(row[self._columns.kind])
        if read is None:
            self._fault(self._columns.kind, f"{row[self._columns.kind][:20]!r} is none of {KINDS}")
            return []
        return [read(row)]

    def _settled_invoice(self, row: Cells[str, str]) -> list[Entry]:
        """An invoice and, where it was settled, the money that names it: all of it unless a column says how much."""
        invoice = self._invoice(row)
        settled, paid = self._columns.settled_on, self._columns.settled_amount
        if settled is None or not row[settled]:
            return [invoice]
        amount_minor = self._amount(row, paid, invoice.currency) if paid and row[paid] else invoice.amount_minor
        bank_ref = f"{RECEIPT_OF}{invoice.document_no}"
        if check_identifier("", bank_ref):
            self._fault(self._columns.document_no, f"with {RECEIPT_OF!r} before it, it is too long for a bank reference (64 characters)")
        return [invoice, Receipt(bank_ref, invoice.currency, self._date(row, settled), amount_minor, remittance=invoice.document_no)]

    def _invoice(self, row: Cells[str, str], of: str = "document") -> Invoice:
        columns, currency = self._columns, self._currency(row)
        document_no, customer = self._number(row, of), self._identifier(row, columns.customer)
        issued_on, due_on = self._date(row, columns.issued_on), self._date(row, columns.due_on)
        discount, order = self._discount(row), self._optional(row, columns.order)
        return Invoice(document_no, customer, currency, issued_on, due_on, self._amount(row, columns.amount, currency), discount, order)

    def _discount(self, row: Cells[str, str]) -> tuple[int, int] | None:
        """Read percent and days of a discount, written "2/10"."""
        if (text := self._optional(row, self._columns.discount)) is None:
            return None
        found = re.fullmatch(r"([1-9][0-9]?)/([0-9]{1,3})", text, re.ASCII)
        if found is None:
            self._fault(self._columns.discount or "", f"{text[:20]!r} is no discount: percent and days, such as 2/10")
            return None
        return int(found[1]), int(found[2])

    def _debit_memo(self, row: Cells[str, str]) -> DebitMemo:
        one, reference = self._invoice(row), self._columns.reference
        names = self._identifier(row, reference) if reference and row[reference] else None
        return DebitMemo(one.document_no, one.customer, one.currency, one.issued_on, one.due_on, one.amount_minor, names)

    def _void(self, row: Cells[str, str]) -> Void:
        document_no = self._number(row, "void")
        return Void(document_no, self._identifier(row, self._columns.customer), self._date(row, self._columns.issued_on))

    def _write_off(self, row: Cells[str, str]) -> WriteOff:
        return WriteOff(self._number(row, "write-off"), self._date(row, self._columns.issued_on))

    def _schedule(self, row: Cells[str, str]) -> Schedule:
        first, columns = self._invoice(row, "schedule"), self._columns
        net_days = (first.due_on - first.issued_on).days
        if net_days < 0:
            self._fault(columns.due_on, f"{row[columns.due_on]!r} is before the first invoice")
        return Schedule(first.document_no, first.customer, first.currency, first.issued_on, net_days, first.amount_minor)

    def _late_charges(self, row: Cells[str, str]) -> LateCharges:
        self._take("policy", "late_charges", self._columns.kind or "the row")
        percent = self._optional(row, self._columns.reference) or ""
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,6})?", percent):
            self._fault(self._columns.reference or self._columns.amount, f"{percent[:20]!r} is no rate: percent a year, such as 9 or 8.5")
        return LateCharges(self._date(row, self._columns.issued_on), percent)

    def _credit_memo(self, row: Cells[str, str]) -> CreditMemo:
        columns, currency = self._columns, self._currency(row)
        document_no, customer = self._number(row, "document"), self._identifier(row, columns.customer)
        issued_on, amount_minor = self._date(row, columns.issued_on), self._amount(row, columns.amount, currency)
        names = self._identifier(row, columns.reference) if columns.reference and row[columns.reference] else None
        return CreditMemo(document_no, customer, currency, issued_on, amount_minor, names)

    def _receipt(self, row: Cells[str, str]) -> Receipt:
        columns, currency = self._columns, self._currency(row)
        return Receipt(
            self._number(row, "receipt"),
            currency,
            self._date(row, columns.settled_on or columns.issued_on),
            self._amount(row, columns.amount, currency),
            remittance=self._optional(row, columns.reference),
            bank_account=self._optional(row, columns.bank_account),
            customer=self._identifier(row, columns.customer) if row[columns.customer] else None,
            deposit_for=self._optional(row, columns.order),
        )

    def _return(self, row: Cells[str, str]) -> Return:
        """A bank's word that it took money back has a reference of its own, among those of receipts."""
        columns, currency = self._columns, self._currency(row)
        return Return(
            self._number(row, "receipt"),
            self._identifier(row, columns.reference or columns.document_no),
            currency,
            self._date(row, columns.settled_on or columns.issued_on),
            self._amount(row, columns.amount, currency),
            self._amount(row, columns.fee, currency) if self._optional(row, columns.fee) and columns.fee else 0,
        )

    def _rate(self, row: Cells[str, str]) -> Rate:
        currency, told_on = self._currency(row), self._date(row, self._columns.issued_on)
        self._take("rate", f"{currency} of {told_on}", self._columns.issued_on)
        rate = self._optional(row, self._columns.reference) or ""
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", rate, re.ASCII) or not float(rate):
            self._fault(self._columns.reference or self._columns.amount, f"{rate[:20]!r} is no rate, such as 1.08")
        return Rate(currency, told_on, rate)

    def _take_off(self, row: Cells[str, str]) -> TakeOff:
        return TakeOff(self._number(row, "receipt taken off"), self._date(row, self._columns.issued_on))

    def _refund(self, row: Cells[str, str]) -> Refund:
        return Refund(self._number(row, "refund"), self._date(row, self._columns.issued_on))

    def _bill_anew(self, row: Cells[str, str]) -> BillAnew:
        return BillAnew(self._number(row, "receipt billed anew"), self._date(row, self._columns.issued_on))

    def _customer(self, row: Cells[str, str]) -> Customer:
        columns = self._columns
        customer, known_on = self._identifier(row, columns.customer), self._date(row, columns.issued_on)
        self._take("customer", f"{customer} of {known_on}", columns.customer)
        if account := self._optional(row, columns.bank_account):
            owner = self._owners.setdefault("".join(account.split()).upper(), customer)
            if owner != customer:
                self._fault(columns.bank_account or "", f"{account!r} is already the bank account of {owner}")
        parent = self._identifier(row, columns.reference) if columns.reference and row[columns.reference] else None
        if parent == customer:
            self._fault(columns.reference or "", f"{customer!r} cannot be its own parent")
        name, bank_account = self._optional(row, columns.name) or customer, self._optional(row, columns.bank_account)
        return Customer(customer, known_on, name, bank_account, parent)

    def _number(self, row: Cells[str, str], of: str) -> str:
        """Documents share one series of numbers per entity, and so do bank references: a number taken twice is a fault."""
        number = self._identifier(row, self._columns.document_no)
        self._take(of, number, self._columns.document_no)
        return number

    def _take(self, of: str, number: str, column: str) -> None:
        earlier = self._taken.setdefault((of, number), self.line)
        if earlier != self.line:
            self._fault(column, f"{number!r} is already the {of} of line {earlier}")

    def _identifier(self, row: Cells[str, str], column: str) -> str:
        if check_identifier(column, row[column]):
            self._fault(column, f"{row[column][:40]!r} is no identifier: 1 to 64 printable characters without |")
        return row[column]

    def _optional(self, row: Cells[str, str], column: str | None) -> str | None:
        return (row.get(column) or None) if column else None

    def _currency(self, row: Cells[str, str]) -> str:
        column = self._columns.currency
        return (row[column] if column else "") or self._mapping.currency

    def _amount(self, row: Cells[str, str], column: str, currency: str) -> int:
        try:
            minor = parse_minor(row[column], currency)
        except CurrencyUnknown as error:
            self._fault(self._columns.currency or column, str(error))
            return 0
        except AmountRefused as error:
            self._fault(column, str(error))
            return 0
        if minor <= 0:
            self._fault(column, f"{row[column]!r} is not more than zero")
        return minor

    def _date(self, row: Cells[str, str], column: str) -> date:
        order = self._mapping.dates
        mark = next(filter(order.__contains__, "/.-"))
        try:
            parts = dict(zip(order.split(mark), row[column].split(mark), strict=True))
            if not all(part.isascii() and part.isdigit() for part in parts.values()) or len(parts["year"]) != 4:
                raise ValueError
            return date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
        except ValueError:
            self._fault(column, f"{row[column][:40]!r} is not a day written as {order}")
            return date.min

    def _fault(self, column: str, reason: str) -> None:
        self.faults.append(Fault(self.line, column, reason))
