"""
Mappings of a migration: which column of an extract means what, and how its days and amounts are written, declared in TOML.

`kind = "opening"` is a list of open items (XC-10), `kind = "lines"` a list of document lines. The shipped ones lie in
`demo/mappings/migration` and are picked by the header; docs/migration.md describes every field.
"""

from collections.abc import Mapping as Table
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

import msgspec
from events.ingress import check_identifier
from money import CurrencyUnknown, scale

from demo.mapping import Unreadable, cells

SHIPPED: Final = Path(__file__).resolve().parents[2] / "mappings" / "migration"
OneCharacter: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=1)]
Dates: TypeAlias = Literal[
    "year-month-day", "day-month-year", "day/month/year", "month/day/year", "day.month.year", "year/month/day", "yearmonthday"
]
DocumentKind: TypeAlias = Literal["invoice", "credit_memo", "adjustment"]


class OpeningColumns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The name of the column behind each meaning. `due_on` or `terms` is needed; where a row has both, its due date counts.

    A row with something in `settled_on` is not open any more. `original_total` is what the document was issued for.
    """

    document_no: str
    customer: str
    issued_on: str
    amount: str
    due_on: str | None = None
    terms: str | None = None
    currency: str | None = None
    settled_on: str | None = None
    original_total: str | None = None


class LineColumns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name of the column behind each meaning; a line's net amount is `quantity` times `unit_price`."""

    document_no: str
    customer: str
    issued_on: str
    quantity: str
    unit_price: str
    currency: str | None = None


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an extract is written. `dates` are tried in their order; `currency` is that of rows which name none."""

    name: str
    currency: str | None = None
    delimiter: OneCharacter = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    dates: Annotated[list[Dates], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: ["year-month-day"])


class OpeningMapping(Written, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="opening"):
    """
    A list of open items. `terms` translates the extract's codes, `default_terms` are those of rows that have neither terms nor due date.

    `rounding` says what becomes of amounts with more decimals than their currency has: `refuse`, or `by_total` (see rounding.py).
    `as_of` is the day the aging is tied out on unless one is given.
    """

    columns: OpeningColumns
    terms: Table[str, str] = msgspec.field(default_factory=dict)
    default_terms: str | None = None
    rounding: Literal["refuse", "by_total"] = "refuse"
    as_of: date | None = None

    def declared(self) -> list[str]:
        """The columns the extract must have."""
        return [column for column in msgspec.structs.astuple(self.columns) if column is not None]


class LinesMapping(Written, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="lines"):
    """
    A list of document lines, grouped by document number. `prefixes` says what a document is by the first characters of its number; without
    any of them it is an invoice. `default_customer` is billed where no customer stands; `terms` are those of every document to be paid.
    """

    columns: LineColumns
    terms: str
    default_customer: str | None = None
    prefixes: Table[str, DocumentKind] = msgspec.field(default_factory=dict)

    def declared(self) -> list[str]:
        """The columns the extract must have."""
        return [column for column in msgspec.structs.astuple(self.columns) if column is not None]

    def kind_of(self, document_no: str) -> DocumentKind:
        """Return what a document is, by the longest of the prefixes that its number begins with."""
        fitting = [prefix for prefix in self.prefixes if document_no.startswith(prefix)]
        return self.prefixes[max(fitting, key=len)] if fitting else "invoice"


AnyMapping: TypeAlias = OpeningMapping | LinesMapping
MappingT = TypeVar("MappingT", OpeningMapping, LinesMapping)


def load(path: Path) -> AnyMapping:
    """
    Read a mapping.

    :raises Unreadable: missing, not TOML, or not a mapping; the sentence says where.
    """
    try:
        mapping: AnyMapping = msgspec.toml.decode(path.read_bytes(), type=AnyMapping)
        _check(mapping)
    except OSError as error:
        raise Unreadable(f"The mapping {path} cannot be opened: {error.strerror}.") from None
    except (msgspec.DecodeError, CurrencyUnknown, ValueError) as error:
        raise Unreadable(f"The mapping {path} cannot be used: {error}. docs/migration.md says what belongs into it.") from None
    return mapping


def choose(wanted: type[MappingT], header_line: str, ledger: Path, given: Path | None) -> MappingT:
    """
    Return the mapping for an extract: the given one, else the shipped one of its kind whose columns are all there.

    :raises Unreadable: none fits; the sentence names what is missing.
    """
    candidates = [load(path) for path in ([given] if given else sorted(SHIPPED.glob("*.toml")))]
    of_kind = [one for one in candidates if isinstance(one, wanted)]
    if not of_kind:
        raise Unreadable(f"The mapping {given} is of the other kind: its `kind` says so, and docs/migration.md describes both.")
    missing_by = {one.name: _missing(one.declared(), cells(header_line, one.delimiter)) for one in of_kind}
    for one in of_kind:
        if not missing_by[one.name]:
            return one
    nearest = min(missing_by, key=lambda name: len(missing_by[name]))
    raise Unreadable(
        f"The mapping `{nearest}` does not fit {ledger}: the columns {', '.join(missing_by[nearest])} are missing from its header. "
        "docs/migration.md has a mapping to copy; pass yours with MAPPING=path.toml."
    )


def _missing(declared: Sequence[str], header: Sequence[str]) -> list[str]:
    return [column for column in declared if column not in header]


def _check(mapping: AnyMapping) -> None:
    if mapping.currency is not None:
        scale(mapping.currency)
    if mapping.thousands == mapping.decimal:
        raise ValueError("`decimal` and `thousands` are the same character")
    if isinstance(mapping, OpeningMapping):
        if mapping.currency is None and mapping.columns.currency is None:
            raise ValueError("it has neither `currency` nor a column for it")
        if mapping.columns.due_on is None and mapping.columns.terms is None and mapping.default_terms is None:
            raise ValueError("it says nowhere when items are due: `due_on`, `terms` or `default_terms`")
    elif mapping.default_customer is not None and check_identifier("default_customer", mapping.default_customer):
        raise ValueError("`default_customer` is no identifier")
