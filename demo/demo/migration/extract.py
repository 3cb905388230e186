"""An extract of another system: a CSV, plain or gzipped, row by row, and its cells under a mapping."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final, Generic, get_args

from events.ingress import check_identifier
from events.invoice import Reason
from money import MINOR_MAX, CurrencyUnknown, scale

from demo.mapping import Unreadable, cells
from demo.migration.mapping import Dates, MappingT, Written, choose
from demo.migration.rounding import exact_minor

DECIMALS_MAX: Final = 12  # More is noise of a conversion: nobody's rate is that exact.
_PARTS: Final = {"year": r"(?P<year>\d{4})", "month": r"(?P<month>\d{1,2})", "day": r"(?P<day>\d{1,2})"}
_TIME: Final = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"  # Behind a day the time of day does not count.


def _pattern(order: str) -> Callable[[str], re.Match[str] | None]:
    """Return what matches a day written in an order, as mappings call it."""
    if order == "yearmonthday":  # Tables with empty cells write whole numbers as 20200430.0.
        return re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:\.0)?", re.ASCII).fullmatch
    written = re.sub("year|month|day", lambda part: _PARTS[part[0]], re.escape(order))
    return re.compile(written + _TIME, re.ASCII).fullmatch


_PATTERNS: Final = {order: _pattern(order) for order in get_args(Dates)}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file; the header is line 1, and `line` is where the row ends."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not loaded, with every reason: a code and the meaning of the column, as mappings call it."""

    row: Row
    reasons: tuple[Reason, ...]


class Extract(Generic[MappingT]):
    """
    A file under its mapping: `header` and `rows`, empty lines left out.

    :raises Unreadable: it cannot be opened, is not CSV in UTF-8, has no rows, or no mapping fits its header.
    """

    def __init__(self, wanted: type[MappingT], path: Path, mapping: Path | None) -> None:
        self.path = path
        text = _read(path)
        header_line = text.partition("\n")[0].rstrip("\r")
        if not header_line.strip():
            raise Unreadable(f"{path} is empty: its first line must name the columns.")
        self.mapping: MappingT = choose(wanted, header_line, path, mapping)
        self.header: list[str] = cells(header_line, self.mapping.delimiter)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.mapping.delimiter, strict=True)
        try:
            next(reader)
            self.rows = [Row(reader.line_num, tuple(row)) for row in reader if any(cell.strip() for cell in row)]
        except csv.Error as error:
            raise Unreadable(f"{path} is not CSV (line {reader.line_num}): {error}.") from None
        if not self.rows:
            raise Unreadable(f"{path} has a header and no rows: there is nothing to load.")

    def each(self) -> Iterator["Cells"]:
        """Yield every row for reading."""
        for row in self.rows:
            yield Cells(self.mapping, self.header, row)


class Cells:
    """The cells of one row by column; what cannot be read is remembered in `reasons`, so that all of it is said at once."""

    def __init__(self, written: Written, header: Sequence[str], row: Row) -> None:
        self.row = row
        self.reasons: list[Reason] = []
        self._written = written
        self._cells = dict(zip(header, (cell.strip() for cell in row.cells), strict=False))
        if len(row.cells) != len(header):
            self.refuse("ROW_LENGTH", "row")
            self._cells = dict.fromkeys(header, "")  # Nobody can tell which cell is which.

    @property
    def legible(self) -> bool:
        """Whether it is known which cell is which."""
        return not any(reason.code == "ROW_LENGTH" for reason in self.reasons)

    def refuse(self, code: str, field: str) -> None:
        """Remember a reason against the row."""
        if not self.reasons or self.legible:
            self.reasons.append(Reason(code=code, field=field))

    def refused(self) -> RefusedRow:
        """Return the row with its reasons."""
        return RefusedRow(self.row, tuple(self.reasons))

    def text(self, column: str | None) -> str:
        """Return a cell, empty where there is no such column."""
        return self._cells[column] if column else ""

    def identifier(self, field: str, column: str) -> str:
        """Read a document or customer number: 1 to 64 printable characters."""
        found = self._cells[column]
        if not found:
            self.refuse("MISSING", field)
        elif reason := check_identifier(field, found):
            self.refuse(reason.code, field)
        return found

    def day(self, field: str, column: str) -> date | None:
        """Read a day, by the first way of writing days that fits it."""
        found = self._cells[column]
        if not found:
            self.refuse("MISSING", field)
            return None
        for order in self._written.dates:
            if match := _PATTERNS[order](found):
                try:
                    return date(int(match["year"]), int(match["month"]), int(match["day"]))
                except ValueError:
                    continue
        self.refuse("BAD_DATE", field)
        return None

    def currency(self, column: str | None) -> str | None:
        """Read a currency: the row's own, else the mapping's; None where it is none."""
        found = self.text(column) or self._written.currency
        if not found:
            self.refuse("MISSING", "currency")
            return None
        try:
            scale(found)
        except CurrencyUnknown as unknown:
            self.refuse(unknown.code, "currency")
            return None
        return found

    def number(self, field: str, column: str) -> Decimal | None:
        """
        Read a number, exactly. Less than zero is `-1.50`, `1.50-` or `(1.50)`; never an exponent, never a separator that is not declared.
        """
        found = self._cells[column]
        if not found:
            self.refuse("MISSING", field)
            return None
        digits, negative = found, False
        for before, after in (("(", ")"), ("-", ""), ("", "-")):
            if len(found) > len(before) + len(after) and found.startswith(before) and found.endswith(after):
                digits, negative = found[len(before) : len(found) - len(after)].strip(), True
                break
        point, group = re.escape(self._written.decimal), re.escape(self._written.thousands)
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d{{1,18}}" if group else r"\d{1,18}"
        match = re.fullmatch(rf"({whole})(?:{point}(\d{{1,{DECIMALS_MAX}}}))?", digits, re.ASCII)
        if match is None:
            self.refuse("AMOUNT_NOT_PLAIN", field)
            return None
        plain = match[1].replace(self._written.thousands, "") if group else match[1]
        return Decimal(f"{'-' if negative else ''}{plain}.{match[2] or '0'}")

    def amount(self, field: str, column: str, currency: str | None, *, exact: bool) -> Decimal | None:
        """Read an amount of a currency; `exact` refuses more decimals than it has, where they say anything."""
        found = self.number(field, column)
        if found is None or currency is None:
            return None
        minor = exact_minor(found, currency)
        if exact and minor.denominator != 1:
            self.refuse("AMOUNT_TOO_PRECISE", field)
        elif abs(minor) > MINOR_MAX:
            self.refuse("AMOUNT_TOO_LARGE", field)
        else:
            return found
        return None


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):  # RFC 1952: what gzip begins with.
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path} is not UTF-8 text (byte {error.start}): save it as CSV UTF-8.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Unreadable(f"{path} is damaged: it begins as a gzipped file and does not end as one.") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be opened: {error.strerror}.") from None
