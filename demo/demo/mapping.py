"""
Mappings: which column of somebody's CSV means what, declared in TOML.

The shipped ones lie in `demo/mappings` and are picked by the header; the format is described in `demo/README.md`.
"""

import csv
import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from events.ingress import check_identifier
from launcher.trouble import Trouble
from money import CurrencyUnknown, scale

SHIPPED: Final = Path(__file__).resolve().parents[1] / "mappings"

# What people call the columns, for the first guess of a mapping to copy.
_HABITS: Final = {
    "document_no": ("invoiceno", "invoicenumber", "invoiceid", "docno", "docid", "documentno", "number"),
    "customer": ("customerid", "customerno", "custnumber", "customernumber", "account", "customer"),
    "issued_on": ("invoicedate", "issuedate", "postingdate", "documentdate", "date"),
    "due_on": ("duedate", "dueindate", "due"),
    "amount": ("invoiceamount", "totalamount", "total", "amount"),
    "settled_on": ("settleddate", "cleardate", "paiddate", "paymentdate", "paidon"),
}


class Unreadable(Trouble):
    """The ledger or its mapping cannot be read, so nothing was played; exit status 2."""


class Columns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The name of the column behind each meaning. Without `kind` every row is an invoice that is paid on `settled_on`, where there is one.

    With `kind` a row is what its cell says: `invoice`, `credit_memo`, `receipt` (`document_no` is the bank's reference, `settled_on` the
    value date, `reference` the remittance) or `customer` (known from `issued_on`).
    """

    document_no: str
    customer: str
    issued_on: str
    due_on: str
    amount: str
    settled_on: str | None = None
    settled_amount: str | None = None
    currency: str | None = None
    kind: str | None = None
    reference: str | None = None
    bank_account: str | None = None
    name: str | None = None
    discount: str | None = None
    fee: str | None = None
    order: str | None = None

    def declared(self) -> list[str]:
        """The columns the CSV must have, in the order of the meanings; those of discounts, fees and orders it may have."""
        may_have = (self.discount, self.fee, self.order)
        return [column for column in msgspec.structs.astuple(self) if column is not None and column not in may_have]


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One declared mapping: whose books, how dates are written, and which column means what."""

    name: str
    entity: str
    currency: str
    columns: Columns
    time_zone: str = "UTC"
    calendar: str = ""
    delimiter: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = ","
    dates: Literal["day/month/year", "month/day/year", "year-month-day", "day.month.year", "day-month-year"] = "year-month-day"

    def missing_in(self, header: Sequence[str]) -> list[str]:
        """Return the declared columns that a header does not have."""
        return [column for column in self.columns.declared() if column not in header]


def load_mapping(path: Path) -> Mapping:
    """
    Read a mapping.

    :raises Unreadable: missing, not TOML, or not a mapping; the sentence says where.
    """
    try:
        mapping = msgspec.toml.decode(path.read_bytes(), type=Mapping)
        scale(mapping.currency)
        ZoneInfo(mapping.time_zone)
        if check_identifier("entity", mapping.entity):
            raise ValueError(f"{mapping.entity!r} is no code of an entity")
    except OSError as error:
        raise Unreadable(f"The mapping {path} cannot be opened: {error.strerror}.") from None
    except ZoneInfoNotFoundError as error:
        raise Unreadable(f"The mapping {path} names a time zone that is not known here: {error.args[0]}.") from None
    except (msgspec.DecodeError, CurrencyUnknown, ValueError) as error:
        raise Unreadable(f"The mapping {path} cannot be used: {error}. demo/README.md says what belongs into it.") from None
    return mapping


def shipped() -> list[Mapping]:
    """Return the mappings of the repository, by name."""
    return [load_mapping(path) for path in sorted(SHIPPED.glob("*.toml"))]


def choose(header_line: str, ledger: Path, given: Path | None) -> Mapping:
    """
    Return the mapping for a CSV: the given one, else the shipped one whose columns are all there, the one with most columns first.

    :param header_line: the first line of the file; the delimiter is the mapping's own matter.
    :raises Unreadable: no mapping fits; the text names the missing columns of the nearest one and holds a mapping to copy.
    """
    candidates = [load_mapping(given)] if given else shipped()
    missing_by = {one.name: one.missing_in(cells(header_line, one.delimiter)) for one in candidates}
    fitting = [one for one in candidates if not missing_by[one.name]]
    if fitting:
        return max(fitting, key=lambda one: len(one.columns.declared()))
    nearest = min(candidates, key=lambda one: len(missing_by[one.name]) / len(one.columns.declared()))
    missing = ", ".join(missing_by[nearest.name])
    if given:
        said = f"The mapping {given} does not fit {ledger}: the columns {missing} are missing from its header."
    else:
        said = f"No shipped mapping fits the header of {ledger}: for the nearest, `{nearest.name}`, the columns {missing} are missing."
    raise Unreadable(
        f"{said}\nCopy this into a file, put the names of your columns where a ? stands, and pass it with MAPPING=path.toml:\n\n"
        f"{to_copy(header_line)}"
    )


def to_copy(header_line: str) -> str:
    """Return a mapping in TOML, filled with the header's columns as far as their names tell."""
    delimiter = max(",;\t|", key=header_line.count)
    header = [name for name in cells(header_line, delimiter) if name]
    plain = {"".join(filter(str.isalnum, name)).lower(): name for name in header}
    lines = [
        'name = "mine"',
        'entity = "US01"',
        'currency = "USD"',
        f"delimiter = {json.dumps(delimiter)}",
        'dates = "year-month-day"  # or day/month/year, month/day/year, day.month.year, day-month-year',
        "",
        f"[columns]  # The file has: {', '.join(header)}",
    ]
    for meaning, habits in _HABITS.items():
        found = [plain[name] for habit in habits for name in get_close_matches(habit, plain, n=1, cutoff=0.9)]
        why = "  # optional: without it nothing is ever paid" if meaning == "settled_on" else ""
        lines.append(f"{meaning} = {json.dumps(found[0] if found else '?', ensure_ascii=False)}{why}")
    return "\n".join(lines) + "\n"


def cells(header_line: str, delimiter: str) -> list[str]:
    """Split a header line into the names of its columns."""
    return [name.strip() for name in next(csv.reader([header_line], delimiter=delimiter), [])]
