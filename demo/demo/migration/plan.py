"""What is going to be told, of either kind of extract: read before anything is connected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from demo.migration.answers import Issued
from demo.migration.documents import Document, Sheet
from demo.migration.extract import Extract
from demo.migration.lines import LineCounts, read_lines
from demo.migration.mapping import LinesMapping, OpeningMapping
from demo.migration.opening import Days, read_opening
from demo.migration.summary import Counted, summary


@dataclass(frozen=True, slots=True)
class Plan:
    """A file that was read. `mapping` is the name of its mapping, `header` and `delimiter` are for writing rows of it again."""

    ledger: Path
    mapping: str
    header: Sequence[str]
    delimiter: str
    entity: str
    sheet: Sheet
    days: Days

    def figures(self, in_books: Sequence[Document], issued: Mapping[str, Issued]) -> dict[str, Any]:
        """Return what else is to be said of the file and of the books, for machines."""
        return {"customers": len({document.fact.customer for document in self.sheet.documents})}


@dataclass(frozen=True, slots=True)
class LinesPlan(Plan):
    """A file of document lines."""

    counts: LineCounts
    rules: LinesMapping

    def figures(self, in_books: Sequence[Document], issued: Mapping[str, Issued]) -> dict[str, Any]:
        """Sum up the documents as the file has them and as the service took them in."""
        kind_of, nobody = self.rules.kind_of, self.rules.default_customer
        told = [Counted.told(document, kind_of(document.number)) for document in self.sheet.documents]
        taken_in = [Counted.taken_in(issued[document.number], kind_of(document.number)) for document in in_books]
        return {
            "lines": self.sheet.rows,
            "lines_without_customer": self.counts.without_customer,
            "customers": len(self.counts.customers),
            "summary": {"file": summary(told, nobody), "books": summary(taken_in, nobody)},
        }


def plan_opening(ledger: Path, mapping: Path | None, entity: str, as_of: date | None, today: date) -> Plan:
    """
    Read open items.

    :raises Unreadable: the file or the mapping cannot be used.
    """
    extract = Extract(OpeningMapping, ledger, mapping)
    sheet, days = read_opening(extract, entity, as_of, today)
    return Plan(ledger, extract.mapping.name, extract.header, extract.mapping.delimiter, entity, sheet, days)


def plan_lines(ledger: Path, mapping: Path | None, entity: str, as_of: date | None, today: date) -> Plan:
    """
    Read document lines; without `as_of` the aging is tied out on the day of the newest document.

    :raises Unreadable: the file or the mapping cannot be used.
    """
    extract = Extract(LinesMapping, ledger, mapping)
    sheet, counts = read_lines(extract, entity, today)
    newest = max((document.fact.issued_on for document in sheet.documents), default=today)
    days = Days(max(newest, as_of or newest), as_of or newest)
    return LinesPlan(ledger, extract.mapping.name, extract.header, extract.mapping.delimiter, entity, sheet, days, counts, extract.mapping)
