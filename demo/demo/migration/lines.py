"""
Document lines of a shop or an ERP, put together to invoices, credit memos and debit memos (INV-01, INV-02).

- A line is quantity times unit price, rounded HALF_UP to the currency (EN 16931: the net amount of a line has its decimals); a document's
  total is the sum of its lines.
- An invoice of zero is an invoice, settled from the start. One of less than zero is refused (`TOTAL_NEGATIVE`): it is a credit memo by
  content, and its number does not say so. A credit memo is written with amounts below zero and told as a positive total; one above zero is
  refused (`TOTAL_POSITIVE`).
- An adjustment is what its sign says: owed to us a debit memo, else credit on the account.
- A document has one customer and one day; lines that differ are refused together (`CUSTOMERS_DIFFER`, `DATES_DIFFER`), and so is every
  document of which one line cannot be read: half a document is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from events import erp
from events.invoice import Reason
from money import round_half_up

from demo.migration.documents import Document, ErpDocument, Sheet, billed, credited
from demo.migration.extract import Cells, Extract, RefusedRow
from demo.migration.mapping import LinesMapping
from demo.migration.rounding import exact_minor


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it was read; None stands for what could not be."""

    cells: Cells
    customer: str
    currency: str | None
    issued_on: date | None
    minor: int | None


@dataclass(slots=True)
class LineCounts:
    """What is counted of lines besides documents; `customers` are those named by any line."""

    without_customer: int = 0
    customers: set[str] = field(default_factory=set)


def read_lines(extract: Extract[LinesMapping], entity: str, today: date) -> tuple[Sheet, LineCounts]:
    """Read the lines and put documents together, in the order in which their numbers first come."""
    sheet, counts = Sheet(len(extract.rows)), LineCounts()
    by_number: dict[str, list[Line]] = {}
    for cells in extract.each():
        number = cells.identifier("document_no", extract.mapping.columns.document_no)
        line = _read(cells, extract.mapping, counts, today)
        by_number.setdefault(number or f"\0{cells.row.line}", []).append(line)  # Lines without a number are refused one by one.
    for number, lines in by_number.items():
        found = _document(number, lines, extract.mapping, entity)
        if isinstance(found, Document):
            sheet.documents.append(found)
        else:
            sheet.refused += [RefusedRow(line.cells.row, tuple(line.cells.reasons) or found) for line in lines]
        sums = sheet.exact if isinstance(found, Document) else sheet.refused_exact
        for line in lines:
            if line.currency and line.minor is not None:
                sums[line.currency] += line.minor
    return sheet, counts


def _read(cells: Cells, mapping: LinesMapping, counts: LineCounts, today: date) -> Line:
    columns = mapping.columns
    customer = cells.text(columns.customer)
    if customer or not mapping.default_customer:
        customer = cells.identifier("customer", columns.customer)
        counts.customers.add(customer)
    else:
        customer = mapping.default_customer
        counts.without_customer += 1
    issued_on = cells.day("issued_on", columns.issued_on)
    if issued_on and issued_on > today:
        cells.refuse("DATE_OUT_OF_RANGE", "issued_on")
    currency = cells.currency(columns.currency)
    quantity = cells.number("quantity", columns.quantity)
    price = cells.number("unit_price", columns.unit_price)
    minor = None
    if quantity is not None and price is not None and currency is not None:
        minor = round_half_up(Fraction(quantity) * exact_minor(price, currency))
    return Line(cells, customer, currency, issued_on, minor)


def _document(number: str, lines: Sequence[Line], mapping: LinesMapping, entity: str) -> Document | tuple[Reason, ...]:
    """Put a document together, or return every reason why the lines are none."""
    if unread := [reason for line in lines for reason in line.cells.reasons]:
        return tuple(dict.fromkeys(unread))
    customers, days = {line.customer for line in lines}, {line.issued_on for line in lines}
    currencies = {line.currency for line in lines}
    minors = [line.minor for line in lines if line.minor is not None]
    total, kind = sum(minors), mapping.kind_of(number)
    judged = {
        ("CUSTOMERS_DIFFER", "customer"): len(customers) > 1,
        ("DATES_DIFFER", "issued_on"): len(days) > 1,
        ("CURRENCIES_DIFFER", "currency"): len(currencies) > 1,
        ("TOTAL_NEGATIVE", "total"): kind == "invoice" and total < 0,
        ("TOTAL_POSITIVE", "total"): kind == "credit_memo" and total > 0,
    }
    if reasons := tuple(Reason(code=code, field=field) for (code, field), wrong in judged.items() if wrong):
        return reasons
    (customer,), (currency,), (issued_on,) = customers, currencies, days
    assert currency is not None, "what could not be read has been refused"
    assert issued_on is not None, "the same"
    fact: ErpDocument
    if kind == "credit_memo" or (kind == "adjustment" and total < 0):
        fact = credited(entity, number, customer, currency, issued_on, [-minor for minor in minors])
    else:
        billed_as = erp.InvoiceIssued if kind == "invoice" else erp.DebitMemoIssued
        fact = billed(billed_as, entity, number, customer, currency, issued_on, minors, terms=mapping.terms)
    return Document(fact, tuple(line.cells.row for line in lines), total, Fraction(total), None)
