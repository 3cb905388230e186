"""
Open items of another system (XC-10): every row is one item, aged from its own due date; less than nothing open is credit.

A number that stands twice with the same content is one item, with another content the later row is refused (INV-01). What is not open any
more (settled, or an amount of zero) is counted and not told.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from money import format_minor

from demo.figures import bucket
from demo.migration.documents import Document, Sheet, opening_balance
from demo.migration.extract import Cells, Extract, Row
from demo.migration.mapping import OpeningMapping
from demo.migration.rounding import carried, exact_minor


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A row as it was read, its amount still exact."""

    number: str
    customer: str
    currency: str
    issued_on: date
    amount: Decimal
    due_on: date | None
    terms: str | None
    original: Decimal | None


@dataclass(frozen=True, slots=True)
class Days:
    """`cut_over_on` is the day whose open amounts an extract states, `as_of` the day the aging is tied out on."""

    cut_over_on: date
    as_of: date


def read_opening(extract: Extract[OpeningMapping], entity: str, as_of: date | None, today: date) -> tuple[Sheet, Days]:
    """
    Read open items; what cannot be read is refused with every reason, and the rest goes on.

    The aging is tied out on `as_of`, else on the mapping's day, else on the cut-over. That is the last day on which any of the documents
    was issued, or `as_of` where that is later.
    """
    sheet = Sheet(len(extract.rows))
    items: dict[str, tuple[OpenItem, Row]] = {}
    for cells in extract.each():
        _take(cells, extract.mapping, sheet, items, today)
    wanted = as_of or extract.mapping.as_of
    issued = [item.issued_on for item, _ in items.values()]
    days = Days(max([*issued, *([wanted] if wanted else [])], default=today), wanted or max(issued, default=today))
    rounded = _rounded([item for item, _ in items.values()], days.as_of)
    for item, row in items.values():
        minor = rounded[item.number]
        if minor == 0:
            sheet.nothing_open += 1
        else:
            sheet.documents.append(_document(item, row, minor, entity, days.cut_over_on))
    return sheet, days


def _take(cells: Cells, mapping: OpeningMapping, sheet: Sheet, items: dict[str, tuple[OpenItem, Row]], today: date) -> None:
    """Put a row where it belongs; what else a settled one says does not matter."""
    if cells.text(mapping.columns.settled_on):
        sheet.nothing_open += 1
        return
    item = _read(cells, mapping, today)
    earlier = items.get(item.number) if item and not cells.reasons else None
    if earlier and earlier[0] == item:
        sheet.duplicates += 1
        return
    if earlier:
        cells.refuse("CONFLICT", "document_no")
    if item:
        sums = sheet.refused_exact if cells.reasons else sheet.exact
        sums[item.currency] += exact_minor(item.amount, item.currency)
    if item and not cells.reasons:
        items[item.number] = item, cells.row
    else:
        sheet.refused.append(cells.refused())


def _read(cells: Cells, mapping: OpeningMapping, today: date) -> OpenItem | None:
    """Read a row; None where not even its amount makes sense. The reasons say whether the rest does."""
    columns = mapping.columns
    number, customer = cells.identifier("document_no", columns.document_no), cells.identifier("customer", columns.customer)
    issued_on = cells.day("issued_on", columns.issued_on)
    if issued_on and issued_on > today:
        cells.refuse("DATE_OUT_OF_RANGE", "issued_on")
    currency = cells.currency(columns.currency)
    exact = mapping.rounding == "refuse"
    amount = cells.amount("amount", columns.amount, currency, exact=exact)
    original = None
    if columns.original_total and cells.text(columns.original_total):
        original = cells.amount("original_total", columns.original_total, currency, exact=exact)
    due_on, terms = _due(cells, mapping, owed=amount is None or amount > 0)
    if amount is None or currency is None:
        return None
    return OpenItem(number, customer, currency, issued_on or date.min, amount, due_on, terms, original)


def _due(cells: Cells, mapping: OpeningMapping, *, owed: bool) -> tuple[date | None, str | None]:
    """Return when an item is due: its own day, else its terms in our words, else those of all. Credit is not due."""
    columns = mapping.columns
    due_on = cells.day("due_on", columns.due_on) if columns.due_on and cells.text(columns.due_on) else None
    if not owed:
        return None, None
    named = cells.text(columns.terms)
    terms = mapping.terms.get(named, named) if named else mapping.default_terms
    if due_on is None and not terms and not any(reason.field == "due_on" for reason in cells.reasons):
        cells.refuse("MISSING", "due_on")
    return due_on, None if due_on else terms or None


def _rounded(items: list[OpenItem], as_of: date) -> dict[str, int]:
    """
    Return what each item is in whole minor units, by number.

    What rounding leaves over is carried within what the tie-out adds up: a currency, owed or credit, issued by then or later, a bucket of
    the aging; in the order of due dates. So each of these sums is the exact one, rounded once.
    """
    together: defaultdict[tuple[str, bool, bool, str], list[OpenItem]] = defaultdict(list)
    for item in items:
        aged = bucket(item.due_on, as_of) if item.due_on else ""
        together[item.currency, item.amount > 0, item.issued_on <= as_of, aged].append(item)
    rounded: dict[str, int] = {}
    for group in together.values():
        group.sort(key=lambda item: (item.due_on or item.issued_on, item.number))
        exact = [exact_minor(item.amount, item.currency) for item in group]
        rounded |= zip((item.number for item in group), carried(exact), strict=True)
    return rounded


def _document(item: OpenItem, row: Row, minor: int, entity: str, as_of: date) -> Document:
    exact = exact_minor(item.amount, item.currency)
    fact = opening_balance(
        entity,
        item.number,
        item.customer,
        item.currency,
        item.issued_on,
        minor,
        as_of=as_of,
        due_on=item.due_on,
        terms=item.terms,
        original_total=None if item.original is None else _original(item.original, item.currency, exact, minor),
    )
    return Document(fact, (row,), minor, exact, fact.due_on)


def _original(original: Decimal, currency: str, open_exact: Fraction, open_minor: int) -> str:
    """Write what a document was issued for; where all of it is open, rounding the open amount up must not make it more than that."""
    exact = exact_minor(original, currency)
    (whole,) = carried([exact])
    if abs(exact) >= abs(open_exact) and abs(whole) < abs(open_minor):
        whole = -abs(open_minor) if exact < 0 else abs(open_minor)
    return format_minor(whole, currency)
